/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The heap functions as heapapi.h documents them. The same source is a native test of core and a
 * Windows program. */

#include <stdint.h>
#include <string.h>

#include "tests/conformance/exceptions.h"

/* Wine reads what lies before a block, wherever that is. */
#ifdef _WIN32
#define WILD ((LPVOID)(outside + 4))
#else
#define WILD ((LPVOID)0x10)
#endif

/* Wine raises it for an export that it only names. */
#define STATUS_WINE_STUB ((DWORD)0x80000100)

static const SIZE_T sizes[] = { 0,       1,       7,       8,      9,     15,     16,
				17,      24,      100,     1000,   1016,  1017,   1024,
				4096,    8191,    65528,   65536,  65537, 131064, 131065,
				1000000, 1048576, 1048577, 5000000 };

static BOOL is_filled(const unsigned char *bytes, unsigned char value, SIZE_T count)
{
	for (SIZE_T i = 0; i < count; i++) {
		if (bytes[i] != value)
			return FALSE;
	}
	return TRUE;
}

static void check_block(HANDLE heap, unsigned char *block, SIZE_T size, const char *name,
			size_t row)
{
	ok(block != NULL, "%s, row %zu: a block is given", name, row);
	if (!block)
		return;
	ok((uintptr_t)block % 16 == 0, "%s, row %zu: it is aligned to 16", name, row);
	ok_equal(HeapSize(heap, 0, block), size, "%s, row %zu: it has its exact size", name, row);
	ok_equal(GetLastError(), UNTOUCHED, "%s, row %zu: no error is set", name, row);
}

static void test_sizes(HANDLE heap, const char *name)
{
	for (size_t row = 0; row < COUNT(sizes); row++) {
		unsigned char *block;

		SetLastError(UNTOUCHED);
		block = HeapAlloc(heap, 0, sizes[row]);
		check_block(heap, block, sizes[row], name, row);
		memset(block, 0xa5, sizes[row]);
		ok(HeapFree(heap, 0, block), "%s, row %zu: it is freed", name, row);
		block = HeapAlloc(heap, HEAP_ZERO_MEMORY, sizes[row]);
		ok(block && is_filled(block, 0, sizes[row]), "%s, row %zu: zeroed on demand", name,
		   row);
		ok(HeapFree(heap, 0, block), "%s, row %zu: it is freed again", name, row);
		ok_equal(GetLastError(), UNTOUCHED, "%s, row %zu: still no error", name, row);
	}
}

static void resize_once(HANDLE heap, size_t from, size_t to, const char *name)
{
	SIZE_T kept = sizes[from] < sizes[to] ? sizes[from] : sizes[to];
	unsigned char *block = HeapAlloc(heap, 0, sizes[from]), *resized;

	memset(block, 0x5a, sizes[from]);
	SetLastError(UNTOUCHED);
	resized = HeapReAlloc(heap, HEAP_ZERO_MEMORY, block, sizes[to]);
	ok(resized && is_filled(resized, 0x5a, kept) &&
		   is_filled(resized + kept, 0, sizes[to] - kept),
	   "%s: %zu to %zu bytes keeps the contents and zeroes the rest", name, (size_t)sizes[from],
	   (size_t)sizes[to]);
	ok_equal(HeapSize(heap, 0, resized), sizes[to], "%s: the new size is exact", name);
	ok_equal(GetLastError(), UNTOUCHED, "%s: no error is set", name);
	HeapFree(heap, 0, resized);
}

static void test_resize(HANDLE heap, const char *name)
{
	for (size_t from = 0; from < COUNT(sizes); from += 3) {
		for (size_t to = 0; to < COUNT(sizes); to += 2)
			resize_once(heap, from, to, name);
	}
}

static void test_in_place(HANDLE heap)
{
	unsigned char *block = HeapAlloc(heap, 0, 1000), *other = HeapAlloc(heap, 0, 1000);

	SetLastError(UNTOUCHED);
	ok(HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, block, 10) == block,
	   "a block shrinks in place");
	ok_equal(HeapSize(heap, 0, block), 10, "and has its new size");
	ok_equal(GetLastError(), UNTOUCHED, "no error is set");
	SetLastError(UNTOUCHED);
	ok(!HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, block, 10000000),
	   "it cannot grow in place for ever");
	ok_equal(GetLastError(), ERROR_NOT_ENOUGH_MEMORY, "which is not enough memory");
	ok_equal(HeapSize(heap, 0, block), 10, "the block stays as it was");
	HeapFree(heap, 0, other);
	HeapFree(heap, 0, block);
}

