/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Blocks that another thread frees: each is given out again, once, before more memory is taken; and
 * pages that become empty while they still wait to be looked through go back to the system. Only
 * from a page of which little is carved yet, more is carved first. */

#include <pthread.h>
#include <stdint.h>

#include "core/heap/heap.h"
#include "core/heap/quick_malloc.h"
#include "core/host.h"
#include "tests/lib/tap.h"

/* Two pages are full of them. */
#define BLOCK_BYTES 48
#define BLOCKS (2 * (65536 / BLOCK_BYTES))
#define ROUNDS 4

/* A block knows where it stands here. */
static uintptr_t *blocks[BLOCKS];
static bool was_freed[BLOCKS];
static uintptr_t *freed[BLOCKS];

static void take(size_t i)
{
	blocks[i] = heap_malloc(BLOCK_BYTES);
	*blocks[i] = i;
}

static bool are_intact(void)
{
	size_t wrong = 0;

	for (size_t i = 0; i < BLOCKS; i++)
		wrong += *blocks[i] != i;
	return wrong == 0;
}

/* Each block of which the number is not a multiple of this. */
static void *free_most(void *context)
{
	const size_t *step = context;

	for (size_t i = 0; i < BLOCKS; i++) {
		was_freed[i] = i % *step != 0;
		freed[i] = blocks[i];
		if (was_freed[i])
			heap_free(blocks[i]);
	}
	core_thread_exit();
	return NULL;
}

static void free_most_elsewhere(size_t step)
{
	pthread_t thread;

	pthread_create(&thread, NULL, free_most, &step);
	pthread_join(thread, NULL);
}

static bool is_among_freed(const uintptr_t *block)
{
	for (size_t i = 0; i < BLOCKS; i++) {
		if (was_freed[i] && freed[i] == block)
			return true;
	}
	return false;
}

/* How many of the blocks that are taken in the place of the freed ones are others. */
static size_t take_again(void)
{
	size_t others = 0;

	for (size_t i = 0; i < BLOCKS; i++) {
		if (!was_freed[i])
			continue;
		take(i);
		others += !is_among_freed(blocks[i]);
	}
	return others;
}

/* How many blocks seem to be the calling thread's own. */
static size_t count_own(void)
{
	size_t count = 0;

	for (size_t i = 0; i < BLOCKS; i++)
		count += heap_is_own(blocks[i]);
	return count;
}

static void *count_elsewhere(void *count)
{
	heap_free(heap_malloc(BLOCK_BYTES)); /* it has pages, too */
	*(size_t *)count = count_own();
	core_thread_exit();
	return NULL;
}

static void test_own(void)
{
	size_t count = BLOCKS;
	pthread_t thread;

	ok_equal(count_own(), BLOCKS, "all blocks are of the thread that has taken them");
	pthread_create(&thread, NULL, count_elsewhere, &count);
	pthread_join(thread, NULL);
	ok_equal(count, 0, "none is another thread's");
	ok(!heap_is_own(&count) && !heap_is_own(NULL), "nor is what is no block");
}

/* As many as are carved at a time, and how often that is done before what others freed is taken. */
#define FEW_BYTES 256
#define FEW (4096 / FEW_BYTES)
#define FEW_ROUNDS (32768 / 4096)

static void *free_few(void *context)
{
	void **few = context;

	for (size_t i = 0; i < FEW; i++)
		heap_free(few[i]);
	core_thread_exit();
	return NULL;
}

/* Takes a few blocks, which another thread frees, and returns how many of them lie above *highest,
 * the highest one so far: those are new. */
static size_t take_few(void **highest)
{
	void *few[FEW];
	size_t higher = 0;
	pthread_t thread;

	for (size_t i = 0; i < FEW; i++) {
		few[i] = heap_malloc(FEW_BYTES);
		if (few[i] <= *highest)
			continue;
		*highest = few[i];
		higher++;
	}
	pthread_create(&thread, NULL, free_few, few);
	pthread_join(thread, NULL);
	return higher;
}

static void test_few(void)
{
	void *highest = NULL;

	for (size_t round = 0; round < FEW_ROUNDS; round++)
		ok_equal(take_few(&highest), FEW, "few, round %zu: more are carved", round);
	ok_equal(take_few(&highest), 0, "then what another thread freed is taken");
	heap_check();
}

static size_t reserved_bytes(void)
{
	struct heap_statistics statistics;

	heap_get_statistics(&statistics);
	return statistics.reserved_bytes;
}

int main(void)
{
	for (size_t i = 0; i < BLOCKS; i++)
		take(i);
	test_own();
	for (size_t round = 0; round < ROUNDS; round++) {
		free_most_elsewhere(round + 2);
		heap_check();
		ok_equal(take_again(), 0, "round %zu: what another thread freed is taken first",
			 round);
		ok(are_intact(), "round %zu: no block is given twice", round);
		heap_check();
	}
	test_few();
	for (size_t i = 0; i < BLOCKS; i++)
		heap_free(blocks[i]);
	heap_check();
	heap_trim();
	ok_equal(reserved_bytes(), 0, "all memory goes back");
	heap_check();
	return tap_done();
}
