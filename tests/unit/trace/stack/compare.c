/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The comparison, alone: what the two walks find, and what is told, is in this file. */

#include "trace/stack/compare.h"

#include <string.h>

#include "tests/lib/tap.h"
#include "trace/modules.h"
#include "trace/provider/provider.h"
#include "trace/stack/cfi.h"
#include "trace/stack/depot.h"
#include "trace/stack/rules.h"

#define FRAMES_MAX 8
#define GENERATED UINT64_C(0x7000) /* return addresses from here on are in no module */

static uint64_t slow_frames[FRAMES_MAX];
static uint32_t slow_count, asked, told, last_stack, last_slow_stack;
static struct compare_counts last;

void modules_learn(const uint64_t *frames, uint32_t count)
{
}

struct cfi_rule cfi_find(uintptr_t pc)
{
	return (struct cfi_rule){ .kind = pc < GENERATED ? CFI_STANDARD : CFI_NO_MODULE };
}

struct cfi_rule rules_find(uintptr_t pc, bool is_exact)
{
	return cfi_find(pc);
}

uint32_t depot_intern(const struct stack_trace *trace)
{
	return (uint32_t)trace->frames[0] + trace->count;
}

uint32_t stack_unwind(const struct stack_start *start, uint64_t *frames, uint32_t capacity)
{
	uint32_t count = slow_count < capacity ? slow_count : capacity;

	asked = capacity;
	memcpy(frames, slow_frames, count * sizeof(*frames));
	return count;
}

void provider_stacks(const struct compare_counts *counts, uint32_t stack, uint32_t slow_stack)
{
	last = *counts;
	last_stack = stack;
	last_slow_stack = slow_stack;
	told++;
}

/* Both end with 0. asked: how many frames the slow walk may give. */
static const struct {
	uint64_t ours[FRAMES_MAX], slow[FRAMES_MAX];
	bool is_pe, is_partial, is_different;
	uint32_t asked;
} rows[] = {
	{ { 1, 2, 3 }, { 1, 2, 3 }, false, false, false, FRAMES_MAX },
	{ { 1, 2, 3 }, { 1, 2, 4 }, false, false, true, FRAMES_MAX },
	{ { 1, 2, 3 }, { 9, 2, 3 }, false, false, true, FRAMES_MAX },
	{ { 1, 2, 3 }, { 1, 2 }, false, true, true, FRAMES_MAX },
	{ { 1, 2, 3 }, { 1, 2, 3, 4 }, false, false, true, FRAMES_MAX },
	{ { 0 }, { 1 }, false, false, true, FRAMES_MAX },
	{ { 1, 0x8000, 3 }, { 1, 0x8000, 5 }, false, true, false, 2 },
	{ { 1, 0x8000, 3 }, { 1, 0x8001, 5 }, false, true, true, 2 },
	{ { 1, 2, 3 }, { 1, 2 }, true, true, false, FRAMES_MAX },
	{ { 1, 2, 3 }, { 1, 4 }, true, true, true, FRAMES_MAX },
	{ { 1, 2 }, { 1, 2, 3 }, true, false, true, FRAMES_MAX },
};

static uint32_t count_frames(const uint64_t *frames)
{
	uint32_t count = 0;

	while (frames[count])
		count++;
	return count;
}

static void compare_row(size_t i)
{
	const struct trace_caller caller = { 0 };
	const struct stack_start start = { .caller = rows[i].is_pe ? &caller : NULL };
	const struct stack_trace ours = { .frames = rows[i].ours,
					  .count = count_frames(rows[i].ours) };

	memcpy(slow_frames, rows[i].slow, sizeof(slow_frames));
	slow_count = count_frames(slow_frames);
	compare_stack(&start, FRAMES_MAX, &ours);
}

static void test_rows(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t before = told;

		compare_fork_child();
		compare_row(i);
		ok_equal(asked, rows[i].asked, "row %zu: frames that are asked for", i);
		ok_equal(told - before, rows[i].is_different, "row %zu: told if different", i);
		compare_tell();
		ok_equal(last.compared, 1, "row %zu: compared", i);
		ok_equal(last.partial, rows[i].is_partial, "row %zu: in part", i);
		ok_equal(last.different, rows[i].is_different, "row %zu: different", i);
	}
}

static void test_counts(void)
{
	compare_fork_child();
	slow_count = 0;
	compare_stack(&(const struct stack_start){ 0 }, FRAMES_MAX,
		      &(const struct stack_trace){ .frames = slow_frames });
	compare_tell();
	ok_equal(last.compared, 0, "a walk that cannot be made twice is not compared");
	told = 0;
	for (int i = 0; i < 1000; i++)
		compare_row(1);
	ok_equal(told, 100, "the first differences are told");
	ok(last_stack == 1 + 3 && last_slow_stack == 1 + 3, "with both stacks");
	compare_tell();
	ok(last.different == 1000 && last.compared == 1000, "all are counted");
	ok(last_stack == 0 && last_slow_stack == 0, "the counts stand without stacks");
}

int main(void)
{
	compare_tell();
	ok_equal(told, 0, "nothing is told where nothing is compared");
	compare_start(true);
	ok(compare_is_on, "it is on");
	test_rows();
	test_counts();
	return tap_done();
}