/* HeapReAlloc, of HEAP_ZERO_MEMORY: "If the reallocation request is for a larger size, the
 * additional region of memory beyond the original size be initialized to zero": what a block lost
 * when it shrank does not come back. */
static void test_regrown(HANDLE heap, const char *name)
{
	static const SIZE_T pairs[][2] = {
		{ 24, 23 },         { 100, 10 },        { 1000, 990 },        { 5000, 1 },
		{ 70000, 66000 },   { 70000, 10 },      { 300000, 299999 },   { 900000, 0 },
		{ 3000000, 70000 }, { 3000000, 10000 }, { 5000000, 4999999 },
	};

	for (size_t row = 0; row < 2 * COUNT(pairs); row++) {
		SIZE_T large = pairs[row / 2][0], small = pairs[row / 2][1];
		DWORD flags = row % 2 ? HEAP_REALLOC_IN_PLACE_ONLY : 0;
		unsigned char *block = memset(HeapAlloc(heap, 0, large), 0x5a, large), *shrunk;

		shrunk = HeapReAlloc(heap, HEAP_ZERO_MEMORY | flags, block, small);
		/* Large ones of Wine's cannot shrink where they are. */
		if (!shrunk && flags && !IS_CORE) {
			ok_equal(HeapSize(heap, 0, block), large, "%s, row %zu: a block stays",
				 name, row);
			HeapFree(heap, 0, block);
			continue;
		}
		ok(shrunk && (!flags || shrunk == block), "%s, row %zu: a block shrinks", name,
		   row);
		block = HeapReAlloc(heap, HEAP_ZERO_MEMORY, shrunk, large);
		ok(block && is_filled(block, 0x5a, small) &&
			   is_filled(block + small, 0, large - small),
		   "%s, row %zu: what grows back is zero", name, row);
		HeapFree(heap, 0, block);
	}
}

static void test_too_much(HANDLE heap)
{
	static const SIZE_T too_much[] = { (SIZE_T)-1, (SIZE_T)-8, (SIZE_T)-64, (SIZE_T)1 << 62,
					   (SIZE_T)1 << 47 };
	unsigned char *block = HeapAlloc(heap, 0, 40);

	for (size_t row = 0; row < COUNT(too_much); row++) {
		SetLastError(UNTOUCHED);
		ok(!HeapAlloc(heap, 0, too_much[row]), "row %zu: too much is refused", row);
		ok_equal(GetLastError(), ERROR_NOT_ENOUGH_MEMORY, "row %zu: its error", row);
		SetLastError(UNTOUCHED);
		ok(!HeapReAlloc(heap, 0, block, too_much[row]), "row %zu: growth is refused", row);
		ok_equal(GetLastError(), ERROR_NOT_ENOUGH_MEMORY, "row %zu: its error", row);
	}
	ok_equal(HeapSize(heap, 0, block), 40, "the block stays as it was");
	HeapFree(heap, 0, block);
}

static void test_foreign(HANDLE heap, HANDLE other)
{
	static uint64_t outside[16];
	unsigned char *block = HeapAlloc(other, 0, 100);
	LPVOID foreign[] = { outside + 2, block, WILD };

	for (size_t row = 0; row < COUNT(foreign); row++) {
		SetLastError(UNTOUCHED);
		ok(!HeapFree(heap, 0, foreign[row]), "row %zu: a foreign block is not freed", row);
		ok_equal(GetLastError(), ERROR_INVALID_PARAMETER, "row %zu: its error", row);
		SetLastError(UNTOUCHED);
		ok(!HeapReAlloc(heap, 0, foreign[row], 10), "row %zu: nor resized", row);
		ok_equal(GetLastError(), ERROR_INVALID_PARAMETER, "row %zu: its error", row);
		SetLastError(UNTOUCHED);
		ok(HeapSize(heap, 0, foreign[row]) == (SIZE_T)-1, "row %zu: nor sized", row);
		ok_equal(GetLastError(), ERROR_INVALID_PARAMETER, "row %zu: its error", row);
	}
	ok_equal(HeapSize(other, 0, block), 100, "the block is still its own heap's");
	ok(HeapFree(other, 0, block), "which frees it");
}

