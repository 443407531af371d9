/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What a program does wrong with blocks and heaps: the documented answer, and a heap that is whole
 * afterwards. The same source is a native test of core and a Windows program. */

#include "tests/conformance/exceptions.h"

static const SIZE_T sizes[] = { 1, 24, 100, 1000, 5000, 70000, 300000, 2000000 };
static uint64_t outside[16];

/* --- Blocks ---------------------------------------------------------------------------------- */

/* All three functions refuse the block. */
static void refuse(HANDLE heap, LPVOID block, const char *what, size_t row)
{
	SetLastError(UNTOUCHED);
	ok(!HeapFree(heap, 0, block), "%s, row %zu: is not freed", what, row);
	ok_equal(GetLastError(), ERROR_INVALID_PARAMETER, "%s, row %zu: its error", what, row);
	SetLastError(UNTOUCHED);
	ok(!HeapReAlloc(heap, 0, block, 50), "%s, row %zu: nor resized", what, row);
	ok_equal(GetLastError(), ERROR_INVALID_PARAMETER, "%s, row %zu: its error", what, row);
	ok(HeapSize(heap, 0, block) == (SIZE_T)-1, "%s, row %zu: nor sized", what, row);
	ok(!HeapValidate(heap, 0, block), "%s, row %zu: nor valid", what, row);
}

static void test_freed(HANDLE heap)
{
	for (size_t row = 0; row < COUNT(sizes); row++) {
		LPVOID block = HeapAlloc(heap, 0, sizes[row]);

		ok(HeapFree(heap, 0, block), "row %zu: a block is freed", row);
		/* Wine returns larger ones to the system, and looks there nevertheless. */
		if (IS_CORE || sizes[row] <= 100)
			refuse(heap, block, "a freed block", row);
	}
	ok(HeapValidate(heap, 0, NULL), "the heap is whole");
}

static void test_inside(HANDLE heap)
{
	for (size_t row = 2; row < COUNT(sizes); row++) {
		char *block = HeapAlloc(heap, HEAP_ZERO_MEMORY, sizes[row]);

		refuse(heap, block + 16, "the inside of a block", row);
		refuse(heap, block + sizes[row] / 2 / 16 * 16, "its middle", row);
		if (IS_CORE)
			refuse(heap, block + 3, "an odd address", row);
		ok_equal(HeapSize(heap, 0, block), sizes[row], "row %zu: it stays", row);
		ok(HeapFree(heap, 0, block), "row %zu: and is freed", row);
	}
	ok(HeapValidate(heap, 0, NULL), "the heap is whole");
}

static void test_foreign(HANDLE heap)
{
	uint64_t local[16] = { 0 };

	refuse(heap, outside + 4, "a variable", 0);
	refuse(heap, local + 4, "a variable on the stack", 0);
	ok(HeapValidate(heap, 0, NULL), "the heap is whole");
}

static void test_wrong_heap(HANDLE heap)
{
	HANDLE other = HeapCreate(0, 0, 0);

	/* Wine frees the largest. */
	for (size_t row = 0; row < COUNT(sizes) - !IS_CORE; row++) {
		LPVOID block = HeapAlloc(heap, 0, sizes[row]);

		refuse(other, block, "another heap's block", row);
		ok_equal(HeapSize(heap, 0, block), sizes[row], "row %zu: it stays", row);
		ok(HeapFree(heap, 0, block), "row %zu: its own heap frees it", row);
	}
	ok(HeapValidate(heap, 0, NULL) && HeapValidate(other, 0, NULL), "both are whole");
	ok(HeapDestroy(other), "the other is destroyed");
}

/* Past all that a block of this size may have: what stands there is written over. */
static void test_overrun(HANDLE heap)
{
	if (!IS_CORE)
		return;
	for (size_t row = 0; row < 4; row++) {
		unsigned char *block = HeapAlloc(heap, 0, sizes[row]), kept[32];

		memcpy(kept, block + sizes[row], sizeof(kept));
		memset(block + sizes[row], 'x', sizeof(kept));
		ok(!HeapValidate(heap, 0, NULL), "row %zu: the heap is not whole", row);
		refuse(heap, block, "a block that was written past its end", row);
		memcpy(block + sizes[row], kept, sizeof(kept));
		ok(HeapValidate(heap, 0, NULL), "row %zu: put right, it is", row);
		ok(HeapFree(heap, 0, block), "row %zu: and the block is freed", row);
	}
}

