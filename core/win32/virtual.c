/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* VirtualAlloc and its kin: check the shape, call the engine, convert the status. */

#include "core/base/hints.h"
#include "core/base/status.h"
#include "core/core.h"
#include "core/process/process.h"
#include "core/vm/parameters.h"
#include "core/vm/virtual.h"

CORE_API LPVOID VirtualAlloc(LPVOID lpAddress, SIZE_T dwSize, DWORD flAllocationType,
			     DWORD flProtect)
{
	static const struct vm_request request = { .api = API_VirtualAlloc };
	NTSTATUS status = vm_allocate(&lpAddress, &dwSize, flAllocationType, flProtect, &request);

	return status_set_last_error(status) ? lpAddress : NULL;
}

/* A release names the whole region by its base: no size may be given. */
CORE_API BOOL VirtualFree(LPVOID lpAddress, SIZE_T dwSize, DWORD dwFreeType)
{
	static const struct vm_request request = { .api = API_VirtualFree };

	if (dwFreeType == MEM_RELEASE && dwSize)
		return status_set_last_error(STATUS_INVALID_PARAMETER);
	return status_set_last_error(vm_free(&lpAddress, &dwSize, dwFreeType, &request));
}

CORE_API BOOL VirtualProtect(LPVOID lpAddress, SIZE_T dwSize, DWORD flNewProtect,
			     PDWORD lpflOldProtect)
{
	static const struct vm_request request = { .api = API_VirtualProtect };

	if (!lpflOldProtect)
		return status_set_last_error(STATUS_ACCESS_VIOLATION);
	return status_set_last_error(
		vm_protect(&lpAddress, &dwSize, flNewProtect, lpflOldProtect, &request));
}

#define THIS_PROCESS ((HANDLE)(intptr_t)-1)
#define EXECUTABLE \
	(PAGE_EXECUTE | PAGE_EXECUTE_READ | PAGE_EXECUTE_READWRITE | PAGE_EXECUTE_WRITECOPY)

/* What the forms for store applications refuse. */
static NTSTATUS check_not_executable(DWORD protect)
{
	return protect & EXECUTABLE ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS;
}

CORE_API LPVOID VirtualAllocFromApp(LPVOID BaseAddress, SIZE_T Size, ULONG AllocationType,
				    ULONG Protection)
{
	static const struct vm_request request = { .api = API_VirtualAllocFromApp };
	NTSTATUS status = check_not_executable(Protection);

	if (status_is_success(status))
		status = vm_allocate(&BaseAddress, &Size, AllocationType, Protection, &request);
	return status_set_last_error(status) ? BaseAddress : NULL;
}

CORE_API BOOL VirtualProtectFromApp(LPVOID Address, SIZE_T Size, ULONG NewProtection,
				    PULONG OldProtection)
{
	static const struct vm_request request = { .api = API_VirtualProtectFromApp };
	NTSTATUS status = check_not_executable(NewProtection);

	if (status_is_success(status) && !OldProtection)
		status = STATUS_ACCESS_VIOLATION;
	if (status_is_success(status))
		status = vm_protect(&Address, &Size, NewProtection, OldProtection, &request);
	return status_set_last_error(status);
}

/* What is asked of VirtualAlloc2 in one piece. */
struct extended {
	PVOID base;
	SIZE_T size_bytes;
	ULONG type, protect;
	const MEM_EXTENDED_PARAMETER *parameters;
	ULONG parameter_count;
};

static NTSTATUS allocate_extended(HANDLE process, struct extended *extended,
				  struct vm_request *request)
{
	NTSTATUS status;

	request->takes_placeholders = true;
	status = parameters_read(extended->parameters, extended->parameter_count, extended->base,
				 request);
	if (!status_is_success(status))
		return status;
	return process_allocate(process ? process : THIS_PROCESS, &extended->base,
				&extended->size_bytes, extended->type, extended->protect, request);
}

CORE_API PVOID VirtualAlloc2(HANDLE Process, PVOID BaseAddress, SIZE_T Size, ULONG AllocationType,
			     ULONG PageProtection, MEM_EXTENDED_PARAMETER *ExtendedParameters,
			     ULONG ParameterCount)
{
	struct vm_request request = { .api = API_VirtualAlloc2 };
	struct extended extended = { BaseAddress,        Size,
				     AllocationType,     PageProtection,
				     ExtendedParameters, ParameterCount };
	NTSTATUS status = allocate_extended(Process, &extended, &request);

	return status_set_last_error(status) ? extended.base : NULL;
}

CORE_API PVOID VirtualAlloc2FromApp(HANDLE Process, PVOID BaseAddress, SIZE_T Size,
				    ULONG AllocationType, ULONG PageProtection,
				    MEM_EXTENDED_PARAMETER *ExtendedParameters,
				    ULONG ParameterCount)
{
	struct vm_request request = { .api = API_VirtualAlloc2FromApp };
	struct extended extended = { BaseAddress,        Size,
				     AllocationType,     PageProtection,
				     ExtendedParameters, ParameterCount };
	NTSTATUS status = check_not_executable(PageProtection);

	if (status_is_success(status))
		status = allocate_extended(Process, &extended, &request);
	return status_set_last_error(status) ? extended.base : NULL;
}

CORE_API SIZE_T VirtualQuery(LPCVOID lpAddress, PMEMORY_BASIC_INFORMATION lpBuffer, SIZE_T dwLength)
{
	NTSTATUS status;

	if (!lpBuffer)
		status = STATUS_ACCESS_VIOLATION;
	else if (dwLength < sizeof *lpBuffer)
		status = STATUS_INFO_LENGTH_MISMATCH;
	else
		status = vm_query(lpAddress, lpBuffer);
	return status_set_last_error(status) ? sizeof *lpBuffer : 0;
}
