/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* HeapCreate's sizes: "the function reserves space in the virtual address space of the process and
 * allocates physical storage for a specified initial portion of this block". The same source is a
 * native test of core and a Windows program. */

#include "tests/conformance/common.h"

#ifndef _WIN32
#include "core/host.h"
#endif

#define MIB ((SIZE_T)1 << 20)

/* Of memory that is no image's and no file's. */
struct totals {
	SIZE_T committed_bytes, taken_bytes;
};

static struct totals measure(void)
{
	struct totals totals = { 0, 0 };
	MEMORY_BASIC_INFORMATION info;

	for (char *at = NULL; VirtualQuery(at, &info, sizeof(info)) == sizeof(info);
	     at = (char *)info.BaseAddress + info.RegionSize) {
		if (info.State == MEM_FREE || info.Type != MEM_PRIVATE)
			continue;
		totals.taken_bytes += info.RegionSize;
		if (info.State == MEM_COMMIT)
			totals.committed_bytes += info.RegionSize;
	}
	return totals;
}

static SIZE_T round_to(SIZE_T bytes, SIZE_T step)
{
	return (bytes + step - 1) / step * step;
}

/* --- What a new heap has --------------------------------------------------------------------- */

/* expected: what is at least committed, and reserved, by the process and in the heap's region. */
static const struct {
	SIZE_T initial, maximum;
	SIZE_T committed, reserved;
} rows[] = {
	/* "If this parameter is 0, the function commits one page." */
	{ 0, 0, PAGE, PAGE },
	{ 1, 0, PAGE, PAGE },
	/* "The value is rounded up to a multiple of the system page size." */
	{ 100 * PAGE + 1, 0, 101 * PAGE, 101 * PAGE },
	{ MIB, 0, MIB, MIB },
	{ 100 * MIB, 0, 100 * MIB, 100 * MIB },
	/* "HeapCreate rounds dwMaximumSize up to a multiple of the system page size and then
	 * reserves a block of that size". */
	{ 0, 1, PAGE, PAGE },
	{ 0, 4 * MIB - 1, PAGE, 4 * MIB },
	{ 0, 4 * MIB, PAGE, 4 * MIB },
	{ MIB, 4 * MIB, MIB, 4 * MIB },
	{ 4 * MIB, 4 * MIB, 4 * MIB, 4 * MIB },
	{ PAGE, 2048 * MIB, PAGE, 2048 * MIB },
	/* More at first than at most: it has both. */
	{ 4 * MIB, MIB, 4 * MIB, 4 * MIB },
};

static void check_region(HANDLE heap, size_t row)
{
	PROCESS_HEAP_ENTRY entry = { 0 };
	SIZE_T committed, total;

	ok(HeapWalk(heap, &entry) && entry.wFlags == PROCESS_HEAP_REGION && entry.lpData == heap,
	   "row %zu: a walk begins with the heap's region", row);
	committed = entry.Region.dwCommittedSize;
	total = committed + entry.Region.dwUnCommittedSize;
	ok(committed >= rows[row].committed, "row %zu: so much of it is committed (%zu)", row,
	   (size_t)committed);
	ok(total >= rows[row].reserved, "row %zu: so much is reserved (%zu)", row, (size_t)total);
	ok(!rows[row].maximum || total == round_to(rows[row].reserved, GRANULE) ||
		   total == rows[row].reserved,
	   "row %zu: and no more of a heap of fixed size", row);
	ok_equal(query(heap).State, MEM_COMMIT, "row %zu: it is there", row);
	ok(query(heap).AllocationBase == heap, "row %zu: from the handle on", row);
	ok(query(heap).RegionSize >= rows[row].committed, "row %zu: committed in one piece", row);
	ok(!entry.Region.dwUnCommittedSize || query((char *)heap + committed).State == MEM_RESERVE,
	   "row %zu: then reserved", row);
}

static void test_row(size_t row)
{
	struct totals before = measure(), after;
	HANDLE heap;

	SetLastError(UNTOUCHED);
	heap = HeapCreate(0, rows[row].initial, rows[row].maximum);
	ok(heap != NULL, "row %zu: a heap is made", row);
	after = measure();
	ok(after.committed_bytes - before.committed_bytes >= rows[row].committed,
	   "row %zu: the process has committed so much more", row);
	ok(after.taken_bytes - before.taken_bytes >= rows[row].reserved,
	   "row %zu: and has so much less room", row);
	check_region(heap, row);
	ok(HeapValidate(heap, 0, NULL), "row %zu: it is whole", row);
	ok(HeapDestroy(heap), "row %zu: it is destroyed", row);
	ok(query(heap).State == MEM_FREE, "row %zu: with all that it had", row);
}