static void test_freed(HANDLE heap)
{
	unsigned char *block = HeapAlloc(heap, 0, 100), *between = HeapAlloc(heap, 0, 100);

	ok(HeapFree(heap, 0, NULL), "freeing nothing is no mistake");
	ok(HeapFree(heap, 0, block) && HeapFree(heap, 0, between), "two blocks are freed");
	SetLastError(UNTOUCHED);
	ok(!HeapFree(heap, 0, block), "a block is not freed twice");
	ok_equal(GetLastError(), ERROR_INVALID_PARAMETER, "its error");
	ok(HeapSize(heap, 0, block) == (SIZE_T)-1, "a freed block has no size");
	block = HeapAlloc(heap, 0, 100);
	SetLastError(UNTOUCHED);
	ok(!HeapFree(heap, 0, block + 16), "the inside of a block is not freed");
	ok_equal(GetLastError(), ERROR_INVALID_PARAMETER, "its error");
	ok(HeapFree(heap, 0, block), "the block itself is");
}

static SIZE_T fill(HANDLE heap, SIZE_T size)
{
	SIZE_T total = 0;

	while (total < 64u << 20 && HeapAlloc(heap, 0, size))
		total += size;
	return total;
}

static void test_maximum(void)
{
	static const SIZE_T block_sizes[] = { 16, 100, 1000, 5000 };

	for (size_t row = 0; row < COUNT(block_sizes); row++) {
		HANDLE heap = HeapCreate(0, 0, 0x40000);
		SIZE_T total;

		SetLastError(UNTOUCHED);
		total = fill(heap, block_sizes[row]);
		ok(total > 0x40000 / 4 && total < 0x40000, "row %zu: a fixed heap gets full (%zu)",
		   row, (size_t)total);
		ok_equal(GetLastError(), ERROR_NOT_ENOUGH_MEMORY, "row %zu: its error", row);
		ok(HeapDestroy(heap), "row %zu: it is destroyed with its blocks", row);
	}
}

/* What is freed, resized before or not, can be had again: a heap of fixed size is as large in the
 * end as it was at first. */
static void test_fixed_again(void)
{
	static const SIZE_T pairs[][2] = {
		{ 16, 4000 },         { 4000, 16 },     { 1000, 1001 },   { 0x20000, 0x80000 },
		{ 0x80000, 0x20000 }, { 0x80000, 100 }, { 100, 0x80000 },
	};

	for (size_t row = 0; row < 2 * COUNT(pairs); row++) {
		HANDLE heap = HeapCreate(0, 0, 0x400000);
		DWORD flags = row % 2 ? HEAP_REALLOC_IN_PLACE_ONLY : 0;
		int failures = 0;

		for (int i = 0; i < 200; i++) {
			LPVOID block = HeapAlloc(heap, 0, pairs[row / 2][0]);
			LPVOID resized = HeapReAlloc(heap, flags, block, pairs[row / 2][1]);

			failures += !block || (!resized && !flags);
			HeapFree(heap, 0, resized ? resized : block);
		}
		ok_equal(failures, 0, "row %zu: a fixed heap gives and resizes", row);
		ok(fill(heap, 1000) > 0x300000, "row %zu: and has its size then", row);
		ok(HeapDestroy(heap), "row %zu: it is destroyed", row);
	}
}

/* A block that has most of the heap grows into the rest of it, until there is no rest. */
static void test_fixed_growth(void)
{
	HANDLE heap = HeapCreate(0, 0, 0x100000);
	char *block = memset(HeapAlloc(heap, 0, 0x80000), 'x', 0x80000), *grown = block;
	SIZE_T size = 0x80000;

	while (grown && size < 0x200000) {
		grown = HeapReAlloc(heap, 0, block, size += 0x2000);
		block = grown ? grown : block;
	}
	ok(size > 0xe0000 && size <= 0x100000, "a block grows in a fixed heap (to %zu)",
	   (size_t)size);
	ok_equal(HeapSize(heap, 0, block), size - 0x2000, "and stays as it was then");
	ok(is_filled((unsigned char *)block, 'x', 0x80000), "with its contents");
	ok(HeapFree(heap, 0, block), "it is freed");
	ok(fill(heap, 1000) > 0xc0000, "and leaves the heap as large as it was");
	HeapDestroy(heap);
}

/* A block that cannot grow where it is moves, if the heap has room for it and not for both. */
static void test_fixed_move(void)
{
	HANDLE heap = HeapCreate(0, 0, 0x100000);
	char *block = memset(HeapAlloc(heap, 0, 0x60000), 'x', 0x60000), *behind, *moved;

	behind = HeapAlloc(heap, 0, 0x10000);
	/* HeapCreate: the heap "cannot grow beyond dwMaximumSize"; a block that has moved has not
	 * made it larger than that. */
	todo_wine("needs room for both");
	moved = HeapReAlloc(heap, 0, block, 0xc0000);
	ok(moved != NULL, "a block moves in a fixed heap");
	block = moved ? moved : block;
	ok(is_filled((unsigned char *)block, 'x', 0x60000), "with its contents");
	ok(!HeapReAlloc(heap, 0, block, 0x110000), "no block becomes larger than the heap");
	moved = HeapReAlloc(heap, 0, block, 0x100);
	ok(moved != NULL, "it shrinks");
	ok(fill(heap, 1000) > 0xb0000, "and leaves the heap its room");
	ok(HeapFree(heap, 0, moved) && HeapFree(heap, 0, behind), "it is freed");
	ok(HeapValidate(heap, 0, NULL), "the heap is whole");
	HeapDestroy(heap);
}

