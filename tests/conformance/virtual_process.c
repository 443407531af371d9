/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The virtual memory of another process: memoryapi.h with a process handle, and the native calls.
 */

#include "tests/conformance/child.h"
#include "tests/conformance/nt.h"

#define REGION (4 * GRANULE)
#define MESSAGE "letters for the child"

static HANDLE child; /* allows everything */
static HANDLE self;

/* --- Handles --------------------------------------------------------------------------------- */

static void test_open(void)
{
	HANDLE handle;

	ok_error(!OpenProcess(PROCESS_ALL_ACCESS, FALSE, 0), ERROR_INVALID_PARAMETER,
		 "process 0 is not to be opened");
	ok_error(!OpenProcess(PROCESS_ALL_ACCESS, FALSE, 0x7ffffff0), ERROR_INVALID_PARAMETER,
		 "nor one that does not exist");
	handle = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, child_id());
	ok(handle && GetProcessId(handle) == child_id(), "a handle knows its process");
	ok(CloseHandle(handle), "it is closed");
	ok_error(!CloseHandle(handle), ERROR_INVALID_HANDLE, "once");
	ok_error(!GetProcessId(handle), ERROR_INVALID_HANDLE, "and is no handle then");
	ok(GetCurrentProcess() == (HANDLE)(intptr_t)-1, "the pseudo handle");
	ok(GetProcessId(GetCurrentProcess()) == GetCurrentProcessId(), "is this process");
	ok(CloseHandle(GetCurrentProcess()) && GetProcessId(GetCurrentProcess()),
	   "and needs no closing");
}

/* --- Regions --------------------------------------------------------------------------------- */

static void test_regions(void)
{
	char *base = VirtualAllocEx(child, NULL, REGION, MEM_RESERVE, PAGE_READWRITE);
	MEMORY_BASIC_INFORMATION info = { 0 };
	DWORD old = UNTOUCHED;

	ok(base && (uintptr_t)base % GRANULE == 0, "a region is reserved there");
	ok_equal(child_ask(CHILD_STATE, base), MEM_RESERVE, "the child sees it");
	ok(VirtualAllocEx(child, base + PAGE, 2 * PAGE, MEM_COMMIT, PAGE_READWRITE) == base + PAGE,
	   "pages are committed");
	ok_equal(child_ask(CHILD_STATE, base + PAGE), MEM_COMMIT | (uint64_t)PAGE_READWRITE << 32,
		 "the child sees that");
	child_ask(CHILD_WRITE, base + PAGE);
	ok_equal(child_ask(CHILD_READ, base + PAGE), 'c', "and uses them");
	ok(VirtualProtectEx(child, base + PAGE, PAGE, PAGE_READONLY, &old) && old == PAGE_READWRITE,
	   "a page is protected, and was read-write");
	ok_equal(VirtualQueryEx(child, base + PAGE + 5, &info, sizeof info), sizeof info,
		 "VirtualQueryEx answers");
	ok(info.BaseAddress == base + PAGE && info.AllocationBase == base &&
		   info.AllocationProtect == PAGE_READWRITE && info.RegionSize == PAGE &&
		   info.State == MEM_COMMIT && info.Protect == PAGE_READONLY &&
		   info.Type == MEM_PRIVATE,
	   "in full");
	ok(VirtualFreeEx(child, base + PAGE, PAGE, MEM_DECOMMIT), "a page is decommitted");
	ok_equal(child_ask(CHILD_STATE, base + PAGE), MEM_RESERVE, "the child sees that, too");
	ok(VirtualFreeEx(child, base, 0, MEM_RELEASE), "the region is released");
	ok_equal(child_ask(CHILD_STATE, base) & UINT32_MAX, MEM_FREE, "and gone");
}

/* What the child reserved itself is changed from here, and is free here. */
static void test_theirs(void)
{
	char *base = (char *)(uintptr_t)child_ask(CHILD_RESERVE, NULL);
	MEMORY_BASIC_INFORMATION info;

	ok(VirtualAllocEx(child, base, PAGE, MEM_COMMIT, PAGE_EXECUTE_READ) == base,
	   "a page of a region of the child's own");
	ok(VirtualQueryEx(child, base, &info, sizeof info) && info.Protect == PAGE_EXECUTE_READ,
	   "is what was asked for");
	ok(VirtualFreeEx(child, base, 0, MEM_RELEASE), "it is released from here");
	ok(VirtualQueryEx(child, (void *)(uintptr_t)child_ask(CHILD_CODE, NULL), &info,
			  sizeof info) &&
		   info.Type == MEM_IMAGE && info.Protect == PAGE_EXECUTE_READ,
	   "the child's code is an image's");
}

