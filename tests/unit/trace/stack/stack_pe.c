/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Made-up images: every unwind code, chained and damaged information, and each place of prologues
 * and epilogues. The expectations are those of Microsoft's "x64 exception handling". */

#include "trace/stack/stack_pe.h"

#include <string.h>

#include "tests/lib/tap.h"

#define IMAGE_SIZE 0x4000u
#define BASE UINT64_C(0x140000000)
#define CODE_RVA 0x1000u
#define CODE_END 0x1040u
#define OTHER_RVA 0x1100u /* a function with a prologue */
#define PART_RVA 0x1200u  /* a part of one, moved away: its frame is there from the start */
#define INFO_RVA 0x2000u
#define TABLE_RVA 0x3000u
#define STACK UINT64_C(0x7000)

#define CODE(offset, operation, info) (offset), (uint8_t)((operation) | (info) << 4)
#define SHORT(value) (uint8_t)(value), (uint8_t)((value) >> 8)
#define LONG(value) SHORT(value), SHORT((value) >> 16)
/* version and flags, prologue, number of slots, frame register and offset */
#define INFO(version, flags, prologue, count, frame) \
	(version) | (flags) << 3, prologue, count, frame

enum { PUSH, LARGE, SMALL, FPREG, SAVE, SAVE_FAR, EPILOG, SPARE, XMM, XMM_FAR, MACHINE };
enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R12 = 12, R13, R14, R15 };

static uint8_t bytes[IMAGE_SIZE];

struct place {
	uint8_t number;
	int32_t offset; /* from the base that the case has */
};

struct test {
	const char *name;
	uint8_t info[40];
	uint8_t code[24];
	uint8_t at; /* from the function's start */
	bool is_exact;
	enum pe_kind kind;
	uint8_t base;
	int32_t caller_stack;
	struct place places[4];
};

static bool read_image(uint64_t address, void *to, size_t size_bytes)
{
	if (address < BASE || size_bytes > IMAGE_SIZE || address - BASE > IMAGE_SIZE - size_bytes)
		return false;
	memcpy(to, bytes + (address - BASE), size_bytes);
	return true;
}

static void put(uint32_t rva, const void *data, size_t size_bytes)
{
	memcpy(bytes + rva, data, size_bytes);
}

static struct pe_image make_image(void)
{
	static const uint8_t other[] = { INFO(1, 0, 4, 1, 0), CODE(4, SMALL, 4) };
	static const uint8_t part[] = { INFO(1, 0, 0, 1, 0), CODE(0, SMALL, 4) };
	static const uint32_t table[][3] = {
		{ CODE_RVA, CODE_END, INFO_RVA },
		{ OTHER_RVA, OTHER_RVA + 0x20, INFO_RVA + 0x800 },
		{ PART_RVA, PART_RVA + 0x20, INFO_RVA + 0x900 },
	};

	memset(bytes, 0xcc, sizeof(bytes));
	put(TABLE_RVA, table, sizeof(table));
	put(INFO_RVA + 0x800, other, sizeof(other));
	put(INFO_RVA + 0x900, part, sizeof(part));
	return (struct pe_image){ .base = BASE,
				  .start = BASE,
				  .end = BASE + IMAGE_SIZE,
				  .table = BASE + TABLE_RVA,
				  .count = 3,
				  .read = read_image };
}

/* Each word of the stack holds its own address, and some more. */
static bool load(void *unused, uint64_t address, uint64_t *value)
{
	*value = address + 1;
	return true;
}

static uint64_t start_value(unsigned number)
{
	return number == RSP ? STACK : STACK + 0x100000 * (number + 1);
}

static bool has_registers(const struct test *test, const struct pe_context *got)
{
	struct pe_context expected;
	uint64_t base = start_value(test->base);

	for (unsigned i = 0; i < PE_REGISTERS; i++)
		expected.registers[i] = start_value(i);
	for (int i = 0; i < 4 && test->places[i].number; i++)
		expected.registers[test->places[i].number] =
			base + (uint64_t)(int64_t)test->places[i].offset + 1;
	expected.registers[RSP] = base + (uint64_t)(int64_t)test->caller_stack;
	expected.rip = expected.registers[RSP] - 8 + 1;
	if (test->kind == PE_MACHINE) {
		expected.rip = expected.registers[RSP] + 1;
		expected.registers[RSP] += 24 + 1;
	}
	return memcmp(&expected, got, sizeof(expected)) == 0;
}

