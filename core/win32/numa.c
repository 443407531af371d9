/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Nodes of memory: how many, which processors and how much memory they have, and regions that
 * prefer one. */

#include "core/vm/numa.h"

#include "core/base/hints.h"
#include "core/base/status.h"
#include "core/core.h"
#include "core/process/process.h"
#include "core/vm/virtual.h"

CORE_API LPVOID VirtualAllocExNuma(HANDLE hProcess, LPVOID lpAddress, SIZE_T dwSize,
				   DWORD flAllocationType, DWORD flProtect, DWORD nndPreferred)
{
	struct vm_request request = { .api = API_VirtualAllocExNuma };
	NTSTATUS status = STATUS_SUCCESS;

	if (numa_is_asked(lpAddress, flAllocationType))
		status = numa_prefer(nndPreferred, &request);
	if (status_is_success(status))
		status = process_allocate(hProcess, &lpAddress, &dwSize, flAllocationType,
					  flProtect, &request);
	return status_set_last_error(status) ? lpAddress : NULL;
}

CORE_API BOOL GetNumaHighestNodeNumber(PULONG HighestNodeNumber)
{
	if (!HighestNodeNumber)
		return status_set_last_error(STATUS_ACCESS_VIOLATION);
	*HighestNodeNumber = 63 - (ULONG)__builtin_clzl(numa_nodes());
	return TRUE;
}

CORE_API BOOL GetNumaNodeProcessorMaskEx(USHORT Node, PGROUP_AFFINITY ProcessorMask)
{
	uint64_t mask;

	if (!ProcessorMask)
		return status_set_last_error(STATUS_ACCESS_VIOLATION);
	if (!numa_processors(Node, &mask))
		return status_set_last_error(STATUS_INVALID_PARAMETER);
	*ProcessorMask = (GROUP_AFFINITY){ .Mask = mask };
	return TRUE;
}

CORE_API BOOL GetNumaAvailableMemoryNodeEx(USHORT Node, PULONGLONG AvailableBytes)
{
	uint64_t free_bytes;

	if (!AvailableBytes)
		return status_set_last_error(STATUS_ACCESS_VIOLATION);
	if (!numa_free_bytes(Node, &free_bytes))
		return status_set_last_error(STATUS_INVALID_PARAMETER);
	*AvailableBytes = free_bytes;
	return TRUE;
}