static void test_fixed_and_large(void)
{
	HANDLE heap = HeapCreate(0, 0, 0x400000);
	LPVOID block = HeapAlloc(heap, 0, 0x60000);

	ok(block != NULL, "a fixed heap gives blocks of some size");
	SetLastError(UNTOUCHED);
	ok(!HeapAlloc(heap, 0, 0x180000), "but none of a megabyte and more");
	ok_equal(GetLastError(), ERROR_NOT_ENOUGH_MEMORY, "its error");
	ok(HeapDestroy(heap), "it is destroyed");
}

/* HeapCreate, of dwMaximumSize: "the largest memory block that can be allocated from the heap is
 * slightly less than [...] 1,024 KB for a 64-bit process"; Windows and Wine mean the same by it. */
static void test_fixed_limit(void)
{
	static const SIZE_T given[] = { 0x7fff8, 0x80000, 0xfe000 };
	static const SIZE_T refused[] = { 0xff000, 0xff001, 0x100000, 0x200000 };
	HANDLE heap = HeapCreate(0, 0, 0x800000);
	LPVOID block = HeapAlloc(heap, 0, 100);

	for (size_t row = 0; row < COUNT(given); row++) {
		LPVOID large = HeapAlloc(heap, 0, given[row]);

		ok(large != NULL, "row %zu: a block below the limit is given", row);
		ok(HeapFree(heap, 0, large), "row %zu: and freed", row);
	}
	for (size_t row = 0; row < COUNT(refused); row++) {
		ok_error(!HeapAlloc(heap, 0, refused[row]), ERROR_NOT_ENOUGH_MEMORY,
			 "row %zu: none at the limit", row);
		ok_error(!HeapReAlloc(heap, 0, block, refused[row]), ERROR_NOT_ENOUGH_MEMORY,
			 "row %zu: nor by growth", row);
	}
	ok_equal(HeapSize(heap, 0, block), 100, "what did not grow is as it was");
	HeapDestroy(heap);
}

static void test_handles(void)
{
	HANDLE heap = HeapCreate(0, 0, 0);

	ok(heap && heap != GetProcessHeap(), "a heap is made");
	ok(((uintptr_t)heap & 0xffff) == 0, "its handle is a multiple of 64 KiB");
	ok(GetProcessHeap() == GetProcessHeap(), "the process heap stays the same");
	SetLastError(UNTOUCHED);
	ok(!HeapDestroy(GetProcessHeap()), "the process heap cannot be destroyed");
	ok_equal(GetLastError(), ERROR_INVALID_HANDLE, "its error");
	ok(HeapDestroy(heap), "the other can");
	SetLastError(UNTOUCHED);
	/* HeapDestroy: "If the function fails, the return value is zero. To get extended error
	 * information, call GetLastError"; NULL is no handle of a heap. */
	todo_wine("takes it for a success");
	ok(!HeapDestroy(NULL), "no heap cannot be destroyed");
	todo_wine("sets none");
	ok_equal(GetLastError(), ERROR_INVALID_HANDLE, "its error");
	SetLastError(UNTOUCHED);
	ok(!HeapAlloc(NULL, 0, 10), "no heap gives no block");
	ok_equal(GetLastError(), ERROR_INVALID_HANDLE, "its error");
}

/* Blocks of one size lie as far apart as programs expect, in either direction. */
static void test_distance(void)
{
	static const SIZE_T distances[][2] = { { 1, 32 },  { 16, 32 }, { 24, 32 },
					       { 25, 48 }, { 40, 48 }, { 41, 64 },
					       { 56, 64 }, { 57, 80 }, { 104, 112 } };

	for (size_t row = 0; row < COUNT(distances); row++) {
		HANDLE heap = HeapCreate(0, 0, 0);
		char *blocks[64];
		int found = 0;

		for (int i = 0; i < 64; i++)
			blocks[i] = HeapAlloc(heap, 0, distances[row][0]);
		for (int i = 1; i < 64; i++)
			found += llabs(blocks[i] - blocks[i - 1]) == (long long)distances[row][1];
		/* HeapAlloc promises no distance between blocks: that they are no further apart
		 * than needed is core's own. */
		if (distances[row][1] < 48)
			todo_wine("48 is its smallest distance");
		ok(found > 32, "row %zu: blocks of %zu bytes are %zu apart (%d of 63)", row,
		   (size_t)distances[row][0], (size_t)distances[row][1], found);
		HeapDestroy(heap);
	}
}

