/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What HeapWalk says of each kind of entry, and what HeapSetInformation and HeapQueryInformation
 * know. The same source is a native test of core and a Windows program. */

#include "tests/conformance/common.h"

/* Old headers do not have it. */
#define OPTIMIZE_RESOURCES ((HEAP_INFORMATION_CLASS)3)
#define UNKNOWN_CLASS ((HEAP_INFORMATION_CLASS)77)

/* --- Entries --------------------------------------------------------------------------------- */

/* The entry that begins at `address`, of a heap that is locked meanwhile. lpData NULL: none. */
static PROCESS_HEAP_ENTRY entry_at(HANDLE heap, LPCVOID address)
{
	PROCESS_HEAP_ENTRY entry = { 0 };

	HeapLock(heap);
	while (HeapWalk(heap, &entry)) {
		if (entry.lpData == address && !(entry.wFlags & PROCESS_HEAP_REGION))
			break;
	}
	HeapUnlock(heap);
	if (entry.lpData != address)
		entry.lpData = NULL;
	return entry;
}

static void test_busy(HANDLE heap)
{
	static const SIZE_T sizes[] = { 0, 1, 24, 1000, 5000, 70000, 2000000 };

	for (size_t row = 0; row < COUNT(sizes); row++) {
		LPVOID block = HeapAlloc(heap, 0, sizes[row]);
		PROCESS_HEAP_ENTRY entry = entry_at(heap, block);

		ok_equal(entry.wFlags, PROCESS_HEAP_ENTRY_BUSY, "row %zu: a block is busy", row);
		ok_equal(entry.cbData, sizes[row], "row %zu: its size", row);
		ok(sizes[row] > 1000000 || entry.cbOverhead > 0, "row %zu: it costs something",
		   row);
		HeapFree(heap, 0, block);
		entry = entry_at(heap, block);
		ok(!entry.lpData || !(entry.wFlags & PROCESS_HEAP_ENTRY_BUSY),
		   "row %zu: freed, it is not", row);
	}
}

/* Between two others, so that it does not become part of what is behind. */
static void test_free(HANDLE heap)
{
	LPVOID blocks[3];
	PROCESS_HEAP_ENTRY entry = { 0 };
	int found = 0;

	for (int i = 0; i < 3; i++)
		blocks[i] = HeapAlloc(heap, 0, 1000);
	HeapFree(heap, 0, blocks[1]);
	while (HeapWalk(heap, &entry)) {
		char *begin = entry.lpData, *wanted = blocks[1];

		if (entry.wFlags == 0)
			found += begin <= wanted + 16 && wanted < begin + entry.cbData;
	}
	ok_equal(found, 1, "a freed block is in one free entry");
	HeapFree(heap, 0, blocks[0]);
	HeapFree(heap, 0, blocks[2]);
}

/* What was seen of the region that the walk is in. */
struct region {
	char *base, *first, *end;
	SIZE_T size, uncommitted, seen_uncommitted;
	char *last_end; /* of the last entry */
	int is_whole;
};

static void enter_region(struct region *region, const PROCESS_HEAP_ENTRY *entry)
{
	region->is_whole &= region->seen_uncommitted == region->uncommitted;
	region->base = region->last_end = entry->lpData;
	region->first = entry->Region.lpFirstBlock;
	region->end = entry->Region.lpLastBlock;
	region->size = (SIZE_T)entry->Region.dwCommittedSize + entry->Region.dwUnCommittedSize;
	region->uncommitted = entry->Region.dwUnCommittedSize;
	region->seen_uncommitted = 0;
}

/* Large blocks lie in none. */
static int is_in(const struct region *region, const PROCESS_HEAP_ENTRY *entry)
{
	char *begin = entry->lpData;

	return begin >= region->first && begin + entry->cbData <= region->end;
}

/* Whether the memory of an entry is what the entry says of it. */
static int is_as_told(const PROCESS_HEAP_ENTRY *entry)
{
	BOOL is_uncommitted = entry->wFlags & PROCESS_HEAP_UNCOMMITTED_RANGE;
	MEMORY_BASIC_INFORMATION info = query(entry->lpData);
	char *end = (char *)entry->lpData + entry->cbData;

	return entry->cbData == 0 || (info.State == (is_uncommitted ? MEM_RESERVE : MEM_COMMIT) &&
				      (char *)info.BaseAddress + info.RegionSize >= end);
}

