/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Which entries can be hooked, and how: one row an entry. */

#include "preload/pe/plan/plan.h"

#include <string.h>

#include "tests/lib/tap.h"
#include "tests/unit/preload/pe/sample.h"

#define BYTES(...) .code = { __VA_ARGS__ }, .code_bytes = sizeof((uint8_t[]){ __VA_ARGS__ })

enum known { LEAF, KNOWN };

struct row {
	const char *name;
	uint8_t code[32];
	uint32_t code_bytes;
	enum known known; /* to .pdata */
	enum plan_way way;
	uint8_t patch_bytes;
	const char *reason; /* when it is left */
	/* One letter a part: plain, rip, jump, if, call, through. */
	const char *parts;
	bool ends; /* nothing of the function is left behind the patch */
};

static const struct row rows[] = {
	{ "the hot-patch entry", BYTES(0x48, 0x8d, 0xa4, 0x24, 0, 0, 0, 0, 0x53, 0xc3), KNOWN,
	  PLAN_WAY_SKIP, 8, NULL, "", true },
	{ "nearly a hot-patch entry", BYTES(0x48, 0x8d, 0xa4, 0x24, 1, 0, 0, 0, 0x53, 0xc3), KNOWN,
	  PLAN_WAY_MOVE, 8, NULL, "p", false },
	{ "a system call",
	  BYTES(0x4c, 0x8b, 0xd1, 0xb8, 0x0b, 0, 0, 0, 0xf6, 0x04, 0x25, 8, 3, 0xfe, 0x7f, 1, 0x75,
		3, 0x0f, 0x05, 0xc3, 0xeb, 1, 0xc3),
	  LEAF, PLAN_WAY_MOVE, 8, NULL, "pp", false },
	{ "pushes", BYTES(0x41, 0x57, 0x41, 0x56, 0x41, 0x55, 0x31, 0xc0, 0xc3), KNOWN,
	  PLAN_WAY_MOVE, 6, NULL, "ppp", false },
	{ "exactly five bytes", BYTES(0x55, 0x57, 0x56, 0x53, 0x90, 0xc3), KNOWN, PLAN_WAY_MOVE, 5,
	  NULL, "ppppp", false },
	{ "a call", BYTES(0x48, 0x83, 0xec, 0x28, 0xe8, 0, 1, 0, 0, 0xc3), KNOWN, PLAN_WAY_MOVE, 9,
	  NULL, "pc", false },
	{ "a call first", BYTES(0xe8, 0, 1, 0, 0, 0xc3), KNOWN, PLAN_WAY_MOVE, 5, NULL, "c",
	  false },
	{ "a call out of the image", BYTES(0xe8, 0, 0, 0, 0x10, 0xc3), KNOWN, PLAN_WAY_NONE, 0,
	  "its first instructions work in their place only", "", false },
	{ "a call through memory", BYTES(0x48, 0x83, 0xec, 0x28, 0xff, 0x15, 0, 1, 0, 0, 0xc3),
	  KNOWN, PLAN_WAY_MOVE, 10, NULL, "pt", false },
	{ "a call through a register", BYTES(0x90, 0x90, 0xff, 0xd0, 0x90, 0xc3), KNOWN,
	  PLAN_WAY_NONE, 0, "its first instructions work in their place only", "", false },
	{ "memory relative to the instruction", BYTES(0x48, 0x8b, 0x05, 0, 1, 0, 0, 0xc3), LEAF,
	  PLAN_WAY_MOVE, 7, NULL, "r", false },
	{ "the same with a constant behind", BYTES(0xf6, 0x05, 0, 1, 0, 0, 1, 0xc3), LEAF,
	  PLAN_WAY_MOVE, 7, NULL, "r", false },
	{ "a jump to another function", BYTES(0xe9, 0, 1, 0, 0), LEAF, PLAN_WAY_MOVE, 5, NULL, "j",
	  true },
	{ "a short jump ahead", BYTES(0x90, 0xeb, 1, 0xcc, 0xcc, 0xc3), KNOWN, PLAN_WAY_NONE, 0,
	  "its own code jumps to its first instructions", "", false },
	{ "a short jump over the patch",
	  BYTES(0x90, 0xeb, 8, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xc3), LEAF,
	  PLAN_WAY_MOVE, 5, NULL, "pj", true },
	{ "a jump through memory", BYTES(0xff, 0x25, 0, 1, 0, 0), LEAF, PLAN_WAY_MOVE, 6, NULL, "r",
	  true },
	{ "a short condition",
	  BYTES(0x85, 0xc9, 0x74, 8, 0x31, 0xc0, 0xc3, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0xc3),
	  KNOWN, PLAN_WAY_MOVE, 6, NULL, "pip", false },
	{ "a long condition", BYTES(0x0f, 0x85, 0, 1, 0, 0, 0xc3), KNOWN, PLAN_WAY_MOVE, 6, NULL,
	  "i", false },
	{ "a loop instruction", BYTES(0xe2, 0x10, 0x90, 0x90, 0x90, 0xc3), KNOWN, PLAN_WAY_NONE, 0,
	  "its first instructions work in their place only", "", false },
	{ "a jump with an operand size prefix", BYTES(0x66, 0xe9, 0, 1, 0x90, 0xc3), KNOWN,
	  PLAN_WAY_NONE, 0, "its first instructions work in their place only", "", false },
	{ "a loop to the entry", BYTES(0x48, 0xff, 0xc9, 0x48, 0x85, 0xc9, 0x75, 0xf8, 0xc3), KNOWN,
	  PLAN_WAY_NONE, 0, "its own code jumps to its first instructions", "", false },
	{ "a loop into the patch", BYTES(0x31, 0xc0, 0x48, 0xff, 0xc9, 0x75, 0xfb, 0xc3), LEAF,
	  PLAN_WAY_NONE, 0, "its own code jumps to its first instructions", "", false },
	{ "a loop behind the patch",
	  BYTES(0x31, 0xc0, 0x90, 0x90, 0x90, 0xff, 0xc9, 0x75, 0xfc, 0xc3), LEAF, PLAN_WAY_MOVE, 5,
	  NULL, "pppp", false },
	{ "a call of itself",
	  BYTES(0x48, 0x83, 0xec, 0x28, 0x90, 0xe8, 0xf6, 0xff, 0xff, 0xff, 0xc3), KNOWN,
	  PLAN_WAY_MOVE, 5, NULL, "pp", false },
	{ "a call into the patch",
	  BYTES(0x48, 0x83, 0xec, 0x28, 0x90, 0xe8, 0xfa, 0xff, 0xff, 0xff, 0xc3), KNOWN,
	  PLAN_WAY_NONE, 0, "its own code jumps to its first instructions", "", false },
	{ "a constant", BYTES(0xb8, 1, 0, 0, 0, 0xc3), LEAF, PLAN_WAY_MOVE, 5, NULL, "p", false },
	{ "zero, and nops",
	  BYTES(0x31, 0xc0, 0xc3, 0x66, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0, 0x66, 0x90),
	  LEAF, PLAN_WAY_MOVE, 14, NULL, "pp", true },
	{ "zero, and traps", BYTES(0x31, 0xc0, 0xc3), LEAF, PLAN_WAY_MOVE, 5, NULL, "pp", true },
	{ "zero, and another function", BYTES(0x31, 0xc0, 0xc3, 0x31, 0xc0, 0xc3), LEAF,
	  PLAN_WAY_NONE, 0, "it is too short for a jump", "", false },
	{ "zero, and the rest of a known function", BYTES(0x31, 0xc0, 0xc3, 0x48, 0x31, 0xc0),
	  KNOWN, PLAN_WAY_NONE, 0, "it is too short for a jump", "", false },
	{ "no instruction", BYTES(0x06, 0x06, 0x06, 0x06, 0x06, 0x06), KNOWN, PLAN_WAY_NONE, 0,
	  "its first instructions cannot be decoded", "", false },
	{ "an end inside of an instruction", BYTES(0x48, 0x83, 0xec), KNOWN, PLAN_WAY_NONE, 0,
	  "its first instructions cannot be decoded", "", false },
	{ "no instruction later on", BYTES(0x55, 0x57, 0x56, 0x53, 0x90, 0x06, 0xc3), KNOWN,
	  PLAN_WAY_NONE, 0, "its code cannot be decoded to its end", "", false },
	{ "the same where nobody knows its end", BYTES(0x55, 0x57, 0x56, 0x53, 0x90, 0x06, 0xc3),
	  LEAF, PLAN_WAY_MOVE, 5, NULL, "ppppp", false },
};

