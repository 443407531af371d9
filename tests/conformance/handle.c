/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* GlobalAlloc, LocalAlloc and their families, fixed and moveable (winbase.h). Twins are rows of one
 * table; the few places where they differ have tests of their own. The same source is a native test
 * of core and a Windows program. */

#include "tests/conformance/both.h"

#ifndef _WIN32
#define WINAPI
#endif

#define LOCK_COUNT 0xff
#define HANDLES_MAX 0x10000
/* Of a process that runs on Windows' functions. */
#define HANDLES_OF_SYSTEM 64
/* In an entry of the table. */
#define ENTRY_USED 1u
#define ENTRY_MOVEABLE 2u
#define ENTRY_DISCARDABLE 4u
#define ENTRY_DISCARDED 8u
#define TOO_MUCH ((SIZE_T)-64)
/* Nothing is there. */
#define WILD_POINTER ((HGLOBAL)(ULONG_PTR)0xdeadbee0)
#define WILD_HANDLE ((HGLOBAL)(ULONG_PTR)0xdeadbee8)
/* What the documents promise, and Wine 8.0 does not keep. */
#define NO_ERROR_SET "\"to get extended error information, call GetLastError\": none is set"

static const struct twin {
	const char *name;
	HGLOBAL(WINAPI *alloc)(UINT, SIZE_T);
	HGLOBAL(WINAPI *realloc)(HGLOBAL, SIZE_T, UINT);
	HGLOBAL(WINAPI *free)(HGLOBAL);
	LPVOID(WINAPI *lock)(HGLOBAL);
	BOOL(WINAPI *unlock)(HGLOBAL);
	SIZE_T(WINAPI *size)(HGLOBAL);
	UINT(WINAPI *flags)(HGLOBAL);
	HGLOBAL(WINAPI *handle)(LPCVOID);
	UINT discardable;
	BOOL is_global;
} twins[] = {
	{ "global", GlobalAlloc, GlobalReAlloc, GlobalFree, GlobalLock, GlobalUnlock, GlobalSize,
	  GlobalFlags, GlobalHandle, GMEM_DISCARDABLE, TRUE },
	{ "local", LocalAlloc, LocalReAlloc, LocalFree, LocalLock, LocalUnlock, LocalSize,
	  LocalFlags, LocalHandle, LMEM_DISCARDABLE, FALSE },
};

static BOOL is_filled(const char *bytes, char value, SIZE_T count)
{
	for (SIZE_T i = 0; i < count; i++) {
		if (bytes[i] != value)
			return FALSE;
	}
	return TRUE;
}

/* --- Fixed ----------------------------------------------------------------------------------- */

static void test_fixed(const struct twin *t)
{
	char *memory = t->alloc(GMEM_FIXED, 100);

	ok(memory && t->lock(memory) == memory, "%s: fixed memory is its own handle", t->name);
	ok_equal((ULONG_PTR)memory & 15, 0, "%s: aligned to 16", t->name);
	ok_equal(t->size(memory), 100, "%s: its size", t->name);
	ok_equal(t->flags(memory), 0, "%s: its flags", t->name);
	ok(t->handle(memory) == memory, "%s: the handle of its pointer", t->name);
	ok(HeapSize(GetProcessHeap(), 0, memory) == 100, "%s: it is the process heap's", t->name);
	memset(memory, 'x', 100);
	memory = t->realloc(memory, 200, GMEM_MOVEABLE | GMEM_ZEROINIT);
	ok(memory && is_filled(memory, 'x', 100) && is_filled(memory + 100, 0, 100),
	   "%s: it grows and keeps its contents", t->name);
	ok(t->lock(memory) == memory, "%s: and is fixed", t->name);
	ok(t->realloc(memory, 50, 0) == memory, "%s: it shrinks in place", t->name);
	ok_equal(t->size(memory), 50, "%s: to the size that was asked for", t->name);
	ok(t->free(memory) == NULL, "%s: it is freed", t->name);
	memory = t->alloc(GPTR, 1000);
	ok(is_filled(memory, 0, 1000), "%s: zeroed on demand", t->name);
	t->free(memory);
}

/* GlobalUnlock of fixed memory: "If the hMem parameter identifies fixed memory, the return value is
 * always TRUE"; LocalUnlock: "This function has no effect on memory objects allocated with
 * LMEM_FIXED", which it says are not locked. */
