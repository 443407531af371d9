/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* HeapAlloc and its kin: the functions of ntdll, their status converted. */

#include "core/base/hints.h"
#include "core/base/status.h"
#include "core/core.h"
#include "core/heap/heap.h"
#include "core/vm/fault.h"
#include "core/win32/memory_handle.h"
#include "core/win32/rtl_heap.h"

CORE_API HANDLE HeapCreate(DWORD flOptions, SIZE_T dwInitialSize, SIZE_T dwMaximumSize)
{
	NTSTATUS status;
	HANDLE heap =
		rtl_create_heap(API_HeapCreate, flOptions, dwInitialSize, dwMaximumSize, &status);

	return status_set_last_error(status) ? heap : NULL;
}

CORE_API BOOL HeapDestroy(HANDLE hHeap)
{
	return status_set_last_error(rtl_destroy_heap(API_HeapDestroy, hHeap));
}

/* What HEAP_GENERATE_EXCEPTIONS makes of a status (HeapAlloc, heapapi.h). */
static NTSTATUS exception_of(NTSTATUS status)
{
	return status == STATUS_NO_MEMORY ? status : STATUS_ACCESS_VIOLATION;
}

static __attribute__((noinline)) LPVOID fail(HANDLE heap, DWORD flags, NTSTATUS status)
{
	if ((flags | heap_flags((struct heap *)heap)) & HEAP_GENERATE_EXCEPTIONS)
		fault_raise(exception_of(status));
	else
		status_set_last_error(status);
	return NULL;
}

CORE_API LPVOID HeapAlloc(HANDLE hHeap, DWORD dwFlags, SIZE_T dwBytes)
{
	NTSTATUS status;
	LPVOID block = rtl_allocate_heap(API_HeapAlloc, hHeap, dwFlags, dwBytes, &status);

	return likely(status_is_success(status)) ? block : fail(hHeap, dwFlags, status);
}

CORE_API LPVOID HeapReAlloc(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem, SIZE_T dwBytes)
{
	NTSTATUS status;
	LPVOID block =
		rtl_reallocate_heap(API_HeapReAlloc, hHeap, dwFlags, lpMem, dwBytes, &status);

	return likely(status_is_success(status)) ? block : fail(hHeap, dwFlags, status);
}

CORE_API BOOL HeapFree(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem)
{
	NTSTATUS status;

	rtl_free_heap(API_HeapFree, hHeap, dwFlags, lpMem, &status);
	return status_set_last_error(status);
}

CORE_API SIZE_T HeapSize(HANDLE hHeap, DWORD dwFlags, LPCVOID lpMem)
{
	NTSTATUS status;
	SIZE_T size_bytes = rtl_size_heap(hHeap, dwFlags, lpMem, &status);

	status_set_last_error(status);
	return size_bytes;
}

CORE_API HANDLE GetProcessHeap(void)
{
	return (HANDLE)heap_process();
}

CORE_API DWORD GetProcessHeaps(DWORD NumberOfHeaps, PHANDLE ProcessHeaps)
{
	return rtl_get_process_heaps(NumberOfHeaps, ProcessHeaps);
}

CORE_API BOOL HeapLock(HANDLE hHeap)
{
	return status_set_last_error(rtl_lock_heap(hHeap));
}

CORE_API BOOL HeapUnlock(HANDLE hHeap)
{
	return status_set_last_error(rtl_unlock_heap(hHeap));
}

CORE_API BOOL HeapValidate(HANDLE hHeap, DWORD dwFlags, LPCVOID lpMem)
{
	return rtl_validate_heap(API_HeapValidate, hHeap, dwFlags, lpMem);
}

/* A heap without a free block is no failure. */
CORE_API SIZE_T HeapCompact(HANDLE hHeap, DWORD dwFlags)
{
	SIZE_T size_bytes;

	if (!rtl_owns_heap(hHeap)) {
		status_set_last_error(STATUS_INVALID_HANDLE);
		return 0;
	}
	size_bytes = rtl_compact_heap(hHeap, dwFlags);
	if (!size_bytes)
		SetLastError(ERROR_SUCCESS);
	return size_bytes;
}

