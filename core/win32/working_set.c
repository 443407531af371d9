/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The working set and pages locked in it (memoryapi.h, psapi.h, ntifs.h). */

#include <assert.h>

#include "core/base/hints.h"
#include "core/base/status.h"
#include "core/core.h"
#include "core/process/pages.h"
#include "core/vm/lockpages.h"

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
static NTSTATUS check_lock(ULONG kind)
{
	if (kind == 0 || kind & ~(MAP_PROCESS | MAP_SYSTEM))
		return STATUS_INVALID_PARAMETER;
	return kind & MAP_SYSTEM ? STATUS_PRIVILEGE_NOT_HELD : STATUS_SUCCESS;
}

CORE_API NTSTATUS NtLockVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, PSIZE_T RegionSize,
				      ULONG MapType)
{
	NTSTATUS status = check_lock(MapType);

	if (!status_is_success(status))
		return status;
	return pages_lock(ProcessHandle, BaseAddress, RegionSize);
}

CORE_API NTSTATUS NtUnlockVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress,
					PSIZE_T RegionSize, ULONG MapType)
{
	NTSTATUS status = check_lock(MapType);

	if (!status_is_success(status))
		return status;
	return pages_unlock(ProcessHandle, BaseAddress, RegionSize);
}

CORE_API BOOL GetProcessWorkingSetSizeEx(HANDLE hProcess, PSIZE_T lpMinimumWorkingSetSize,
					 PSIZE_T lpMaximumWorkingSetSize, PDWORD Flags)
{
	struct working_set_limits limits;

	if (!status_set_last_error(pages_limits(hProcess, &limits)))
		return FALSE;
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
	const struct working_set_limits limits = {
		.minimum_bytes = dwMinimumWorkingSetSize,
		.maximum_bytes = dwMaximumWorkingSetSize,
		.flags = Flags,
	};
	bool is_to_be_empty = limits.minimum_bytes == EMPTY && limits.maximum_bytes == EMPTY;

	return status_set_last_error(is_to_be_empty ? pages_empty(hProcess)
						    : pages_set_limits(hProcess, &limits));
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

	if (count == 0)
		return status_set_last_error(STATUS_INFO_LENGTH_MISMATCH);
	if (!pv)
		return status_set_last_error(STATUS_ACCESS_VIOLATION);
	return status_set_last_error(pages_query(hProcess, pv, count));
}
