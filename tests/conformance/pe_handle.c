/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* GlobalAlloc, LocalAlloc and their families, fixed and moveable. Twins are rows of one table; the
 * few places where they differ have tests of their own. */

#include "tests/conformance/pe.h"

#define LOCK_COUNT 0xff
#define HANDLES_MAX 0x10000

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
	BOOL unlocks_fixed; /* what unlocking fixed memory says */
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

static void test_fixed(const struct twin *t)
{
	char *memory = t->alloc(GMEM_FIXED, 100);

	ok(memory && t->lock(memory) == memory, "%s: fixed memory is its own handle", t->name);
	ok_equal(t->size(memory), 100, "%s: its size", t->name);
	ok_equal(t->flags(memory), 0, "%s: its flags", t->name);
	ok(t->handle(memory) == memory, "%s: the handle of its pointer", t->name);
	ok_equal(t->unlock(memory), t->unlocks_fixed, "%s: its unlock", t->name);
	ok(HeapSize(GetProcessHeap(), 0, memory) == 100, "%s: it is the process heap's", t->name);
	memset(memory, 'x', 100);
	memory = t->realloc(memory, 200, GMEM_MOVEABLE | GMEM_ZEROINIT);
	ok(memory && is_filled(memory, 'x', 100) && is_filled(memory + 100, 0, 100),
	   "%s: it grows and keeps its contents", t->name);
	ok(t->free(memory) == NULL, "%s: it is freed", t->name);
	memory = t->alloc(GPTR, 1000);
	ok(is_filled(memory, 0, 1000), "%s: zeroed on demand", t->name);
	t->free(memory);
}

static void test_moveable(const struct twin *t)
{
	HGLOBAL handle = t->alloc(GMEM_MOVEABLE, 100);
	char *memory = t->lock(handle);

	ok(handle && memory && memory != handle, "%s: a moveable handle is no pointer", t->name);
	ok_equal((ULONG_PTR)handle & 15, 8, "%s: its low bits", t->name);
	ok(*(char **)handle == memory, "%s: the pointer is found through the handle", t->name);
	ok(t->handle(memory) == handle, "%s: the handle of its pointer", t->name);
	ok_equal(t->flags(handle) & LOCK_COUNT, 1, "%s: locked once", t->name);
	ok(t->lock(handle) == memory, "%s: locked twice", t->name);
	ok(t->unlock(handle), "%s: unlocked, but still locked", t->name);
	ok_error(!t->unlock(handle), ERROR_SUCCESS, "%s: the last unlock", t->name);
	ok_error(!t->unlock(handle), ERROR_NOT_LOCKED, "%s: one unlock too many", t->name);
	memory = t->lock(handle);
	memset(memory, 'x', 100);
	t->unlock(handle);
	ok(t->realloc(handle, 100000, GMEM_MOVEABLE | GMEM_ZEROINIT) == handle,
	   "%s: it grows and keeps its handle", t->name);
	memory = t->lock(handle);
	ok(is_filled(memory, 'x', 100) && is_filled(memory + 100, 0, 99900), "%s: and its contents",
	   t->name);
	ok_equal(t->size(handle), 100000, "%s: its size", t->name);
	t->unlock(handle);
	ok(t->free(handle) == NULL, "%s: it is freed", t->name);
}

static void test_discarded(const struct twin *t)
{
	HGLOBAL handle = t->alloc(GMEM_MOVEABLE | t->discardable, 100);

	ok_equal(t->flags(handle), t->discardable, "%s: discardable", t->name);
	/* What the macros GlobalDiscard and LocalDiscard do. */
	ok(t->realloc(handle, 0, GMEM_MOVEABLE) == handle, "%s: discarded", t->name);
	ok_equal(t->flags(handle), t->discardable | GMEM_DISCARDED, "%s: its flags", t->name);
	ok_equal(t->size(handle), 0, "%s: its size", t->name);
	ok(!t->lock(handle), "%s: there is nothing to lock", t->name);
	ok(t->realloc(handle, 50, GMEM_MOVEABLE) == handle, "%s: allocated again", t->name);
	ok_equal(t->flags(handle), t->discardable, "%s: not discarded any more", t->name);
	ok_equal(t->size(handle), 50, "%s: its new size", t->name);
	t->free(handle);
	handle = t->alloc(GMEM_MOVEABLE, 0);
	ok_equal(t->flags(handle), GMEM_DISCARDED, "%s: empty is discarded", t->name);
	t->free(handle);
}

