/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* VirtualQuery without a lock, while others change what it reads: each answer is of one moment. Two
 * shapes of a region come and go at one place; an answer that mixes them is wrong. */

#include "core/vm/glimpse.h"

#include <pthread.h>

#include "core/base/status.h"
#include "core/vm/virtual.h"
#include "tests/lib/tap.h"
#include "tests/unit/core/vm/replay.h"

#define PAGE OS_PAGE_SIZE
#define ROUNDS 20000
#define READERS 3
#define NEIGHBOURS 64

static const struct vm_request request = { .api = API_VirtualAlloc };
static char *window;
static int is_over;

/* A page of the region, in either shape. */
#define SMALL_PAGES 16
#define LARGE_PAGES 32
#define ASKED_PAGE 5

static void allocate(char *at, size_t pages, uint32_t type, uint32_t protect)
{
	void *base = at;
	size_t size_bytes = pages * PAGE;

	vm_allocate(&base, &size_bytes, type, protect, &request);
}

static void release(char *at)
{
	void *base = at;
	size_t whole = 0;

	vm_free(&base, &whole, MEM_RELEASE, &request);
}

/* All read-only and small; or large, reserved, with pages 4 to 7 read-write. */
static bool is_of_one_moment(const MEMORY_BASIC_INFORMATION *info)
{
	if (info->State == MEM_FREE)
		return true;
	if (info->AllocationBase != window || info->BaseAddress != window + ASKED_PAGE * PAGE ||
	    info->Type != MEM_PRIVATE)
		return false;
	if (info->AllocationProtect == PAGE_READONLY)
		return info->State == MEM_COMMIT && info->Protect == PAGE_READONLY &&
		       info->RegionSize == (SMALL_PAGES - ASKED_PAGE) * PAGE;
	if (info->State == MEM_RESERVE)
		return info->AllocationProtect == PAGE_READWRITE && info->Protect == 0 &&
		       info->RegionSize == (LARGE_PAGES - ASKED_PAGE) * PAGE;
	return info->Protect == PAGE_READWRITE && info->RegionSize == (8 - ASKED_PAGE) * PAGE;
}

struct reading {
	uint64_t count, wrong;
};

/* Is a free place looked at, the system's list is read: not too often. */
static void *read_on(void *context)
{
	struct reading *reading = context;

	while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED)) {
		MEMORY_BASIC_INFORMATION info;

		if (!vm_owns(window + ASKED_PAGE * PAGE))
			continue;
		vm_query(window + ASKED_PAGE * PAGE, &info);
		reading->count++;
		reading->wrong += !is_of_one_moment(&info);
	}
	return NULL;
}

static void change_for_a_while(void)
{
	for (int round = 0; round < ROUNDS; round++) {
		char *neighbour = window + (size_t)(1 + round % NEIGHBOURS) * 64 * PAGE;

		allocate(window, SMALL_PAGES, MEM_RESERVE | MEM_COMMIT, PAGE_READONLY);
		allocate(neighbour, 4, MEM_RESERVE, PAGE_READWRITE);
		release(window);
		allocate(window, LARGE_PAGES, MEM_RESERVE, PAGE_READWRITE);
		allocate(window + 4 * PAGE, 4, MEM_COMMIT, PAGE_READWRITE);
		if (round >= NEIGHBOURS / 2)
			release(window +
				(size_t)(1 + (round - NEIGHBOURS / 2) % NEIGHBOURS) * 64 * PAGE);
		release(window);
	}
}

static void test_threads(void)
{
	struct reading readings[READERS] = { { 0, 0 } };
	pthread_t threads[READERS];
	uint64_t count = 0, wrong = 0;

	for (int i = 0; i < READERS; i++)
		pthread_create(&threads[i], NULL, read_on, &readings[i]);
	change_for_a_while();
	__atomic_store_n(&is_over, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < READERS; i++) {
		pthread_join(threads[i], NULL);
		count += readings[i].count;
		wrong += readings[i].wrong;
	}
	ok(count > 0, "%llu answers were given meanwhile", (unsigned long long)count);
	ok_equal(wrong, 0, "each is of one moment");
	vm_check();
}

static void test_glimpse(void)
{
	uint64_t page = (uintptr_t)window / PAGE;
	struct glimpse glimpse;

	allocate(window, LARGE_PAGES, MEM_RESERVE, PAGE_READWRITE);
	allocate(window + 4 * PAGE, 4, MEM_COMMIT, PAGE_READONLY);
	ok(glimpse_page(page + 5, &glimpse) && glimpse.is_known, "a page is found without a lock");
	ok(glimpse.base == (uintptr_t)window && glimpse.run.first_page == page + 4 &&
		   glimpse.run.end_page == page + 8 &&
		   glimpse.run.state == (MEM_COMMIT | PAGE_READONLY),
	   "with its run");
	ok(glimpse_page(page + 9, &glimpse) && glimpse.run.first_page == page + 8 &&
		   glimpse.run.end_page == page + LARGE_PAGES && glimpse.run.state == MEM_RESERVE,
	   "so is the last run");
	ok(glimpse_page(page + LARGE_PAGES, &glimpse) && !glimpse.is_known, "and nothing behind");
	release(window);
	ok(glimpse_page(page, &glimpse) && !glimpse.is_known, "nor after its release");
}

int main(void)
{
	window = replay_find_window((NEIGHBOURS + 2) * 64 * PAGE);
	test_glimpse();
	test_threads();
	return tap_done();
}
