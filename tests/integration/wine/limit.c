/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* limit MIB: a Windows program that may commit so much, tries for more in each way there is, and
 * goes on. What it commits it says, for the report to say it again. */

#include <errno.h>
#include <windows.h>
#include <winternl.h>

#include "tests/lib/tap.h"

#define MIB ((SIZE_T)1 << 20)
#define STATUS_OVER_LIMIT ((NTSTATUS)0xC000012D)
#define PIECES 4096

NTSTATUS NTAPI NtAllocateVirtualMemory(HANDLE process, PVOID *base, ULONG_PTR zero_bits,
				       PSIZE_T size_bytes, ULONG type, ULONG protect);

static SIZE_T limit_bytes;
static char *region; /* reserved, as large as the limit */

static ULONGLONG available(void)
{
	MEMORYSTATUSEX memory = { .dwLength = sizeof memory };

	return GlobalMemoryStatusEx(&memory) ? memory.ullAvailPageFile : 0;
}

static void test_totals(void)
{
	MEMORYSTATUSEX memory = { .dwLength = sizeof memory };

	ok(GlobalMemoryStatusEx(&memory), "the machine tells");
	ok_equal(memory.ullTotalPageFile, limit_bytes, "what can be committed is the limit");
	ok(memory.ullAvailPageFile < memory.ullTotalPageFile && memory.ullAvailPageFile > 8 * MIB,
	   "what is left is less, and more than nothing");
}

static void test_reserve(void)
{
	region = VirtualAlloc(NULL, limit_bytes, MEM_RESERVE, PAGE_READWRITE);
	ok(region != NULL, "addresses are no memory");
	SetLastError(0xdeadbeef);
	ok(!VirtualAlloc(region, limit_bytes, MEM_COMMIT, PAGE_READWRITE) &&
		   GetLastError() == ERROR_COMMITMENT_LIMIT,
	   "a commit past the limit: ERROR_COMMITMENT_LIMIT");
	SetLastError(0xdeadbeef);
	ok(!VirtualAlloc(NULL, limit_bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE) &&
		   GetLastError() == ERROR_COMMITMENT_LIMIT,
	   "in one step: ERROR_COMMITMENT_LIMIT");
	SetLastError(0xdeadbeef);
	ok(!VirtualAllocEx(GetCurrentProcess(), NULL, limit_bytes, MEM_RESERVE | MEM_COMMIT,
			   PAGE_READWRITE) &&
		   GetLastError() == ERROR_COMMITMENT_LIMIT,
	   "VirtualAllocEx: ERROR_COMMITMENT_LIMIT");
}

static void test_native_call(void)
{
	PVOID base = NULL;
	SIZE_T size = limit_bytes;

	ok_equal(NtAllocateVirtualMemory(GetCurrentProcess(), &base, 0, &size,
					 MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE),
		 STATUS_OVER_LIMIT, "NtAllocateVirtualMemory: STATUS_COMMITMENT_LIMIT");
	ok(base == NULL && size == limit_bytes, "and its outputs are as they were");
}

/* Nothing of what failed is left. */
static void test_nothing_left(void)
{
	MEMORY_BASIC_INFORMATION info;

	ok(VirtualQuery(region, &info, sizeof info) && info.State == MEM_RESERVE &&
		   info.RegionSize == limit_bytes,
	   "not a page was committed");
}

static void test_steps(void)
{
	ULONGLONG before = available(), after;

	VirtualAlloc(region, 2 * MIB, MEM_COMMIT, PAGE_READWRITE);
	after = available();
	ok_equal(before - after, 2 * MIB, "what is left is less by what is committed");
	VirtualAlloc(region + MIB, 2 * MIB, MEM_COMMIT, PAGE_READWRITE);
	ok_equal(after - available(), MIB, "only pages that were not committed count");
	VirtualFree(region, 3 * MIB, MEM_DECOMMIT);
	ok_equal(available(), before, "a decommit gives back");
}