static void test_too_much(void)
{
	ok_error(!HeapCreate(0, (SIZE_T)-1, 0), ERROR_NOT_ENOUGH_MEMORY,
		 "no heap that has all from the start");
	/* Wine has it with 4 GiB, committed. */
	if (IS_CORE)
		ok_error(!HeapCreate(0, (SIZE_T)1 << 47, 0), ERROR_NOT_ENOUGH_MEMORY,
			 "nor one that has more than there is");
	/* "Reserves a block of that size in the process's virtual address space for the heap." */
	todo_wine("reserves 4 GiB instead");
	ok_error(!HeapCreate(0, 0, (SIZE_T)1 << 47), ERROR_NOT_ENOUGH_MEMORY,
		 "nor one that reserves it");
}

/* --- What a heap has once it is used ---------------------------------------------------------- */

static SIZE_T fill(HANDLE heap, SIZE_T size, SIZE_T wanted)
{
	SIZE_T total = 0;

	while (total < wanted && HeapAlloc(heap, 0, size))
		total += size;
	return total;
}

/* What was committed at first is what the blocks get: it is not there twice. */
static void test_used(SIZE_T block_bytes)
{
	struct totals before = measure(), after;
	HANDLE heap = HeapCreate(0, 32 * MIB, 0);

	ok_equal(fill(heap, block_bytes, 28 * MIB), round_to(28 * MIB, block_bytes),
		 "%zu bytes: blocks are given", (size_t)block_bytes);
	after = measure();
	ok(after.committed_bytes - before.committed_bytes < 48 * MIB,
	   "%zu bytes: what was committed before is used (%zu)", (size_t)block_bytes,
	   (size_t)(after.committed_bytes - before.committed_bytes));
	ok(HeapValidate(heap, 0, NULL), "%zu bytes: it is whole", (size_t)block_bytes);
	HeapDestroy(heap);
}

static void test_compact(void)
{
	HANDLE heap = HeapCreate(0, MIB, 0);
	SIZE_T free_bytes = HeapCompact(heap, 0);

	/* HeapCompact: "the return value is the size, in bytes, of the largest committed free block
	 * in the heap". */
	todo_wine("has none");
	ok(free_bytes > MIB / 2 && free_bytes < MIB, "an unused heap has one large free block");
	HeapDestroy(heap);
	heap = HeapCreate(0, 0, 0);
	SetLastError(UNTOUCHED);
	ok(!HeapCompact(heap, 0), "a heap that has no free block says so");
	/* The same: "in the unlikely case that there is absolutely no space available in the heap,
	 * the function return value is zero, and GetLastError returns the value NO_ERROR". */
	todo_wine("sets none");
	ok_equal(GetLastError(), ERROR_SUCCESS, "which is no error");
	HeapDestroy(heap);
	SetLastError(UNTOUCHED);
	ok(!HeapCompact(NULL, 0), "no heap has none either");
	/* The same: "If the function fails, the return value is zero. To get extended error
	 * information, call GetLastError." */
	todo_wine("sets none");
	ok_equal(GetLastError(), ERROR_INVALID_HANDLE, "which is one");
}

#ifndef _WIN32
/* The process may commit no more: who has got it before has it. */
static void test_limit(void)
{
	HANDLE plain = HeapCreate(0, 0, 0), stocked = HeapCreate(0, 16 * MIB, 0);
	SIZE_T given;

	core_set_commit_limit(core_commit_charge());
	ok(fill(plain, 1000, 11 * MIB) < 11 * MIB, "a heap without an initial size gets no more");
	given = fill(stocked, 1000, 11 * MIB);
	ok(given >= 11 * MIB, "one with 16 MiB gives 11 (%zu)", (size_t)given);
	ok(fill(stocked, 1000, 32 * MIB) < 32 * MIB, "but not for ever");
	ok_error(!HeapCreate(0, MIB, 0), ERROR_NOT_ENOUGH_MEMORY, "nobody gets another one");
	core_set_commit_limit(0);
	HeapDestroy(plain);
	HeapDestroy(stocked);
}
#endif

int main(void)
{
	for (size_t row = 0; row < COUNT(rows); row++)
		test_row(row);
	test_too_much();
	test_used(1000);
	test_used(100000);
	/* Wine has large blocks beside it. */
	if (IS_CORE)
		test_used(3000000);
	test_compact();
#ifndef _WIN32
	test_limit();
#endif
	return tap_done();
}
