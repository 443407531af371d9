/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The Nt functions on virtual memory that virtual_nt.c leaves out: locks and copies. */

#include "tests/conformance/pe.h"

NTSTATUS NTAPI NtAllocateVirtualMemory(HANDLE, PVOID *, ULONG_PTR, SIZE_T *, ULONG, ULONG);
NTSTATUS NTAPI NtFreeVirtualMemory(HANDLE, PVOID *, SIZE_T *, ULONG);
NTSTATUS NTAPI NtReadVirtualMemory(HANDLE, LPCVOID, PVOID, SIZE_T, SIZE_T *);
NTSTATUS NTAPI NtWriteVirtualMemory(HANDLE, PVOID, LPCVOID, SIZE_T, SIZE_T *);

#define REGION (4 * GRANULE)
#define THIS_PROCESS ((HANDLE)-1)

static char *allocate(SIZE_T size, ULONG type)
{
	PVOID base = NULL;

	if (NtAllocateVirtualMemory(THIS_PROCESS, &base, 0, &size, type, PAGE_READWRITE))
		return NULL;
	return base;
}

static void release(PVOID base)
{
	SIZE_T size = 0;

	NtFreeVirtualMemory(THIS_PROCESS, &base, &size, MEM_RELEASE);
}

static void test_copy(void)
{
	char *region = allocate(REGION, MEM_RESERVE);
	char buffer[16] = "fifteen letters";
	SIZE_T count = UNTOUCHED;
	PVOID base = region;
	SIZE_T size = PAGE;

	todo_wine("goes through what has no access");
	ok_status(NtWriteVirtualMemory(THIS_PROCESS, region, buffer, sizeof buffer, &count),
		  STATUS_PARTIAL_COPY, "write to what is only reserved");
	todo_wine("goes through what has no access");
	ok_equal(count, 0, "nothing is written");
	NtAllocateVirtualMemory(THIS_PROCESS, &base, 0, &size, MEM_COMMIT, PAGE_READWRITE);
	ok_status(NtWriteVirtualMemory(THIS_PROCESS, region, buffer, sizeof buffer, &count),
		  STATUS_SUCCESS, "write");
	ok(count == sizeof buffer && !memcmp(region, buffer, sizeof buffer), "it is written");
	memset(buffer, 0, sizeof buffer);
	ok_status(NtReadVirtualMemory(THIS_PROCESS, region, buffer, sizeof buffer, &count),
		  STATUS_SUCCESS, "read");
	ok(count == sizeof buffer && !memcmp(region, buffer, sizeof buffer), "it is read");
	todo_wine("goes through what has no access");
	ok_status(NtReadVirtualMemory(THIS_PROCESS, region + PAGE, buffer, sizeof buffer, &count),
		  STATUS_PARTIAL_COPY, "read of what is only reserved");
	todo_wine("goes through what has no access");
	ok_equal(count, 0, "nothing is read");
	release(region);
}

int main(void)
{
	test_copy();
	return tap_done();
}
