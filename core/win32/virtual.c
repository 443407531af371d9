/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* VirtualAlloc and its kin: check the shape, call the engine, convert the status. */

#include "core/base/hints.h"
#include "core/base/status.h"
#include "core/core.h"
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
