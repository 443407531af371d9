/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The pages of another process: locks, the working set, hints, write watches and physical pages
 * (memoryapi.h, psapi.h, ntifs.h). What is done from here, the child sees. */

#include "tests/conformance/child.h"
#include "tests/conformance/nt.h"

#define PAGES 200 /* more than go into one request of core's */
#define FRAMES 150

static HANDLE child; /* allows everything */

static char *make(DWORD type)
{
	return VirtualAllocEx(child, NULL, PAGES * PAGE, MEM_RESERVE | MEM_COMMIT | type,
			      PAGE_READWRITE);
}

static void release(char *base)
{
	VirtualFreeEx(child, base, 0, MEM_RELEASE);
}

/* The child's own answer. */
static PSAPI_WORKING_SET_EX_BLOCK page_there(char *address)
{
	PSAPI_WORKING_SET_EX_BLOCK block = { .Flags = child_ask(CHILD_PAGE, address) };

	return block;
}

/* --- Locks ----------------------------------------------------------------------------------- */

/* ntifs.h: "ProcessHandle: A handle to the process whose pages are to be locked"; locked pages stay
 * so until they are unlocked, and are told by QueryWorkingSetEx ("Locked: If this bit is 1, the
 * virtual page is locked in physical memory"). */
static void test_lock(void)
{
	char *region = make(0);
	PVOID base = region + PAGE + 1;
	SIZE_T size = PAGE;

	ok_status(NtLockVirtualMemory(child, &base, &size, MAP_PROCESS), STATUS_SUCCESS,
		  "NtLockVirtualMemory");
	ok(base == region + PAGE && size == 2 * PAGE, "the pages that the range touches");
	/* PSAPI_WORKING_SET_EX_BLOCK: "Locked: If this bit is 1, the virtual page is locked in
	 * physical memory." */
	todo_wine("does not tell");
	ok(page_there(region + PAGE).Locked && page_there(region + 2 * PAGE).Locked,
	   "the child sees that they are locked");
	ok(!page_there(region).Locked && !page_there(region + 3 * PAGE).Locked, "and no others");
	/* STATUS_WAS_LOCKED is the success that says that a page was locked already. */
	todo_wine("is not told by the system");
	ok_status(NtLockVirtualMemory(child, &base, &size, MAP_PROCESS), STATUS_WAS_LOCKED,
		  "locked twice");
	ok_status(NtUnlockVirtualMemory(child, &base, &size, MAP_PROCESS), STATUS_SUCCESS,
		  "NtUnlockVirtualMemory");
	ok(!page_there(region + PAGE).Locked, "the child sees that, too");
	/* VirtualUnlock: "all pages in the range must be locked"; else ERROR_NOT_LOCKED, which
	 * STATUS_NOT_LOCKED becomes. */
	todo_wine("is not told by the system");
	ok_status(NtUnlockVirtualMemory(child, &base, &size, MAP_PROCESS), STATUS_NOT_LOCKED,
		  "unlocked twice");
	release(region);
	/* VirtualLock: "All pages in the specified region must be committed"; ERROR_NOACCESS is
	 * what STATUS_ACCESS_VIOLATION becomes. */
	todo_wine("has another status");
	ok_status(NtLockVirtualMemory(child, &base, &size, MAP_PROCESS), STATUS_ACCESS_VIOLATION,
		  "what is free");
	ok(base == region + PAGE && size == 2 * PAGE, "the range is as it was");
}

/* --- The working set ------------------------------------------------------------------------- */

/* "Sets the minimum and maximum working set sizes for the specified process." */
static void test_limits(void)
{
	SIZE_T minimum = 0, maximum = 0, own = 0, unused;
	DWORD flags = UNTOUCHED;

	GetProcessWorkingSetSize(GetCurrentProcess(), &own, &unused);
	ok(GetProcessWorkingSetSizeEx(child, &minimum, &maximum, &flags), "its limits are known");
	ok_equal(minimum, child_ask(CHILD_MINIMUM, NULL), "the minimum is its own");
	ok(SetProcessWorkingSetSize(child, 80 * PAGE, 400 * PAGE), "they are set");
	/* "Sets the minimum and maximum working set sizes for the specified process", and
	 * GetProcessWorkingSetSize retrieves them. */
	todo_wine("takes no limits");
	ok_equal(child_ask(CHILD_MINIMUM, NULL), 80 * PAGE, "the child sees the minimum");
	GetProcessWorkingSetSize(child, &minimum, &maximum);
	todo_wine("takes no limits");
	ok(minimum == 80 * PAGE && maximum == 400 * PAGE, "and so do we");
	GetProcessWorkingSetSize(GetCurrentProcess(), &minimum, &maximum);
	ok_equal(minimum, own, "our own is as it was");
	/* "This parameter must be greater than zero but less than or equal to the maximum working
	 * set size." */
	todo_wine("takes no limits");
	ok_error(!SetProcessWorkingSetSize(child, 2 * PAGE, PAGE), ERROR_INVALID_PARAMETER,
		 "a minimum above the maximum");
	ok(SetProcessWorkingSetSize(child, (SIZE_T)-1, (SIZE_T)-1), "it is emptied");
}