static void test_unlock_fixed(void)
{
	HGLOBAL global = GlobalAlloc(GMEM_FIXED, 10);
	HLOCAL local = LocalAlloc(LMEM_FIXED, 10);

	GlobalLock(global);
	SetLastError(UNTOUCHED);
	for (int i = 0; i < 3; i++)
		ok(GlobalUnlock(global), "fixed global memory is unlocked at any time");
	ok_equal(GetLastError(), UNTOUCHED, "which is no error");
	ok_equal(GlobalFlags(global), 0, "nor counted");
	LocalLock(local);
	ok_error(!LocalUnlock(local), ERROR_NOT_LOCKED, "fixed local memory is never locked");
	GlobalFree(global);
	LocalFree(local);
}

/* Fixed memory of no size: Global gives a byte. */
static void test_empty_fixed(void)
{
	HGLOBAL global = GlobalAlloc(GMEM_FIXED, 0);
	HLOCAL local = LocalAlloc(LMEM_FIXED, 0);

	ok_equal(GlobalSize(global), 1, "no byte of fixed global memory is one");
	ok(local != NULL, "no byte of fixed local memory is memory, too");
	ok_equal(LocalSize(local), 0, "of size 0");
	ok(!GlobalFree(global) && !LocalFree(local), "both are freed");
}

static void test_fixed_in_place(const struct twin *t)
{
	char *memory = t->alloc(GMEM_FIXED, 100);

	memset(memory, 'x', 100);
	ok_error(!t->realloc(memory, 1 << 28, 0), ERROR_NOT_ENOUGH_MEMORY,
		 "%s: fixed memory grows in place only", t->name);
	ok(t->size(memory) == 100 && is_filled(memory, 'x', 100), "%s: and stays as it was",
	   t->name);
	ok_error(!t->realloc(memory, TOO_MUCH, GMEM_MOVEABLE), ERROR_NOT_ENOUGH_MEMORY,
		 "%s: it cannot grow for ever", t->name);
	ok(t->size(memory) == 100 && is_filled(memory, 'x', 100), "%s: and stays as it was then",
	   t->name);
	t->free(memory);
}

/* --- Moveable -------------------------------------------------------------------------------- */

static void test_moveable(const struct twin *t)
{
	HGLOBAL handle = t->alloc(GMEM_MOVEABLE, 100);
	char *memory = t->lock(handle);

	ok(handle && memory && memory != handle, "%s: a moveable handle is no pointer", t->name);
	ok_equal((ULONG_PTR)handle & 15, 8, "%s: its low bits", t->name);
	ok_equal((ULONG_PTR)memory & 15, 0, "%s: the memory is aligned to 16", t->name);
	ok(*(char **)handle == memory, "%s: the pointer is found through the handle", t->name);
	ok(t->handle(memory) == handle, "%s: the handle of its pointer", t->name);
	ok(HeapSize(GetProcessHeap(), 0, memory) == 100, "%s: it is the process heap's", t->name);
	ok_equal(t->flags(handle) & LOCK_COUNT, 1, "%s: locked once", t->name);
	ok(t->lock(handle) == memory, "%s: locked twice", t->name);
	ok(t->unlock(handle), "%s: unlocked, but still locked", t->name);
	ok_error(!t->unlock(handle), ERROR_SUCCESS, "%s: the last unlock", t->name);
	ok_error(!t->unlock(handle), ERROR_NOT_LOCKED, "%s: one unlock too many", t->name);
	ok_equal(t->flags(handle), 0, "%s: not locked", t->name);
	memory = t->lock(handle);
	memset(memory, 'x', 100);
	t->unlock(handle);
	ok(t->realloc(handle, 100000, GMEM_MOVEABLE | GMEM_ZEROINIT) == handle,
	   "%s: it grows and keeps its handle", t->name);
	memory = t->lock(handle);
	ok(is_filled(memory, 'x', 100) && is_filled(memory + 100, 0, 99900), "%s: and its contents",
	   t->name);
	ok(t->handle(memory) == handle, "%s: the handle of its new pointer", t->name);
	ok_equal(t->size(handle), 100000, "%s: its size", t->name);
	ok(t->free(handle) == NULL, "%s: it is freed while it is locked", t->name);
	handle = t->alloc(GHND, 1000);
	ok(is_filled(t->lock(handle), 0, 1000), "%s: zeroed on demand", t->name);
	t->free(handle);
}

/* Programs read the entry that a handle leads to: flags, locks, memory. */
static void check_entry(const struct twin *t, HGLOBAL handle, unsigned flags, unsigned locks)
{
	const struct {
		uint16_t flags;
		uint8_t locks;
		uint8_t unused[5];
		LPVOID memory;
	} *entry = (const void *)((char *)handle - 8);

	ok_equal(entry->flags, flags, "%s: the flags of an entry", t->name);
	ok_equal(entry->locks, locks, "%s: its locks", t->name);
	ok(!entry->memory == !!(flags & ENTRY_DISCARDED), "%s: its memory", t->name);
}