/* One slot: allocate 0x28 after 4 bytes. */
static const uint8_t allocates[] = { 1, 4, 1, 0, 4, 0x42, 0, 0 };

static void make_plan(const struct row *row, struct sample *sample, struct plan *plan)
{
	struct pe_image image;

	sample_make(sample, row->code, row->code_bytes, row->known == KNOWN, allocates,
		    sizeof(allocates));
	pe_image_open(&image, sample, sizeof(*sample), PE_LAYOUT_MAPPED);
	plan_hook(&image, "f", plan);
}

static bool has_parts(const struct plan *plan, const char *letters)
{
	static const char kinds[] = "prjict";

	if (strlen(letters) != plan->part_count)
		return false;
	for (unsigned int i = 0; i < plan->part_count; i++)
		if (letters[i] != kinds[plan->parts[i].kind])
			return false;
	return true;
}

static void test_rows(void)
{
	static struct sample sample;
	struct plan plan;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];

		make_plan(row, &sample, &plan);
		if (row->reason) {
			ok(plan.state == HOOK_LEFT && strcmp(plan.reason, row->reason) == 0,
			   "row %zu: %s is left: %s", i, row->name, plan.reason);
			continue;
		}
		ok(plan.state == HOOK_IS_SET && plan.way == row->way && !*plan.reason,
		   "row %zu: %s can be hooked %s", i, row->name, plan.reason);
		ok_equal(plan.patch_bytes, row->patch_bytes, "row %zu: bytes of the patch", i);
		ok(has_parts(&plan, row->parts), "row %zu: parts", i);
		ok(plan.way == PLAN_WAY_SKIP || plan.falls_through == !row->ends,
		   "row %zu: what is behind the patch", i);
	}
}

