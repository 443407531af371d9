/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The working set and pages locked in it (memoryapi.h, psapi.h, ntifs.h). */

#include <assert.h>

#include "core/base/hints.h"
#include "core/core.h"
#include "core/vm/lockpages.h"
#include "core/vm/working_set.h"
#include "core/win32/own_process.h"

static_assert(sizeof(PSAPI_WORKING_SET_EX_INFORMATION) == 16, "a page's row");

#define EMPTY ((SIZE_T)-1)

CORE_API BOOL VirtualLock(LPVOID lpAddress, SIZE_T dwSize)
{
	return status_set_last_error(lockpages_lock(&lpAddress, &dwSize));
}

CORE_API BOOL VirtualUnlock(LPVOID lpAddress, SIZE_T dwSize)
{
	return status_set_last_error(lockpages_unlock(&lpAddress, &dwSize));
}

/* What both Nt calls check. Nobody has the privilege to lock in physical memory. */
static NTSTATUS check_lock(HANDLE process, ULONG kind)
{
	if (kind == 0 || kind & ~(MAP_PROCESS | MAP_SYSTEM))
		return STATUS_INVALID_PARAMETER;
	if (kind & MAP_SYSTEM)
		return STATUS_PRIVILEGE_NOT_HELD;
	return own_process(process, PROCESS_VM_OPERATION);
}

CORE_API NTSTATUS NtLockVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, PSIZE_T RegionSize,
				      ULONG MapType)
{
	NTSTATUS status = check_lock(ProcessHandle, MapType);

	return status_is_success(status) ? lockpages_lock(BaseAddress, RegionSize) : status;
}

CORE_API NTSTATUS NtUnlockVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress,
					PSIZE_T RegionSize, ULONG MapType)
{
	NTSTATUS status = check_lock(ProcessHandle, MapType);

	return status_is_success(status) ? lockpages_unlock(BaseAddress, RegionSize) : status;
}

CORE_API BOOL GetProcessWorkingSetSizeEx(HANDLE hProcess, PSIZE_T lpMinimumWorkingSetSize,
					 PSIZE_T lpMaximumWorkingSetSize, PDWORD Flags)
{
	NTSTATUS status = own_process(hProcess, PROCESS_QUERY_LIMITED_INFORMATION);
	struct working_set_limits limits;

	if (!status_set_last_error(status))
		return FALSE;
	working_set_limits(&limits);
	*lpMinimumWorkingSetSize = limits.minimum_bytes;
	*lpMaximumWorkingSetSize = limits.maximum_bytes;
	*Flags = limits.flags;
	return TRUE;
}

CORE_API BOOL GetProcessWorkingSetSize(HANDLE hProcess, PSIZE_T lpMinimumWorkingSetSize,
				       PSIZE_T lpMaximumWorkingSetSize)
{
	DWORD flags;

	return GetProcessWorkingSetSizeEx(hProcess, lpMinimumWorkingSetSize,
					  lpMaximumWorkingSetSize, &flags);
}

CORE_API BOOL SetProcessWorkingSetSizeEx(HANDLE hProcess, SIZE_T dwMinimumWorkingSetSize,
					 SIZE_T dwMaximumWorkingSetSize, DWORD Flags)
{
	NTSTATUS status = own_process(hProcess, PROCESS_SET_QUOTA);

	if (!status_set_last_error(status))
		return FALSE;
	if (dwMinimumWorkingSetSize == EMPTY && dwMaximumWorkingSetSize == EMPTY) {
		working_set_empty();
		return TRUE;
	}
	return status_set_last_error(
		working_set_set_limits(dwMinimumWorkingSetSize, dwMaximumWorkingSetSize, Flags));
}

CORE_API BOOL SetProcessWorkingSetSize(HANDLE hProcess, SIZE_T dwMinimumWorkingSetSize,
				       SIZE_T dwMaximumWorkingSetSize)
{
	return SetProcessWorkingSetSizeEx(hProcess, dwMinimumWorkingSetSize,
					  dwMaximumWorkingSetSize, /* Flags */ 0);
}

CORE_API BOOL QueryWorkingSetEx(HANDLE hProcess, PVOID pv, DWORD cb)
{
	size_t count = cb / sizeof(PSAPI_WORKING_SET_EX_INFORMATION);
	NTSTATUS status;

	if (count == 0)
		return status_set_last_error(STATUS_INFO_LENGTH_MISMATCH);
	if (!pv)
		return status_set_last_error(STATUS_ACCESS_VIOLATION);
	status = own_process(hProcess, PROCESS_QUERY_INFORMATION);
	if (status_is_success(status))
		status = working_set_query(pv, count);
	return status_set_last_error(status);
}
