/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What the machine and the address space are like, how much memory there is, and notifications of
 * that (sysinfoapi.h, memoryapi.h). The same source is a native test of core and a Windows program.
 */

#include "tests/conformance/common.h"

#define MIB (1ull << 20)

static void test_system(void)
{
	SYSTEM_INFO info, native;
	SIZE_T large = GetLargePageMinimum();

	memset(&info, 0xcc, sizeof info);
	memset(&native, 0x33, sizeof native);
	GetSystemInfo(&info);
	GetNativeSystemInfo(&native);
	ok(info.dwPageSize == PAGE && info.dwAllocationGranularity == GRANULE, "GetSystemInfo");
	ok(info.lpMinimumApplicationAddress == (PVOID)GRANULE, "the lowest address");
	ok(info.lpMaximumApplicationAddress == (PVOID)0x7ffffffeffff, "the highest");
	ok(info.wProcessorArchitecture == 9 && info.wReserved == 0 && info.dwProcessorType == 8664,
	   "an x64 processor");
	ok(info.dwNumberOfProcessors && info.dwActiveProcessorMask, "there are processors");
	ok(info.dwNumberOfProcessors > 64 ||
		   (DWORD)__builtin_popcountll(info.dwActiveProcessorMask) ==
			   info.dwNumberOfProcessors,
	   "each is in the mask");
	ok(info.wProcessorLevel != 0, "the processor's family");
	ok(!memcmp(&info, &native, sizeof info), "GetNativeSystemInfo says the same");
	ok(large == 0 || large % GRANULE == 0, "GetLargePageMinimum");
}

/* The addresses that it names can be had. */
static void test_addresses(void)
{
	SYSTEM_INFO info;
	char *lowest, *highest;

	GetSystemInfo(&info);
	highest = (char *)info.lpMaximumApplicationAddress + 1 - GRANULE;
	lowest = VirtualAlloc(highest, PAGE, MEM_RESERVE, PAGE_NOACCESS);
	ok(!lowest || lowest == highest, "the highest granule is a program's");
	if (lowest)
		VirtualFree(lowest, 0, MEM_RELEASE);
	ok_error(!VirtualAlloc((char *)info.lpMinimumApplicationAddress - PAGE, PAGE, MEM_RESERVE,
			       PAGE_NOACCESS),
		 ERROR_INVALID_PARAMETER, "below the lowest address");
}

static void test_status_ex(void)
{
	MEMORYSTATUSEX status;

	memset(&status, 0xcc, sizeof status);
	status.dwLength = sizeof status;
	SetLastError(UNTOUCHED);
	ok(GlobalMemoryStatusEx(&status), "GlobalMemoryStatusEx");
	ok_equal(GetLastError(), UNTOUCHED, "the last error stays");
	ok_equal(status.dwLength, sizeof status, "the length stays");
	ok(status.ullTotalPhys > MIB && status.ullAvailPhys <= status.ullTotalPhys,
	   "physical memory");
	ok(status.ullAvailPageFile <= status.ullTotalPageFile, "what can be committed");
	ok(status.ullTotalVirtual == 0x7ffffffe0000, "addresses");
	ok(status.ullAvailVirtual && status.ullAvailVirtual < status.ullTotalVirtual,
	   "some are in use");
	ok_equal(status.ullAvailExtendedVirtual, 0, "extended memory is reserved for the system");
	ok(status.dwMemoryLoad <= 100, "a load");
	ok(status.dwMemoryLoad ==
		   (status.ullTotalPhys - status.ullAvailPhys) * 100 / status.ullTotalPhys,
	   "of physical memory");
}

/* A reservation takes addresses, and nothing else. */
static void test_reservation(void)
{
	SIZE_T size = (SIZE_T)1 << 40;
	MEMORYSTATUSEX before = { .dwLength = sizeof before }, after = before;
	void *base;

	GlobalMemoryStatusEx(&before);
	base = VirtualAlloc(NULL, size, MEM_RESERVE, PAGE_NOACCESS);
	GlobalMemoryStatusEx(&after);
	/* MEMORYSTATUSEX: ullAvailVirtual is "the amount of unreserved and uncommitted memory
	 * currently in the user-mode portion of the virtual address space". */
	todo_wine("does not count reservations");
	ok(base && before.ullAvailVirtual - after.ullAvailVirtual >= size - MIB,
	   "1 TB less of addresses");
	ok(after.ullAvailPageFile > before.ullAvailPageFile / 2, "and not of memory");
	VirtualFree(base, 0, MEM_RELEASE);
}

static void test_status_arguments(void)
{
	MEMORYSTATUSEX status = { .dwLength = sizeof status - 1, .ullTotalPhys = UNTOUCHED };

	ok_error(!GlobalMemoryStatusEx(&status), ERROR_INVALID_PARAMETER, "a length too small");
	status.dwLength = sizeof status + 1;
	ok_error(!GlobalMemoryStatusEx(&status), ERROR_INVALID_PARAMETER, "a length too large");
	ok_equal(status.ullTotalPhys, UNTOUCHED, "nothing is written");
}

static void test_status(void)
{
	MEMORYSTATUSEX status_ex = { .dwLength = sizeof status_ex };
	MEMORYSTATUS status;

	memset(&status, 0xcc, sizeof status);
	GlobalMemoryStatus(&status);
	GlobalMemoryStatusEx(&status_ex);
	ok_equal(status.dwLength, sizeof status, "GlobalMemoryStatus sets the length");
	ok(status.dwTotalPhys && status.dwAvailPhys <= status.dwTotalPhys, "physical memory");
	ok(status.dwTotalVirtual == 0x7ffffffe0000 || status.dwTotalVirtual == 0x7ffeffff,
	   "addresses");
	ok(status.dwMemoryLoad <= 100, "a load");
}

static void test_notification(void)
{
	HANDLE low = CreateMemoryResourceNotification(LowMemoryResourceNotification);
	HANDLE high = CreateMemoryResourceNotification(HighMemoryResourceNotification);
	BOOL is_low = -1, is_high = -1;

	ok(low && high && low != high, "CreateMemoryResourceNotification");
	if (low && high) {
		ok(QueryMemoryResourceNotification(low, &is_low) && (is_low & ~1) == 0,
		   "QueryMemoryResourceNotification, low");
		ok(QueryMemoryResourceNotification(high, &is_high) && (is_high & ~1) == 0, "high");
		ok(!is_low || !is_high, "memory is not scarce and plentiful at once");
		ok(CloseHandle(low), "CloseHandle");
		/* QueryMemoryResourceNotification's handle is one "to a memory resource
		 * notification object": a closed handle is not valid, so ERROR_INVALID_HANDLE. */
		todo_wine("ERROR_INVALID_PARAMETER");
		ok_error(!QueryMemoryResourceNotification(low, &is_low), ERROR_INVALID_HANDLE,
			 "a closed one");
		CloseHandle(high);
	}
	ok_error(!CreateMemoryResourceNotification(4711), ERROR_INVALID_PARAMETER,
		 "an unknown kind");
}

int main(void)
{
	test_system();
	test_addresses();
	test_status_ex();
	test_reservation();
	test_status_arguments();
	test_status();
	test_notification();
	return tap_done();
}