static void check_region(const struct region *region, const PROCESS_HEAP_ENTRY *entry)
{
	/* PROCESS_HEAP_ENTRY, of a region: "cbData specifies the total size, in bytes, of the
	 * address space that is reserved for this region". */
	todo_wine("tells the size of its header");
	ok_equal(entry->cbData, region->size, "a region's size");
	ok(region->end == region->base + region->size, "it ends where its last block does");
	ok(region->first >= region->base && region->first <= region->end, "its first block");
	ok(query(region->base).State == MEM_COMMIT, "it is committed where it begins");
}

static void test_regions(HANDLE heap, BOOL is_fixed, const char *name)
{
	struct region region = { 0 };
	PROCESS_HEAP_ENTRY entry = { 0 };
	int regions = 0, is_rising = 1, outside = 0, wrong = 0, uncommitted = 0;

	region.is_whole = 1;
	for (int i = 0; i < 500; i++)
		HeapAlloc(heap, 0, (SIZE_T)i * 7);
	while (HeapWalk(heap, &entry)) {
		if (entry.wFlags & PROCESS_HEAP_REGION) {
			enter_region(&region, &entry);
			check_region(&region, &entry);
			regions++;
			continue;
		}
		outside += !is_in(&region, &entry);
		wrong += !is_as_told(&entry);
		is_rising &= (char *)entry.lpData >= region.last_end;
		region.last_end = (char *)entry.lpData + entry.cbData;
		if (entry.wFlags & PROCESS_HEAP_UNCOMMITTED_RANGE) {
			region.seen_uncommitted += entry.cbData;
			uncommitted++;
		}
	}
	ok(regions > 0, "%s: there are regions", name);
	ok_equal(outside, 0, "%s: each entry lies in its region", name);
	ok_equal(wrong, 0, "%s: it is committed or not, as it says", name);
	ok(is_rising, "%s: behind the one before", name);
	ok(region.is_whole && region.seen_uncommitted == region.uncommitted,
	   "%s: the uncommitted ranges are as large as the region says", name);
	ok(uncommitted > 0 || !is_fixed, "%s: there is one", name);
	HeapDestroy(heap);
}

static void test_large_regions(void)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	LPVOID blocks[] = { HeapAlloc(heap, 0, 100), HeapAlloc(heap, 0, 2000000),
			    HeapAlloc(heap, 0, 3000000) };
	PROCESS_HEAP_ENTRY small = entry_at(heap, blocks[0]), large = entry_at(heap, blocks[1]);
	PROCESS_HEAP_ENTRY other = entry_at(heap, blocks[2]);

	ok(!(large.wFlags & PROCESS_HEAP_REGION), "a large block's entry is no region's");
	ok(large.iRegionIndex != small.iRegionIndex && other.iRegionIndex != small.iRegionIndex,
	   "its region is not that of a small one");
	/* PROCESS_HEAP_ENTRY: "the heap manager treats such a large block allocation as a separate
	 * region with a unique region index". */
	todo_wine("all large blocks have the same number");
	ok(large.iRegionIndex != other.iRegionIndex, "nor that of another large one");
	HeapDestroy(heap);
}

