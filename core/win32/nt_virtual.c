/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* NtAllocateVirtualMemory and its kin: read what the pointers hold, call the engine, write back on
 * success. Pointers are the program's own: a wrong one faults, as it does in any function of a
 * library; NULL is answered. QueryVirtualMemoryInformation is one of them in another dress. */

#include "core/base/hints.h"
#include "core/base/status.h"
#include "core/core.h"
#include "core/process/process.h"
#include "core/vm/extent.h"
#include "core/vm/parameters.h"
#include "core/vm/rules.h"
#include "core/vm/virtual.h"

/* What every call on a range checks first. */
static NTSTATUS check_range(const void *base, const void *size)
{
	return base && size ? STATUS_SUCCESS : STATUS_ACCESS_VIOLATION;
}

CORE_API NTSTATUS NtAllocateVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress,
					  ULONG_PTR ZeroBits, PSIZE_T RegionSize,
					  ULONG AllocationType, ULONG Protect)
{
	struct vm_request request = { .api = API_NtAllocateVirtualMemory };
	NTSTATUS status = check_range(BaseAddress, RegionSize);

	if (status_is_success(status))
		status = rules_zero_bits(ZeroBits, &request.limit);
	if (!status_is_success(status))
		return status;
	return process_allocate(ProcessHandle, BaseAddress, RegionSize, AllocationType, Protect,
				&request);
}

CORE_API NTSTATUS NtAllocateVirtualMemoryEx(HANDLE ProcessHandle, PVOID *BaseAddress,
					    PSIZE_T RegionSize, ULONG AllocationType, ULONG Protect,
					    PMEM_EXTENDED_PARAMETER ExtendedParameters,
					    ULONG ExtendedParameterCount)
{
	struct vm_request request = { .api = API_NtAllocateVirtualMemoryEx,
				      .takes_placeholders = true };
	NTSTATUS status = check_range(BaseAddress, RegionSize);

	if (status_is_success(status))
		status = parameters_read(ExtendedParameters, ExtendedParameterCount, *BaseAddress,
					 &request);
	if (!status_is_success(status))
		return status;
	return process_allocate(ProcessHandle, BaseAddress, RegionSize, AllocationType, Protect,
				&request);
}

CORE_API NTSTATUS NtFreeVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, PSIZE_T RegionSize,
				      ULONG FreeType)
{
	static const struct vm_request request = { .api = API_NtFreeVirtualMemory };
	NTSTATUS status = check_range(BaseAddress, RegionSize);

	if (!status_is_success(status))
		return status;
	return process_free(ProcessHandle, BaseAddress, RegionSize, FreeType, &request);
}

CORE_API NTSTATUS NtProtectVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress,
					 PSIZE_T RegionSize, ULONG NewProtect, PULONG OldProtect)
{
	static const struct vm_request request = { .api = API_NtProtectVirtualMemory };
	NTSTATUS status = check_range(BaseAddress, RegionSize);

	if (status_is_success(status) && !OldProtect)
		status = STATUS_ACCESS_VIOLATION;
	if (!status_is_success(status))
		return status;
	return process_protect(ProcessHandle, BaseAddress, RegionSize, NewProtect, OldProtect,
			       &request);
}

static NTSTATUS query_run(void *process, const void *address, MEMORY_BASIC_INFORMATION *info)
{
	return process_query(process, PROCESS_QUERY_INFORMATION, address, info);
}

static NTSTATUS query_region(HANDLE process, LPCVOID address, WIN32_MEMORY_REGION_INFORMATION *info)
{
	const struct extent_source source = { .query = query_run, .process = process };

	return extent_query(&source, address, info);
}

CORE_API NTSTATUS NtQueryVirtualMemory(HANDLE ProcessHandle, LPCVOID BaseAddress,
				       MEMORY_INFORMATION_CLASS MemoryInformationClass,
				       PVOID MemoryInformation, SIZE_T MemoryInformationLength,
				       PSIZE_T ReturnLength)
{
	bool is_region = MemoryInformationClass == MemoryRegionInformation;
	SIZE_T needed_bytes = is_region ? sizeof(WIN32_MEMORY_REGION_INFORMATION)
					: sizeof(MEMORY_BASIC_INFORMATION);
	NTSTATUS status;

	if (!is_region && MemoryInformationClass != MemoryBasicInformation)
		return STATUS_INVALID_INFO_CLASS;
	if (MemoryInformationLength < needed_bytes)
		return STATUS_INFO_LENGTH_MISMATCH;
	if (!MemoryInformation)
		return STATUS_ACCESS_VIOLATION;
	status = is_region ? query_region(ProcessHandle, BaseAddress, MemoryInformation)
			   : query_run(ProcessHandle, BaseAddress, MemoryInformation);
	if (status_is_success(status) && ReturnLength)
		*ReturnLength = needed_bytes;
	return status;
}

CORE_API BOOL QueryVirtualMemoryInformation(HANDLE Process, const VOID *VirtualAddress,
					    WIN32_MEMORY_INFORMATION_CLASS MemoryInformationClass,
					    PVOID MemoryInformation, SIZE_T MemoryInformationSize,
					    PSIZE_T ReturnSize)
{
	NTSTATUS status = STATUS_INVALID_PARAMETER;

	if (MemoryInformationClass == MemoryRegionInfo)
		status = NtQueryVirtualMemory(Process, VirtualAddress, MemoryRegionInformation,
					      MemoryInformation, MemoryInformationSize, ReturnSize);
	return status_set_last_error(status);
}

/* There are no views of sections here: nothing that a flush would write anywhere. */
CORE_API NTSTATUS NtFlushVirtualMemory(HANDLE ProcessHandle, LPCVOID *BaseAddress,
				       PSIZE_T RegionSize, PIO_STATUS_BLOCK IoStatus)
{
	MEMORY_BASIC_INFORMATION info;
	NTSTATUS status = check_range(BaseAddress, RegionSize);

	if (!status_is_success(status))
		return status;
	if (!IoStatus)
		return STATUS_ACCESS_VIOLATION;
	status = process_query(ProcessHandle, PROCESS_VM_OPERATION, *BaseAddress, &info);
	return status_is_success(status) ? STATUS_NOT_MAPPED_DATA : status;
}
