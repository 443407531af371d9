/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The native calls on virtual memory, which Windows' own headers do not declare. */

#ifndef VADTRACE_TESTS_CONFORMANCE_NT_H
#define VADTRACE_TESTS_CONFORMANCE_NT_H

#include "tests/conformance/common.h"

#ifdef _WIN32
NTSTATUS NTAPI NtAllocateVirtualMemory(HANDLE, PVOID *, ULONG_PTR, SIZE_T *, ULONG, ULONG);
NTSTATUS NTAPI NtAllocateVirtualMemoryEx(HANDLE, PVOID *, SIZE_T *, ULONG, ULONG,
					 MEM_EXTENDED_PARAMETER *, ULONG);
NTSTATUS NTAPI NtFreeVirtualMemory(HANDLE, PVOID *, SIZE_T *, ULONG);
NTSTATUS NTAPI NtProtectVirtualMemory(HANDLE, PVOID *, SIZE_T *, ULONG, ULONG *);
NTSTATUS NTAPI NtQueryVirtualMemory(HANDLE, LPCVOID, int, PVOID, SIZE_T, SIZE_T *);
NTSTATUS NTAPI NtFlushVirtualMemory(HANDLE, LPCVOID *, SIZE_T *, IO_STATUS_BLOCK *);
NTSTATUS NTAPI NtReadVirtualMemory(HANDLE, LPCVOID, PVOID, SIZE_T, SIZE_T *);
NTSTATUS NTAPI NtWriteVirtualMemory(HANDLE, PVOID, LPCVOID, SIZE_T, SIZE_T *);
NTSTATUS NTAPI NtLockVirtualMemory(HANDLE, PVOID *, SIZE_T *, ULONG);
NTSTATUS NTAPI NtUnlockVirtualMemory(HANDLE, PVOID *, SIZE_T *, ULONG);
NTSTATUS NTAPI NtGetWriteWatch(HANDLE, ULONG, PVOID, SIZE_T, PVOID *, ULONG_PTR *, ULONG *);
NTSTATUS NTAPI NtResetWriteWatch(HANDLE, PVOID, SIZE_T);
#define MAP_PROCESS 1
#define MAP_SYSTEM 2
#endif

#endif