static void test_moveable(void)
{
	static const struct {
		UINT flags;
		WORD expected;
	} rows[] = {
		{ GMEM_FIXED, 0 },
		{ GMEM_MOVEABLE, PROCESS_HEAP_ENTRY_MOVEABLE },
		{ GMEM_MOVEABLE | GMEM_DDESHARE,
		  PROCESS_HEAP_ENTRY_MOVEABLE | PROCESS_HEAP_ENTRY_DDESHARE },
		{ GHND, PROCESS_HEAP_ENTRY_MOVEABLE },
	};

	for (size_t row = 0; row < COUNT(rows); row++) {
		HGLOBAL handle = GlobalAlloc(rows[row].flags, 1234);
		LPVOID memory = GlobalLock(handle);
		PROCESS_HEAP_ENTRY entry = entry_at(GetProcessHeap(), memory);

		ok_equal(entry.cbData, 1234, "row %zu: a block of the process heap", row);
		/* PROCESS_HEAP_ENTRY: beside PROCESS_HEAP_ENTRY_BUSY, PROCESS_HEAP_ENTRY_MOVEABLE
		 * says that the block is moveable and that Block.hMem is its handle, and
		 * PROCESS_HEAP_ENTRY_DDESHARE that it was allocated with GMEM_DDESHARE. */
		if (rows[row].expected)
			todo_wine("tells busy blocks alone");
		ok_equal(entry.wFlags, PROCESS_HEAP_ENTRY_BUSY | rows[row].expected,
			 "row %zu: its flags", row);
		if (rows[row].expected)
			todo_wine("tells no handles");
		ok(!rows[row].expected || entry.Block.hMem == handle, "row %zu: its handle", row);
		GlobalUnlock(handle);
		GlobalFree(handle);
	}
}

static void test_wrong_walks(HANDLE heap)
{
	PROCESS_HEAP_ENTRY entry = { 0 };
	LPVOID block = HeapAlloc(heap, 0, 100);

	ok_error(!HeapWalk(NULL, &entry), ERROR_INVALID_HANDLE, "a walk needs a heap");
	ok_error(!HeapWalk(heap, NULL), ERROR_INVALID_PARAMETER, "a walk needs an entry");
	entry.lpData = &entry;
	ok_error(!HeapWalk(heap, &entry), ERROR_INVALID_PARAMETER, "that is the heap's");
	HeapFree(heap, 0, block);
}

/* --- Information ----------------------------------------------------------------------------- */

static BOOL set_kind(HANDLE heap, ULONG kind)
{
	return HeapSetInformation(heap, HeapCompatibilityInformation, &kind, sizeof(kind));
}

static ULONG kind_of(HANDLE heap)
{
	ULONG kind = UNTOUCHED;

	HeapQueryInformation(heap, HeapCompatibilityInformation, &kind, sizeof(kind), NULL);
	return kind;
}

static void test_kinds(void)
{
	HANDLE heap = HeapCreate(0, 0, 0), fixed = HeapCreate(0, 0, 0x100000);
	HANDLE unserialized = HeapCreate(HEAP_NO_SERIALIZE, 0, 0);

	ok_equal(kind_of(heap), 0, "a heap is a standard one");
	/* HeapSetInformation: of HeapCompatibilityInformation's values only 2, the
	 * low-fragmentation heap, can be set. */
	todo_wine("does not look");
	ok_error(!set_kind(heap, 1), ERROR_GEN_FAILURE, "there are no look-aside lists any more");
	todo_wine("does not look");
	ok_error(!set_kind(heap, 3), ERROR_INVALID_PARAMETER, "nor anything else");
	ok(set_kind(heap, 2), "it becomes a low-fragmentation heap");
	/* HeapQueryInformation tells a low-fragmentation heap by 2. Once it is that it stays so;
	 * heaps of a fixed size and those with HEAP_NO_SERIALIZE cannot become it. */
	todo_wine("forgets it");
	ok_equal(kind_of(heap), 2, "and is one");
	todo_wine("does not look");
	ok_error(!set_kind(heap, 0), ERROR_GEN_FAILURE, "for ever");
	todo_wine("does not look");
	ok_error(!set_kind(fixed, 2), ERROR_GEN_FAILURE, "a heap of fixed size cannot");
	todo_wine("does not look");
	ok_error(!set_kind(unserialized, 2), ERROR_GEN_FAILURE, "nor one without a lock");
	HeapDestroy(unserialized);
	HeapDestroy(fixed);
	HeapDestroy(heap);
}