static void test_entry(const struct twin *t)
{
	HGLOBAL handle = t->alloc(GMEM_MOVEABLE, 100);

	check_entry(t, handle, ENTRY_USED | ENTRY_MOVEABLE, 0);
	t->lock(handle);
	t->lock(handle);
	check_entry(t, handle, ENTRY_USED | ENTRY_MOVEABLE, 2);
	t->unlock(handle);
	check_entry(t, handle, ENTRY_USED | ENTRY_MOVEABLE, 1);
	t->unlock(handle);
	t->realloc(handle, 0, GMEM_MODIFY | t->discardable);
	check_entry(t, handle, ENTRY_USED | ENTRY_MOVEABLE | ENTRY_DISCARDABLE, 0);
	t->realloc(handle, 0, GMEM_MOVEABLE);
	check_entry(t, handle, ENTRY_USED | ENTRY_MOVEABLE | ENTRY_DISCARDABLE | ENTRY_DISCARDED,
		    0);
	t->free(handle);
	handle = t->alloc(GMEM_MOVEABLE, 0);
	check_entry(t, handle, ENTRY_USED | ENTRY_MOVEABLE | ENTRY_DISCARDED, 0);
	t->free(handle);
}

static void test_locks(const struct twin *t)
{
	HGLOBAL handle = t->alloc(GMEM_MOVEABLE, 16);
	int unlocks = 1;

	for (int i = 0; i < 300; i++)
		t->lock(handle);
	ok_equal(t->flags(handle) & LOCK_COUNT, 255, "%s: the count of locks ends at 255", t->name);
	while (t->unlock(handle) && unlocks < 1000)
		unlocks++;
	ok_equal(unlocks, 255, "%s: and goes back from there", t->name);
	t->free(handle);
}

/* --- Flags ----------------------------------------------------------------------------------- */

static const struct {
	UINT flags;
	UINT size;
	UINT kept; /* what the flags say of the new memory */
} global_flags[] = {
	{ GMEM_FIXED, 4, 0 },
	{ GMEM_FIXED | GMEM_DISCARDABLE, 4, 0 },
	{ GMEM_FIXED | GMEM_DDESHARE, 4, 0 },
	{ GMEM_FIXED | GMEM_NOTIFY, 4, 0 },
	{ GPTR, 4, 0 },
	{ GMEM_MOVEABLE, 4, 0 },
	{ GHND, 4, 0 },
	{ GMEM_MOVEABLE, 0, GMEM_DISCARDED },
	{ GMEM_MOVEABLE | GMEM_DISCARDABLE, 4, GMEM_DISCARDABLE },
	{ GMEM_MOVEABLE | GMEM_DISCARDABLE, 0, GMEM_DISCARDABLE | GMEM_DISCARDED },
	{ GMEM_MOVEABLE | GMEM_DDESHARE, 4, GMEM_DDESHARE },
	{ GMEM_MOVEABLE | GMEM_DDESHARE | GMEM_DISCARDABLE, 4, GMEM_DDESHARE | GMEM_DISCARDABLE },
	{ GMEM_MOVEABLE | GMEM_NOTIFY, 4, 0 },
	{ GMEM_MOVEABLE | GMEM_NOT_BANKED, 4, 0 },
	{ GMEM_MOVEABLE | GMEM_LOWER, 4, 0 },
	{ GMEM_MOVEABLE | GMEM_NODISCARD, 4, 0 },
	{ GMEM_MOVEABLE | GMEM_NOCOMPACT, 4, 0 },
	{ GMEM_MOVEABLE | GMEM_DISCARDABLE | GMEM_LOWER | GMEM_NOCOMPACT | GMEM_NODISCARD |
		  GMEM_NOTIFY,
	  4, GMEM_DISCARDABLE },
}, local_flags[] = {
	{ LMEM_FIXED, 4, 0 },
	{ LMEM_FIXED | LMEM_DISCARDABLE, 4, 0 },
	{ LPTR, 4, 0 },
	{ LMEM_MOVEABLE, 4, 0 },
	{ LHND, 4, 0 },
	{ LMEM_MOVEABLE, 0, LMEM_DISCARDED },
	{ LMEM_MOVEABLE | LMEM_NODISCARD, 4, 0 },
	{ LMEM_MOVEABLE | LMEM_NOCOMPACT, 4, 0 },
	{ LMEM_MOVEABLE | LMEM_DISCARDABLE, 4, LMEM_DISCARDABLE },
	{ LMEM_MOVEABLE | LMEM_DISCARDABLE, 0, LMEM_DISCARDABLE | LMEM_DISCARDED },
	{ LMEM_MOVEABLE | LMEM_DISCARDABLE | LMEM_NOCOMPACT | LMEM_NODISCARD, 4, LMEM_DISCARDABLE },
};

