/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Statuses to Win32 errors and from errno: rows of the documented values. */

#include "core/base/status.h"

#include <errno.h>

#include "core/core.h"
#include "tests/lib/tap.h"

static const struct {
	NTSTATUS status;
	DWORD error;
} win32_rows[] = {
	{ STATUS_SUCCESS, 0 },
	{ STATUS_INVALID_PARAMETER, 87 },
	{ STATUS_NO_MEMORY, 8 },
	{ STATUS_CONFLICTING_ADDRESSES, 487 },
	{ STATUS_NOT_COMMITTED, 487 },
	{ STATUS_FREE_VM_NOT_AT_BASE, 487 },
	{ STATUS_MEMORY_NOT_ALLOCATED, 487 },
	{ STATUS_INVALID_PAGE_PROTECTION, 87 },
	{ STATUS_UNABLE_TO_FREE_VM, 87 },
	{ STATUS_ACCESS_VIOLATION, 998 },
	{ STATUS_INFO_LENGTH_MISMATCH, 24 },
	{ STATUS_COMMITMENT_LIMIT, 1455 },
	{ STATUS_NOT_SUPPORTED, 50 },
	{ STATUS_ACCESS_DENIED, 5 },
	{ STATUS_INVALID_HANDLE, 6 },
	{ STATUS_OBJECT_TYPE_MISMATCH, 6 },
	{ STATUS_PARTIAL_COPY, 299 },
	{ STATUS_IO_TIMEOUT, 121 },
	{ STATUS_INVALID_CID, 87 },
	{ STATUS_PROCESS_IS_TERMINATING, 5 },
	{ (NTSTATUS)0xC0123456, 317 },
};

static const struct {
	int error;
	NTSTATUS status;
} os_rows[] = {
	{ 0, STATUS_SUCCESS },
	{ -ENOMEM, STATUS_NO_MEMORY },
	{ -EEXIST, STATUS_CONFLICTING_ADDRESSES },
	{ -EINVAL, STATUS_INVALID_PARAMETER },
	{ -EACCES, STATUS_ACCESS_DENIED },
	{ -ENODEV, STATUS_UNSUCCESSFUL },
};

int main(void)
{
	for (size_t i = 0; i < sizeof win32_rows / sizeof win32_rows[0]; i++)
		ok_equal(status_to_win32(win32_rows[i].status), win32_rows[i].error,
			 "row %zu: the error of status 0x%08x", i, (unsigned)win32_rows[i].status);
	for (size_t i = 0; i < sizeof os_rows / sizeof os_rows[0]; i++)
		ok_equal((DWORD)status_from_os(os_rows[i].error), (DWORD)os_rows[i].status,
			 "row %zu: the status of errno %d", i, -os_rows[i].error);
	SetLastError(0xdeadbeef);
	ok(status_set_last_error(STATUS_SUCCESS), "a success is one");
	ok_equal(GetLastError(), 0xdeadbeef, "and leaves the last error");
	errno = ERANGE;
	ok(!status_set_last_error(STATUS_NO_MEMORY), "a failure is none");
	ok_equal(GetLastError(), ERROR_NOT_ENOUGH_MEMORY, "and sets the last error");
	ok_equal(errno, ERANGE, "errno stays");
	return tap_done();
}