static void test_kind_errors(HANDLE heap)
{
	ULONG kind = 2;
	SIZE_T size = UNTOUCHED;

	/* HeapQueryInformation: HeapHandle is "a handle to the heap whose information is to be
	 * retrieved". */
	todo_wine("does not look");
	ok_error(!HeapQueryInformation(NULL, HeapCompatibilityInformation, &kind, 4, &size),
		 ERROR_INVALID_HANDLE, "no heap has no kind");
	todo_wine("does not look");
	ok_error(!HeapSetInformation(NULL, HeapCompatibilityInformation, &kind, 4),
		 ERROR_INVALID_HANDLE, "nor gets one");
	size = UNTOUCHED;

	ok_error(!HeapQueryInformation(heap, HeapCompatibilityInformation, &kind, 3, &size),
		 ERROR_INSUFFICIENT_BUFFER, "the answer needs room");
	ok_equal(size, sizeof(kind), "how much, is told");
	ok(HeapQueryInformation(heap, HeapCompatibilityInformation, &kind, 100, &size),
	   "it may have more");
	ok_equal(size, sizeof(kind), "and does not use it");
	/* HeapSetInformation: the information is a ULONG, and its length that of the buffer. */
	todo_wine("does not look");
	ok_error(!HeapSetInformation(heap, HeapCompatibilityInformation, &kind, 3),
		 ERROR_INSUFFICIENT_BUFFER, "so does the question");
	ok_error(!HeapQueryInformation(heap, UNKNOWN_CLASS, &kind, sizeof(kind), &size),
		 ERROR_INVALID_PARAMETER, "what is no class is not known");
	/* HEAP_INFORMATION_CLASS lists the classes that there are. */
	todo_wine("takes all");
	ok_error(!HeapSetInformation(heap, UNKNOWN_CLASS, &kind, sizeof(kind)),
		 ERROR_INVALID_PARAMETER, "nor set");
}

static BOOL optimize(HANDLE heap, DWORD version, DWORD flags, SIZE_T size)
{
	DWORD information[2] = { version, flags };

	return HeapSetInformation(heap, OPTIMIZE_RESOURCES, information, size);
}

static SIZE_T committed_bytes(void)
{
	MEMORY_BASIC_INFORMATION info;
	SIZE_T total = 0;

	for (char *at = NULL; VirtualQuery(at, &info, sizeof(info));
	     at = (char *)info.BaseAddress + info.RegionSize) {
		if (info.State == MEM_COMMIT && info.Type == MEM_PRIVATE)
			total += info.RegionSize;
	}
	return total;
}

static void test_optimize(HANDLE heap)
{
	LPVOID blocks[8];
	SIZE_T before;

	for (size_t i = 0; i < COUNT(blocks); i++)
		blocks[i] = memset(HeapAlloc(heap, 0, 3000000), 1, 3000000);
	for (size_t i = 0; i < COUNT(blocks); i++)
		HeapFree(heap, 0, blocks[i]);
	before = committed_bytes();
	ok(optimize(heap, 1, 0, 8), "a heap gives back what it does not need");
	ok(committed_bytes() <= before, "there is not more than before");
	ok(optimize(NULL, 1, 0, 8), "all of them do");
	/* HeapSetInformation: the structure is a HEAP_OPTIMIZE_RESOURCES_INFORMATION with its only
	 * version, 1, and no flags. */
	todo_wine("does not look");
	ok_error(!optimize(heap, 0, 0, 8), ERROR_INVALID_PARAMETER, "the version is the first");
	todo_wine("does not look");
	ok_error(!optimize(heap, 2, 0, 8), ERROR_INVALID_PARAMETER, "there is no second one");
	todo_wine("does not look");
	ok_error(!optimize(heap, 1, 1, 8), ERROR_INVALID_PARAMETER, "there are no flags");
	todo_wine("does not look");
	ok_error(!optimize(heap, 1, 0, 7), ERROR_INSUFFICIENT_BUFFER, "it is a structure");
	ok(HeapValidate(heap, 0, NULL), "the heap is whole");
}

int main(void)
{
	HANDLE heap = HeapCreate(0, 0, 0);

	test_busy(heap);
	test_busy(GetProcessHeap());
	test_free(heap);
	test_regions(HeapCreate(0, 0, 0), FALSE, "a growable heap");
	test_regions(HeapCreate(0, 0x100000, 0), FALSE, "a heap with an initial size");
	test_regions(HeapCreate(0, 0x100000, 0x800000), TRUE, "a heap of fixed size");
	test_large_regions();
	test_moveable();
	test_wrong_walks(heap);
	test_kinds();
	test_kind_errors(heap);
	test_optimize(heap);
	ok(HeapDestroy(heap), "the heap is destroyed");
	return tap_done();
}