static void run(const struct test *test)
{
	struct pe_image image = make_image();
	struct pe_context context = { .rip = 0 };
	struct pe_frame frame;

	put(INFO_RVA, test->info, sizeof(test->info));
	put(CODE_RVA + test->at, test->code, sizeof(test->code));
	for (unsigned i = 0; i < PE_REGISTERS; i++)
		context.registers[i] = start_value(i);
	frame = pe_frame_find(&image, BASE + CODE_RVA + test->at, test->is_exact);
	if (!ok(frame.kind == test->kind, "%s: kind", test->name)) {
		printf("# got %d\n", frame.kind);
		return;
	}
	if (frame.kind == PE_BAD)
		return;
	ok(frame.base == test->base, "%s: base", test->name);
	ok_equal((uint32_t)frame.caller_stack, (uint32_t)test->caller_stack, "%s: stack",
		 test->name);
	ok(pe_frame_apply(&frame, &context, load, NULL) && has_registers(test, &context),
	   "%s: registers", test->name);
}

#define BODY .at = 0x20, .base = RSP
#define EXACT .at = 0x20, .base = RSP, .is_exact = true

#define PUSHES                                                                          \
	INFO(1, 0, 8, 4, 0), CODE(8, SMALL, 3), CODE(4, PUSH, RBX), CODE(3, PUSH, R12), \
		CODE(1, PUSH, RBP)
#define PUSHED .caller_stack = 0x40, .places = { { RBX, 0x20 }, { R12, 0x28 }, { RBP, 0x30 } }
#define V2                                                                                 \
	INFO(2, 0, 4, 4, 0), CODE(6, EPILOG, 1), CODE(0x20, EPILOG, 0), CODE(4, SMALL, 4), \
		CODE(1, PUSH, RBX)