static void check_new(const struct twin *t, size_t row, UINT flags, UINT size, UINT kept)
{
	HGLOBAL handle;

	SetLastError(UNTOUCHED);
	handle = t->alloc(flags, size);
	ok(handle != NULL, "%s, row %zu: memory is given", t->name, row);
	ok_equal((ULONG_PTR)handle & 15, flags & GMEM_MOVEABLE ? 8 : 0,
		 "%s, row %zu: moveable or not", t->name, row);
	ok_equal(t->flags(handle), kept, "%s, row %zu: its flags", t->name, row);
	ok_equal(t->size(handle), size, "%s, row %zu: its size", t->name, row);
	ok(t->free(handle) == NULL, "%s, row %zu: it is freed", t->name, row);
	ok_equal(GetLastError(), UNTOUCHED, "%s, row %zu: no error is set", t->name, row);
}

static void test_flags(void)
{
	for (size_t row = 0; row < COUNT(global_flags); row++)
		check_new(&twins[0], row, global_flags[row].flags, global_flags[row].size,
			  global_flags[row].kept);
	for (size_t row = 0; row < COUNT(local_flags); row++)
		check_new(&twins[1], row, local_flags[row].flags, local_flags[row].size,
			  local_flags[row].kept);
}

/* --- Resize ---------------------------------------------------------------------------------- */

#define DISCARDABLE 0x80000000u /* the twin's own bit */
#define HUGE ((SIZE_T)1 << 28)

static const struct {
	UINT flags; /* of the memory, its size, how often it is locked */
	SIZE_T size;
	int locks;
	SIZE_T new_size; /* of the call */
	UINT new_flags;
	BOOL is_done;
	DWORD error;
	SIZE_T size_after;
	UINT flags_after; /* without the locks */
} resizes[] = {
	{ GMEM_MOVEABLE, 100, 0, 200, 0, TRUE, 0, 200, 0 },
	{ GMEM_MOVEABLE, 100, 0, 200, GMEM_MOVEABLE, TRUE, 0, 200, 0 },
	{ GMEM_MOVEABLE, 100, 0, HUGE, 0, TRUE, 0, HUGE, 0 },
	{ GMEM_MOVEABLE, 100, 0, 10, 0, TRUE, 0, 10, 0 },
	{ GMEM_MOVEABLE, 100, 0, 10, GMEM_ZEROINIT, TRUE, 0, 10, 0 },
	{ GMEM_MOVEABLE, 100, 0, 0, GMEM_MOVEABLE, TRUE, 0, 0, GMEM_DISCARDED },
	{ GMEM_MOVEABLE, 100, 0, 0, 0, FALSE, ERROR_INVALID_PARAMETER, 100, 0 },
	{ GMEM_MOVEABLE, 100, 0, TOO_MUCH, GMEM_MOVEABLE, FALSE, ERROR_NOT_ENOUGH_MEMORY, 100, 0 },
	{ GMEM_MOVEABLE, 100, 1, 200, GMEM_MOVEABLE, TRUE, 0, 200, 0 },
	{ GMEM_MOVEABLE, 100, 1, 10, 0, TRUE, 0, 10, 0 },
	{ GMEM_MOVEABLE, 100, 1, HUGE, 0, FALSE, ERROR_NOT_ENOUGH_MEMORY, 100, 0 },
	{ GMEM_MOVEABLE, 100, 1, HUGE, GMEM_MOVEABLE, TRUE, 0, HUGE, 0 },
	{ GMEM_MOVEABLE, 100, 1, 0, GMEM_MOVEABLE, FALSE, ERROR_INVALID_PARAMETER, 100, 0 },
	{ GMEM_MOVEABLE, 100, 2, 0, 0, FALSE, ERROR_INVALID_PARAMETER, 100, 0 },
	{ GMEM_MOVEABLE, 0, 0, 10, 0, TRUE, 0, 10, 0 },
	{ GMEM_MOVEABLE, 0, 0, 10, GHND, TRUE, 0, 10, 0 },
	{ GMEM_MOVEABLE, 0, 0, TOO_MUCH, 0, FALSE, ERROR_NOT_ENOUGH_MEMORY, 0, GMEM_DISCARDED },
	{ GMEM_MOVEABLE, 0, 0, 0, GMEM_MOVEABLE, TRUE, 0, 0, GMEM_DISCARDED },
	/* What changes is the flags alone. */
	{ GMEM_MOVEABLE, 100, 0, 200, GMEM_MODIFY, TRUE, 0, 100, 0 },
	{ GMEM_MOVEABLE, 100, 0, 0, GMEM_MODIFY, TRUE, 0, 100, 0 },
	{ GMEM_MOVEABLE, 100, 3, 0, GMEM_MODIFY | GMEM_MOVEABLE, TRUE, 0, 100, 0 },
	{ GMEM_MOVEABLE, 100, 0, 200, GMEM_MODIFY | DISCARDABLE, TRUE, 0, 100, DISCARDABLE },
	{ GMEM_MOVEABLE, 100, 0, 200, DISCARDABLE, FALSE, ERROR_INVALID_PARAMETER, 100, 0 },
	{ GMEM_MOVEABLE | DISCARDABLE, 100, 0, 0, GMEM_MOVEABLE, TRUE, 0, 0,
	  DISCARDABLE | GMEM_DISCARDED },
	{ GMEM_MOVEABLE | DISCARDABLE, 0, 0, 50, GMEM_MOVEABLE, TRUE, 0, 50, DISCARDABLE },
	{ GMEM_MOVEABLE | DISCARDABLE, 100, 1, 50, 0, TRUE, 0, 50, DISCARDABLE },
	{ GMEM_FIXED, 100, 0, 200, GMEM_MODIFY, TRUE, 0, 100, 0 },
	{ GMEM_FIXED, 100, 0, 0, GMEM_MODIFY, TRUE, 0, 100, 0 },
	{ GMEM_FIXED, 100, 0, 200, GMEM_MODIFY | DISCARDABLE, TRUE, 0, 100, 0 },
	{ GMEM_FIXED, 100, 0, 200, DISCARDABLE, FALSE, ERROR_INVALID_PARAMETER, 100, 0 },
	{ GMEM_FIXED, 100, 0, 10, 0, TRUE, 0, 10, 0 },
	{ GMEM_FIXED, 100, 0, HUGE, GMEM_MOVEABLE, TRUE, 0, HUGE, 0 },
	{ GMEM_FIXED, 100, 0, HUGE, 0, FALSE, ERROR_NOT_ENOUGH_MEMORY, 100, 0 },
};