static void test_lock(HANDLE heap)
{
	LPVOID block;

	SetLastError(UNTOUCHED);
	ok(HeapLock(heap) && HeapLock(heap), "a heap is locked, more than once");
	block = HeapAlloc(heap, 0, 100);
	ok(block && HeapFree(heap, 0, block), "who has locked it goes on");
	ok(HeapUnlock(heap) && HeapUnlock(heap), "it is unlocked as often");
	ok_equal(GetLastError(), UNTOUCHED, "no error is set");
	/* HeapUnlock ends what a HeapLock began: its documentation pairs each call with one of the
	 * other, so one too many has nothing to end and fails. */
	todo_wine("does not look");
	ok(!HeapUnlock(heap), "but not once more");
	SetLastError(UNTOUCHED);
	ok(!HeapLock(NULL), "no heap cannot be locked");
	/* HeapLock: "If the function fails, the return value is zero. To get extended error
	 * information, call GetLastError." */
	todo_wine("sets none");
	ok_equal(GetLastError(), ERROR_INVALID_HANDLE, "its error");
	SetLastError(UNTOUCHED);
	ok(!HeapUnlock(NULL), "nor unlocked");
	/* HeapUnlock: the same sentence. */
	todo_wine("sets none");
	ok_equal(GetLastError(), ERROR_INVALID_HANDLE, "its error");
}

static void test_validate(HANDLE heap, HANDLE other)
{
	unsigned char *block = HeapAlloc(heap, 0, 100), *large = HeapAlloc(heap, 0, 5000000);

	ok(HeapValidate(heap, 0, NULL), "a heap is valid");
	ok(HeapValidate(heap, 0, block) && HeapValidate(heap, 0, large), "so are its blocks");
	ok(!HeapValidate(heap, 0, block + 16), "the inside of a block is not");
	ok(!HeapValidate(other, 0, block), "nor is another heap's block");
	HeapFree(heap, 0, large);
	HeapFree(heap, 0, block);
	ok(!HeapValidate(heap, 0, block), "nor one that was freed");
}

/* What a walk is to find: index 0 to 3 live, 4 was freed. */
struct found {
	unsigned char *block;
	SIZE_T size;
	int times;
};

static void note(const PROCESS_HEAP_ENTRY *entry, struct found *found, int count)
{
	for (int i = 0; i < count; i++) {
		if (entry->lpData == found[i].block && entry->wFlags & PROCESS_HEAP_ENTRY_BUSY &&
		    entry->cbData == found[i].size)
			found[i].times++;
	}
}

static void test_walk(void)
{
	struct found found[5] = {
		{ 0, 1, 0 }, { 0, 100, 0 }, { 0, 70000, 0 }, { 0, 5000000, 0 }, { 0, 333, 0 }
	};
	PROCESS_HEAP_ENTRY entry = { 0 };
	HANDLE heap = HeapCreate(0, 0, 0);
	int busy = 0, others = 0;

	for (int i = 0; i < 5; i++)
		found[i].block = HeapAlloc(heap, 0, found[i].size);
	HeapFree(heap, 0, found[4].block);
	HeapLock(heap);
	SetLastError(UNTOUCHED);
	ok(HeapWalk(heap, &entry), "a walk begins");
	ok(entry.wFlags & PROCESS_HEAP_REGION && entry.lpData == heap, "with the heap's region");
	ok((char *)entry.Region.lpFirstBlock > (char *)heap, "whose first block lies behind");
	while (busy + others < 10000 && HeapWalk(heap, &entry)) {
		busy += (entry.wFlags & PROCESS_HEAP_ENTRY_BUSY) != 0;
		others += !(entry.wFlags & PROCESS_HEAP_ENTRY_BUSY);
		note(&entry, found, 5);
	}
	ok_equal(GetLastError(), ERROR_NO_MORE_ITEMS, "it ends");
	HeapUnlock(heap);
	ok_equal(busy, 4, "the live blocks are shown");
	for (int i = 0; i < 4; i++)
		ok_equal(found[i].times, 1, "row %d: once, with its size", i);
	ok_equal(found[4].times, 0, "a freed one is not");
	SetLastError(UNTOUCHED);
	ok(!HeapWalk(heap, NULL), "a walk needs an entry");
	ok_equal(GetLastError(), ERROR_INVALID_PARAMETER, "its error");
	entry.lpData = &entry;
	SetLastError(UNTOUCHED);
	ok(!HeapWalk(heap, &entry), "that lies in the heap");
	ok_equal(GetLastError(), ERROR_INVALID_PARAMETER, "its error");
	HeapDestroy(heap);
}