/* To the last page. */
static void take_all(void)
{
	char *end = region;

	for (SIZE_T size_bytes = 65536; size_bytes >= 4096; size_bytes /= 16)
		while (VirtualAlloc(end, size_bytes, MEM_COMMIT, PAGE_READWRITE))
			end += size_bytes;
	ok(GetLastError() == ERROR_COMMITMENT_LIMIT && end > region + MIB, "all is taken");
	ok_equal(available(), 0, "nothing is left");
}

/* Blocks until there are no more; the first one's error in *error. How many. */
static int take_blocks(HANDLE heap, SIZE_T size_bytes, DWORD *error)
{
	int count = 0;

	SetLastError(0xdeadbeef);
	while (count < 1000000 && HeapAlloc(heap, 0, size_bytes))
		count++;
	*error = GetLastError();
	return count;
}

static void test_heaps(void)
{
	HANDLE heap = HeapCreate(0, 0, 0);
	DWORD error;
	int count;

	SetLastError(0xdeadbeef);
	ok(!HeapAlloc(GetProcessHeap(), 0, limit_bytes) &&
		   GetLastError() == ERROR_NOT_ENOUGH_MEMORY,
	   "HeapAlloc of more than the limit: ERROR_NOT_ENOUGH_MEMORY");
	SetLastError(0xdeadbeef);
	ok(!GlobalAlloc(GMEM_FIXED, limit_bytes) && GetLastError() == ERROR_NOT_ENOUGH_MEMORY,
	   "GlobalAlloc: ERROR_NOT_ENOUGH_MEMORY");
	errno = 0;
	ok(!malloc(limit_bytes) && errno == ENOMEM, "malloc: ENOMEM");
	if (!heap) {
		ok(GetLastError() == ERROR_NOT_ENOUGH_MEMORY, "no heap can be made any more");
		return;
	}
	count = take_blocks(heap, 40000, &error);
	ok(count < 1000000 && error == ERROR_NOT_ENOUGH_MEMORY,
	   "a heap is full: ERROR_NOT_ENOUGH_MEMORY");
	ok(HeapValidate(heap, 0, NULL) && HeapDestroy(heap), "it is sound");
}

static DWORD WINAPI answer(void *number)
{
	char stack[65536];

	memset(stack, 1, sizeof stack);
	return *(DWORD *)number + (DWORD)stack[65535];
}

/* Until the process heap has no room for a block of any size. */
static void fill_process_heap(void)
{
	DWORD error;

	for (SIZE_T size_bytes = 65536; size_bytes >= 8; size_bytes = size_bytes * 3 / 4)
		take_blocks(GetProcessHeap(), size_bytes, &error);
	ok(available() == 0 && !HeapAlloc(GetProcessHeap(), 0, 8), "the process heap is full");
}

/* What Wine itself needs is not the program's to pay. The image's own start is. */
static void test_system(void)
{
	DWORD number = 41, code = 0;
	HANDLE thread = CreateThread(NULL, 0, answer, &number, 0, NULL);
	HMODULE module;

	ok(thread && WaitForSingleObject(thread, 60000) == WAIT_OBJECT_0 &&
		   GetExitCodeThread(thread, &code) && code == 42,
	   "a thread runs on a stack of its own");
	CloseHandle(thread);
	module = LoadLibraryExA("version.dll", NULL, DONT_RESOLVE_DLL_REFERENCES);
	ok(module && GetProcAddress(module, "GetFileVersionInfoA"), "an image is loaded");
	FreeLibrary(module);
}

static void test_afterwards(void)
{
	char *block;

	ok(VirtualFree(region, 0, MEM_RELEASE), "the program lets go");
	block = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, MIB);
	ok(block && !block[MIB - 1] && HeapFree(GetProcessHeap(), 0, block), "and has memory");
	block = VirtualAlloc(NULL, 4 * MIB, MEM_RESERVE | MEM_COMMIT, PAGE_EXECUTE_READWRITE);
	ok(block && (block[0] = 1), "of each kind");
}

int main(int argc, char **argv)
{
	limit_bytes = (SIZE_T)(argc > 1 ? atoi(argv[1]) : 0) * MIB;
	test_totals();
	test_reserve();
	test_native_call();
	test_nothing_left();
	test_steps();
	take_all();
	test_heaps();
	fill_process_heap();
	test_system();
	test_afterwards();
	return tap_done();
}