/* "Retrieves extended information about the pages at specific virtual addresses in the address
 * space of the specified process." */
static void test_pages(void)
{
	static PSAPI_WORKING_SET_EX_INFORMATION pages[PAGES];
	char *region = make(0);
	int valid = 0;

	for (int i = 0; i < PAGES; i++)
		pages[i].VirtualAddress = region + i * PAGE;
	for (int i = 0; i < PAGES; i += 10)
		child_ask(CHILD_WRITE, region + i * PAGE);
	SetLastError(UNTOUCHED);
	/* QueryWorkingSetEx is about the pages "in the address space of the specified process". */
	todo_wine("serves the calling process only");
	ok(QueryWorkingSetEx(child, pages, sizeof pages), "QueryWorkingSetEx");
	for (int i = 0; i < PAGES; i++)
		valid += pages[i].VirtualAttributes.Valid == (i % 10 == 0);
	todo_wine("serves the calling process only");
	ok_equal(valid, PAGES, "the pages that the child has touched are in memory");
	todo_wine("serves the calling process only");
	ok_equal(pages[PAGES - 10].VirtualAttributes.Win32Protection, PAGE_READWRITE,
		 "and read-write");
	todo_wine("serves the calling process only");
	ok_equal(pages[10].VirtualAttributes.Flags, child_ask(CHILD_PAGE, region + 10 * PAGE),
		 "as the child sees it");
	release(region);
}

/* "hProcess: Handle to the process whose virtual address ranges are to be prefetched." "Flags:
 * Reserved. Must be 0." */
static void test_prefetch(void)
{
	typeof(&PrefetchVirtualMemory) prefetch = FUNCTION("kernelbase.dll", PrefetchVirtualMemory);
	char *region = make(0);
	WIN32_MEMORY_RANGE_ENTRY entries[2] = { { region, PAGE }, { region + GRANULE, 1 } };

	if (!prefetch) {
		skip_absent("PrefetchVirtualMemory");
		return;
	}
	ok(prefetch(child, 2, entries, 0), "a hint");
	/* "Flags: Reserved. Must be 0." */
	todo_wine("does not look at them");
	ok_error(!prefetch(child, 2, entries, 1), ERROR_INVALID_PARAMETER, "a flag");
	release(region);
}

/* --- Write watch ----------------------------------------------------------------------------- */

static PVOID written[PAGES];

static ULONG_PTR list(ULONG flags, char *base, SIZE_T size, ULONG_PTR count)
{
	ULONG granularity = 0;
	NTSTATUS status = NtGetWriteWatch(child, flags, base, size, written, &count, &granularity);

	return status || granularity != PAGE ? (ULONG_PTR)-1 : count;
}

static void test_watch(void)
{
	char *region = make(MEM_WRITE_WATCH);
	SIZE_T size = PAGES * PAGE;
	int right = 0;

	for (int i = 0; i < PAGES; i += 2)
		child_ask(CHILD_WRITE, region + i * PAGE);
	/* NtGetWriteWatch and NtResetWriteWatch have a handle of the process whose region it is;
	 * GetWriteWatch's list is of "the pages that are written to in a region of virtual memory".
	 * */
	todo_wine("lists its own");
	ok_equal(list(0, region, size, PAGES), PAGES / 2, "the pages that the child has written");
	for (int i = 0; i < PAGES / 2; i++)
		right += written[i] == region + 2 * i * PAGE;
	todo_wine("lists its own");
	ok_equal(right, PAGES / 2, "in order");
	todo_wine("lists its own");
	ok_equal(list(WRITE_WATCH_FLAG_RESET, region, size, 70), 70,
		 "as many as there is room for");
	todo_wine("lists its own");
	ok(list(0, region, size, PAGES) == PAGES / 2 - 70 && written[0] == region + 140 * PAGE,
	   "which are reset");
	todo_wine("resets its own");
	ok_status(NtResetWriteWatch(child, region, size), STATUS_SUCCESS, "NtResetWriteWatch");
	todo_wine("lists its own");
	ok_equal(list(0, region, size, PAGES), 0, "all are");
	todo_wine("resets its own");
	ok_equal(child_ask(CHILD_WATCH, region), 0, "the child sees that");
	child_ask(CHILD_WRITE, region + PAGE);
	todo_wine("lists its own");
	ok_equal(list(0, region + PAGE, PAGE, 1), 1, "a page is written again");
	release(region);
}

