/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* GlobalMemoryStatus and GlobalMemoryStatusEx (sysinfoapi.h): how much memory there is, and how
 * much of it is free for this process. */

#include <assert.h>

#include "core/base/hints.h"
#include "core/base/status.h"
#include "core/core.h"
#include "core/vm/charge.h"
#include "core/vm/machine.h"

static_assert(sizeof(MEMORYSTATUSEX) == 64, "MEMORYSTATUSEX");
static_assert(sizeof(MEMORYSTATUS) == 56, "MEMORYSTATUS");

/* From 64 KiB up to the last 64 KiB but one. */
#define ADDRESSES_BYTES UINT64_C(0x7ffffffe0000)

static uint64_t free_addresses_bytes(void)
{
	uint64_t mapped = machine_mapped_bytes();

	return mapped < ADDRESSES_BYTES ? ADDRESSES_BYTES - mapped : 0;
}

static DWORD load_percent(const struct machine_memory *memory)
{
	if (memory->total == 0)
		return 0;
	return (DWORD)((memory->total - memory->available) * 100 / memory->total);
}

static NTSTATUS get_status(MEMORYSTATUSEX *status)
{
	struct machine_memory memory;
	int error = machine_memory(&memory);

	if (error < 0)
		return status_from_os(error);
	charge_cut(&memory.commit_limit, &memory.commit_available);
	*status = (MEMORYSTATUSEX){
		.dwLength = sizeof *status,
		.dwMemoryLoad = load_percent(&memory),
		.ullTotalPhys = memory.total,
		.ullAvailPhys = memory.available,
		.ullTotalPageFile = memory.commit_limit,
		.ullAvailPageFile = memory.commit_available,
		.ullTotalVirtual = ADDRESSES_BYTES,
		.ullAvailVirtual = free_addresses_bytes(),
	};
	return STATUS_SUCCESS;
}

CORE_API BOOL GlobalMemoryStatusEx(LPMEMORYSTATUSEX lpBuffer)
{
	if (!lpBuffer || lpBuffer->dwLength != sizeof *lpBuffer)
		return status_set_last_error(STATUS_INVALID_PARAMETER);
	return status_set_last_error(get_status(lpBuffer));
}

/* It has no way to fail: all figures are 0 then. */
CORE_API VOID GlobalMemoryStatus(LPMEMORYSTATUS lpBuffer)
{
	MEMORYSTATUSEX status = { .dwLength = 0 };

	get_status(&status);
	*lpBuffer = (MEMORYSTATUS){
		.dwLength = sizeof *lpBuffer,
		.dwMemoryLoad = status.dwMemoryLoad,
		.dwTotalPhys = status.ullTotalPhys,
		.dwAvailPhys = status.ullAvailPhys,
		.dwTotalPageFile = status.ullTotalPageFile,
		.dwAvailPageFile = status.ullAvailPageFile,
		.dwTotalVirtual = status.ullTotalVirtual,
		.dwAvailVirtual = status.ullAvailVirtual,
	};
}
