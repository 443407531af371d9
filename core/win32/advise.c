/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What a program tells of memory that it needs soon, or not for a while (memoryapi.h). Three of
 * these answer with the error itself, and leave the last one. */

#include "core/vm/advise.h"

#include "core/base/hints.h"
#include "core/base/status.h"
#include "core/core.h"
#include "core/process/pages.h"

CORE_API BOOL PrefetchVirtualMemory(HANDLE hProcess, ULONG_PTR NumberOfEntries,
				    PWIN32_MEMORY_RANGE_ENTRY VirtualAddresses, ULONG Flags)
{
	NTSTATUS status = STATUS_SUCCESS;

	if (Flags || NumberOfEntries == 0)
		return status_set_last_error(STATUS_INVALID_PARAMETER);
	if (!VirtualAddresses)
		return status_set_last_error(STATUS_ACCESS_VIOLATION);
	for (ULONG_PTR i = 0; status_is_success(status) && i < NumberOfEntries; i++)
		status = pages_prefetch(hProcess, VirtualAddresses[i].VirtualAddress,
					VirtualAddresses[i].NumberOfBytes);
	return status_set_last_error(status);
}

CORE_API DWORD OfferVirtualMemory(PVOID VirtualAddress, SIZE_T Size, OFFER_PRIORITY Priority)
{
	static const struct vm_request request = { .api = API_OfferVirtualMemory };

	if (Priority < VmOfferPriorityVeryLow || Priority > VmOfferPriorityNormal)
		return ERROR_INVALID_PARAMETER;
	return status_to_win32(advise_offer(VirtualAddress, Size, Priority, &request));
}

CORE_API DWORD ReclaimVirtualMemory(const void *VirtualAddress, SIZE_T Size)
{
	static const struct vm_request request = { .api = API_ReclaimVirtualMemory };
	bool is_intact = true;
	NTSTATUS status = advise_reclaim((void *)VirtualAddress, Size, &is_intact, &request);

	return is_intact ? status_to_win32(status) : ERROR_BUSY;
}

CORE_API DWORD DiscardVirtualMemory(PVOID VirtualAddress, SIZE_T Size)
{
	static const struct vm_request request = { .api = API_DiscardVirtualMemory };

	return status_to_win32(vm_discard(VirtualAddress, Size, &request));
}