static void test_list(void)
{
	DWORD before = GetProcessHeaps(0, NULL), count;
	HANDLE list[64] = { NULL }, heap = HeapCreate(0, 0, 0);
	int found = 0;

	count = GetProcessHeaps(64, list);
	ok_equal(count, before + 1, "a new heap is one more");
	ok(list[0] == GetProcessHeap(), "the process heap is the first");
	for (DWORD i = 0; i < count && i < 64; i++)
		found += list[i] == heap;
	ok_equal(found, 1, "the new one is among them");
	list[0] = list[1] = NULL;
	ok_equal(GetProcessHeaps(1, list), count, "with little room their number is told");
	/* GetProcessHeaps: where the buffer is too small, "the function stores NumberOfHeaps
	 * handles in the buffer". */
	todo_wine("stores none");
	ok(list[0] == GetProcessHeap(), "and as many as there is room for are written");
	ok(list[1] == NULL, "and no more");
	HeapDestroy(heap);
	ok_equal(GetProcessHeaps(0, NULL), before, "its end is one less");
}

static void test_information(void)
{
	HANDLE heap = HeapCreate(0, 0, 0), fixed = HeapCreate(0, 0, 0x100000);
	ULONG value = 77;
	SIZE_T size = 77;

	ok(HeapQueryInformation(heap, HeapCompatibilityInformation, &value, sizeof(value), &size),
	   "a heap tells its kind");
	ok(value == 0 && size == sizeof(value), "which is standard");
	value = 2;
	ok(HeapSetInformation(heap, HeapCompatibilityInformation, &value, sizeof(value)),
	   "it becomes a low-fragmentation heap");
	value = 77;
	HeapQueryInformation(heap, HeapCompatibilityInformation, &value, sizeof(value), NULL);
	/* HeapSetInformation: a heap whose HeapCompatibilityInformation was set to 2 is a low-
	 * fragmentation heap, and HeapQueryInformation has to answer with that. */
	todo_wine("forgets it");
	ok_equal(value, 2, "and says so");
	value = 2;
	/* HeapSetInformation: the LFH cannot be enabled for heaps of a fixed size. */
	todo_wine("does not look");
	ok(!HeapSetInformation(fixed, HeapCompatibilityInformation, &value, sizeof(value)),
	   "a heap of fixed size does not");
	SetLastError(UNTOUCHED);
	ok(!HeapQueryInformation(heap, HeapCompatibilityInformation, &value, 1, &size),
	   "the answer needs room");
	ok_equal(GetLastError(), ERROR_INSUFFICIENT_BUFFER, "its error");
	ok_equal(size, sizeof(value), "how much, is told");
	HeapDestroy(fixed);
	HeapDestroy(heap);
}

static void test_compact(HANDLE heap)
{
	LPVOID blocks[32];

	for (int i = 0; i < 32; i++)
		blocks[i] = HeapAlloc(heap, 0, 1000);
	for (int i = 0; i < 32; i += 2)
		HeapFree(heap, 0, blocks[i]);
	/* HeapCompact: "the return value is the size of the largest committed free block in the
	 * heap, in bytes". */
	todo_wine("has none");
	ok(HeapCompact(heap, 0) >= 1000, "the largest free block is told");
	for (int i = 1; i < 32; i += 2)
		HeapFree(heap, 0, blocks[i]);
}

/* --- Exceptions instead of NULL ------------------------------------------------------------- */

#define TOO_MUCH ((SIZE_T)1 << 47)

struct call {
	HANDLE heap;
	DWORD flags;
	LPVOID block; /* NULL: HeapAlloc */
	SIZE_T size;
	LPVOID result;
};

static void make_call(void *argument)
{
	struct call *call = argument;

	if (call->block)
		call->result = HeapReAlloc(call->heap, call->flags, call->block, call->size);
	else
		call->result = HeapAlloc(call->heap, call->flags, call->size);
}