static UINT flags_of(const struct twin *t, UINT flags)
{
	return flags & DISCARDABLE ? (flags & ~DISCARDABLE) | t->discardable : flags;
}

/* The start of the memory says whether its contents are there. */
static void check_contents(const struct twin *t, HGLOBAL handle, size_t row, SIZE_T was)
{
	SIZE_T is = t->size(handle), kept = was < is ? was : is;
	char *memory = t->lock(handle);

	ok(is == 0 || (memory && is_filled(memory, 'x', kept)), "%s, resize %zu: its contents",
	   t->name, row);
	ok(!(resizes[row].new_flags & GMEM_ZEROINIT) || is <= was ||
		   is_filled(memory + was, 0, is - was),
	   "%s, resize %zu: what is new is zero when it has to be", t->name, row);
	if (memory)
		t->unlock(handle);
}

static void resize(const struct twin *t, size_t row)
{
	HGLOBAL handle = t->alloc(flags_of(t, resizes[row].flags), resizes[row].size), changed;
	char *memory = t->lock(handle);

	if (memory)
		memset(memory, 'x', resizes[row].size);
	for (int i = 1; i < resizes[row].locks; i++)
		t->lock(handle);
	if (resizes[row].locks == 0)
		t->unlock(handle);
	SetLastError(UNTOUCHED);
	changed = t->realloc(handle, resizes[row].new_size, flags_of(t, resizes[row].new_flags));
	ok_equal(changed != NULL, resizes[row].is_done, "%s, resize %zu: done or not", t->name,
		 row);
	if (resizes[row].locks && resizes[row].new_size == 0)
		todo_wine(NO_ERROR_SET);
	ok_equal(GetLastError(), resizes[row].is_done ? UNTOUCHED : resizes[row].error,
		 "%s, resize %zu: the last error", t->name, row);
	ok(!changed || changed == handle || resizes[row].flags == GMEM_FIXED,
	   "%s, resize %zu: the handle stays", t->name, row);
	if (!changed)
		changed = handle;
	ok_equal(t->size(changed), resizes[row].size_after, "%s, resize %zu: the size", t->name,
		 row);
	ok_equal(t->flags(changed),
		 flags_of(t, resizes[row].flags_after) | (UINT)resizes[row].locks,
		 "%s, resize %zu: flags and locks", t->name, row);
	check_contents(t, changed, row, resizes[row].size);
	ok(!t->free(changed), "%s, resize %zu: it is freed", t->name, row);
}

