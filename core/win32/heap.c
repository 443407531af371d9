/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* HeapAlloc and its kin: the functions of ntdll, their status converted. */

#include "core/base/hints.h"
#include "core/base/status.h"
#include "core/core.h"
#include "core/heap/heap.h"
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

CORE_API LPVOID HeapAlloc(HANDLE hHeap, DWORD dwFlags, SIZE_T dwBytes)
{
	NTSTATUS status;
	LPVOID block = rtl_allocate_heap(API_HeapAlloc, hHeap, dwFlags, dwBytes, &status);

	return status_set_last_error(status) ? block : NULL;
}

CORE_API LPVOID HeapReAlloc(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem, SIZE_T dwBytes)
{
	NTSTATUS status;
	LPVOID block =
		rtl_reallocate_heap(API_HeapReAlloc, hHeap, dwFlags, lpMem, dwBytes, &status);

	return status_set_last_error(status) ? block : NULL;
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
