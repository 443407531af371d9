/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The bootstrap arena takes blocks back and gives them out again: filled with zeros, to one owner
 * at a time. */

#include "preload/native/bootstrap.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "tests/lib/tap.h"

enum { THREADS = 4, ROUNDS = 20000, LIVE = 8 };

static const size_t sizes[] = { 24, 64, 2312 };
#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

static bool is_filled(const unsigned char *block, size_t size_bytes, unsigned char value)
{
	for (size_t i = 0; i < size_bytes; i++)
		if (block[i] != value)
			return false;
	return true;
}

static void again(void)
{
	void *block = bootstrap_allocate(16, 100), *aligned, *other;

	memset(block, 0xff, 100);
	bootstrap_release(block);
	other = bootstrap_allocate(16, 101);
	ok(other != block, "a block of another size is another");
	ok_equal((uintptr_t)bootstrap_allocate(16, 100), (uintptr_t)block,
		 "a freed block is used again");
	ok(is_filled(block, 100, 0), "and is filled with zeros");
	bootstrap_release(block);
	aligned = bootstrap_allocate(4096, 100);
	ok((uintptr_t)aligned % 4096 == 0, "an alignment is kept");
	ok(bootstrap_owns(block) && bootstrap_owns(aligned), "both are the arena's");
	bootstrap_release(bootstrap_allocate(16, 1));
	ok(bootstrap_allocate(16, 1) != NULL, "a block too small for the list is lost");
}

/* Each block has its owner's number in all bytes while it is out. */
static void *work(void *argument)
{
	unsigned char *blocks[LIVE] = { NULL }, number = (unsigned char)(uintptr_t)argument;
	uintptr_t failures = 0;

	for (size_t i = 0; i < ROUNDS; i++) {
		unsigned char **place = &blocks[i % LIVE];

		if (*place) {
			failures += !is_filled(*place, bootstrap_size(*place), number);
			bootstrap_release(*place);
		}
		*place = bootstrap_allocate(16, sizes[i / LIVE % SIZES]);
		failures += !is_filled(*place, bootstrap_size(*place), 0);
		memset(*place, number, bootstrap_size(*place));
	}
	return (void *)failures;
}

static void threads(void)
{
	pthread_t threads[THREADS];
	uintptr_t failures = 0;
	void *result;

	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, work, (void *)(i + 1));
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &result);
		failures += (uintptr_t)result;
	}
	ok(failures == 0, "threads never meet another's block");
}

int main(void)
{
	again();
	threads();
	return tap_done();
}