/* GMEM_MODIFY with GMEM_MOVEABLE: "Changes a fixed memory object to a movable memory object"; of
 * LocalReAlloc nobody says that. */
static void test_converted(void)
{
	char *fixed = GlobalAlloc(GMEM_FIXED, 5000), *memory;
	HGLOBAL handle;
	HLOCAL local = LocalAlloc(LMEM_FIXED, 50), kept;

	memset(fixed, 'x', 5000);
	handle = GlobalReAlloc(fixed, 0, GMEM_MODIFY | GMEM_MOVEABLE);
	ok(handle && handle != (HGLOBAL)fixed && ((ULONG_PTR)handle & 15) == 8,
	   "fixed global memory becomes moveable");
	ok_equal(GlobalSize(handle), 5000, "of the same size");
	ok_equal(GlobalFlags(handle), 0, "not locked");
	memory = GlobalLock(handle);
	ok(memory && is_filled(memory, 'x', 5000), "with its contents");
	ok(GlobalHandle(memory) == handle, "and found by its address");
	GlobalFree(handle);
	kept = LocalReAlloc(local, 0, LMEM_MODIFY | LMEM_MOVEABLE);
	ok(kept == local, "fixed local memory stays fixed");
	ok_equal(LocalSize(kept), 50, "of its size");
	LocalFree(kept);
}

static void test_discarded(const struct twin *t)
{
	HGLOBAL handle = t->alloc(GMEM_MOVEABLE | t->discardable, 100);

	/* What the macros GlobalDiscard and LocalDiscard do. */
	ok(t->realloc(handle, 0, GMEM_MOVEABLE) == handle, "%s: discarded", t->name);
	ok(*(LPVOID *)handle == NULL, "%s: there is no pointer", t->name);
	ok_error(!t->lock(handle), ERROR_DISCARDED, "%s: there is nothing to lock", t->name);
	ok_error(!t->unlock(handle), ERROR_NOT_LOCKED, "%s: nor to unlock", t->name);
	ok_equal(t->size(handle), 0, "%s: no size", t->name);
	ok_equal(t->flags(handle), t->discardable | GMEM_DISCARDED, "%s: its flags", t->name);
	ok(t->realloc(handle, 50, GMEM_MOVEABLE | GMEM_ZEROINIT) == handle, "%s: allocated again",
	   t->name);
	ok(is_filled(t->lock(handle), 0, 50), "%s: zeroed", t->name);
	t->unlock(handle);
	ok(t->realloc(handle, 0, GMEM_MOVEABLE) == handle, "%s: discarded again", t->name);
	ok(!t->free(handle), "%s: freed while it is discarded", t->name);
}

/* --- Wrong ----------------------------------------------------------------------------------- */

/* All of them say so of a handle that is none. */
static void check_no_handle(const struct twin *t, HGLOBAL handle, const char *what)
{
	ok_error(t->free(handle) == handle, ERROR_INVALID_HANDLE, "%s: %s is freed", t->name, what);
	ok_error(!t->size(handle), ERROR_INVALID_HANDLE, "%s: the size of %s", t->name, what);
	ok_error(t->flags(handle) == GMEM_INVALID_HANDLE, ERROR_INVALID_HANDLE,
		 "%s: the flags of %s", t->name, what);
	ok_error(!t->lock(handle), ERROR_INVALID_HANDLE, "%s: %s is locked", t->name, what);
	ok_error(!t->unlock(handle), ERROR_INVALID_HANDLE, "%s: %s is unlocked", t->name, what);
	ok_error(!t->realloc(handle, 10, GMEM_MOVEABLE), ERROR_INVALID_HANDLE, "%s: %s is resized",
		 t->name, what);
	ok_error(!t->realloc(handle, 0, GMEM_MOVEABLE), ERROR_INVALID_HANDLE, "%s: %s is discarded",
		 t->name, what);
	ok_error(!t->realloc(handle, 0, GMEM_MODIFY), ERROR_INVALID_HANDLE,
		 "%s: the flags of %s are changed", t->name, what);
}