static const struct test tests[] = {
	{ "empty", { INFO(1, 0, 0, 0, 0) }, BODY, .caller_stack = 8 },
	{ "small", { INFO(1, 0, 4, 1, 0), CODE(4, SMALL, 4) }, BODY, .caller_stack = 0x30 },
	{ "smallest", { INFO(1, 0, 4, 1, 0), CODE(4, SMALL, 0) }, BODY, .caller_stack = 0x10 },
	{ "large",
	  { INFO(1, 0, 7, 2, 0), CODE(7, LARGE, 0), SHORT(0x200) },
	  BODY,
	  .caller_stack = 0x1008 },
	{ "huge",
	  { INFO(1, 0, 7, 3, 0), CODE(7, LARGE, 1), LONG(0x1234560) },
	  BODY,
	  .caller_stack = 0x1234568 },
	{ "pushes", { PUSHES }, BODY, PUSHED },
	{ "pushes, exact", { PUSHES }, EXACT, PUSHED },
	{ "prologue: nothing done",
	  { PUSHES },
	  .at = 0,
	  .is_exact = true,
	  .base = RSP,
	  .caller_stack = 8 },
	{ "prologue: one push",
	  { PUSHES },
	  .at = 1,
	  .is_exact = true,
	  .base = RSP,
	  .caller_stack = 0x10,
	  .places = { { RBP, 0 } } },
	{ "prologue: two pushes",
	  { PUSHES },
	  .at = 3,
	  .is_exact = true,
	  .base = RSP,
	  .caller_stack = 0x18,
	  .places = { { R12, 0 }, { RBP, 8 } } },
	{ "prologue: three pushes",
	  { PUSHES },
	  .at = 4,
	  .is_exact = true,
	  .base = RSP,
	  .caller_stack = 0x20,
	  .places = { { RBX, 0 }, { R12, 8 }, { RBP, 16 } } },
	{ "prologue: all", { PUSHES }, .at = 8, .is_exact = true, .base = RSP, PUSHED },
	{ "prologue: a call in it",
	  { PUSHES },
	  .at = 5,
	  .base = RSP,
	  .caller_stack = 0x20,
	  .places = { { RBX, 0 }, { R12, 8 }, { RBP, 16 } } },
	{ "frame",
	  { INFO(1, 0, 12, 3, RBP | 2 << 4), CODE(12, FPREG, 0), CODE(8, SMALL, 9),
	    CODE(1, PUSH, RBP) },
	  .at = 0x20,
	  .base = RBP,
	  .caller_stack = 0x50 + 16 - 0x20,
	  .places = { { RBP, 0x30 } } },
	{ "frame: not set yet",
	  { INFO(1, 0, 12, 3, RBP | 2 << 4), CODE(12, FPREG, 0), CODE(8, SMALL, 9),
	    CODE(1, PUSH, RBP) },
	  .at = 8,
	  .is_exact = true,
	  .base = RSP,
	  .caller_stack = 0x60,
	  .places = { { RBP, 0x50 } } },
	{ "frame: another register",
	  { INFO(1, 0, 12, 2, R13 | 0 << 4), CODE(12, FPREG, 0), CODE(8, SMALL, 3) },
	  .at = 0x20,
	  .base = R13,
	  .caller_stack = 0x28 },
	{ "frame: save",
	  { INFO(1, 0, 16, 4, RBX | 1 << 4), CODE(16, SAVE, RSI), SHORT(3), CODE(12, FPREG, 0),
	    CODE(8, SMALL, 9) },
	  .at = 0x20,
	  .base = RBX,
	  .caller_stack = 0x50 + 8 - 0x10,
	  .places = { { RSI, 8 } } },
	{ "frame: a save before it is set",
	  { INFO(1, 0, 16, 4, RBX | 1 << 4), CODE(16, FPREG, 0), CODE(12, SAVE, RSI), SHORT(3),
	    CODE(8, SMALL, 9) },
	  .at = 12,
	  .is_exact = true,
	  .base = RSP,
	  .caller_stack = 0x58,
	  .places = { { RSI, 0x18 } } },
	{ "save",
	  { INFO(1, 0, 9, 3, 0), CODE(9, SAVE, RDI), SHORT(8), CODE(4, SMALL, 4) },
	  BODY,
	  .caller_stack = 0x30,
	  .places = { { RDI, 0x40 } } },
	{ "save, far",
	  { INFO(1, 0, 9, 4, 0), CODE(9, SAVE_FAR, R15), LONG(0x90000), CODE(4, SMALL, 4) },
	  BODY,
	  .caller_stack = 0x30,
	  .places = { { R15, 0x90000 } } },
	{ "save: not done yet",
	  { INFO(1, 0, 9, 3, 0), CODE(9, SAVE, RDI), SHORT(8), CODE(4, SMALL, 4) },
	  .at = 4,
	  .is_exact = true,
	  .base = RSP,
	  .caller_stack = 0x30 },
	{ "floats",
	  { INFO(1, 0, 20, 7, 0), CODE(20, XMM, 6), SHORT(2), CODE(14, XMM_FAR, 7), LONG(0x40),
	    CODE(5, SMALL, 15), CODE(1, PUSH, RSI) },
	  BODY,
	  .caller_stack = 0x90,
	  .places = { { RSI, 0x80 } } },
	{ "trap",
	  { INFO(1, 0, 0, 2, 0), CODE(0, SMALL, 1), CODE(0, MACHINE, 0) },
	  BODY,
	  .kind = PE_MACHINE,
	  .caller_stack = 0x10 },
	{ "trap with an error code",
	  { INFO(1, 0, 1, 2, 0), CODE(1, PUSH, RBP), CODE(0, MACHINE, 1) },
	  BODY,
	  .kind = PE_MACHINE,
	  .caller_stack = 0x10,
	  .places = { { RBP, 0 } } },
	{ "version 2", { V2 }, BODY, .caller_stack = 0x38, .places = { { RBX, 0x28 } } },
	{ "version 2: in the last epilogue",
	  { V2 },
	  { 0x5b, 0xc3 },
	  .at = 0x3a,
	  .base = RSP,
	  .is_exact = true,
	  .caller_stack = 0x10,
	  .places = { { RBX, 0 } } },
	{ "version 2: in another epilogue",
	  { V2 },
	  { 0x5b, 0xc3 },
	  .at = 0x20,
	  .base = RSP,
	  .is_exact = true,
	  .caller_stack = 0x10,
	  .places = { { RBX, 0 } } },
	{ "version 2: looks like one only",
	  { V2 },
	  { 0x5b, 0xc3 },
	  .at = 0x30,
	  .base = RSP,
	  .is_exact = true,
	  .caller_stack = 0x38,
	  .places = { { RBX, 0x28 } } },
	{ "chained",
	  { INFO(1, 4, 5, 2, 0), CODE(5, SAVE, RSI), SHORT(4), LONG(OTHER_RVA),
	    LONG(OTHER_RVA + 0x20), LONG(INFO_RVA + 0x800) },
	  BODY,
	  .caller_stack = 0x30,
	  .places = { { RSI, 0x20 } } },
	{ "chained, an odd number of codes",
	  { INFO(1, 4, 1, 1, 0), CODE(1, PUSH, RSI), SHORT(0), LONG(OTHER_RVA),
	    LONG(OTHER_RVA + 0x20), LONG(INFO_RVA + 0x800) },
	  BODY,
	  .caller_stack = 0x38,
	  .places = { { RSI, 0 } } },
	{ "chained to an entry that stands for another",
	  { INFO(1, 4, 0, 0, 0), LONG(OTHER_RVA), LONG(OTHER_RVA + 0x20),
	    LONG((TABLE_RVA + 24) | 1) },
	  BODY,
	  .caller_stack = 0x30 },
	{ "epilogue: pops",
	  { PUSHES },
	  { 0x5b, 0x41, 0x5c, 0x5d, 0xc3 },
	  EXACT,
	  .caller_stack = 0x20,
	  .places = { { RBX, 0 }, { R12, 8 }, { RBP, 16 } } },
	{ "epilogue: the last pops",
	  { PUSHES },
	  { 0x41, 0x5c, 0x5d, 0xc3 },
	  EXACT,
	  .caller_stack = 0x18,
	  .places = { { R12, 0 }, { RBP, 8 } } },
	{ "epilogue: return", { PUSHES }, { 0xc3 }, EXACT, .caller_stack = 8 },
	{ "epilogue: return, and free", { PUSHES }, { 0xc2, 8, 0 }, EXACT, .caller_stack = 8 },
	{ "epilogue: rep ret", { PUSHES }, { 0xf3, 0xc3 }, EXACT, .caller_stack = 8 },
	{ "epilogue: not of a call", { PUSHES }, { 0x5b, 0xc3 }, BODY, PUSHED },
	{ "epilogue: in the prologue",
	  { PUSHES },
	  { 0xc3 },
	  .at = 1,
	  .is_exact = true,
	  .base = RSP,
	  .caller_stack = 0x10,
	  .places = { { RBP, 0 } } },
	{ "epilogue: jump to a function",
	  { PUSHES },
	  { 0x5d, 0xe9, LONG(0x100 - 0x26) },
	  EXACT,
	  .caller_stack = 0x10,
	  .places = { { RBP, 0 } } },
	{ "epilogue: jump to code without an entry",
	  { PUSHES },
	  { 0xe9, LONG(0x80) },
	  EXACT,
	  .caller_stack = 8 },
	{ "epilogue: jump to another image",
	  { PUSHES },
	  { 0xe9, LONG(0x7000000) },
	  EXACT,
	  .caller_stack = 8 },
	{ "epilogue: jump to itself", { PUSHES }, { 0xeb, 0xde }, EXACT, .caller_stack = 8 },
	{ "epilogue: indirect jump", { PUSHES }, { 0x48, 0xff, 0xe0 }, EXACT, .caller_stack = 8 },
	{ "epilogue: indirect jump through memory",
	  { PUSHES },
	  { 0x48, 0xff, 0x25 },
	  EXACT,
	  .caller_stack = 8 },
	{ "no epilogue: a jump table", { PUSHES }, { 0xff, 0xe0 }, EXACT, PUSHED },
	{ "no epilogue: jump inside", { PUSHES }, { 0xeb, 0x10 }, EXACT, PUSHED },
	{ "no epilogue: jump to a part elsewhere",
	  { PUSHES },
	  { 0xe9, LONG(0x200 - 0x25) },
	  EXACT,
	  PUSHED },
	{ "no epilogue: jump into a function",
	  { PUSHES },
	  { 0xe9, LONG(0x108 - 0x25) },
	  EXACT,
	  PUSHED },
	{ "no epilogue: pops only", { PUSHES }, { 0x5b, 0x5d, 0x90 }, EXACT, PUSHED },
	{ "bad: version", { INFO(3, 0, 0, 0, 0) }, BODY, .kind = PE_BAD },
	{ "bad: unknown code", { INFO(1, 0, 0, 1, 0), CODE(0, 12, 0) }, BODY, .kind = PE_BAD },
	{ "bad: half a code", { INFO(1, 0, 0, 1, 0), CODE(0, LARGE, 0) }, BODY, .kind = PE_BAD },
	{ "bad: chained to itself",
	  { INFO(1, 4, 0, 0, 0), LONG(CODE_RVA), LONG(CODE_END), LONG(INFO_RVA) },
	  BODY,
	  .kind = PE_BAD },
	{ "bad: stands for itself",
	  { INFO(1, 4, 0, 0, 0), LONG(CODE_RVA), LONG(CODE_END), LONG((INFO_RVA + 4) | 1) },
	  BODY,
	  .kind = PE_BAD },
	{ "bad: chained to nowhere",
	  { INFO(1, 4, 0, 0, 0), LONG(CODE_RVA), LONG(CODE_END), LONG(0x7fffff00) },
	  BODY,
	  .kind = PE_BAD },
	{ "bad: a frame register that was saved",
	  { INFO(1, 0, 4, 2, RBP), CODE(4, PUSH, RBP), CODE(3, FPREG, 0) },
	  BODY,
	  .kind = PE_BAD },
	{ "bad: rsp is saved", { INFO(1, 0, 4, 1, 0), CODE(4, PUSH, RSP) }, BODY, .kind = PE_BAD },
};