static void test_targets(void)
{
	static struct sample sample;
	struct row call = { .name = "call",
			    BYTES(0x48, 0x83, 0xec, 0x28, 0xe8, 0, 1, 0, 0, 0xc3),
			    .known = KNOWN };
	struct row memory = { .name = "memory", BYTES(0x80, 0x3d, 0, 1, 0, 0, 7, 0xc3) };
	struct plan plan;

	make_plan(&call, &sample, &plan);
	ok_equal(plan.parts[1].target, SAMPLE_F + 9 + 0x100, "the target of a call");
	ok_equal(plan.unwind.slot_count, 1, "the unwind code under the patch");
	make_plan(&memory, &sample, &plan);
	ok_equal(plan.parts[0].target, SAMPLE_F + 7 + 0x100, "memory counts from the end");
	ok_equal(plan.parts[0].field, 2, "where its distance is");
}

/* What makes .pdata, exports or relocations speak against a hook. */
static void test_surroundings(void)
{
	static const uint8_t code[] = { 0x55, 0x57, 0x56, 0x53, 0x90, 0x90, 0x90, 0xc3 };
	static const uint8_t chained[] = { 0x21, 0, 0, 0 }, version_2[] = { 2, 0, 0, 0 };
	static const uint8_t late[] = { 1, 6, 2, 0, 6, 0x42, 1, 0x50 };
	static struct sample sample;
	struct pe_image image;
	struct plan plan;

	pe_image_open(&image, &sample, sizeof(sample), PE_LAYOUT_MAPPED);
	sample_make(&sample, code, sizeof(code), 1, allocates, sizeof(allocates));
	sample_relocate(&sample, SAMPLE_F + 4);
	pe_image_open(&image, &sample, sizeof(sample), PE_LAYOUT_MAPPED);
	plan_hook(&image, "f", &plan);
	ok(plan.state == HOOK_LEFT, "a relocation under the patch: %s", plan.reason);
	sample_relocate(&sample, SAMPLE_F + 5);
	plan_hook(&image, "f", &plan);
	ok(plan.state == HOOK_IS_SET, "a relocation behind the patch");

	sample_make(&sample, code, sizeof(code), 1, chained, sizeof(chained));
	plan_hook(&image, "f", &plan);
	ok(plan.state == HOOK_LEFT, "chained unwind information: %s", plan.reason);
	sample_make(&sample, code, sizeof(code), 1, version_2, sizeof(version_2));
	plan_hook(&image, "f", &plan);
	ok(plan.state == HOOK_LEFT, "unwind information of version 2: %s", plan.reason);
	sample_make(&sample, code, sizeof(code), 1, late, sizeof(late));
	plan_hook(&image, "f", &plan);
	ok(plan.state == HOOK_IS_SET && plan.unwind.slot_count == 1 &&
		   plan.unwind.slots[0] == 0x5001,
	   "unwind codes behind the patch are not taken");

	sample_32(&sample, 0x3000, SAMPLE_F - 16);
	plan_hook(&image, "f", &plan);
	ok(plan.state == HOOK_LEFT, "an entry inside a function: %s", plan.reason);
}

static void test_names(void)
{
	static struct sample sample;
	struct pe_image image;
	struct plan plan;

	sample_make(&sample, "\xc3", 1, 0, NULL, 0);
	pe_image_open(&image, &sample, sizeof(sample), PE_LAYOUT_MAPPED);
	plan_hook(&image, "g", &plan);
	ok(plan.state == HOOK_ABSENT, "no export: %s", plan.reason);
	plan_hook(&image, "forward", &plan);
	ok(plan.state == HOOK_ABSENT, "a forwarder: %s", plan.reason);
	plan_hook(&image, "data", &plan);
	ok(plan.state == HOOK_LEFT, "data: %s", plan.reason);
	ok(hook_is_in("ntdll", "ntdll.dll") && hook_is_in("ntdll", "NtDll.DLL"), "a DLL's name");
	ok(!hook_is_in("ntdll", "ntdll.so") && !hook_is_in("ntdll", "ntdll.dll.bak") &&
		   !hook_is_in("ntdll", "ntdl") && !hook_is_in("ntdll", ""),
	   "other files' names");
}

int main(void)
{
	test_rows();
	test_targets();
	test_surroundings();
	test_names();
	return tap_done();
}
