/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Blocks that another thread frees: each is given out again, once, before more memory is taken; and
 * pages that become empty while they still wait to be looked through go back to the system. */

#include <pthread.h>
#include <stdint.h>

#include "core/heap/heap.h"
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
	for (size_t round = 0; round < ROUNDS; round++) {
		free_most_elsewhere(round + 2);
		heap_check();
		ok_equal(take_again(), 0, "round %zu: what another thread freed is taken first",
			 round);
		ok(are_intact(), "round %zu: no block is given twice", round);
		heap_check();
	}
	for (size_t i = 0; i < BLOCKS; i++)
		heap_free(blocks[i]);
	heap_check();
	heap_trim();
	ok_equal(reserved_bytes(), 0, "all memory goes back");
	heap_check();
	return tap_done();
}
