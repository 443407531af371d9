/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The Nt*VirtualMemory functions on this process: statuses, and the address and size that they
 * write back. The same source is a native test of core and a Windows program. */

#include "tests/conformance/both.h"
#include "tests/conformance/nt.h"

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

static const struct {
	SIZE_T size;
	ULONG_PTR zero_bits;
	ULONG type, protect;
	DWORD status;
	SIZE_T result; /* the size that is written back */
} allocations[] = {
	{ 1, 0, MEM_RESERVE, PAGE_READWRITE, 0, PAGE },
	{ PAGE + 1, 0, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE, 0, 2 * PAGE },
	{ PAGE, 0, MEM_COMMIT, PAGE_READWRITE, 0, PAGE },
	{ PAGE, 0, MEM_RESERVE | MEM_TOP_DOWN, PAGE_NOACCESS, 0, PAGE },
	{ 0, 0, MEM_RESERVE, PAGE_READWRITE, STATUS_INVALID_PARAMETER, 0 },
	{ PAGE, 0, 0, PAGE_READWRITE, STATUS_INVALID_PARAMETER, 0 },
	{ PAGE, 0, MEM_RESERVE, 0, STATUS_INVALID_PAGE_PROTECTION, 0 },
	{ PAGE, 0, MEM_RESERVE, PAGE_WRITECOPY, STATUS_INVALID_PAGE_PROTECTION, 0 },
	{ PAGE, 0, MEM_RESERVE, PAGE_READWRITE | PAGE_READONLY, STATUS_INVALID_PAGE_PROTECTION, 0 },
	{ PAGE, 22, MEM_RESERVE, PAGE_READWRITE, STATUS_INVALID_PARAMETER_3, 0 },
	/* A count of leading zero bits below bit 32, or a mask of allowed ones. */
	{ PAGE, 1, MEM_RESERVE, PAGE_READWRITE, 0, PAGE },
	{ PAGE, 0x1fffffff, MEM_RESERVE, PAGE_READWRITE, 0, PAGE },
};

static void test_allocate(void)
{
	for (size_t i = 0; i < COUNT(allocations); i++) {
		PVOID base = NULL;
		SIZE_T size = allocations[i].size;
		ULONG_PTR bits = allocations[i].zero_bits;

		ok_status(NtAllocateVirtualMemory(THIS_PROCESS, &base, bits, &size,
						  allocations[i].type, allocations[i].protect),
			  allocations[i].status, "row %zu: allocate", i);
		if (allocations[i].status) {
			ok(base == NULL && size == allocations[i].size,
			   "row %zu: nothing is written back", i);
			continue;
		}
		ok_equal(size, allocations[i].result, "row %zu: the size", i);
		ok((ULONG_PTR)base % GRANULE == 0, "row %zu: the granularity", i);
		if (bits)
			ok((ULONG_PTR)base <= (bits < 32 ? 0xffffffff >> bits : bits),
			   "row %zu: below the limit", i);
		release(base);
	}
}

static void test_allocate_at(void)
{
	char *region = allocate(REGION, MEM_RESERVE);
	PVOID base = region + PAGE + 5;
	SIZE_T size = PAGE;

	ok_status(
		NtAllocateVirtualMemory(THIS_PROCESS, &base, 0, &size, MEM_COMMIT, PAGE_READWRITE),
		STATUS_SUCCESS, "commit inside");
	ok(base == region + PAGE && size == 2 * PAGE, "all pages that the range touches");
	base = region;
	size = PAGE;
	ok_status(
		NtAllocateVirtualMemory(THIS_PROCESS, &base, 0, &size, MEM_RESERVE, PAGE_READWRITE),
		STATUS_CONFLICTING_ADDRESSES, "reserve what is reserved");
	base = region;
	size = REGION + PAGE;
	todo_wine("STATUS_NOT_MAPPED_VIEW");
	ok_status(
		NtAllocateVirtualMemory(THIS_PROCESS, &base, 0, &size, MEM_COMMIT, PAGE_READWRITE),
		STATUS_CONFLICTING_ADDRESSES, "commit past the end");
	release(region);
	base = region;
	size = PAGE;
	todo_wine("STATUS_NOT_MAPPED_VIEW");
	ok_status(
		NtAllocateVirtualMemory(THIS_PROCESS, &base, 0, &size, MEM_COMMIT, PAGE_READWRITE),
		STATUS_CONFLICTING_ADDRESSES, "commit what is free");
}

static void test_allocate_ex(void)
{
	PVOID base = NULL;
	SIZE_T size = 1;

	ok_status(NtAllocateVirtualMemoryEx(THIS_PROCESS, &base, &size, MEM_RESERVE | MEM_COMMIT,
					    PAGE_READWRITE, NULL, 0),
		  STATUS_SUCCESS, "NtAllocateVirtualMemoryEx");
	ok(base && size == PAGE, "its address and size");
	release(base);
	base = NULL;
	ok_status(NtAllocateVirtualMemoryEx(THIS_PROCESS, &base, &size, MEM_RESERVE, PAGE_READWRITE,
					    NULL, 1),
		  STATUS_INVALID_PARAMETER, "a count without parameters");
}

