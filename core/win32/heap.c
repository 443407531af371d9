/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* HeapAlloc and its kin: call the engine, convert the status, tell the sink.
 *
 * A block of the process heap is told with heap 0, as malloc's are. A free is told before the
 * engine is asked, so only for a block that it will take; HeapSize answers that. */

#include "core/base/hints.h"
#include "core/base/status.h"
#include "core/core.h"
#include "core/event.h"
#include "core/heap/heap.h"

static uint64_t heap_id(HANDLE heap)
{
	return heap == (HANDLE)heap_process() ? 0 : (uint64_t)(uintptr_t)heap;
}

static void tell(enum event_kind kind, enum api api, HANDLE heap, LPCVOID block, SIZE_T size_bytes)
{
	struct event event = {
		.kind = (uint16_t)kind,
		.api = (uint16_t)api,
		.address = (uintptr_t)block,
		.size_bytes = size_bytes,
		.heap = heap_id(heap),
	};

	if (event_is_wanted())
		event_emit(&event);
}

CORE_API HANDLE HeapCreate(DWORD flOptions, SIZE_T dwInitialSize, SIZE_T dwMaximumSize)
{
	NTSTATUS status;
	struct heap *heap = heap_create(flOptions, dwInitialSize, dwMaximumSize, &status);
	struct event event = {
		.kind = EVENT_HEAP_CREATE,
		.api = API_HeapCreate,
		.heap = (uintptr_t)heap,
		.size_bytes = dwMaximumSize,
		.type = flOptions,
	};

	if (!status_set_last_error(status))
		return NULL;
	if (event_is_wanted())
		event_emit(&event);
	return (HANDLE)heap;
}

/* Told before: the addresses of the heap and its blocks may come back at once. */
CORE_API BOOL HeapDestroy(HANDLE hHeap)
{
	NTSTATUS status;

	if (heap_is_destroyable(hHeap))
		tell(EVENT_HEAP_DESTROY, API_HeapDestroy, hHeap, NULL, 0);
	heap_destroy(hHeap, &status);
	return status_set_last_error(status);
}

CORE_API LPVOID HeapAlloc(HANDLE hHeap, DWORD dwFlags, SIZE_T dwBytes)
{
	NTSTATUS status;
	void *block = heap_allocate(hHeap, dwFlags, dwBytes, &status);

	tell(block ? EVENT_ALLOCATE : EVENT_ALLOCATE_FAILED, API_HeapAlloc, hHeap, block, dwBytes);
	return status_set_last_error(status) ? block : NULL;
}

static bool is_block_of(HANDLE heap, LPCVOID block)
{
	return block && heap_size(heap, 0, block) != (SIZE_T)-1;
}

CORE_API LPVOID HeapReAlloc(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem, SIZE_T dwBytes)
{
	bool is_told = event_is_wanted() && is_block_of(hHeap, lpMem);
	NTSTATUS status;
	void *block;

	if (is_told)
		tell(EVENT_REALLOC_BEGIN, API_HeapReAlloc, hHeap, lpMem, 0);
	block = heap_reallocate(hHeap, dwFlags, lpMem, dwBytes, &status);
	if (is_told && block)
		tell(EVENT_REALLOC_END, API_HeapReAlloc, hHeap, block, dwBytes);
	else if (is_told)
		tell(EVENT_REALLOC_FAILED, API_HeapReAlloc, hHeap, lpMem, dwBytes);
	return status_set_last_error(status) ? block : NULL;
}

CORE_API BOOL HeapFree(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem)
{
	NTSTATUS status;

	if (event_is_wanted() && is_block_of(hHeap, lpMem))
		tell(EVENT_FREE, API_HeapFree, hHeap, lpMem, 0);
	heap_release(hHeap, dwFlags, lpMem, &status);
	return status_set_last_error(status);
}

CORE_API SIZE_T HeapSize(HANDLE hHeap, DWORD dwFlags, LPCVOID lpMem)
{
	SIZE_T size_bytes = heap_size(hHeap, dwFlags, lpMem);

	if (size_bytes == (SIZE_T)-1)
		status_set_last_error(STATUS_INVALID_PARAMETER);
	return size_bytes;
}

CORE_API HANDLE GetProcessHeap(void)
{
	return (HANDLE)heap_process();
}