static void test_own(void)
{
	HANDLE real = OpenProcess(PROCESS_ALL_ACCESS, FALSE, GetCurrentProcessId());
	char *base = VirtualAllocEx(real, NULL, REGION, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
	DWORD old = 0;

	ok(base && query(base).State == MEM_COMMIT, "a handle to oneself allocates here");
	ok(VirtualProtectEx(real, base, PAGE, PAGE_READONLY, &old) && old == PAGE_READWRITE,
	   "protects");
	ok(VirtualFreeEx(self, base, 0, MEM_RELEASE), "the pseudo handle releases");
	CloseHandle(real);
}

/* --- Errors are those of the calls without a process ------------------------------------------ */

static char *errors_base; /* a region of the child's, its first page committed */

static const struct {
	SIZE_T size;
	DWORD type, protect, error;
} allocations[] = {
	{ 0, MEM_RESERVE, PAGE_READWRITE, ERROR_INVALID_PARAMETER },
	{ PAGE, 0, PAGE_READWRITE, ERROR_INVALID_PARAMETER },
	{ PAGE, MEM_RESERVE, 0, ERROR_INVALID_PARAMETER },
	{ PAGE, MEM_RESERVE, 0x33, ERROR_INVALID_PARAMETER },
	{ PAGE, MEM_RESERVE, PAGE_WRITECOPY, ERROR_INVALID_PARAMETER },
	{ PAGE, MEM_RESERVE | MEM_DECOMMIT, PAGE_READWRITE, ERROR_INVALID_PARAMETER },
	{ (SIZE_T)1 << 47, MEM_RESERVE, PAGE_READWRITE, ERROR_INVALID_PARAMETER },
};

static void test_allocation_errors(void)
{
	for (unsigned i = 0; i < COUNT(allocations); i++) {
		ok_error(!VirtualAllocEx(child, NULL, allocations[i].size, allocations[i].type,
					 allocations[i].protect),
			 allocations[i].error, "row %u: a wrong allocation", i);
	}
	ok_error(!VirtualAllocEx(child, errors_base, PAGE, MEM_RESERVE, PAGE_READWRITE),
		 ERROR_INVALID_ADDRESS, "what is reserved already");
	ok_error(!VirtualAllocEx(child, errors_base + REGION, PAGE, MEM_COMMIT, PAGE_READWRITE),
		 ERROR_INVALID_ADDRESS, "a commit of what is not reserved");
}

static void test_other_errors(void)
{
	MEMORY_BASIC_INFORMATION info;
	DWORD old = UNTOUCHED;

	ok_error(!VirtualFreeEx(child, errors_base, PAGE, MEM_RELEASE), ERROR_INVALID_PARAMETER,
		 "a part is not released");
	ok_error(!VirtualFreeEx(child, errors_base + GRANULE, 0, MEM_RELEASE),
		 ERROR_INVALID_ADDRESS, "nor by another address than the base");
	ok_error(!VirtualFreeEx(child, errors_base, 0, 0), ERROR_INVALID_PARAMETER,
		 "neither decommit nor release");
	ok_error(!VirtualProtectEx(child, errors_base, 2 * PAGE, PAGE_READONLY, &old),
		 ERROR_INVALID_ADDRESS, "what is only reserved is not protected");
	ok(old == UNTOUCHED, "the old protection is not written");
	ok_error(!VirtualProtectEx(child, errors_base, PAGE, PAGE_READONLY, NULL), ERROR_NOACCESS,
		 "a place for the old one is needed");
	ok_error(!VirtualQueryEx(child, errors_base, &info, sizeof info - 1), ERROR_BAD_LENGTH,
		 "too little room for the answer");
	ok_error(!VirtualQueryEx(child, (void *)(uintptr_t)0xffff800000000000, &info, sizeof info),
		 ERROR_INVALID_PARAMETER, "the system's addresses");
}

static void test_errors(void)
{
	errors_base = VirtualAllocEx(child, NULL, REGION, MEM_RESERVE, PAGE_READWRITE);
	VirtualAllocEx(child, errors_base, PAGE, MEM_COMMIT, PAGE_READWRITE);
	test_allocation_errors();
	test_other_errors();
	VirtualFreeEx(child, errors_base, 0, MEM_RELEASE);
}

/* --- Copies ---------------------------------------------------------------------------------- */

static void test_copies(void)
{
	char *base = VirtualAllocEx(child, NULL, REGION, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
	char *place = base + PAGE - 7, buffer[sizeof MESSAGE] = "";
	SIZE_T count = UNTOUCHED;

	ok(WriteProcessMemory(child, place, MESSAGE, sizeof MESSAGE, &count), "WriteProcessMemory");
	ok(count == sizeof MESSAGE, "says how much");
	ok_equal(child_ask(CHILD_READ, place + 8), MESSAGE[8], "the child sees what was written");
	child_ask(CHILD_WRITE, place);
	ok(ReadProcessMemory(child, place, buffer, sizeof buffer, &count), "ReadProcessMemory");
	ok(count == sizeof buffer && buffer[0] == 'c' && !strcmp(buffer + 1, &MESSAGE[1]),
	   "has what the child wrote");
	ok(ReadProcessMemory(child, place, buffer, sizeof buffer, NULL) &&
		   WriteProcessMemory(child, place, buffer, sizeof buffer, NULL),
	   "the count need not be asked for");
	ok(ReadProcessMemory(child, place, buffer, 0, &count) && count == 0, "nothing is copied");
	VirtualFreeEx(child, base, 0, MEM_RELEASE);
}

/* More than one call of the system's can do. */
static void test_large_copy(void)
{
	SIZE_T size = 600 * PAGE + 123, count = 0;
	char *base = VirtualAllocEx(child, NULL, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
	unsigned char *here = VirtualAlloc(NULL, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
	unsigned char *back = VirtualAlloc(NULL, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

	for (SIZE_T i = 0; i < size; i++)
		here[i] = (unsigned char)(i * 31 + i / PAGE);
	ok(WriteProcessMemory(child, base, here, size, &count) && count == size, "600 pages there");
	ok(ReadProcessMemory(child, base, back, size, &count) && count == size, "and back");
	ok(!memcmp(here, back, size), "are the same");
	VirtualFree(here, 0, MEM_RELEASE);
	VirtualFree(back, 0, MEM_RELEASE);
	VirtualFreeEx(child, base, 0, MEM_RELEASE);
}

/* "The entire area to be read must be accessible, and if it is not accessible, the function fails";
 * ERROR_PARTIAL_COPY is "Only part of a ReadProcessMemory or WriteProcessMemory request was
 * completed." */
static void test_partial(void)
{
	char *base = VirtualAllocEx(child, NULL, REGION, MEM_RESERVE, PAGE_READWRITE);
	static char buffer[2 * PAGE];
	SIZE_T count = UNTOUCHED;

	VirtualAllocEx(child, base, PAGE, MEM_COMMIT, PAGE_READWRITE);
	/* ReadProcessMemory: "The entire area to be read must be accessible, and if it is not
	 * accessible, the function fails"; WriteProcessMemory says the same, and ERROR_PARTIAL_COPY
	 * that only a part was copied. */
	todo_wine("goes through what has no access");
	ok_error(!ReadProcessMemory(child, base + PAGE - 100, buffer, 200, &count),
		 ERROR_PARTIAL_COPY, "a read into what is not committed");
	todo_wine("goes through what has no access");
	ok_equal(count, 100, "what came before was read");
	todo_wine("goes through what has no access");
	ok_error(!WriteProcessMemory(child, base + PAGE - 100, buffer, 200, &count),
		 ERROR_PARTIAL_COPY, "a write into what is not committed");
	todo_wine("goes through what has no access");
	ok_equal(count, 100, "what came before was written");
	todo_wine("goes through what has no access");
	ok_error(!ReadProcessMemory(child, base + PAGE, buffer, 1, &count), ERROR_PARTIAL_COPY,
		 "a read of what is only reserved");
	todo_wine("goes through what has no access");
	ok_equal(count, 0, "has nothing");
	VirtualFreeEx(child, base, 0, MEM_RELEASE);
}

static const struct {
	DWORD protect;
	BOOL can_read, can_write;
	DWORD error; /* of WriteProcessMemory when it cannot */
	const char *todo_wine;
} protections[] = {
	{ PAGE_READWRITE, TRUE, TRUE, 0, NULL },
	/* WriteProcessMemory: "The entire area to be written to must be accessible, and if it is
	 * not accessible, the function fails." */
	{ PAGE_READONLY, TRUE, FALSE, ERROR_NOACCESS, "writes" },
	{ PAGE_EXECUTE_READ, TRUE, TRUE, 0, NULL },
	{ PAGE_EXECUTE_READWRITE, TRUE, TRUE, 0, NULL },
	/* ReadProcessMemory says the same of "the entire area to be read". */
	{ PAGE_NOACCESS, FALSE, FALSE, ERROR_PARTIAL_COPY, "reads and writes" },
};

static void test_protection(unsigned row)
{
	char *base = VirtualAllocEx(child, NULL, PAGE, MEM_RESERVE | MEM_COMMIT,
				    protections[row].protect);
	MEMORY_BASIC_INFORMATION info = { 0 };
	char byte = 'y';

	todo_wine(protections[row].todo_wine);
	if (protections[row].can_write)
		ok(WriteProcessMemory(child, base, "x", 1, NULL), "row %u: is written", row);
	else
		ok_error(!WriteProcessMemory(child, base, "x", 1, NULL), protections[row].error,
			 "row %u: is not written", row);
	todo_wine(protections[row].todo_wine);
	ok(ReadProcessMemory(child, base, &byte, 1, NULL) == protections[row].can_read,
	   "row %u: whether it is read", row);
	todo_wine(protections[row].todo_wine);
	ok(byte == (protections[row].can_write  ? 'x'
		    : protections[row].can_read ? 0
						: 'y'),
	   "row %u: what is there", row);
	VirtualQueryEx(child, base, &info, sizeof info);
	ok_equal(info.Protect, protections[row].protect, "row %u: protected as before", row);
	VirtualFreeEx(child, base, 0, MEM_RELEASE);
}

/* What comes from outside is written, too. */
static void test_watch(void)
{
	DWORD type = MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH;
	char *base = VirtualAllocEx(child, NULL, GRANULE, type, PAGE_READWRITE);
	static char bytes[2 * PAGE];
	SIZE_T count = 0;

	ok(base != NULL, "a region of which writes are watched");
	child_ask(CHILD_WRITE, base);
	ok_equal(child_ask(CHILD_WATCH, base), 1, "the child has written to a page");
	ok(WriteProcessMemory(child, base + 3 * PAGE + 5, bytes, sizeof bytes, &count) &&
		   count == sizeof bytes,
	   "three pages are written from here");
	/* GetWriteWatch: "Retrieves the addresses of the pages that are written to", whoever
	 * writes. */
	todo_wine("does not notice");
	ok_equal(child_ask(CHILD_WATCH, base), 4, "the child is told of four");
	VirtualFreeEx(child, base, 0, MEM_RELEASE);
}

/* The caller's own memory. */
static void test_buffers(void)
{
	char *base = VirtualAllocEx(child, NULL, REGION, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
	char *here = VirtualAlloc(NULL, PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READONLY);
	char *nowhere = VirtualAlloc(NULL, PAGE, MEM_RESERVE, PAGE_READWRITE);

	ok_error(!ReadProcessMemory(child, base, here, 8, NULL), ERROR_NOACCESS,
		 "a buffer that is not written");
	/* WriteProcessMemory copies "the buffer that contains data to be written": when it is not
	 * to be read, nothing was tried in the other process, and ERROR_NOACCESS says so. */
	todo_wine("has another error");
	ok_error(!WriteProcessMemory(child, base, nowhere, 8, NULL), ERROR_NOACCESS,
		 "a buffer that is not read");
	VirtualFree(here, 0, MEM_RELEASE);
	VirtualFree(nowhere, 0, MEM_RELEASE);
	VirtualFreeEx(child, base, 0, MEM_RELEASE);
}

/* --- Other forms ----------------------------------------------------------------------------- */

static void test_native(void)
{
	void *base = NULL;
	SIZE_T size = PAGE + 1, count = 0;
	ULONG old = 0;
	char buffer[4] = "";

	ok_status(NtAllocateVirtualMemory(child, &base, 0, &size, MEM_RESERVE | MEM_COMMIT,
					  PAGE_READWRITE),
		  STATUS_SUCCESS, "NtAllocateVirtualMemory");
	ok_equal(size, 2 * PAGE, "rounds the size");
	ok_status(NtWriteVirtualMemory(child, base, "abc", 4, &count), STATUS_SUCCESS,
		  "NtWriteVirtualMemory");
	ok_status(NtReadVirtualMemory(child, base, buffer, 4, &count), STATUS_SUCCESS,
		  "NtReadVirtualMemory");
	ok(count == 4 && !strcmp(buffer, "abc"), "reads what was written");
	ok_status(NtProtectVirtualMemory(child, &base, &size, PAGE_READONLY, &old), STATUS_SUCCESS,
		  "NtProtectVirtualMemory");
	ok(old == PAGE_READWRITE, "says what it was");
	/* "The entire area to be written to must be accessible", and a page that is only read is
	 * not. */
	todo_wine("writes");
	ok_status(NtWriteVirtualMemory(child, base, "abc", 4, &count), STATUS_PARTIAL_COPY,
		  "what is only read is not written");
	size = 0;
	ok_status(NtFreeVirtualMemory(child, &base, &size, MEM_RELEASE), STATUS_SUCCESS,
		  "NtFreeVirtualMemory");
	ok_equal(size, 2 * PAGE, "says how much");
	/* STATUS_MEMORY_NOT_ALLOCATED is "an attempt was made to free virtual memory that is not
	 * allocated". */
	todo_wine("has another status");
	ok_status(NtFreeVirtualMemory(child, &base, &size, MEM_RELEASE),
		  STATUS_MEMORY_NOT_ALLOCATED, "what is free is not freed");
	ok_status(NtReadVirtualMemory((HANDLE)0xbad0, base, buffer, 4, &count),
		  STATUS_INVALID_HANDLE, "what is no handle is not read from");
}

static void test_extended(void)
{
	typeof(&VirtualAlloc2) allocate = FUNCTION("kernelbase.dll", VirtualAlloc2);
	char *base = VirtualAllocExNuma(child, NULL, REGION, MEM_RESERVE | MEM_COMMIT,
					PAGE_READWRITE, /* node */ 0);

	ok_equal(child_ask(CHILD_STATE, base), MEM_COMMIT | (uint64_t)PAGE_READWRITE << 32,
		 "VirtualAllocExNuma");
	ok(VirtualFreeEx(child, base, 0, MEM_RELEASE), "its release");
	base = allocate(child, NULL, REGION, MEM_RESERVE, PAGE_READWRITE, NULL, 0);
	ok_equal(child_ask(CHILD_STATE, base), MEM_RESERVE, "VirtualAlloc2");
	ok(VirtualFreeEx(child, base, 0, MEM_RELEASE), "its release");
}

/* 1 MiB in 16 is where a region below 2 GiB and aligned so must begin. */
static void test_requirements(void)
{
	typeof(&VirtualAlloc2) allocate = FUNCTION("kernelbase.dll", VirtualAlloc2);
	MEM_ADDRESS_REQUIREMENTS requirements = {
		.HighestEndingAddress = (void *)(uintptr_t)0x7fffffff,
		.Alignment = 16 * GRANULE,
	};
	MEM_EXTENDED_PARAMETER parameter = { .Pointer = &requirements };
	char *base;

	parameter.Type = MemExtendedParameterAddressRequirements;
	base = allocate(child, NULL, REGION, MEM_RESERVE, PAGE_READWRITE, &parameter, 1);
	ok(base && (uintptr_t)base < 0x80000000 && (uintptr_t)base % (16 * GRANULE) == 0,
	   "VirtualAlloc2 with address requirements");
	if (base)
		VirtualFreeEx(child, base, 0, MEM_RELEASE);
}

/* --- The end --------------------------------------------------------------------------------- */

static void test_end(void)
{
	DWORD id = child_id();
	char byte;

	child_end();
	ok_error(!VirtualAllocEx(child, NULL, PAGE, MEM_RESERVE, PAGE_READWRITE),
		 ERROR_ACCESS_DENIED, "a process that has ended allocates nothing");
	ok_error(!ReadProcessMemory(child, MESSAGE, &byte, 1, NULL), ERROR_ACCESS_DENIED,
		 "and has nothing to read");
	ok(GetProcessId(child) == id, "its handle still knows it");
	ok(CloseHandle(child), "and is closed");
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return child_run();
	self = GetCurrentProcess();
	child = child_begin(argv[0], PROCESS_ALL_ACCESS);
	ok(child != NULL, "a second process");
	test_open();
	test_regions();
	test_theirs();
	test_own();
	test_errors();
	test_copies();
	test_large_copy();
	test_partial();
	for (unsigned row = 0; row < COUNT(protections); row++)
		test_protection(row);
	test_watch();
	test_buffers();
	test_native();
	test_extended();
	test_requirements();
	test_end();
	return tap_done();
}