/* No watch, no room, too long. */
static void test_watch_errors(void)
{
	char *region = make(0);
	ULONG_PTR count = PAGES;
	ULONG granularity;

	ok_status(NtGetWriteWatch(child, 0, region, PAGE, written, &count, &granularity),
		  STATUS_INVALID_PARAMETER, "a region without a watch");
	ok_equal(count, PAGES, "the count is as it was");
	count = 0;
	ok_status(NtGetWriteWatch(child, 0, region, PAGE, written, &count, &granularity),
		  STATUS_INVALID_PARAMETER, "no room");
	count = PAGES;
	ok_status(NtGetWriteWatch(child, 0, region, (SIZE_T)-1, written, &count, &granularity),
		  STATUS_INVALID_PARAMETER, "a range without end");
	release(region);
}

/* --- Physical pages -------------------------------------------------------------------------- */

/* "Allocates physical memory pages to be mapped and unmapped within any Address Windowing
 * Extensions (AWE) region of a specified process." */
static void test_frames(void)
{
	static ULONG_PTR numbers[FRAMES], distinct;
	ULONG_PTR count = FRAMES, one = 1;
	PVOID window;

	if (!AllocateUserPhysicalPages(child, &count, numbers)) {
		skip_absent("AllocateUserPhysicalPages");
		return;
	}
	ok_equal(count, FRAMES, "physical pages are taken for the child");
	for (int i = 1; i < FRAMES; i++)
		distinct += numbers[i] != numbers[i - 1];
	ok_equal(distinct, FRAMES - 1, "each with a number of its own");
	ok_equal(child_ask(CHILD_MAP, (void *)numbers[FRAMES - 1]), 1, "the child maps one");
	window = VirtualAlloc(NULL, PAGE, MEM_RESERVE | MEM_PHYSICAL, PAGE_READWRITE);
	ok_error(!MapUserPhysicalPages(window, 1, numbers), ERROR_INVALID_PARAMETER,
		 "they are not ours to map");
	VirtualFree(window, 0, MEM_RELEASE);
	ok(FreeUserPhysicalPages(child, &one, numbers) && one == 1, "one is given back");
	ok_equal(child_ask(CHILD_MAP, (void *)numbers[0]), 0, "and mapped no more");
	one = 1;
	ok_error(!FreeUserPhysicalPages(child, &one, numbers), ERROR_INVALID_PARAMETER, "twice");
	ok_equal(one, 0, "which gives nothing back");
	numbers[100] = 0;
	count = FRAMES - 1;
	ok_error(!FreeUserPhysicalPages(child, &count, numbers + 1), ERROR_INVALID_PARAMETER,
		 "a number that is none");
	ok_equal(count, 99, "those before it are given back");
	count = FRAMES - 101;
	ok(FreeUserPhysicalPages(child, &count, numbers + 101) && count == FRAMES - 101,
	   "those behind it still can be");
}

/* --- The end --------------------------------------------------------------------------------- */

static void test_end(void)
{
	PSAPI_WORKING_SET_EX_INFORMATION page = { .VirtualAddress = &page };
	SIZE_T minimum = UNTOUCHED, maximum;

	child_end();
	/* There is no working set, and there are no pages, of a process that has ended: the
	 * functions retrieve those "of the specified process". */
	todo_wine("goes on");
	ok_error(!GetProcessWorkingSetSize(child, &minimum, &maximum), ERROR_ACCESS_DENIED,
		 "a process that has ended has no working set");
	todo_wine("goes on");
	ok_equal(minimum, UNTOUCHED, "nothing is written");
	todo_wine("has another error");
	ok_error(!QueryWorkingSetEx(child, &page, sizeof page), ERROR_ACCESS_DENIED,
		 "and no pages");
	CloseHandle(child);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return child_run();
	child = child_begin(argv[0], PROCESS_ALL_ACCESS);
	ok(child != NULL, "a second process");
	test_lock();
	test_limits();
	test_pages();
	test_prefetch();
	test_watch();
	test_watch_errors();
	test_frames();
	test_end();
	return tap_done();
}
