/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The one place that turns an NTSTATUS into a Win32 error, and an errno into an NTSTATUS. Two
 * tables; the values are those that RtlNtStatusToDosError is documented to give. */

#include "core/base/status.h"

#include <errno.h>
#include <stddef.h>

#include "core/core.h"

static const struct {
	NTSTATUS status;
	DWORD error;
} win32_errors[] = {
	{ STATUS_SUCCESS, ERROR_SUCCESS },
	{ STATUS_WORKING_SET_LIMIT_RANGE, ERROR_INVALID_PARAMETER },
	{ STATUS_GUARD_PAGE_VIOLATION, (DWORD)STATUS_GUARD_PAGE_VIOLATION },
	{ STATUS_UNSUCCESSFUL, ERROR_GEN_FAILURE },
	{ STATUS_NOT_IMPLEMENTED, ERROR_INVALID_FUNCTION },
	{ STATUS_INFO_LENGTH_MISMATCH, ERROR_BAD_LENGTH },
	{ STATUS_ACCESS_VIOLATION, ERROR_NOACCESS },
	{ STATUS_INVALID_HANDLE, ERROR_INVALID_HANDLE },
	{ STATUS_INVALID_PARAMETER, ERROR_INVALID_PARAMETER },
	{ STATUS_NO_MEMORY, ERROR_NOT_ENOUGH_MEMORY },
	{ STATUS_CONFLICTING_ADDRESSES, ERROR_INVALID_ADDRESS },
	{ STATUS_NOT_MAPPED_VIEW, ERROR_INVALID_ADDRESS },
	{ STATUS_UNABLE_TO_FREE_VM, ERROR_INVALID_PARAMETER },
	{ STATUS_ACCESS_DENIED, ERROR_ACCESS_DENIED },
	{ STATUS_NOT_COMMITTED, ERROR_INVALID_ADDRESS },
	{ STATUS_INVALID_PAGE_PROTECTION, ERROR_INVALID_PARAMETER },
	{ STATUS_FREE_VM_NOT_AT_BASE, ERROR_INVALID_ADDRESS },
	{ STATUS_MEMORY_NOT_ALLOCATED, ERROR_INVALID_ADDRESS },
	{ STATUS_NOT_SUPPORTED, ERROR_NOT_SUPPORTED },
	{ STATUS_CANCELLED, ERROR_OPERATION_ABORTED },
	{ STATUS_COMMITMENT_LIMIT, ERROR_COMMITMENT_LIMIT },
	{ STATUS_RESOURCE_NOT_OWNED, ERROR_NOT_OWNER },
	{ STATUS_NO_MORE_ENTRIES, ERROR_NO_MORE_ITEMS },
	{ STATUS_INVALID_INFO_CLASS, ERROR_INVALID_PARAMETER },
	{ STATUS_BUFFER_TOO_SMALL, ERROR_INSUFFICIENT_BUFFER },
};

static const struct {
	int error;
	NTSTATUS status;
} os_errors[] = {
	{ 0, STATUS_SUCCESS },
	{ -ENOMEM, STATUS_NO_MEMORY },
	{ -EAGAIN, STATUS_NO_MEMORY },
	{ -EEXIST, STATUS_CONFLICTING_ADDRESSES },
	{ -EPERM, STATUS_ACCESS_DENIED },
	{ -EACCES, STATUS_ACCESS_DENIED },
	{ -EFAULT, STATUS_ACCESS_VIOLATION },
	{ -EINVAL, STATUS_INVALID_PARAMETER },
	{ -EBADF, STATUS_INVALID_HANDLE },
	{ -ECANCELED, STATUS_CANCELLED },
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

DWORD status_to_win32(NTSTATUS status)
{
	for (size_t i = 0; i < COUNT(win32_errors); i++) {
		if (win32_errors[i].status == status)
			return win32_errors[i].error;
	}
	return ERROR_MR_MID_NOT_FOUND;
}

BOOL status_set_last_error(NTSTATUS status)
{
	if (status_is_success(status))
		return TRUE;
	SetLastError(status_to_win32(status));
	return FALSE;
}

NTSTATUS status_from_os(int error)
{
	for (size_t i = 0; i < COUNT(os_errors); i++) {
		if (os_errors[i].error == error)
			return os_errors[i].status;
	}
	return STATUS_UNSUCCESSFUL;
}
