/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* PE images that come, go, and are exchanged; and addresses that are in none. */

#include "trace/modules_pe.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/tap.h"
#include "tests/unit/trace/pe_image.h"
#include "trace/bracket.h"
#include "trace/functions_pe.h"
#include "trace/modules.h"
#include "trace/provider/provider.h"
#include "trace/stack/depot.h"
#include "trace/stack/stack_elf.h"
#include "trace/stack/stack_mixed.h"

#define BASE UINT64_C(0x5a0000000)
#define OTHER UINT64_C(0x5b0000000)

static uint32_t told, gone, last_gone;
static struct provider_pe_module last;

void provider_module(const struct provider_module *module)
{
}

void provider_pe_module(const struct provider_pe_module *module)
{
	told++;
	last = *module;
}

void provider_module_gone(uint32_t module)
{
	gone++;
	last_gone = module;
}

void provider_stack(uint32_t stack, const uint64_t *frames, uint32_t count)
{
}

uintptr_t bracket_call_out(uintptr_t frame, enum bracket_callee callee)
{
	return 0;
}

void bracket_call_ended(uintptr_t before)
{
}

static void learn(uint64_t frame)
{
	modules_learn(&frame, 1);
}

static void meet_image(void)
{
	struct pe_image image;

	ok(pe_image_map(BASE, 0x1234) != NULL, "an image is mapped");
	ok(modules_pe_find(BASE + PE_IMAGE_CODE, &image), "it is found");
	ok_equal(image.start, BASE, "from its start");
	ok_equal(image.end, BASE + PE_IMAGE_SIZE, "to its end");
	ok_equal(image.table, BASE + 0x600, "with its table");
	ok_equal(image.count, 1, "of one entry");
	ok_equal(told, 0, "nothing is told yet");
	learn(BASE + PE_IMAGE_CODE);
	learn(BASE + PE_IMAGE_CODE + 8);
	ok_equal(told, 1, "a stack through it tells it, once");
	ok(strcmp(last.name, "fake.dll") == 0, "its name: %s", last.name);
	ok(strcmp(last.pdb, "C:\\build\\fake.pdb") == 0, "its PDB: %s", last.pdb);
	ok(strcmp(last.pdb_id, PE_IMAGE_PDB_ID) == 0, "the PDB's id: %s", last.pdb_id);
	ok(strcmp(last.path, "") == 0, "no file");
	ok_equal(last.base, BASE, "base");
	ok_equal(last.end, BASE + PE_IMAGE_SIZE, "end");
	ok_equal(last.timestamp, 0x1234, "time stamp");
	ok_equal(last.image_size, PE_IMAGE_SIZE, "size");
}

static void meet_none(void)
{
	struct pe_image image;

	ok(!modules_pe_find(BASE + PE_IMAGE_SIZE, &image), "behind its end is none");
	ok(!modules_pe_find(BASE - 1, &image), "before it neither");
	ok(!modules_pe_find((uintptr_t)meet_none, &image), "an ELF file is none");
	ok(!modules_pe_find(0, &image), "0 is none");
	ok(!modules_pe_find(UINT64_MAX - 8, &image), "the end of all addresses neither");
}

static void lose_image(void)
{
	struct pe_image image;
	uint32_t module = last.module;

	modules_pe_gone(BASE + 0x1000);
	ok_equal(gone, 0, "something inside is unmapped: the image stays");
	munmap((void *)BASE, PE_IMAGE_SIZE);
	modules_pe_gone(BASE);
	ok_equal(gone, 1, "its end is told");
	ok_equal(last_gone, module, "with its number");
	ok(!modules_pe_find(BASE + PE_IMAGE_CODE, &image), "it is not found any more");
}