/* --- Heaps ----------------------------------------------------------------------------------- */

static struct {
	HANDLE heap;
	LPVOID block, result;
	BOOL is_done, is_freed, is_valid, is_destroyed;
	SIZE_T size;
} stale;

static void use_stale(void *unused)
{
	(void)unused;
	stale.result = HeapAlloc(stale.heap, 0, 10);
	stale.is_freed = HeapFree(stale.heap, 0, stale.block);
	stale.size = HeapSize(stale.heap, 0, stale.block);
	stale.is_valid = HeapValidate(stale.heap, 0, NULL);
	stale.is_destroyed = HeapDestroy(stale.heap);
	stale.is_done = TRUE;
}

static void test_destroyed(void)
{
	stale.heap = HeapCreate(0, 0, 0);
	stale.block = HeapAlloc(stale.heap, 0, 100);
	ok(HeapDestroy(stale.heap), "a heap is destroyed");
	SetLastError(UNTOUCHED);
	stale.is_valid = TRUE;
	/* A destroyed heap's handle is none: HeapAlloc, HeapFree, HeapSize, HeapValidate and
	 * HeapDestroy document NULL, FALSE or -1 for what fails, and no exception unless one is
	 * asked for. */
	todo_wine("touches it");
	ok_status(exception_of(use_stale, NULL), 0, "to use it then raises nothing");
	todo_wine("touches it");
	ok(!stale.result && !stale.is_freed && stale.size == (SIZE_T)-1 && stale.is_done,
	   "and does nothing");
	todo_wine("takes it for a success");
	ok(!stale.is_destroyed, "it is not destroyed again");
	todo_wine("touches it");
	ok(!stale.is_valid, "it is not valid");
	todo_wine("sets none at its end");
	ok_equal(GetLastError(), ERROR_INVALID_HANDLE, "its error");
}

/* A heap ends with all of its blocks, whatever was done to them. */
static void test_overrun_and_destroyed(void)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	unsigned char *block = HeapAlloc(heap, 0, 100);

	HeapAlloc(heap, 0, 100);
	if (IS_CORE)
		memset(block + 100, 'x', 8);
	ok(HeapDestroy(heap), "a heap with a block that was written past its end is destroyed");
}

/* The block went with its heap: another heap does not take it. */
static void test_stale_block(HANDLE heap)
{
	HANDLE other = HeapCreate(0, 0, 0);
	LPVOID block = HeapAlloc(other, 0, 100);

	ok(HeapDestroy(other), "a heap is destroyed with its block");
	if (IS_CORE)
		refuse(heap, block, "a block whose heap is gone", 0);
	ok(HeapValidate(heap, 0, NULL), "the other heap is whole");
}

/* A handle is no block, though its memory is one. */
static void test_handle(void)
{
	HGLOBAL handle = GlobalAlloc(GMEM_MOVEABLE, 100);
	HANDLE heap = GetProcessHeap();

	SetLastError(UNTOUCHED);
	ok(!HeapFree(heap, 0, handle), "a handle is not freed");
	ok_equal(GetLastError(), ERROR_INVALID_PARAMETER, "its error");
	ok(HeapSize(heap, 0, handle) == (SIZE_T)-1, "nor sized");
	ok(!HeapValidate(heap, 0, handle), "nor valid");
	ok_equal(GlobalSize(handle), 100, "its memory stays");
	ok(!GlobalFree(handle), "and is freed by GlobalFree");
	ok(HeapValidate(heap, 0, NULL), "the heap is whole");
}

static void test_all(HANDLE heap)
{
	test_freed(heap);
	test_inside(heap);
	test_foreign(heap);
	test_wrong_heap(heap);
	test_overrun(heap);
	test_stale_block(heap);
}

int main(void)
{
	HANDLE heap = HeapCreate(0, 0, 0);

	test_all(heap);
	test_all(GetProcessHeap());
	test_overrun_and_destroyed();
	test_handle();
	test_destroyed();
	ok(HeapDestroy(heap), "the heap is destroyed");
	return tap_done();
}