static const struct {
	ptrdiff_t offset;
	SIZE_T size;
	ULONG type;
	DWORD status;
	ptrdiff_t base; /* written back */
	SIZE_T result;
	const char *todo_wine;
} frees[] = {
	{ 0, 0, MEM_RELEASE, 0, 0, REGION, NULL },
	{ 0, 0, MEM_DECOMMIT, 0, 0, REGION, "writes back 0" },
	{ PAGE + 1, 1, MEM_DECOMMIT, 0, PAGE, PAGE, NULL },
	{ PAGE, 0, MEM_RELEASE, STATUS_FREE_VM_NOT_AT_BASE, PAGE, 0, NULL },
	{ PAGE, 0, MEM_DECOMMIT, STATUS_FREE_VM_NOT_AT_BASE, PAGE, 0, NULL },
	{ 0, REGION + PAGE, MEM_DECOMMIT, STATUS_UNABLE_TO_FREE_VM, 0, REGION + PAGE,
	  "STATUS_INVALID_PARAMETER" },
	{ 0, 0, 0, STATUS_INVALID_PARAMETER, 0, 0, NULL },
	{ 0, 0, MEM_RELEASE | MEM_DECOMMIT, STATUS_INVALID_PARAMETER, 0, 0, NULL },
};

static void test_free(void)
{
	for (size_t i = 0; i < COUNT(frees); i++) {
		char *region = allocate(REGION, MEM_RESERVE | MEM_COMMIT);
		PVOID base = region + frees[i].offset;
		SIZE_T size = frees[i].size;
		NTSTATUS status = NtFreeVirtualMemory(THIS_PROCESS, &base, &size, frees[i].type);

		todo_wine(frees[i].todo_wine);
		ok_status(status, frees[i].status, "row %zu: free", i);
		ok(base == region + frees[i].base, "row %zu: the address", i);
		todo_wine(frees[i].todo_wine);
		ok_equal(size, frees[i].result, "row %zu: the size", i);
		release(region);
	}
}

static void test_protect(void)
{
	char *region = allocate(REGION, MEM_RESERVE);
	PVOID base = region + PAGE - 1;
	SIZE_T size = 2;
	ULONG old = UNTOUCHED;

	ok_status(NtProtectVirtualMemory(THIS_PROCESS, &base, &size, PAGE_READONLY, &old),
		  STATUS_NOT_COMMITTED, "protect what is only reserved");
	NtAllocateVirtualMemory(THIS_PROCESS, &base, 0, &size, MEM_COMMIT, PAGE_READWRITE);
	base = region + PAGE - 1;
	size = 2;
	ok_status(NtProtectVirtualMemory(THIS_PROCESS, &base, &size, PAGE_READONLY, &old),
		  STATUS_SUCCESS, "protect");
	ok(base == region && size == 2 * PAGE, "the pages that the range touches");
	ok_equal(old, PAGE_READWRITE, "the old protection");
	old = UNTOUCHED;
	ok_status(NtProtectVirtualMemory(THIS_PROCESS, &base, &size, 0, &old),
		  STATUS_INVALID_PAGE_PROTECTION, "no protection at all");
	ok_equal(old, UNTOUCHED, "nothing is written back");
	release(region);
}

static void test_query(void)
{
	char *region = allocate(REGION, MEM_RESERVE);
	MEMORY_BASIC_INFORMATION info;
	SIZE_T length = 0;

	ok_status(NtQueryVirtualMemory(THIS_PROCESS, region + PAGE, 0, &info, sizeof info, &length),
		  STATUS_SUCCESS, "query");
	ok_equal(length, sizeof info, "its length");
	ok(info.BaseAddress == region + PAGE && info.AllocationBase == region &&
		   info.RegionSize == REGION - PAGE && info.State == MEM_RESERVE,
	   "its words");
	ok_status(NtQueryVirtualMemory(THIS_PROCESS, region, 0, &info, sizeof info - 1, &length),
		  STATUS_INFO_LENGTH_MISMATCH, "query into too little room");
	ok_status(NtQueryVirtualMemory(THIS_PROCESS, (PVOID)0xffff800000000000, 0, &info,
				       sizeof info, NULL),
		  STATUS_INVALID_PARAMETER, "query of the system's addresses");
	release(region);
}

static void test_flush(void)
{
	char *region = allocate(REGION, MEM_RESERVE | MEM_COMMIT);
	LPCVOID base = region;
	SIZE_T size = PAGE;
	IO_STATUS_BLOCK block;

	todo_wine("flushes what is no view");
	ok_status(NtFlushVirtualMemory(THIS_PROCESS, &base, &size, &block), STATUS_NOT_MAPPED_DATA,
		  "flush of private memory");
	release(region);
}

/* A process that is none, and pointers that are none. */
static void test_arguments(void)
{
	HANDLE none = (HANDLE)(ULONG_PTR)0xbad0;
	PVOID base = NULL;
	SIZE_T size = PAGE;
	ULONG old;
	MEMORY_BASIC_INFORMATION info;

	ok_status(NtAllocateVirtualMemory(none, &base, 0, &size, MEM_RESERVE, PAGE_READWRITE),
		  STATUS_INVALID_HANDLE, "allocate in no process");
	ok_status(
		NtAllocateVirtualMemoryEx(none, &base, &size, MEM_RESERVE, PAGE_READWRITE, NULL, 0),
		STATUS_INVALID_HANDLE, "NtAllocateVirtualMemoryEx in no process");
	ok_status(NtFreeVirtualMemory(none, &base, &size, MEM_RELEASE), STATUS_INVALID_HANDLE,
		  "free in no process");
	ok_status(NtProtectVirtualMemory(none, &base, &size, PAGE_READONLY, &old),
		  STATUS_INVALID_HANDLE, "protect in no process");
	ok_status(NtQueryVirtualMemory(none, NULL, 0, &info, sizeof info, NULL),
		  STATUS_INVALID_HANDLE, "query of no process");
	ok_status(NtQueryVirtualMemory(THIS_PROCESS, NULL, 4711, &info, sizeof info, NULL),
		  STATUS_INVALID_INFO_CLASS, "query of what nobody knows");
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
	test_allocate();
	test_allocate_at();
	test_allocate_ex();
	test_free();
	test_protect();
	test_query();
	test_flush();
	test_arguments();
	return tap_done();
}
