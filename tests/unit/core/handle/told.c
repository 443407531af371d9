/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What the listener is told of Global and Local memory: blocks, by the function that was called. */

#include <string.h>

#include "core/core.h"
#include "core/event.h"
#include "core/handle/table.h"
#include "core/heap/heap.h"
#include "tests/lib/tap.h"

#define EVENTS_MAX 8

static const int gate = 1;
static struct event events[EVENTS_MAX];
static unsigned int event_count;

/* The last misuse that was told. */
static struct told_error {
	uint32_t misuse, api;
	uint64_t address;
} error;

static void sink(const struct event *event)
{
	if (event->kind == EVENT_HEAP_ERROR)
		error = (struct told_error){ event->type, event->api, event->address };
	if (event->kind >= EVENT_HEAP_CREATE)
		return;
	if (event_count < EVENTS_MAX)
		events[event_count] = *event;
	event_count++;
}

static bool was_misused(enum misuse misuse, enum api api, const void *address)
{
	bool is_it =
		error.misuse == misuse && error.api == api && error.address == (uintptr_t)address;

	if (!is_it)
		printf("# misuse %u, api %u, address 0x%llx\n", error.misuse, error.api,
		       (unsigned long long)error.address);
	error = (struct told_error){ 0 };
	return is_it;
}

/* Whether that was the only event since the last question. */
static bool was_told(enum event_kind kind, enum api api, const void *block, size_t size_bytes)
{
	bool is_it = event_count == 1 && events[0].kind == kind && events[0].api == api &&
		     events[0].address == (uintptr_t)block && events[0].size_bytes == size_bytes;

	if (!is_it)
		printf("# %u events, the first: kind %u, api %u, size %llu\n", event_count,
		       events[0].kind, events[0].api, (unsigned long long)events[0].size_bytes);
	event_count = 0;
	return is_it;
}

static bool was_resized(enum api api, const void *from, const void *to, size_t size_bytes)
{
	bool is_it = event_count == 2 && events[0].kind == EVENT_REALLOC_BEGIN &&
		     events[1].kind == EVENT_REALLOC_END && events[0].api == api &&
		     events[1].api == api && events[0].address == (uintptr_t)from &&
		     events[1].address == (uintptr_t)to && events[1].size_bytes == size_bytes;

	event_count = 0;
	return is_it;
}

static void test_moveable(void)
{
	HGLOBAL handle = GlobalAlloc(GMEM_MOVEABLE, 100);
	LPVOID block = *(LPVOID *)handle, before;

	ok(was_told(EVENT_ALLOCATE, API_GlobalAlloc, block, 100),
	   "GlobalAlloc: the block, with its size");
	GlobalLock(handle);
	GlobalUnlock(handle);
	GlobalSize(handle);
	GlobalFlags(handle);
	GlobalHandle(block);
	ok_equal(event_count, 0, "nothing is told of a look");
	GlobalReAlloc(handle, 5000, GMEM_MOVEABLE);
	before = block;
	block = *(LPVOID *)handle;
	ok(was_resized(API_GlobalReAlloc, before, block, 5000), "GlobalReAlloc");
	GlobalDiscard(handle);
	ok(was_told(EVENT_FREE, API_GlobalDiscard, block, 0), "GlobalDiscard frees");
	GlobalReAlloc(handle, 10, GMEM_MOVEABLE);
	block = *(LPVOID *)handle;
	ok(was_told(EVENT_ALLOCATE, API_GlobalReAlloc, block, 10), "and GlobalReAlloc allocates");
	GlobalFree(handle);
	ok(was_told(EVENT_FREE, API_GlobalFree, block, 0), "GlobalFree");
}

static void test_fixed(void)
{
	HLOCAL block = LocalAlloc(LMEM_FIXED, 50), resized;

	ok(was_told(EVENT_ALLOCATE, API_LocalAlloc, block, 50), "LocalAlloc");
	resized = LocalReAlloc(block, 9000, LMEM_MOVEABLE);
	ok(was_resized(API_LocalReAlloc, block, resized, 9000), "LocalReAlloc");
	LocalFree(resized);
	ok(was_told(EVENT_FREE, API_LocalFree, resized, 0), "LocalFree");
	ok(LocalFree((HLOCAL)0x1230) && event_count == 0, "what is not freed is not told");
}

