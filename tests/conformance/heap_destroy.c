/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* HeapDestroy gives all back: the process has no byte committed or reserved afterwards that it had
 * not before. The same source is a native test of core and a Windows program. */

#include "tests/conformance/threads.h"

#ifndef _WIN32
#include "core/host.h"
#endif

/* So many make a thread's lists of each size class grow more than once. */
#define SMALL_BLOCKS 3000
#define THREADS 3
#define TRIES_MAX 10
#define TAIL_AND_FREE_CHECKING 0x60

static HANDLE heap;

struct totals {
	SIZE_T reserved_bytes, committed_bytes;
};

/* Of memory that is no image's and no file's. */
static struct totals measure(void)
{
	struct totals totals = { 0, 0 };
	char *at = NULL;
	MEMORY_BASIC_INFORMATION info;

	while (VirtualQuery(at, &info, sizeof(info)) == sizeof(info)) {
		if (info.State == MEM_COMMIT && info.Type == MEM_PRIVATE)
			totals.committed_bytes += info.RegionSize;
		if (info.State == MEM_RESERVE)
			totals.reserved_bytes += info.RegionSize;
		at = (char *)info.BaseAddress + info.RegionSize;
	}
	return totals;
}

/* --- What a heap may have -------------------------------------------------------------------- */

static void add_small(void)
{
	for (SIZE_T i = 0; i < SMALL_BLOCKS; i++)
		memset(HeapAlloc(heap, 0, i % 700 + 1), 'x', i % 700 + 1);
}

static void add_middle(void)
{
	static const SIZE_T sizes[] = { 20000, 70000, 200000, 900000, 1040000 };

	for (size_t i = 0; i < COUNT(sizes); i++)
		memset(HeapAlloc(heap, 0, sizes[i]), 'x', sizes[i]);
}

static void add_large(void)
{
	static const SIZE_T sizes[] = { 1500000, 5000000, 20000000 };

	for (size_t i = 0; i < COUNT(sizes); i++)
		memset(HeapAlloc(heap, 0, sizes[i]), 'x', sizes[i]);
}

/* What is freed is kept for the next one who wants it. */
static void add_freed(void)
{
	static LPVOID blocks[SMALL_BLOCKS];

	for (size_t i = 0; i < SMALL_BLOCKS; i++)
		blocks[i] = HeapAlloc(heap, 0, i % 2 ? 64 : i);
	for (size_t i = 0; i < SMALL_BLOCKS; i++)
		HeapFree(heap, 0, blocks[i]);
	HeapFree(heap, 0, HeapAlloc(heap, 0, 3000000));
}

/* The same threads each time, so that the process has no others' stacks. */
static int baton, turn_of;

static void work(void)
{
	int number = __atomic_add_fetch(&turn_of, 1, __ATOMIC_SEQ_CST);

	for (;;) {
		baton_await(&baton, number);
		if (!heap)
			break;
		(number % 2 ? add_small : add_freed)();
		baton_pass(&baton, -number);
	}
	baton_pass(&baton, -number);
}

static void let_work(int number)
{
	baton_pass(&baton, number);
	baton_await(&baton, -number);
}

static void add_in_threads(void)
{
	for (int number = 1; number <= THREADS; number++)
		let_work(number);
}

static void add_grown(void)
{
	LPVOID block = HeapAlloc(heap, 0, 10);

	for (SIZE_T size = 10; size < 10000000; size *= 3)
		block = HeapReAlloc(heap, HEAP_ZERO_MEMORY, block, size);
}

static void add_nothing(void)
{
}

