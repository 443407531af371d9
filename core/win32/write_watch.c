/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* GetWriteWatch and its kin: check the shape, call the engine, convert the status. */

#include "core/base/hints.h"
#include "core/base/status.h"
#include "core/core.h"
#include "core/os/os.h"
#include "core/process/pages.h"
#include "core/vm/writewatch.h"

/* What the two Win32 functions answer when they fail. */
#define FAILED (~0u)
#define THIS_PROCESS ((HANDLE)(intptr_t)-1)

static NTSTATUS get(HANDLE process, DWORD flags, PVOID base, SIZE_T size, PVOID *addresses,
		    ULONG_PTR *count, DWORD *granularity)
{
	size_t listed;
	NTSTATUS status;

	if (!count || !granularity)
		return STATUS_ACCESS_VIOLATION;
	if (*count == 0 || size == 0 || flags & ~WRITE_WATCH_FLAG_RESET)
		return STATUS_INVALID_PARAMETER;
	if (!addresses)
		return STATUS_ACCESS_VIOLATION;
	listed = *count;
	status = pages_written(process, base, size, flags & WRITE_WATCH_FLAG_RESET, addresses,
			       &listed);
	if (!status_is_success(status))
		return status;
	*count = listed;
	*granularity = OS_PAGE_SIZE;
	return STATUS_SUCCESS;
}

CORE_API UINT GetWriteWatch(DWORD dwFlags, PVOID lpBaseAddress, SIZE_T dwRegionSize,
			    PVOID *lpAddresses, ULONG_PTR *lpdwCount, LPDWORD lpdwGranularity)
{
	return status_set_last_error(get(THIS_PROCESS, dwFlags, lpBaseAddress, dwRegionSize,
					 lpAddresses, lpdwCount, lpdwGranularity))
		       ? 0
		       : FAILED;
}

CORE_API UINT ResetWriteWatch(LPVOID lpBaseAddress, SIZE_T dwRegionSize)
{
	return status_set_last_error(vm_reset_write_watch(lpBaseAddress, dwRegionSize)) ? 0
											: FAILED;
}

CORE_API NTSTATUS NtGetWriteWatch(HANDLE ProcessHandle, ULONG Flags, PVOID BaseAddress,
				  SIZE_T RegionSize, PVOID *UserAddressArray,
				  ULONG_PTR *EntriesInUserAddressArray, PULONG Granularity)
{
	return get(ProcessHandle, Flags, BaseAddress, RegionSize, UserAddressArray,
		   EntriesInUserAddressArray, Granularity);
}

CORE_API NTSTATUS NtResetWriteWatch(HANDLE ProcessHandle, PVOID BaseAddress, SIZE_T RegionSize)
{
	return pages_forget_written(ProcessHandle, BaseAddress, RegionSize);
}