static void test_failure(void)
{
	ok(!GlobalAlloc(GMEM_MOVEABLE, (SIZE_T)-64), "too much");
	ok(was_told(EVENT_ALLOCATE_FAILED, API_GlobalAlloc, NULL, (SIZE_T)-64), "is told");
	ok_equal(handle_count(), 0, "and leaves no handle behind");
}

/* HeapFree takes a moveable block away from its handle. */
static void test_taken_away(void)
{
	HGLOBAL handle = GlobalAlloc(GMEM_MOVEABLE, 100), other;
	LPVOID block = *(LPVOID *)handle;

	HeapFree(GetProcessHeap(), 0, block);
	other = GlobalAlloc(GMEM_MOVEABLE, 100);
	event_count = 0;
	SetLastError(0);
	ok(GlobalFree(handle) == handle && GetLastError() == ERROR_INVALID_HANDLE,
	   "a handle whose block is gone");
	ok_equal(event_count, 0, "frees nothing");
	ok(GlobalSize(other) == 100 && !GlobalFree(other), "not even who has its place now");
	ok_equal(handle_count(), 0, "both handles are back");
	event_count = 0;
	handle = GlobalAlloc(GMEM_MOVEABLE, 100);
	HeapFree(GetProcessHeap(), 0, *(LPVOID *)handle);
	ok(!GlobalReAlloc(handle, 50, GMEM_MOVEABLE) && GetLastError() == ERROR_INVALID_HANDLE,
	   "nor is it resized");
	GlobalFree(handle);
	handle = GlobalAlloc(GMEM_MOVEABLE, 100);
	ok(!GlobalFree(*(LPVOID *)handle), "a moveable block that is freed by its address");
	ok(!GlobalLock(handle) && handle_count() == 0, "takes its handle along");
}

static void test_misuse(void)
{
	HGLOBAL handle = GlobalAlloc(GMEM_MOVEABLE, 100), fixed = GlobalAlloc(GMEM_FIXED, 100);
	LPVOID block;

	error = (struct told_error){ 0 };
	GlobalFree(handle);
	ok(was_misused(MISUSE_NONE, 0, NULL), "what is right is no misuse");
	GlobalFree(handle);
	ok(was_misused(MISUSE_DOUBLE_FREE, API_GlobalFree, handle), "a handle is freed twice");
	GlobalReAlloc(handle, 10, GMEM_MOVEABLE);
	ok(was_misused(MISUSE_DOUBLE_FREE, API_GlobalReAlloc, handle), "and resized after that");
	HeapFree(GetProcessHeap(), 0, handle);
	ok(was_misused(MISUSE_FOREIGN, API_HeapFree, handle), "HeapFree of a handle");
	LocalFree((char *)fixed + 16);
	ok(was_misused(MISUSE_INTERIOR, API_LocalFree, (char *)fixed + 16),
	   "the inside of fixed memory is freed");
	LocalReAlloc((char *)fixed + 16, 10, LMEM_MOVEABLE);
	ok(was_misused(MISUSE_INTERIOR, API_LocalReAlloc, (char *)fixed + 16), "and resized");
	GlobalFree(fixed);
	GlobalFree(fixed);
	ok(was_misused(MISUSE_DOUBLE_FREE, API_GlobalFree, fixed), "fixed memory is freed twice");
	handle = GlobalAlloc(GMEM_MOVEABLE, 100);
	block = *(LPVOID *)handle;
	HeapFree(GetProcessHeap(), 0, block);
	GlobalFree(handle);
	ok(was_misused(MISUSE_DOUBLE_FREE, API_GlobalFree, block),
	   "a handle whose block HeapFree has freed");
	GlobalFree(NULL);
	GlobalReAlloc(NULL, 10, 0);
	ok(was_misused(MISUSE_NONE, 0, NULL), "nothing is no misuse");
}

int main(void)
{
	event_set_sink(sink, &gate);
	test_moveable();
	test_fixed();
	test_failure();
	test_taken_away();
	test_misuse();
	handle_check();
	heap_check();
	return tap_done();
}