static void find_entries(void)
{
	static const struct {
		uint32_t rva;
		int32_t caller_stack;
	} places[] = {
		{ CODE_RVA - 1, 8 },        { CODE_RVA, 0x10 },
		{ CODE_END - 1, 0x10 },     { CODE_END, 8 },
		{ OTHER_RVA - 1, 8 },       { OTHER_RVA + 4, 0x30 },
		{ OTHER_RVA + 0x1f, 0x30 }, { OTHER_RVA + 0x20, 8 },
		{ PART_RVA, 0x30 },         { PART_RVA + 0x20, 8 },
	};
	static const uint8_t info[] = { INFO(1, 0, 0, 1, 0), CODE(0, SMALL, 0) };
	struct pe_image image = make_image();

	put(INFO_RVA, info, sizeof(info));
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		ok_equal(pe_frame_find(&image, BASE + places[i].rva, false).caller_stack,
			 places[i].caller_stack, "entry %zu: the right one", i);
}

static void lack_memory(void)
{
	struct pe_image image = make_image();

	image.table = BASE + IMAGE_SIZE;
	ok(pe_frame_find(&image, BASE + CODE_RVA, false).kind == PE_BAD, "the table is not there");
	image.table = 0;
	ok(pe_frame_find(&image, BASE + CODE_RVA, false).kind == PE_NO_TABLE, "there is no table");
}

/* Any bytes give some answer. */
static void survive_damage(void)
{
	uint64_t random = 88172645463325252u;
	struct pe_image image = make_image();
	uint32_t good = 0;

	for (int round = 0; round < 200000; round++) {
		for (uint32_t i = 0; i < 24; i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			bytes[INFO_RVA + i] = (uint8_t)random;
			bytes[CODE_RVA + 8 + i] = (uint8_t)(random >> 8);
		}
		bytes[INFO_RVA] = (uint8_t)(1 + (random & 1) + (random & 2 ? 32 : 0));
		good += pe_frame_find(&image, BASE + CODE_RVA + 8, random & 4).kind != PE_BAD;
	}
	ok(good > 0 && good < 200000, "damage: %u answers", good);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		run(&tests[i]);
	find_entries();
	lack_memory();
	survive_damage();
	return tap_done();
}