static void test_no_handle(const struct twin *t)
{
	HGLOBAL handle = t->alloc(GMEM_MOVEABLE, 100), empty = t->alloc(GMEM_MOVEABLE, 0);

	t->free(handle);
	check_no_handle(t, handle, "what was freed");
	t->free(empty);
	check_no_handle(t, empty, "what was freed when it was empty");
	check_no_handle(t, WILD_HANDLE, "a wild handle");
	ok_error(!t->handle(WILD_HANDLE), ERROR_INVALID_HANDLE, "%s: the handle of nothing",
		 t->name);
}

/* An address at which there is nothing. */
static void test_no_pointer(const struct twin *t)
{
	ok_error(t->free(WILD_POINTER) == WILD_POINTER, ERROR_INVALID_HANDLE,
		 "%s: a wild pointer is freed", t->name);
	ok_error(!t->realloc(WILD_POINTER, 10, GMEM_MOVEABLE), ERROR_INVALID_HANDLE,
		 "%s: a wild pointer is resized", t->name);
	SetLastError(UNTOUCHED);
	ok(!t->lock(WILD_POINTER), "%s: a wild pointer is locked", t->name);
	todo_wine(NO_ERROR_SET);
	ok_equal(GetLastError(), ERROR_INVALID_HANDLE, "%s: the error of that", t->name);
	SetLastError(UNTOUCHED);
	ok(!t->size(WILD_POINTER), "%s: the size of a wild pointer", t->name);
	ok_equal(GetLastError(), ERROR_INVALID_HANDLE, "%s: the error of that, too", t->name);
	ok_error(!t->handle(WILD_POINTER), ERROR_INVALID_HANDLE, "%s: the handle of a wild pointer",
		 t->name);
}

static void test_nothing(const struct twin *t)
{
	SetLastError(UNTOUCHED);
	ok(t->free(NULL) == NULL, "%s: freeing nothing is no mistake", t->name);
	ok_equal(GetLastError(), UNTOUCHED, "%s: and no error", t->name);
	ok(!t->lock(NULL), "%s: nothing cannot be locked", t->name);
	ok(!t->size(NULL), "%s: has no size", t->name);
	ok_equal(t->flags(NULL), GMEM_INVALID_HANDLE, "%s: has no flags", t->name);
	ok(!t->realloc(NULL, 10, GMEM_MOVEABLE), "%s: cannot be resized", t->name);
	ok_error(!t->handle(NULL), ERROR_INVALID_PARAMETER, "%s: has no handle", t->name);
	ok_error(!t->alloc(GMEM_FIXED, TOO_MUCH), ERROR_NOT_ENOUGH_MEMORY, "%s: too much", t->name);
	ok_error(!t->alloc(GMEM_MOVEABLE, TOO_MUCH), ERROR_NOT_ENOUGH_MEMORY,
		 "%s: too much, moveable", t->name);
}

/* GlobalHandle: "A pointer to the first byte of the global memory block"; nothing else has one. */
static void test_handle_of(const struct twin *t)
{
	static char outside[64] __attribute__((aligned(16)));
	char *fixed = t->alloc(GMEM_FIXED, 1000), *memory, *block;
	HGLOBAL handle = t->alloc(GMEM_MOVEABLE, 1000);
	HANDLE other = HeapCreate(0, 0, 0);

	memory = t->lock(handle);
	block = HeapAlloc(other, 0, 1000);
	memset(memory, 0, 1000);
	memset(fixed, 0, 1000);
	ok(t->handle(memory) == handle, "%s: moveable memory has its handle", t->name);
	ok(t->handle(fixed) == fixed, "%s: fixed memory is its own", t->name);
	ok_error(!t->handle(memory + 64), ERROR_INVALID_HANDLE,
		 "%s: the inside of moveable memory has none", t->name);
	ok_error(!t->handle(fixed + 64), ERROR_INVALID_HANDLE, "%s: nor that of fixed memory",
		 t->name);
	ok_error(!t->handle(handle), ERROR_INVALID_HANDLE, "%s: nor a handle", t->name);
	ok_error(!t->handle(block), ERROR_INVALID_HANDLE, "%s: nor another heap's block", t->name);
	ok_error(!t->handle(outside + 32), ERROR_INVALID_HANDLE, "%s: nor a variable", t->name);
	t->unlock(handle);
	t->free(handle);
	t->free(fixed);
	ok_error(!t->handle(fixed), ERROR_INVALID_HANDLE, "%s: nor what was freed", t->name);
	HeapDestroy(other);
}

