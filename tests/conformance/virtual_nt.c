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
	/* MEM_COMMIT: fails "unless the entire range has already been reserved".
	 * STATUS_CONFLICTING_ADDRESSES is "the specified address range conflicts with the address
	 * space"; of views there is no talk. */
	todo_wine("STATUS_NOT_MAPPED_VIEW");
	ok_status(
		NtAllocateVirtualMemory(THIS_PROCESS, &base, 0, &size, MEM_COMMIT, PAGE_READWRITE),
		STATUS_CONFLICTING_ADDRESSES, "commit past the end");
	release(region);
	base = region;
	size = PAGE;
	/* The same sentence. */
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
	/* NtFreeVirtualMemory: "RegionSize ... will receive the actual size, in bytes, of the freed
	 * region". */
	{ 0, 0, MEM_DECOMMIT, 0, 0, REGION, "writes back 0" },
	{ PAGE + 1, 1, MEM_DECOMMIT, 0, PAGE, PAGE, NULL },
	{ PAGE, 0, MEM_RELEASE, STATUS_FREE_VM_NOT_AT_BASE, PAGE, 0, NULL },
	{ PAGE, 0, MEM_DECOMMIT, STATUS_FREE_VM_NOT_AT_BASE, PAGE, 0, NULL },
	/* STATUS_UNABLE_TO_FREE_VM is the status of a range that is not within one region. */
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

#ifdef _WIN32
#define MemoryRegionInformation 3
#endif

static typeof(&QueryVirtualMemoryInformation) query_information;

/* "A memory region is a single allocation": "AllocationBase: the base address of the allocation",
 * "AllocationProtect: the page protection value that was specified when the allocation was
 * created", "RegionSize: the size of the allocation". */
static void expect_extent(char *region, SIZE_T committed, const char *what)
{
	WIN32_MEMORY_REGION_INFORMATION extent = { 0 };
	SIZE_T length = UNTOUCHED;

	ok(query_information(THIS_PROCESS, region + PAGE + 5, MemoryRegionInfo, &extent,
			     sizeof extent, &length),
	   "%s: QueryVirtualMemoryInformation", what);
	/* "ReturnSize receives the number of bytes placed in the memory information buffer." */
	todo_wine("answers more bytes than there is room for");
	ok_equal(length, sizeof extent, "%s: its length", what);
	ok(extent.AllocationBase == region && extent.AllocationProtect == PAGE_READWRITE,
	   "%s: the region", what);
	/* "RegionSize: the size of the allocation", not of a run: that is VirtualQuery's. */
	todo_wine("tells the size of the run");
	ok_equal(extent.RegionSize, REGION, "%s: its size", what);
	/* "Private: a value of 1 indicates that the allocation is private to the process." */
	todo_wine("tells no kind");
	ok(extent.Private && !extent.MappedDataFile && !extent.MappedImage, "%s: its kind", what);
	/* "CommitSize: for private allocations, this is the combined size of pages in the region
	 * that are committed, as opposed to reserved." */
	todo_wine("tells the size of the run, or nothing");
	ok_equal(extent.CommitSize, committed, "%s: its charge", what);
}

