/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The depot, alone: what it emits goes to this file. */

#include "trace/stack/depot.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "tests/lib/tap.h"
#include "trace/modules.h"
#include "trace/provider/provider.h"

#define THREADS 4
#define STACKS 20000
#define EMITTED_MAX (THREADS * STACKS + 16)

static uint32_t emitted[EMITTED_MAX]; /* times, by id */
static uint32_t ids[THREADS][STACKS];
static uint32_t early; /* ids that were given before they were emitted */

void provider_stack(uint32_t stack, const uint64_t *frames, uint32_t count)
{
	__atomic_fetch_add(&emitted[stack % EMITTED_MAX], 1, __ATOMIC_SEQ_CST);
}

void modules_learn(const uint64_t *frames, uint32_t count)
{
}

static uint32_t intern_frames(const uint64_t *frames, uint32_t count)
{
	struct stack_trace trace = { frames, count, stack_hash(frames, count), NULL };

	return depot_intern(&trace);
}

static uint32_t intern(uint64_t number)
{
	uint64_t frames[40];
	uint32_t count = 1 + (uint32_t)(number % 40), id;

	for (uint32_t i = 0; i < count; i++)
		frames[i] = 0x400000 + number * 16 + i;
	id = intern_frames(frames, count);
	if (__atomic_load_n(&emitted[id % EMITTED_MAX], __ATOMIC_SEQ_CST) == 0)
		__atomic_fetch_add(&early, 1, __ATOMIC_SEQ_CST);
	return id;
}

static void test_simple(void)
{
	uint64_t frames[] = { 1, 2, 3 };
	uint32_t first = intern_frames(frames, 3), prefix = intern_frames(frames, 2);

	ok_equal(intern_frames(frames, 0), 0, "an empty stack has no id");
	ok_equal(first, 1, "ids begin at 1");
	ok(prefix == 2 && intern_frames(frames, 3) == first, "a prefix is another stack");
	ok_equal(emitted[1], 1, "emitted once");
	depot_restart();
	ok(intern_frames(frames, 3) == first && emitted[1] == 2, "emitted again, under its id");
	depot_forget(3, 4);
	ok(intern_frames(frames, 3) == 3, "forgotten with one of its addresses");
	ok(intern_frames(frames, 2) == prefix, "others are not forgotten");
}

/* The walk's own note of the depot's answer. */
static void test_known(void)
{
	uint64_t frames[] = { 11, 12, 13 };
	struct depot_stack *known = NULL;
	struct stack_trace trace = { frames, 3, stack_hash(frames, 3), &known };
	uint32_t id = depot_intern(&trace), before = emitted[id];

	ok(known != NULL && depot_intern(&trace) == id && emitted[id] == before,
	   "a noted stack has its id, and is not emitted again");
	depot_restart();
	ok(depot_intern(&trace) == id && emitted[id] == before + 1,
	   "a noted stack is emitted after a restart");
	depot_forget(12, 13);
	ok(depot_intern(&trace) == id + 1 && emitted[id + 1] == 1 &&
		   intern_frames(frames, 3) == id + 1,
	   "a noted stack that was forgotten gets a new id");
}

static void *run(void *index)
{
	uint32_t *own = ids[(uintptr_t)index];

	for (uint32_t i = 0; i < STACKS; i++)
		own[i] = intern(i);
	return NULL;
}

static void test_threads(void)
{
	pthread_t threads[THREADS];
	uint32_t before = depot_count(), different = 0, repeated = 0;

	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, run, (void *)i);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (uint32_t i = 0; i < STACKS; i++)
		for (int j = 1; j < THREADS; j++)
			different += ids[j][i] != ids[0][i];
	ok_equal(different, 0, "all threads get the same ids");
	ok_equal(depot_count() - before, STACKS, "one id for each stack");
	ok_equal(early, 0, "emitted before the id is known to anybody");
	for (uint32_t i = before + 1; i <= before + STACKS; i++)
		repeated += emitted[i] > THREADS;
	ok_equal(repeated, 0, "a stack is emitted at most once by each thread that met it");
}

int main(void)
{
	test_simple();
	test_known();
	test_threads();
	return tap_done();
}
