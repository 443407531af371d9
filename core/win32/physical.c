/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Address Windowing Extensions (memoryapi.h). The privilege that Windows wants for it
 * (SeLockMemoryPrivilege) is everybody's here. */

#include "core/base/hints.h"
#include "core/core.h"
#include "core/vm/awe.h"
#include "core/vm/numa.h"
#include "core/base/status.h"
#include "core/process/pages.h"

static NTSTATUS allocate(HANDLE process, PULONG_PTR count, PULONG_PTR numbers,
			 const struct vm_request *request)
{
	size_t got;
	NTSTATUS status;

	if (!count || !numbers)
		return STATUS_ACCESS_VIOLATION;
	got = *count;
	status = pages_take_frames(process, numbers, &got, request);
	if (status_is_success(status))
		*count = got;
	return status;
}

CORE_API BOOL AllocateUserPhysicalPages(HANDLE hProcess, PULONG_PTR NumberOfPages,
					PULONG_PTR PageArray)
{
	static const struct vm_request request = { .api = API_AllocateUserPhysicalPages };

	return status_set_last_error(allocate(hProcess, NumberOfPages, PageArray, &request));
}

CORE_API BOOL AllocateUserPhysicalPagesNuma(HANDLE hProcess, PULONG_PTR NumberOfPages,
					    PULONG_PTR PageArray, DWORD nndPreferred)
{
	struct vm_request request = { .api = API_AllocateUserPhysicalPagesNuma };
	NTSTATUS status = numa_prefer(nndPreferred, &request);

	if (status_is_success(status))
		status = allocate(hProcess, NumberOfPages, PageArray, &request);
	return status_set_last_error(status);
}

/* The count tells how many pages were freed, also when not all could be. */
CORE_API BOOL FreeUserPhysicalPages(HANDLE hProcess, PULONG_PTR NumberOfPages, PULONG_PTR PageArray)
{
	static const struct vm_request request = { .api = API_FreeUserPhysicalPages };
	size_t count;
	NTSTATUS status;

	if (!NumberOfPages || !PageArray)
		return status_set_last_error(STATUS_ACCESS_VIOLATION);
	count = *NumberOfPages;
	status = pages_give_frames(hProcess, PageArray, &count, &request);
	*NumberOfPages = count;
	return status_set_last_error(status);
}

CORE_API BOOL MapUserPhysicalPages(PVOID VirtualAddress, ULONG_PTR NumberOfPages,
				   PULONG_PTR PageArray)
{
	static const struct vm_request request = { .api = API_MapUserPhysicalPages };
	const struct awe_mapping mapping = { .base = VirtualAddress,
					     .numbers = PageArray,
					     .count = NumberOfPages };

	return status_set_last_error(awe_map(&mapping, &request));
}

CORE_API BOOL MapUserPhysicalPagesScatter(PVOID *VirtualAddresses, ULONG_PTR NumberOfPages,
					  PULONG_PTR PageArray)
{
	static const struct vm_request request = { .api = API_MapUserPhysicalPagesScatter };
	const struct awe_mapping mapping = { .addresses = VirtualAddresses,
					     .numbers = PageArray,
					     .count = NumberOfPages };

	if (!VirtualAddresses)
		return status_set_last_error(STATUS_ACCESS_VIOLATION);
	return status_set_last_error(awe_map(&mapping, &request));
}