static void test_extent(void)
{
	char *region = allocate(REGION, MEM_RESERVE);
	WIN32_MEMORY_REGION_INFORMATION extent = { 0 }, same = { 0 };
	PVOID base = region + 2 * PAGE;
	SIZE_T size = 3 * PAGE, length = UNTOUCHED;

	expect_extent(region, 0, "reserved");
	NtAllocateVirtualMemory(THIS_PROCESS, &base, 0, &size, MEM_COMMIT, PAGE_READONLY);
	base = region + REGION - PAGE;
	size = PAGE;
	NtAllocateVirtualMemory(THIS_PROCESS, &base, 0, &size, MEM_COMMIT, PAGE_READWRITE);
	expect_extent(region, 4 * PAGE, "committed in parts");
	ok(query_information(THIS_PROCESS, region, MemoryRegionInfo, &extent, sizeof extent, NULL),
	   "the length need not be asked for");
	ok_status(NtQueryVirtualMemory(THIS_PROCESS, region, MemoryRegionInformation, &same,
				       sizeof same, &length),
		  STATUS_SUCCESS, "NtQueryVirtualMemory of the region");
	ok(!memcmp(&extent, &same, sizeof extent), "says the same");
	ok_error(!query_information(THIS_PROCESS, region, MemoryRegionInfo, &extent, 16, &length),
		 ERROR_BAD_LENGTH, "too little room");
	/* "Returns FALSE for failure. To get extended error information, call GetLastError." */
	todo_wine("sets no error");
	ok_error(!query_information(THIS_PROCESS, region, 4711, &extent, sizeof extent, &length),
		 ERROR_INVALID_PARAMETER, "another class than the only one there is");
	/* The same sentence. */
	todo_wine("sets another error");
	ok_error(!query_information((HANDLE)(ULONG_PTR)0xbad0, region, MemoryRegionInfo, &extent,
				    sizeof extent, &length),
		 ERROR_INVALID_HANDLE, "no process");
	release(region);
	/* "If the VirtualAddress parameter points to an unallocated memory region, the function
	 * fails." */
	todo_wine("tells what is free");
	ok_error(!query_information(THIS_PROCESS, region, MemoryRegionInfo, &extent, sizeof extent,
				    &length),
		 ERROR_INVALID_PARAMETER, "what is free is no region");
	/* The same sentence: the NULL partition is never allocated. */
	todo_wine("tells what is free");
	ok(!query_information(THIS_PROCESS, NULL, MemoryRegionInfo, &extent, sizeof extent, NULL),
	   "nor is the NULL partition");
}

/* "MappedImage: the allocation is a mapped view of an executable image." */
static void test_extent_of_image(void)
{
	WIN32_MEMORY_REGION_INFORMATION extent = { 0 };
	MEMORY_BASIC_INFORMATION code = query((PVOID)(ULONG_PTR)test_extent);

	ok(query_information(THIS_PROCESS, (PVOID)(ULONG_PTR)test_extent, MemoryRegionInfo, &extent,
			     sizeof extent, NULL),
	   "QueryVirtualMemoryInformation of code");
	ok(extent.AllocationBase == code.AllocationBase &&
		   extent.AllocationProtect == code.AllocationProtect,
	   "its allocation");
	/* "MappedImage: a value of 1 indicates that the allocation is a mapped view of an
	 * executable image." */
	todo_wine("tells no kind");
	ok(extent.MappedImage && !extent.MappedDataFile && !extent.Private, "is an image");
	/* The allocation ends behind its last run. */
	todo_wine("tells the size of the run");
	ok(extent.RegionSize > code.RegionSize, "of several runs");
	/* "For mapped views, this is the combined size of pages that have copy-on-write protection,
	 * or have been made private": code is neither. */
	todo_wine("counts code");
	ok(extent.CommitSize < extent.RegionSize, "and code is not charged");
}

static void test_flush(void)
{
	char *region = allocate(REGION, MEM_RESERVE | MEM_COMMIT);
	LPCVOID base = region;
	SIZE_T size = PAGE;
	IO_STATUS_BLOCK block;

	/* What can be flushed is a view of a file (FlushViewOfFile: "a byte range within a mapped
	 * view"); STATUS_NOT_MAPPED_DATA is for all else. */
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

	/* STATUS_PARTIAL_COPY says that not all could be copied: WriteProcessMemory wants that "the
	 * entire area to be written to must be accessible". */
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
	/* ReadProcessMemory wants the same of "the entire area to be read". */
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
	query_information = FUNCTION("kernelbase.dll", QueryVirtualMemoryInformation);
	if (query_information) {
		test_extent();
		test_extent_of_image();
	} else {
		skip_absent("QueryVirtualMemoryInformation");
	}
	test_flush();
	test_arguments();
	return tap_done();
}