/* Without notice: the next stack finds out. */
static void exchange_image(void)
{
	uint32_t told_before = told, gone_before = gone;
	uint32_t module;

	pe_image_map(BASE, 1);
	learn(BASE + PE_IMAGE_CODE);
	ok_equal(told, told_before + 1, "another is told");
	module = last.module;
	munmap((void *)BASE, PE_IMAGE_SIZE);
	pe_image_map(BASE, 2);
	learn(BASE + PE_IMAGE_CODE);
	ok_equal(told, told_before + 2, "one in its place is told");
	ok_equal(gone, gone_before + 1, "and the end of the first");
	ok_equal(last_gone, module, "with its number");
	ok_equal(last.timestamp, 2, "it is the new one");
}

/* An address in none is looked up once in a while only, unless something is unmapped. */
static void remember_gaps(void)
{
	struct pe_image image;

	mmap((void *)OTHER, PE_IMAGE_SIZE, PROT_READ | PROT_WRITE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	ok(!modules_pe_find(OTHER + PE_IMAGE_CODE, &image), "no image");
	pe_image_fill((uint8_t *)OTHER, 3);
	ok(!modules_pe_find(OTHER + PE_IMAGE_CODE, &image), "that is remembered");
	modules_pe_gone(0);
	ok(modules_pe_find(OTHER + PE_IMAGE_CODE, &image), "until something is unmapped");
}

/* What a program may do to its headers. */
static void damage_header(void)
{
	static const struct {
		const char *name;
		uint32_t at, value;
	} tests[] = {
		{ "no signature", PE_IMAGE_HEADER, 0 },
		{ "another machine", PE_IMAGE_HEADER + 4, 0x14c },
		{ "32 bit", PE_IMAGE_HEADER + 24, 0x10b },
		{ "a header far away", 0x3c, 0x7fffffff },
		{ "a short header", PE_IMAGE_HEADER + 20, 8 },
		{ "no size", PE_IMAGE_HEADER + 24 + 56, 0 },
	};
	struct pe_image image;

	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		modules_pe_gone(OTHER);
		pe_image_fill((uint8_t *)OTHER, 4);
		pe_image_put32((uint8_t *)OTHER, tests[i].at, tests[i].value);
		ok(!modules_pe_find(OTHER + PE_IMAGE_CODE, &image), "%s: no image", tests[i].name);
	}
}

static void damage_directories(void)
{
	for (uint32_t i = 0; i < 16; i++) {
		uint32_t told_before = told;

		memset((void *)OTHER, 0, PE_IMAGE_SIZE);
		modules_pe_gone(OTHER);
		pe_image_fill((uint8_t *)OTHER, 5 + i);
		pe_image_put_directory((uint8_t *)OTHER, i, 0x4ff0, 0x7fffffff);
		learn(OTHER + PE_IMAGE_CODE);
		ok_equal(told, told_before + 1, "directory %u leads out of the image", i);
	}
}

/* A stack through it: two frames, then the end. */
static void walk(void)
{
	static struct history history;
	uint64_t stack[24] = { [5] = BASE + PE_IMAGE_CODE + 0x20 };
	struct trace_caller caller = { .rip = BASE + PE_IMAGE_CODE + 0x10,
				       .rsp = (uintptr_t)stack };
	struct stack_start start = { .history = &history, .caller = &caller };

	for (int i = 0; i < 3; i++) {
		struct stack_trace trace = stack_walk(&start, 32);

		ok(trace.count == 2 && trace.frames[0] == caller.rip && trace.frames[1] == stack[5],
		   "walk %d: two frames", i);
	}
	stack[11] = BASE + PE_IMAGE_CODE + 0x30;
	ok_equal(stack_walk(&start, 32).count, 3, "another frame has come outside");
	stack[11] = 0;
	ok_equal(stack_walk(&start, 32).count, 2, "and gone");
	stack[5] = 0x10;
	ok_equal(stack_walk(&start, 32).count, 1, "what is no code ends the stack");
	caller.rsp = 8;
	ok_equal(stack_walk(&start, 32).count, 1, "so does a stack that is not there");
}

int main(void)
{
	stack_start(NULL);
	modules_start();
	mixed_start_windows(modules_pe_find, functions_pe_version);
	meet_image();
	meet_none();
	lose_image();
	exchange_image();
	walk();
	remember_gaps();
	damage_header();
	damage_directories();
	return tap_done();
}