CORE_API BOOL HeapSummary(HANDLE hHeap, DWORD dwFlags, LPHEAP_SUMMARY lpSummary)
{
	if (!lpSummary)
		return status_set_last_error(STATUS_INVALID_PARAMETER);
	return status_set_last_error(rtl_summarize_heap(hHeap, dwFlags, lpSummary));
}

/* The kinds of entries, in the flags of either function. */
static const struct {
	WORD process;
	WORD rtl;
} kinds[] = {
	{ PROCESS_HEAP_ENTRY_BUSY, RTL_HEAP_ENTRY_BUSY },
	{ PROCESS_HEAP_REGION, RTL_HEAP_ENTRY_REGION },
	{ PROCESS_HEAP_UNCOMMITTED_RANGE, RTL_HEAP_ENTRY_UNCOMMITTED },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static struct rtl_heap_entry to_rtl(const PROCESS_HEAP_ENTRY *entry)
{
	struct rtl_heap_entry rtl = {
		.lpData = entry->lpData,
		.cbData = entry->cbData,
		.iRegionIndex = entry->iRegionIndex,
	};

	for (size_t i = 0; i < KINDS; i++) {
		if (entry->wFlags & kinds[i].process)
			rtl.wFlags |= kinds[i].rtl;
	}
	return rtl;
}

static void from_rtl(const struct rtl_heap_entry *rtl, PROCESS_HEAP_ENTRY *entry)
{
	*entry = (PROCESS_HEAP_ENTRY){
		.lpData = rtl->lpData,
		.cbData = (DWORD)rtl->cbData,
		.cbOverhead = rtl->cbOverhead,
		.iRegionIndex = rtl->iRegionIndex,
	};
	for (size_t i = 0; i < KINDS; i++) {
		if (rtl->wFlags & kinds[i].rtl)
			entry->wFlags |= kinds[i].process;
	}
	if (!(rtl->wFlags & RTL_HEAP_ENTRY_REGION))
		return;
	entry->Region.dwCommittedSize = rtl->Region.dwCommittedSize;
	entry->Region.dwUnCommittedSize = rtl->Region.dwUnCommittedSize;
	entry->Region.lpFirstBlock = rtl->Region.lpFirstBlock;
	entry->Region.lpLastBlock = rtl->Region.lpLastBlock;
}

/* A block of Global or Local memory has a handle, if it is moveable. */
static void describe_block(HANDLE heap, PROCESS_HEAP_ENTRY *entry)
{
	HANDLE handle;
	UINT flags;

	if (heap != (HANDLE)heap_process() || !(entry->wFlags & PROCESS_HEAP_ENTRY_BUSY) ||
	    !memory_handle_describe(entry->lpData, &handle, &flags))
		return;
	entry->wFlags |= PROCESS_HEAP_ENTRY_MOVEABLE;
	if (flags & MEMORY_SHARED)
		entry->wFlags |= PROCESS_HEAP_ENTRY_DDESHARE;
	entry->Block.hMem = handle;
}

CORE_API BOOL HeapWalk(HANDLE hHeap, LPPROCESS_HEAP_ENTRY lpEntry)
{
	struct rtl_heap_entry rtl;
	NTSTATUS status;

	if (!lpEntry)
		return status_set_last_error(STATUS_INVALID_PARAMETER);
	rtl = to_rtl(lpEntry);
	status = rtl_walk_heap(hHeap, &rtl);
	if (status_is_success(status)) {
		from_rtl(&rtl, lpEntry);
		describe_block(hHeap, lpEntry);
	}
	return status_set_last_error(status);
}

CORE_API BOOL HeapQueryInformation(HANDLE HeapHandle, HEAP_INFORMATION_CLASS HeapInformationClass,
				   PVOID HeapInformation, SIZE_T HeapInformationLength,
				   PSIZE_T ReturnLength)
{
	return status_set_last_error(
		rtl_query_heap_information(HeapHandle, (ULONG)HeapInformationClass, HeapInformation,
					   HeapInformationLength, ReturnLength));
}

CORE_API BOOL HeapSetInformation(HANDLE HeapHandle, HEAP_INFORMATION_CLASS HeapInformationClass,
				 PVOID HeapInformation, SIZE_T HeapInformationLength)
{
	return status_set_last_error(rtl_set_heap_information(
		HeapHandle, (ULONG)HeapInformationClass, HeapInformation, HeapInformationLength));
}