static void test_exceptions(void)
{
	static uint64_t outside[16];
	HANDLE heap = HeapCreate(0, 0, 0), raising = HeapCreate(HEAP_GENERATE_EXCEPTIONS, 0, 0);
	HANDLE fixed = HeapCreate(HEAP_GENERATE_EXCEPTIONS, 0, 0x100000);
	LPVOID block = HeapAlloc(heap, 0, 100), its = HeapAlloc(raising, 0, 100);
	struct {
		struct call call;
		DWORD code;
		const char *todo_wine;
	} rows[] = {
		{ { heap, 0, NULL, TOO_MUCH, NULL }, 0, NULL },
		{ { heap, HEAP_GENERATE_EXCEPTIONS, NULL, TOO_MUCH, NULL },
		  STATUS_NO_MEMORY,
		  NULL },
		{ { heap, HEAP_GENERATE_EXCEPTIONS, block, TOO_MUCH, NULL },
		  STATUS_NO_MEMORY,
		  NULL },
		{ { heap, 0, block, TOO_MUCH, NULL }, 0, NULL },
		/* HeapCreate, of HEAP_GENERATE_EXCEPTIONS: "The system raises an exception to
		 * indicate failure, such as an out-of-memory condition, for calls to HeapAlloc and
		 * HeapReAlloc". */
		{ { raising, 0, NULL, TOO_MUCH, NULL },
		  STATUS_NO_MEMORY,
		  "forgets the heap's flag" },
		{ { raising, 0, its, TOO_MUCH, NULL },
		  STATUS_NO_MEMORY,
		  "forgets the heap's flag" },
		{ { fixed, 0, NULL, 0x100000, NULL }, STATUS_NO_MEMORY, "forgets the heap's flag" },
		/* HeapReAlloc's exceptions: STATUS_ACCESS_VIOLATION is "because of heap corruption
		 * or improper function parameters". */
		{ { heap, HEAP_GENERATE_EXCEPTIONS, outside + 4, 10, NULL },
		  STATUS_ACCESS_VIOLATION,
		  "answers with an error" },
		{ { heap, 0, outside + 4, 10, NULL }, 0, NULL },
		/* The same sentence. */
		{ { raising, 0, outside + 4, 10, NULL },
		  STATUS_ACCESS_VIOLATION,
		  "answers with an error" },
		{ { heap, HEAP_GENERATE_EXCEPTIONS, NULL, 10, NULL }, 0, NULL },
	};

	for (size_t row = 0; row < COUNT(rows); row++) {
		DWORD code = exception_of(make_call, &rows[row].call);

		todo_wine(rows[row].todo_wine);
		ok_status(code, rows[row].code, "row %zu: the exception", row);
		ok((rows[row].call.result != NULL) == (row == COUNT(rows) - 1),
		   "row %zu: a block where there is one", row);
	}
	ok_equal(HeapSize(heap, 0, block), 100, "the block stays as it was");
	ok(HeapValidate(raising, 0, NULL) && HeapValidate(heap, 0, NULL), "the heaps are whole");
	SetLastError(UNTOUCHED);
	ok(!HeapFree(raising, 0, outside + 4), "freeing raises nothing");
	ok_equal(GetLastError(), ERROR_INVALID_PARAMETER, "but has its error");
	ok(HeapDestroy(raising) && HeapDestroy(heap) && HeapDestroy(fixed),
	   "the heaps are destroyed");
}

/* --- Code in blocks -------------------------------------------------------------------------- */

static void run_block(void *block)
{
	((void (*)(void))block)();
}

/* HeapCreate, of HEAP_CREATE_ENABLE_EXECUTE: "All memory blocks that are allocated from this heap
 * allow code execution"; of another heap's: "an attempt to execute code from a protected page" is
 * "an exception with the status code STATUS_ACCESS_VIOLATION". */
static void test_executable(void)
{
	static const SIZE_T block_sizes[] = { 16, 1000, 70000, 2000000 };
	HANDLE executable = HeapCreate(HEAP_CREATE_ENABLE_EXECUTE, 0, 0),
	       plain = HeapCreate(0, 0, 0);

	for (size_t row = 0; row < COUNT(block_sizes); row++) {
		unsigned char *code = HeapAlloc(executable, 0, block_sizes[row]);
		unsigned char *data = HeapAlloc(plain, 0, block_sizes[row]);

		*code = *data = 0xc3; /* ret */
		ok_status(exception_of(run_block, code), 0, "row %zu: a block is run", row);
		ok_status(exception_of(run_block, data), STATUS_ACCESS_VIOLATION,
			  "row %zu: a plain heap's is not", row);
		code = HeapReAlloc(executable, 0, code, 2 * block_sizes[row]);
		ok_status(exception_of(run_block, code), 0, "row %zu: resized, it still is", row);
		ok_equal(query(code).Protect, PAGE_EXECUTE_READWRITE, "row %zu: its pages", row);
	}
	ok(HeapDestroy(executable) && HeapDestroy(plain), "the heaps are destroyed");
}

