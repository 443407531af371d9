/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Handles to processes, and the forms of the virtual-memory calls that take one: check the shape,
 * call the engine, convert the status. */

#include "core/base/hints.h"
#include "core/base/status.h"
#include "core/core.h"
#include "core/os/os.h"
#include "core/process/agent.h"
#include "core/process/process.h"

#define CURRENT_PROCESS ((HANDLE)(intptr_t)-1)

CORE_API HANDLE GetCurrentProcess(void)
{
	return CURRENT_PROCESS;
}

CORE_API DWORD GetCurrentProcessId(void)
{
	return os_process_id();
}

/* Handles are never passed on by exec, and always by fork. */
CORE_API HANDLE OpenProcess(DWORD dwDesiredAccess, BOOL bInheritHandle, DWORD dwProcessId)
{
	HANDLE handle = NULL;

	(void)bInheritHandle;
	return status_set_last_error(process_open(dwDesiredAccess, dwProcessId, &handle)) ? handle
											  : NULL;
}

CORE_API DWORD GetProcessId(HANDLE Process)
{
	uint32_t id = 0;

	return status_set_last_error(process_id(Process, &id)) ? id : 0;
}

CORE_API BOOL CloseHandle(HANDLE hObject)
{
	return status_set_last_error(process_close(hObject));
}

/* Between handles of this process only: those of another are not ours to see. */
CORE_API BOOL DuplicateHandle(HANDLE hSourceProcessHandle, HANDLE hSourceHandle,
			      HANDLE hTargetProcessHandle, PHANDLE lpTargetHandle,
			      DWORD dwDesiredAccess, BOOL bInheritHandle, DWORD dwOptions)
{
	(void)bInheritHandle;
	return status_set_last_error(process_duplicate(hSourceProcessHandle, hSourceHandle,
						       hTargetProcessHandle, lpTargetHandle,
						       dwDesiredAccess, dwOptions));
}

CORE_API BOOL core_serve(void)
{
	return status_set_last_error(agent_start());
}

CORE_API LPVOID VirtualAllocEx(HANDLE hProcess, LPVOID lpAddress, SIZE_T dwSize,
			       DWORD flAllocationType, DWORD flProtect)
{
	static const struct vm_request request = { .api = API_VirtualAllocEx };
	NTSTATUS status = process_allocate(hProcess, &lpAddress, &dwSize, flAllocationType,
					   flProtect, &request);

	return status_set_last_error(status) ? lpAddress : NULL;
}

CORE_API BOOL VirtualFreeEx(HANDLE hProcess, LPVOID lpAddress, SIZE_T dwSize, DWORD dwFreeType)
{
	static const struct vm_request request = { .api = API_VirtualFreeEx };

	if (dwFreeType == MEM_RELEASE && dwSize)
		return status_set_last_error(STATUS_INVALID_PARAMETER);
	return status_set_last_error(
		process_free(hProcess, &lpAddress, &dwSize, dwFreeType, &request));
}

CORE_API BOOL VirtualProtectEx(HANDLE hProcess, LPVOID lpAddress, SIZE_T dwSize, DWORD flNewProtect,
			       PDWORD lpflOldProtect)
{
	static const struct vm_request request = { .api = API_VirtualProtectEx };

	if (!lpflOldProtect)
		return status_set_last_error(STATUS_ACCESS_VIOLATION);
	return status_set_last_error(process_protect(hProcess, &lpAddress, &dwSize, flNewProtect,
						     lpflOldProtect, &request));
}

CORE_API SIZE_T VirtualQueryEx(HANDLE hProcess, LPCVOID lpAddress,
			       PMEMORY_BASIC_INFORMATION lpBuffer, SIZE_T dwLength)
{
	NTSTATUS status;

	if (!lpBuffer)
		status = STATUS_ACCESS_VIOLATION;
	else if (dwLength < sizeof *lpBuffer)
		status = STATUS_INFO_LENGTH_MISMATCH;
	else
		status = process_query(hProcess, PROCESS_QUERY_INFORMATION, lpAddress, lpBuffer);
	return status_set_last_error(status) ? sizeof *lpBuffer : 0;
}

CORE_API BOOL ReadProcessMemory(HANDLE hProcess, LPCVOID lpBaseAddress, LPVOID lpBuffer,
				SIZE_T nSize, PSIZE_T lpNumberOfBytesRead)
{
	return status_set_last_error(
		process_read(hProcess, lpBaseAddress, lpBuffer, nSize, lpNumberOfBytesRead));
}

CORE_API BOOL WriteProcessMemory(HANDLE hProcess, LPVOID lpBaseAddress, LPCVOID lpBuffer,
				 SIZE_T nSize, PSIZE_T lpNumberOfBytesWritten)
{
	return status_set_last_error(
		process_patch(hProcess, lpBaseAddress, lpBuffer, nSize, lpNumberOfBytesWritten));
}

CORE_API NTSTATUS NtReadVirtualMemory(HANDLE ProcessHandle, LPCVOID BaseAddress, PVOID Buffer,
				      SIZE_T NumberOfBytesToRead, PSIZE_T NumberOfBytesRead)
{
	return process_read(ProcessHandle, BaseAddress, Buffer, NumberOfBytesToRead,
			    NumberOfBytesRead);
}

CORE_API NTSTATUS NtWriteVirtualMemory(HANDLE ProcessHandle, PVOID BaseAddress, LPCVOID Buffer,
				       SIZE_T NumberOfBytesToWrite, PSIZE_T NumberOfBytesWritten)
{
	return process_write(ProcessHandle, BaseAddress, Buffer, NumberOfBytesToWrite,
			     NumberOfBytesWritten);
}