static void test_wrong(const struct twin *t)
{
	HGLOBAL handle = t->alloc(GMEM_MOVEABLE, 100);

	t->free(handle);
	ok_error(t->free(handle) == handle, ERROR_INVALID_HANDLE, "%s: freed twice", t->name);
	ok_error(!t->size(handle), ERROR_INVALID_HANDLE, "%s: the size of what is freed", t->name);
	ok_error(t->flags(handle) == GMEM_INVALID_HANDLE, ERROR_INVALID_HANDLE,
		 "%s: the flags of what is freed", t->name);
	ok_error(!t->lock(handle), ERROR_INVALID_HANDLE, "%s: locked after it is freed", t->name);
	ok_error(!t->realloc(handle, 10, GMEM_MOVEABLE), ERROR_INVALID_HANDLE,
		 "%s: resized after it is freed", t->name);
	ok(t->free(NULL) == NULL, "%s: freeing nothing is no mistake", t->name);
	ok_error(!t->alloc(GMEM_FIXED, (SIZE_T)-64), ERROR_NOT_ENOUGH_MEMORY, "%s: too much",
		 t->name);
	ok_error(!t->alloc(GMEM_MOVEABLE, (SIZE_T)-64), ERROR_NOT_ENOUGH_MEMORY,
		 "%s: too much, moveable", t->name);
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

/* Both families share one table. */
static void test_table(void)
{
	static HGLOBAL handles[HANDLES_MAX + 1];
	DWORD count = 0, error;

	SetLastError(UNTOUCHED);
	while (count <= HANDLES_MAX) {
		handles[count] = GlobalAlloc(GMEM_MOVEABLE, 0);
		if (!handles[count])
			break;
		count++;
	}
	error = GetLastError();
	ok(count > HANDLES_MAX - 64 && count <= HANDLES_MAX, "the table has 65536 handles (%lu)",
	   count);
	ok_equal(error, ERROR_NOT_ENOUGH_MEMORY, "then there is none");
	ok_error(!LocalAlloc(LMEM_MOVEABLE, 10), ERROR_NOT_ENOUGH_MEMORY, "nor a local one");
	ok(GlobalFree(handles[--count]) == NULL, "one is freed");
	handles[count] = LocalAlloc(LMEM_MOVEABLE, 10);
	ok(handles[count] != NULL, "and given again");
	LocalFree(handles[count]);
	while (count)
		GlobalFree(handles[--count]);
}

/* The functions that mean nothing any more. */
static void test_obsolete(void)
{
	HGLOBAL handle = GlobalAlloc(GMEM_MOVEABLE, 100);
	HLOCAL local = LocalAlloc(LMEM_MOVEABLE, 100);
	SIZE_T(WINAPI * compact)
	(DWORD) = (PVOID)GetProcAddress(GetModuleHandleA("kernel32.dll"), "GlobalCompact");
	SIZE_T(WINAPI * compact_local)
	(UINT) = (PVOID)GetProcAddress(GetModuleHandleA("kernel32.dll"), "LocalCompact");
	SIZE_T(WINAPI * shrink)
	(HLOCAL, UINT) = (PVOID)GetProcAddress(GetModuleHandleA("kernel32.dll"), "LocalShrink");

	GlobalFix(handle);
	ok_equal(GlobalFlags(handle) & LOCK_COUNT, 1, "GlobalFix locks");
	GlobalUnfix(handle);
	ok_equal(GlobalFlags(handle) & LOCK_COUNT, 0, "GlobalUnfix unlocks");
	ok(GlobalWire(handle) == *(LPVOID *)handle, "GlobalWire locks");
	ok(!GlobalUnWire(handle), "GlobalUnWire unlocks");
	ok_equal(compact(0), 0, "GlobalCompact does nothing");
	ok_equal(compact_local(0), 0, "LocalCompact does nothing");
	ok_equal(shrink(local, 0), 0, "LocalShrink does nothing");
	ok(GlobalDiscard(handle) == handle, "GlobalDiscard");
	ok(LocalDiscard(local) == local, "LocalDiscard");
	GlobalFree(handle);
	LocalFree(local);
}

int main(void)
{
	for (size_t i = 0; i < COUNT(twins); i++) {
		test_fixed(&twins[i]);
		test_moveable(&twins[i]);
		test_discarded(&twins[i]);
		test_wrong(&twins[i]);
		test_locks(&twins[i]);
	}
	test_table();
	test_obsolete();
	return tap_done();
}