/* --- A heap in figures ---------------------------------------------------------------------- */

struct summing {
	HANDLE heap;
	DWORD flags;
	HEAP_SUMMARY *summary;
	BOOL is_done;
};

static typeof(&HeapSummary) summarize;

static void call_summary(void *argument)
{
	struct summing *summing = argument;

	summing->is_done = summarize(summing->heap, summing->flags, summing->summary);
}

static BOOL sum(HANDLE heap, DWORD flags, HEAP_SUMMARY *summary, BOOL *is_there)
{
	struct summing summing = { heap, flags, summary, FALSE };

	SetLastError(UNTOUCHED);
	*is_there = exception_of(call_summary, &summing) != STATUS_WINE_STUB;
	return summing.is_done;
}

static void check_sums(HANDLE heap)
{
	HEAP_SUMMARY before = { .cb = sizeof(before) }, after = { .cb = sizeof(after) };
	LPVOID blocks[2];
	BOOL is_there;

	ok(sum(heap, 0, &before, &is_there), "a heap tells its figures");
	ok_equal(GetLastError(), UNTOUCHED, "no error is set");
	blocks[0] = HeapAlloc(heap, 0, 1000);
	blocks[1] = HeapAlloc(heap, 0, 3000000);
	ok(sum(heap, 0, &after, &is_there), "and again");
	ok_equal(after.cbAllocated - before.cbAllocated, 3001000, "the sizes of its blocks");
	ok(after.cbCommitted >= after.cbAllocated && after.cbReserved >= after.cbCommitted,
	   "allocated, committed, reserved: each at least the one before");
	HeapFree(heap, 0, blocks[0]);
	HeapFree(heap, 0, blocks[1]);
	sum(heap, 0, &after, &is_there);
	ok_equal(after.cbAllocated, before.cbAllocated, "freed blocks are no longer counted");
	after.cb--;
	ok(!sum(heap, 0, &after, &is_there), "the structure has its size");
	ok_equal(GetLastError(), ERROR_INVALID_PARAMETER, "its error");
	ok(!sum(heap, 0, NULL, &is_there), "and is there");
	ok_equal(GetLastError(), ERROR_INVALID_PARAMETER, "its error");
}

static void test_summary(void)
{
	HEAP_SUMMARY summary = { .cb = sizeof(summary) };
	HANDLE fixed = HeapCreate(0, 0x40000, 0x100000), heap = HeapCreate(0, 0, 0);
	BOOL is_there = FALSE;

	summarize = FUNCTION("kernelbase.dll", HeapSummary);
	if (!summarize || (sum(heap, 0, &summary, &is_there), !is_there)) {
		skip_absent("HeapSummary");
		return;
	}
	check_sums(heap);
	ok(sum(fixed, 0, &summary, &is_there), "a heap of fixed size, too");
	ok_equal(summary.cbMaxReserve, 0x100000, "with its maximum");
	ok(summary.cbCommitted >= 0x40000 && summary.cbReserved >= 0x100000 &&
		   summary.cbAllocated == 0,
	   "what is committed and reserved for it from the start");
	HeapDestroy(heap);
	HeapDestroy(fixed);
}

static void test_heap(HANDLE heap, HANDLE other, const char *name)
{
	test_sizes(heap, name);
	test_resize(heap, name);
	test_in_place(heap);
	test_regrown(heap, name);
	test_too_much(heap);
	test_foreign(heap, other);
	test_freed(heap);
	test_lock(heap);
	test_validate(heap, other);
	test_compact(heap);
}

int main(void)
{
	HANDLE growable = HeapCreate(0, 0, 0),
	       unserialized = HeapCreate(HEAP_NO_SERIALIZE, 4096, 0);

	test_handles();
	test_heap(GetProcessHeap(), growable, "process heap");
	test_heap(growable, GetProcessHeap(), "growable heap");
	test_heap(unserialized, growable, "unserialized heap");
	test_distance();
	test_walk();
	test_list();
	test_information();
	test_maximum();
	test_fixed_and_large();
	test_fixed_again();
	test_fixed_growth();
	test_fixed_move();
	test_fixed_limit();
	test_exceptions();
	test_executable();
	test_summary();
	ok(HeapDestroy(growable), "the growable heap is destroyed");
	ok(HeapDestroy(unserialized), "the unserialized heap is destroyed");
	ok(HeapSetInformation(NULL, HeapEnableTerminationOnCorruption, NULL, 0),
	   "to end when a heap is broken can be asked for");
	return tap_done();
}
