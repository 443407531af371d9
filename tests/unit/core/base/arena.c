/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Metadata blocks: zero, aligned, apart from each other, used again; also with threads. */

#include "core/base/arena.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "tests/lib/tap.h"
#include "tests/unit/core/random.h"

#define BLOCKS 300
#define THREADS 4
#define ROUNDS 20000

static bool is_filled_with(const unsigned char *block, size_t size_bytes, unsigned char value)
{
	for (size_t i = 0; i < size_bytes; i++) {
		if (block[i] != value)
			return false;
	}
	return true;
}

static void test_sizes(void)
{
	static const size_t sizes[] = { 1, 15, 16, 17, 48, 100, 1000, 4095, 4096 };

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		unsigned char *block = arena_allocate(sizes[i]), *again;

		ok(block && (uintptr_t)block % 16 == 0, "row %zu: %zu bytes, aligned", i, sizes[i]);
		ok(is_filled_with(block, sizes[i], 0), "row %zu: a new block is zero", i);
		memset(block, 0xa5, sizes[i]);
		arena_free(block, sizes[i]);
		again = arena_allocate(sizes[i]);
		ok(again == block, "row %zu: a free block is used again", i);
		ok(is_filled_with(again, sizes[i], 0), "row %zu: and is zero", i);
	}
	arena_free(NULL, 16);
}

/* Blocks of random sizes, each filled with its number, keep what was written. */
static void test_apart(void)
{
	static unsigned char *blocks[BLOCKS];
	static size_t sizes[BLOCKS];
	int wrong = 0;

	for (int step = 0; step < 20000; step++) {
		size_t i = random_below(BLOCKS);

		if (blocks[i]) {
			wrong += !is_filled_with(blocks[i], sizes[i], (unsigned char)(i + 1));
			arena_free(blocks[i], sizes[i]);
		}
		sizes[i] = 1 + random_below(4096);
		blocks[i] = arena_allocate(sizes[i]);
		memset(blocks[i], (int)(i + 1) & 0xff, sizes[i]);
	}
	ok_equal(wrong, 0, "blocks do not overlap");
}

static void test_pages(void)
{
	unsigned char *pages = arena_pages(100000);

	ok(pages && (uintptr_t)pages % 4096 == 0 && is_filled_with(pages, 100000, 0),
	   "whole pages are zero");
	pages[99999] = 1;
	arena_pages_free(pages, 100000);
	arena_pages_free(NULL, 100000);
	ok(arena_pages((size_t)1 << 60) == NULL, "no room is NULL");
}

static void *use(void *wrong)
{
	unsigned char value = (unsigned char)(uintptr_t)&wrong | 1;

	for (int i = 0; i < ROUNDS; i++) {
		unsigned char *block = arena_allocate(64);

		if (!is_filled_with(block, 64, 0))
			++*(int *)wrong;
		memset(block, value, 64);
		arena_free(block, 64);
	}
	return NULL;
}

static void test_threads(void)
{
	pthread_t threads[THREADS];
	int wrong[THREADS] = { 0 };

	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, use, &wrong[i]);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		ok_equal(wrong[i], 0, "thread %d never saw another one's bytes", i);
	}
}

int main(void)
{
	random_start();
	test_sizes();
	test_apart();
	test_pages();
	test_threads();
	return tap_done();
}
