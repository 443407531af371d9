/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* NTSTATUS inside, Win32 errors at the edge; this module alone converts. */

#ifndef VADTRACE_CORE_BASE_STATUS_H
#define VADTRACE_CORE_BASE_STATUS_H

#include "core/types.h"

#define STATUS_SUCCESS ((NTSTATUS)0x00000000)
#define STATUS_GUARD_PAGE_VIOLATION ((NTSTATUS)0x80000001)
#define STATUS_UNSUCCESSFUL ((NTSTATUS)0xC0000001)
#define STATUS_NOT_IMPLEMENTED ((NTSTATUS)0xC0000002)
#define STATUS_INFO_LENGTH_MISMATCH ((NTSTATUS)0xC0000004)
#define STATUS_ACCESS_VIOLATION ((NTSTATUS)0xC0000005)
#define STATUS_INVALID_HANDLE ((NTSTATUS)0xC0000008)
#define STATUS_INVALID_PARAMETER ((NTSTATUS)0xC000000D)
#define STATUS_NO_MEMORY ((NTSTATUS)0xC0000017)
#define STATUS_CONFLICTING_ADDRESSES ((NTSTATUS)0xC0000018)
#define STATUS_NOT_MAPPED_VIEW ((NTSTATUS)0xC0000019)
#define STATUS_UNABLE_TO_FREE_VM ((NTSTATUS)0xC000001A)
#define STATUS_ACCESS_DENIED ((NTSTATUS)0xC0000022)
#define STATUS_NOT_COMMITTED ((NTSTATUS)0xC000002D)
#define STATUS_INVALID_PAGE_PROTECTION ((NTSTATUS)0xC0000045)
#define STATUS_FREE_VM_NOT_AT_BASE ((NTSTATUS)0xC000009F)
#define STATUS_MEMORY_NOT_ALLOCATED ((NTSTATUS)0xC00000A0)
#define STATUS_NOT_SUPPORTED ((NTSTATUS)0xC00000BB)
#define STATUS_COMMITMENT_LIMIT ((NTSTATUS)0xC000012D)

static inline BOOL status_is_success(NTSTATUS status)
{
	return status >= 0;
}

/* The Win32 error of a status, as RtlNtStatusToDosError documents it. */
DWORD status_to_win32(NTSTATUS status);

/* Returns whether `status` is a success; when not, sets the last error from it. */
BOOL status_set_last_error(NTSTATUS status);

/* The status that a failed system call stands for; `error` is a negative errno, or 0. */
NTSTATUS status_from_os(int error);

#endif