/* What one family gives, the other one takes. */
static void test_mixed(void)
{
	HGLOBAL global = GlobalAlloc(GMEM_MOVEABLE, 30), fixed = GlobalAlloc(GMEM_FIXED, 30);
	HLOCAL local = LocalAlloc(LMEM_MOVEABLE, 40);
	LPVOID block = HeapAlloc(GetProcessHeap(), 0, 50);

	ok(LocalLock(global) && GlobalFlags(global) == 1,
	   "a global handle is locked as a local one");
	ok_equal(LocalSize(global), 30, "and has its size");
	ok(GlobalReAlloc(local, 60, GMEM_MOVEABLE) == local,
	   "a local handle is resized as a global one");
	ok_equal(LocalSize(local), 60, "which can be seen");
	ok(!LocalFree(global) && !GlobalFree(local), "each is freed as the other");
	ok(!LocalFree(fixed), "fixed global memory is freed as local");
	ok_equal(GlobalSize(block), 50, "a block of the process heap passes for fixed memory");
	ok_equal(GlobalFlags(block), 0, "with no flags");
	ok(GlobalLock(block) == block, "which is its own handle");
	ok(!GlobalFree(block), "and is freed");
}

/* --- The table ------------------------------------------------------------------------------- */

/* Both families share one table. */
static void test_table(void)
{
	static HGLOBAL handles[HANDLES_MAX + 1];
	DWORD count = 0, error;

	SetLastError(UNTOUCHED);
	while (count <= HANDLES_MAX) {
		handles[count] = GlobalAlloc(GMEM_MOVEABLE, count % 3 ? 0 : 8);
		if (!handles[count])
			break;
		count++;
	}
	error = GetLastError();
	ok(count > HANDLES_MAX - HANDLES_OF_SYSTEM && count <= HANDLES_MAX,
	   "the table has 65536 handles (%lu)", (unsigned long)count);
	ok_equal(error, ERROR_NOT_ENOUGH_MEMORY, "then there is none");
	ok_error(!GlobalAlloc(GMEM_MOVEABLE, 10), ERROR_NOT_ENOUGH_MEMORY, "nor with memory");
	ok_error(!LocalAlloc(LMEM_MOVEABLE, 10), ERROR_NOT_ENOUGH_MEMORY, "nor a local one");
	ok(GlobalFree(handles[--count]) == NULL, "one is freed");
	ok(LocalAlloc(LMEM_MOVEABLE, 10) == handles[count], "and given again");
	LocalFree(handles[count]);
	while (count)
		GlobalFree(handles[--count]);
}

/* The functions that mean nothing any more. */
static void test_obsolete(void)
{
	HGLOBAL handle = GlobalAlloc(GMEM_MOVEABLE, 100);
	HLOCAL local = LocalAlloc(LMEM_MOVEABLE, 100);

	GlobalFix(handle);
	ok_equal(GlobalFlags(handle) & LOCK_COUNT, 1, "GlobalFix locks");
	GlobalUnfix(handle);
	ok_equal(GlobalFlags(handle) & LOCK_COUNT, 0, "GlobalUnfix unlocks");
	ok(GlobalWire(handle) == *(LPVOID *)handle, "GlobalWire locks");
	ok(!GlobalDiscard(handle), "what is locked is not discarded");
	ok_error(!GlobalUnWire(handle), ERROR_SUCCESS, "GlobalUnWire unlocks");
	ok_equal(GlobalCompact(0), 0, "GlobalCompact does nothing");
	ok_equal(LocalCompact(0), 0, "LocalCompact does nothing");
	ok_equal(LocalShrink(local, 0), 0, "LocalShrink does nothing");
	ok(GlobalDiscard(handle) == handle, "GlobalDiscard");
	ok(GlobalDiscard(handle) == handle, "of what is discarded already");
	ok(LocalDiscard(local) == local, "LocalDiscard");
	ok_equal(GlobalFlags(handle), GMEM_DISCARDED, "global memory is discarded");
	ok_equal(LocalFlags(local), LMEM_DISCARDED, "local memory is discarded");
	GlobalFree(handle);
	LocalFree(local);
}

static void test_twin(const struct twin *t)
{
	test_fixed(t);
	test_fixed_in_place(t);
	test_moveable(t);
	test_entry(t);
	test_locks(t);
	test_discarded(t);
	for (size_t row = 0; row < COUNT(resizes); row++)
		resize(t, row);
	test_no_handle(t);
	test_no_pointer(t);
	test_nothing(t);
	test_handle_of(t);
}

int main(void)
{
	for (size_t i = 0; i < COUNT(twins); i++)
		test_twin(&twins[i]);
	test_flags();
	test_unlock_fixed();
	test_empty_fixed();
	test_converted();
	test_mixed();
	test_table();
	test_obsolete();
	return tap_done();
}