static const struct {
	const char *name;
	DWORD flags;
	SIZE_T initial_bytes, maximum_bytes;
	void (*add)(void);
} rows[] = {
	{ "an empty heap", 0, 0, 0, add_nothing },
	{ "small blocks", 0, 0, 0, add_small },
	{ "blocks of some pages", 0, 0, 0, add_middle },
	{ "large blocks", 0, 0, 0, add_large },
	{ "a block that grew", 0, 0, 0, add_grown },
	{ "freed blocks", 0, 0, 0, add_freed },
	{ "blocks of other threads", 0, 0, 0, add_in_threads },
	{ "a heap without a lock", HEAP_NO_SERIALIZE, 0, 0, add_small },
	{ "a heap with an initial size", 0, 0x100000, 0, add_small },
	{ "a heap of fixed size", 0, 0, 0x800000, add_small },
	{ "an executable heap", HEAP_CREATE_ENABLE_EXECUTE, 0, 0, add_small },
	{ "a checked heap", TAIL_AND_FREE_CHECKING, 0, 0, add_small },
	{ "a checked heap's large blocks", TAIL_AND_FREE_CHECKING, 0, 0, add_large },
};

static void use(size_t row)
{
	heap = HeapCreate(rows[row].flags, rows[row].initial_bytes, rows[row].maximum_bytes);
	rows[row].add();
	ok(HeapDestroy(heap), "row %zu: %s: it is destroyed", row, rows[row].name);
}

#ifndef _WIN32
static uint64_t charge(void)
{
	return core_commit_charge();
}
#else
static uint64_t charge(void)
{
	return 0;
}
#endif

static BOOL is_more(const struct totals *after, const struct totals *before)
{
	return after->committed_bytes > before->committed_bytes ||
	       after->reserved_bytes > before->reserved_bytes;
}

/* The first time, what is the process's own comes to be: threads' lists, the system's buffers. Of
 * that, some may go between, and come again: then it is done once more. What a heap leaves behind
 * is left each time. */
static void test_row(size_t row)
{
	struct totals before, after;
	uint64_t charge_before;
	int tries = 0;

	use(row);
	do {
		before = measure();
		charge_before = charge();
		use(row);
		after = measure();
	} while ((is_more(&after, &before) || charge() > charge_before) && ++tries < TRIES_MAX);
	ok(after.committed_bytes <= before.committed_bytes, "row %zu: %s: committed bytes %zu, %zu",
	   row, rows[row].name, (size_t)before.committed_bytes, (size_t)after.committed_bytes);
	ok(after.reserved_bytes <= before.reserved_bytes, "row %zu: %s: reserved bytes %zu, %zu",
	   row, rows[row].name, (size_t)before.reserved_bytes, (size_t)after.reserved_bytes);
	ok(charge() <= charge_before, "row %zu: %s: the charge", row, rows[row].name);
}

/* The address of a large block is free, at once. */
static void test_addresses(void)
{
	char *large;

	heap = HeapCreate(0, 0, 0);
	large = HeapAlloc(heap, 0, 5000000);
	ok_equal(query(large).State, MEM_COMMIT, "a large block is committed");
	HeapDestroy(heap);
	ok_equal(query(large).State, MEM_FREE, "and free after its heap");
	ok_equal(query(heap).State, MEM_FREE, "as is the heap's handle");
}

static void test_process_heap(void)
{
	char *block = HeapAlloc(GetProcessHeap(), 0, 100);

	strcpy(block, "it stays");
	ok_error(!HeapDestroy(GetProcessHeap()), ERROR_INVALID_HANDLE,
		 "the process heap is not destroyed");
	ok(strcmp(block, "it stays") == 0, "its blocks are as they were");
	ok(HeapValidate(GetProcessHeap(), 0, NULL), "it is whole");
	ok(HeapFree(GetProcessHeap(), 0, block), "and frees them");
}

int main(void)
{
	struct thread threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		thread_start(&threads[i], work);
	for (size_t row = 0; row < COUNT(rows); row++)
		test_row(row);
	heap = NULL;
	add_in_threads();
	for (int i = 0; i < THREADS; i++)
		thread_join(&threads[i]);
	test_addresses();
	test_process_heap();
	return tap_done();
}
