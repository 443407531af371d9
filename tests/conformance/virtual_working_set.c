/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The working set, pages locked in it, and hints (memoryapi.h, psapi.h). The same source is a
 * native test of core and a Windows program. */

#include "tests/conformance/nt.h"

#define REGION (4 * GRANULE)
/* The documented limits that a process begins with. */
#define MINIMUM (50 * PAGE)
#define MAXIMUM (345 * PAGE)

static char *reserve(SIZE_T size, SIZE_T committed)
{
	char *base = VirtualAlloc(NULL, size, MEM_RESERVE, PAGE_READWRITE);

	if (committed)
		VirtualAlloc(base, committed, MEM_COMMIT, PAGE_READWRITE);
	return base;
}

static void release(void *base)
{
	VirtualFree(base, 0, MEM_RELEASE);
}

static PSAPI_WORKING_SET_EX_BLOCK look(void *address)
{
	PSAPI_WORKING_SET_EX_INFORMATION page;

	memset(&page, 0xcc, sizeof page);
	page.VirtualAddress = address;
	QueryWorkingSetEx(GetCurrentProcess(), &page, sizeof page);
	return page.VirtualAttributes;
}

/* --- Locks ----------------------------------------------------------------------------------- */

static void test_lock(void)
{
	char *base = reserve(REGION, REGION);

	SetLastError(UNTOUCHED);
	ok(VirtualLock(base, PAGE), "VirtualLock");
	ok_equal(GetLastError(), UNTOUCHED, "the last error stays");
	ok(VirtualLock(base, PAGE), "again");
	ok(VirtualUnlock(base, PAGE), "VirtualUnlock");
	/* VirtualUnlock: "all pages in the range must be locked. If any of the pages in the
	 * specified range are not locked, VirtualUnlock ... sets last error to ERROR_NOT_LOCKED."
	 * */
	todo_wine("is not told by the system");
	ok_error(!VirtualUnlock(base, PAGE), ERROR_NOT_LOCKED,
		 "there is no count: one unlock is enough");
	ok(VirtualLock(base + PAGE - 1, 2), "two bytes across a page boundary");
	ok(VirtualUnlock(base, 2 * PAGE), "both pages were locked");
	release(base);
}

static void test_unlock_part(void)
{
	char *base = reserve(REGION, REGION);

	VirtualLock(base, 2 * PAGE);
	/* VirtualUnlock: "all pages in the range must be locked." */
	todo_wine("is not told by the system");
	ok_error(!VirtualUnlock(base, 3 * PAGE), ERROR_NOT_LOCKED, "a page too many");
	ok(VirtualUnlock(base + PAGE, PAGE), "those that were locked still are");
	ok(VirtualUnlock(base, PAGE), "both of them");
	release(base);
}

static void test_lock_ends_with_pages(void)
{
	char *base = reserve(REGION, REGION);

	VirtualLock(base, PAGE);
	ok(VirtualFree(base, PAGE, MEM_DECOMMIT), "a locked page is decommitted");
	VirtualAlloc(base, PAGE, MEM_COMMIT, PAGE_READWRITE);
	/* VirtualUnlock: "all pages in the range must be locked", and a page that was decommitted
	 * is a new one. */
	todo_wine("is not told by the system");
	ok_error(!VirtualUnlock(base, PAGE), ERROR_NOT_LOCKED, "and not locked when it is back");
	VirtualLock(base, PAGE);
	ok(VirtualFree(base, 0, MEM_RELEASE), "a region with a locked page is released");
}

static void test_lock_arguments(void)
{
	char *base = reserve(REGION, 2 * PAGE);
	DWORD old;

	/* VirtualLock's region has "all pages that contain one or more bytes" of the range: of 0
	 * bytes there is none. */
	todo_wine("takes it");
	ok_error(!VirtualLock(base, 0), ERROR_INVALID_PARAMETER, "nothing");
	/* VirtualLock: "All pages in the specified region must be committed. Memory protected with
	 * PAGE_NOACCESS cannot be locked." ERROR_NOACCESS is "invalid access to memory location".
	 * */
	todo_wine("ERROR_ACCESS_DENIED");
	ok_error(!VirtualLock(base, 3 * PAGE), ERROR_NOACCESS, "a page that is only reserved");
	VirtualProtect(base + PAGE, PAGE, PAGE_NOACCESS, &old);
	todo_wine("ERROR_ACCESS_DENIED");
	ok_error(!VirtualLock(base, 2 * PAGE), ERROR_NOACCESS, "a page without access");
	VirtualProtect(base + PAGE, PAGE, PAGE_READONLY, &old);
	/* VirtualUnlock: "all pages in the range must be locked." */
	todo_wine("is not told by the system");
	ok_error(!VirtualUnlock(base, PAGE), ERROR_NOT_LOCKED, "nothing was locked");
	ok(VirtualLock(base, 2 * PAGE), "one that is only read");
	VirtualUnlock(base, 2 * PAGE);
	release(base);
	/* VirtualLock: "All pages in the specified region must be committed." */
	todo_wine("ERROR_ACCESS_DENIED");
	ok_error(!VirtualLock(base, PAGE), ERROR_NOACCESS, "what is free");
}

/* The system may have a limit of its own that is lower. */
static BOOL can_lock(void *base, SIZE_T size)
{
	HANDLE self = GetCurrentProcess();
	BOOL can;

	SetProcessWorkingSetSize(self, 2 * size, 2 * size);
	can = VirtualLock(base, size);
	VirtualUnlock(base, size);
	SetProcessWorkingSetSize(self, MINIMUM, MAXIMUM);
	return can;
}

/* "The maximum number of pages that a process can lock is equal to the number of pages in its
 * minimum working set minus a small overhead." */
static void test_quota(void)
{
	SIZE_T size = 2 * MINIMUM;
	char *base = reserve(2 * size, 2 * size);

	if (!can_lock(base, size)) {
		skip_absent("a quota that the system lets be used");
		release(base);
		return;
	}
	/* "The maximum number of pages that a process can lock is equal to the number of pages in
	 * its minimum working set minus a small overhead." */
	todo_wine("has no quota of its own");
	ok_error(!VirtualLock(base, MINIMUM), ERROR_WORKING_SET_QUOTA, "the whole minimum");
	ok(VirtualLock(base, MINIMUM / 2), "half of it");
	/* The same sentence. */
	todo_wine("has no quota of its own");
	ok_error(!VirtualLock(base + MINIMUM / 2, MINIMUM / 2), ERROR_WORKING_SET_QUOTA,
		 "and the other half");
	ok(VirtualLock(base, MINIMUM / 2), "what is locked costs nothing");
	ok(SetProcessWorkingSetSize(GetCurrentProcess(), size, MAXIMUM), "a larger minimum");
	ok(VirtualLock(base + MINIMUM / 2, MINIMUM / 2), "lets lock more");
	ok(VirtualUnlock(base, MINIMUM), "unlocked");
	ok(VirtualLock(base + size, MINIMUM), "what is unlocked counts no more");
	VirtualUnlock(base + size, MINIMUM);
	SetProcessWorkingSetSize(GetCurrentProcess(), MINIMUM, MAXIMUM);
	release(base);
}

static void test_nt_lock(void)
{
	char *region = reserve(REGION, REGION);
	PVOID base = region + 1;
	SIZE_T size = PAGE;
	HANDLE self = GetCurrentProcess();

	ok_status(NtLockVirtualMemory(self, &base, &size, MAP_PROCESS), STATUS_SUCCESS,
		  "NtLockVirtualMemory");
	ok(base == region && size == 2 * PAGE, "the pages that the range touches");
	/* STATUS_WAS_LOCKED is the success that says that a page was locked already. */
	todo_wine("is not told by the system");
	ok_status(NtLockVirtualMemory(self, &base, &size, MAP_PROCESS), STATUS_WAS_LOCKED,
		  "locked twice");
	ok_status(NtUnlockVirtualMemory(self, &base, &size, MAP_PROCESS), STATUS_SUCCESS,
		  "NtUnlockVirtualMemory");
	/* VirtualUnlock: "all pages in the range must be locked"; STATUS_NOT_LOCKED becomes
	 * ERROR_NOT_LOCKED. */
	todo_wine("is not told by the system");
	ok_status(NtUnlockVirtualMemory(self, &base, &size, MAP_PROCESS), STATUS_NOT_LOCKED,
		  "unlocked twice");
	base = region + 1;
	size = 1;
	/* NtLockVirtualMemory: the kind is MAP_PROCESS (1), MAP_SYSTEM (2) or both, and MAP_SYSTEM
	 * wants SeLockMemoryPrivilege. */
	todo_wine("does not look at the kind");
	ok_status(NtLockVirtualMemory(self, &base, &size, 0), STATUS_INVALID_PARAMETER, "no kind");
	todo_wine("does not look at the kind");
	ok_status(NtLockVirtualMemory(self, &base, &size, 4), STATUS_INVALID_PARAMETER,
		  "an unknown kind");
	todo_wine("does not look at the kind");
	ok_status(NtUnlockVirtualMemory(self, &base, &size, MAP_SYSTEM), STATUS_PRIVILEGE_NOT_HELD,
		  "locks in physical memory");
	release(region);
}

/* --- Limits ---------------------------------------------------------------------------------- */

/* Set one after the other: what is asked for, and what is the case then. */
static const struct {
	SIZE_T minimum, maximum;
	DWORD flags;
	DWORD error;
	SIZE_T new_minimum, new_maximum;
	DWORD new_flags;
} limits[] = {
	{ 100 * PAGE, 200 * PAGE, 0, 0, 100 * PAGE, 200 * PAGE, 2 | 8 },
	{ 100 * PAGE, 200 * PAGE, 1, 0, 100 * PAGE, 200 * PAGE, 1 | 8 },
	{ 100 * PAGE, 300 * PAGE, 4, 0, 100 * PAGE, 300 * PAGE, 1 | 4 },
	{ 100 * PAGE, 300 * PAGE, 2 | 8, 0, 100 * PAGE, 300 * PAGE, 2 | 8 },
	/* "If the value is greater than zero but less than 20 pages, the minimum value is set to 20
	 * pages." */
	{ 1, 400 * PAGE, 0, 0, 20 * PAGE, 400 * PAGE, 2 | 8 },
	/* A maximum of less than 13 pages is one of 13 pages, which is less than the minimum. */
	{ 1, 1, 0, 0, 20 * PAGE, 20 * PAGE, 2 | 8 },
	{ 200 * PAGE, 100 * PAGE, 0, ERROR_INVALID_PARAMETER, 20 * PAGE, 20 * PAGE, 2 | 8 },
	{ 0, 100 * PAGE, 0, ERROR_INVALID_PARAMETER, 20 * PAGE, 20 * PAGE, 2 | 8 },
	{ 100 * PAGE, 200 * PAGE, 1 | 2, ERROR_INVALID_PARAMETER, 20 * PAGE, 20 * PAGE, 2 | 8 },
	{ 100 * PAGE, 200 * PAGE, 4 | 8, ERROR_INVALID_PARAMETER, 20 * PAGE, 20 * PAGE, 2 | 8 },
	{ 100 * PAGE, 200 * PAGE, 16, ERROR_INVALID_PARAMETER, 20 * PAGE, 20 * PAGE, 2 | 8 },
	{ MINIMUM, MAXIMUM, 0, 0, MINIMUM, MAXIMUM, 2 | 8 },
};

static void test_limits(void)
{
	SIZE_T minimum = 0, maximum = 0;
	HANDLE self = GetCurrentProcess();
	DWORD flags = UNTOUCHED;

	ok(GetProcessWorkingSetSizeEx(self, &minimum, &maximum, &flags),
	   "GetProcessWorkingSetSizeEx");
	/* SetProcessWorkingSetSizeEx: "The default size is 50 pages", of the maximum "345 pages".
	 * */
	todo_wine("tells other figures");
	ok(minimum == MINIMUM && maximum == MAXIMUM, "the limits at first");
	ok_equal(flags, 2 | 8, "are not hard");
	for (size_t i = 0; i < COUNT(limits); i++) {
		/* "Sets the minimum and maximum working set sizes for the specified process"; the
		 * rows say which sentence is behind each, and GetProcessWorkingSetSizeEx retrieves
		 * what was set. */
		todo_wine("takes no limits");
		if (limits[i].error)
			ok_error(!SetProcessWorkingSetSizeEx(self, limits[i].minimum,
							     limits[i].maximum, limits[i].flags),
				 limits[i].error, "limits that cannot be");
		else
			ok(SetProcessWorkingSetSizeEx(self, limits[i].minimum, limits[i].maximum,
						      limits[i].flags),
			   "row %zu: SetProcessWorkingSetSizeEx", i);
		/* GetProcessWorkingSetSizeEx: "Retrieves the minimum and maximum working set sizes
		 * of the specified process": those that were set. */
		GetProcessWorkingSetSizeEx(self, &minimum, &maximum, &flags);
		todo_wine("takes no limits");
		ok_equal(minimum, limits[i].new_minimum, "row %zu: the minimum", i);
		todo_wine("takes no limits");
		ok_equal(maximum, limits[i].new_maximum, "row %zu: the maximum", i);
		todo_wine("takes no limits");
		ok_equal(flags, limits[i].new_flags, "row %zu: the flags", i);
	}
	minimum = maximum = 0;
	ok(GetProcessWorkingSetSize(self, &minimum, &maximum) && minimum && minimum <= maximum,
	   "GetProcessWorkingSetSize");
}

/* Contents stay, whatever leaves memory. */
static void test_empty(void)
{
	char *base = reserve(REGION, REGION);

	memset(base, 'x', REGION);
	ok(SetProcessWorkingSetSize(GetCurrentProcess(), (SIZE_T)-1, (SIZE_T)-1), "emptied");
	ok(SetProcessWorkingSetSizeEx(GetCurrentProcess(), (SIZE_T)-1, (SIZE_T)-1, 0), "again");
	ok(base[0] == 'x' && base[REGION - 1] == 'x', "the data are there");
	release(base);
}

static void test_rights(void)
{
	HANDLE asking = OpenProcess(PROCESS_QUERY_INFORMATION, FALSE, GetCurrentProcessId());
	HANDLE setting = OpenProcess(PROCESS_SET_QUOTA, FALSE, GetCurrentProcessId());
	PSAPI_WORKING_SET_EX_INFORMATION page = { .VirtualAddress = &asking };
	SIZE_T minimum, maximum;

	ok(GetProcessWorkingSetSize(asking, &minimum, &maximum), "a handle to ask with");
	/* QueryWorkingSetEx: "The handle must have the PROCESS_QUERY_INFORMATION access right", and
	 * no more. */
	todo_wine("wants more rights");
	ok(QueryWorkingSetEx(asking, &page, sizeof page) && page.VirtualAttributes.Valid,
	   "tells of pages, too");
	/* SetProcessWorkingSetSize: "The handle must have the PROCESS_SET_QUOTA access right." */
	todo_wine("takes no limits");
	ok_error(!SetProcessWorkingSetSize(asking, MINIMUM, MAXIMUM), ERROR_ACCESS_DENIED,
		 "and sets nothing");
	ok(SetProcessWorkingSetSize(setting, MINIMUM, MAXIMUM), "a handle to set with");
	/* GetProcessWorkingSetSize: "The handle must have the PROCESS_QUERY_INFORMATION or
	 * PROCESS_QUERY_LIMITED_INFORMATION access right." */
	todo_wine("does not look at the handle");
	ok_error(!GetProcessWorkingSetSize(setting, &minimum, &maximum), ERROR_ACCESS_DENIED,
		 "does not tell");
	CloseHandle(asking);
	CloseHandle(setting);
	/* It is "a handle to the process", which this is not. */
	todo_wine("does not look at the handle");
	ok_error(!GetProcessWorkingSetSize((HANDLE)0xbad0, &minimum, &maximum),
		 ERROR_INVALID_HANDLE, "no process");
}

/* --- Pages ----------------------------------------------------------------------------------- */

static void test_pages(void)
{
	char *base = reserve(REGION, 4 * PAGE);
	PSAPI_WORKING_SET_EX_BLOCK block;
	DWORD old;

	ok(!look(base).Valid, "a page that was never touched is not there");
	base[0] = 1;
	block = look(base + 5);
	ok(block.Valid, "one that was is");
	ok_equal(block.Win32Protection, PAGE_READWRITE, "its protection");
	ok(!block.Shared && !block.LargePage && !block.Bad, "its other words");
	VirtualProtect(base, PAGE, PAGE_READONLY, &old);
	ok_equal(look(base).Win32Protection, PAGE_READONLY, "another protection");
	ok(!look(base + REGION - 1).Valid, "a reserved page is not there");
	VirtualFree(base, PAGE, MEM_DECOMMIT);
	ok(!look(base).Valid, "a decommitted page is not there");
	release(base);
	ok(!look(base).Valid, "nor is a free one");
}

static void test_locked_page(void)
{
	char *base = reserve(REGION, 4 * PAGE);

	VirtualLock(base + PAGE, PAGE);
	ok(look(base + PAGE).Valid, "a locked page is there without a touch");
	/* PSAPI_WORKING_SET_EX_BLOCK: "Locked: If this bit is 1, the virtual page is locked in
	 * physical memory." */
	todo_wine("does not tell");
	ok(look(base + PAGE).Locked && !look(base).Locked, "and is said to be locked");
	VirtualUnlock(base + PAGE, PAGE);
	ok(!look(base + PAGE).Locked, "and not any more");
	release(base);
}

static void test_many_pages(void)
{
	PSAPI_WORKING_SET_EX_INFORMATION pages[4];
	char *base = reserve(REGION, REGION);

	base[PAGE] = base[3 * PAGE] = 1;
	for (int i = 0; i < 4; i++)
		pages[i].VirtualAddress = base + i * PAGE;
	ok(QueryWorkingSetEx(GetCurrentProcess(), pages, sizeof pages), "four pages at once");
	for (int i = 0; i < 4; i++)
		ok_equal(pages[i].VirtualAttributes.Valid, i % 2, "page %d", i);
	/* "cb: The size of the pv buffer, in bytes", of which each row is a
	 * PSAPI_WORKING_SET_EX_INFORMATION: ERROR_BAD_LENGTH when there is no room for one. */
	todo_wine("takes it");
	ok_error(!QueryWorkingSetEx(GetCurrentProcess(), pages, sizeof pages[0] - 1),
		 ERROR_BAD_LENGTH, "no room for a row");
	release(base);
}

static const int constant = 1;

static void test_shared_pages(void)
{
	volatile int value = constant;

	(void)value;
	ok(look((void *)&constant).Valid, "a page of an image");
}

/* --- Hints ----------------------------------------------------------------------------------- */

static void test_prefetch(void)
{
	char *base = reserve(REGION, REGION);
	WIN32_MEMORY_RANGE_ENTRY ranges[2] = { { base, PAGE }, { base + 5, REGION - 5 } };
	typeof(&PrefetchVirtualMemory) prefetch = FUNCTION("kernelbase.dll", PrefetchVirtualMemory);
	HANDLE self = GetCurrentProcess();

	base[0] = 'x';
	ok(prefetch(self, 2, ranges, 0), "PrefetchVirtualMemory");
	ok(base[0] == 'x', "the contents stay");
	/* PrefetchVirtualMemory: "Flags: Reserved. Must be 0." */
	todo_wine("does not look at them");
	ok_error(!prefetch(self, 2, ranges, 1), ERROR_INVALID_PARAMETER, "flags");
	ok_error(!prefetch(self, 0, ranges, 0), ERROR_INVALID_PARAMETER, "no range");
	ranges[1].NumberOfBytes = 0;
	ok_error(!prefetch(self, 2, ranges, 0), ERROR_INVALID_PARAMETER, "an empty range");
	release(base);
}

static void test_offer(void)
{
	typeof(&OfferVirtualMemory) offer = FUNCTION("kernelbase.dll", OfferVirtualMemory);
	typeof(&ReclaimVirtualMemory) reclaim = FUNCTION("kernelbase.dll", ReclaimVirtualMemory);
	char *base = reserve(REGION, 2 * GRANULE);
	DWORD error;

	if (!offer || !reclaim) {
		skip_absent("OfferVirtualMemory and ReclaimVirtualMemory");
		return;
	}
	memset(base, 'x', GRANULE);
	for (int priority = VmOfferPriorityVeryLow; priority <= VmOfferPriorityNormal; priority++) {
		ok_equal(offer(base, GRANULE, (OFFER_PRIORITY)priority), 0, "priority %d",
			 priority);
		error = reclaim(base, GRANULE);
		ok(error == ERROR_SUCCESS || error == ERROR_BUSY, "priority %d: reclaimed",
		   priority);
		if (error == ERROR_SUCCESS)
			ok(base[0] == 'x' && base[GRANULE - 1] == 'x', "priority %d: intact",
			   priority);
		memset(base, 'x', GRANULE);
	}
	ok_equal(offer(base, GRANULE, (OFFER_PRIORITY)0), ERROR_INVALID_PARAMETER, "no priority");
	ok_equal(offer(base, GRANULE, (OFFER_PRIORITY)5), ERROR_INVALID_PARAMETER,
		 "an unknown priority");
	ok_equal(offer(base + 1, PAGE, VmOfferPriorityLow), ERROR_INVALID_PARAMETER,
		 "not at a page");
	ok_equal(offer(base, PAGE + 1, VmOfferPriorityLow), ERROR_INVALID_PARAMETER,
		 "not of whole pages");
	ok_equal(offer(base, 3 * GRANULE, VmOfferPriorityLow), ERROR_INVALID_ADDRESS,
		 "not all committed");
	ok_equal(reclaim(base + 1, PAGE), ERROR_INVALID_PARAMETER, "reclaimed not at a page");
	ok_equal(reclaim(base, 3 * GRANULE), ERROR_INVALID_ADDRESS, "reclaimed, not committed");
	release(base);
	ok_equal(offer(base, PAGE, VmOfferPriorityLow), ERROR_INVALID_ADDRESS, "what is free");
}

/* "If the offered memory has been discarded, the contents of the memory region is undefined and
 * must be rewritten by the application": ERROR_BUSY. A system may keep it all the same, but not
 * lose it and say nothing. The working set is emptied to have the system take what it may. */
static void test_offer_lost(void)
{
	typeof(&OfferVirtualMemory) offer = FUNCTION("kernelbase.dll", OfferVirtualMemory);
	typeof(&ReclaimVirtualMemory) reclaim = FUNCTION("kernelbase.dll", ReclaimVirtualMemory);
	char *base = reserve(REGION, REGION);
	int intact = 0, kept = 0;
	DWORD error;

	if (!offer || !reclaim) {
		skip_absent("OfferVirtualMemory and ReclaimVirtualMemory");
		return;
	}
	for (int i = 0; i < REGION / PAGE; i++)
		base[i * PAGE + 3000] = 'x';
	ok_equal(offer(base, REGION, VmOfferPriorityVeryLow), 0, "offered");
	ok_equal(reclaim(base, PAGE), 0, "the first page is reclaimed");
	SetProcessWorkingSetSize(GetCurrentProcess(), (SIZE_T)-1, (SIZE_T)-1);
	error = reclaim(base + PAGE, REGION - PAGE);
	for (int i = 1; i < REGION / PAGE; i++)
		intact += base[i * PAGE + 3000] == 'x';
	ok(error == ERROR_SUCCESS || error == ERROR_BUSY, "error %u for the others",
	   (unsigned)error);
	ok(error == ERROR_BUSY || intact == REGION / PAGE - 1, "%d pages are there", intact);
	ok(base[3000] == 'x', "the first one is");
	memset(base, 'y', REGION);
	SetProcessWorkingSetSize(GetCurrentProcess(), (SIZE_T)-1, (SIZE_T)-1);
	for (int i = 0; i < REGION / PAGE; i++)
		kept += base[i * PAGE + 3000] == 'y';
	ok_equal(kept, REGION / PAGE, "what was reclaimed is not taken any more");
	ok_equal(reclaim(base, REGION), 0, "what is not offered is not lost");
	release(base);
}

static void test_discard(void)
{
	typeof(&DiscardVirtualMemory) discard = FUNCTION("kernelbase.dll", DiscardVirtualMemory);
	char *base = reserve(REGION, 2 * GRANULE);

	if (!discard) {
		skip_absent("DiscardVirtualMemory");
		return;
	}
	memset(base, 'x', 2 * GRANULE);
	SetLastError(UNTOUCHED);
	ok_equal(discard(base, GRANULE), 0, "DiscardVirtualMemory");
	ok_equal(GetLastError(), UNTOUCHED, "the last error stays");
	ok(base[GRANULE] == 'x', "the next page stays");
	base[0] = 'y';
	ok(base[0] == 'y' && query(base).State == MEM_COMMIT, "it can be used again");
	ok_equal(discard(base + 1, PAGE), ERROR_INVALID_PARAMETER, "not at a page");
	ok_equal(discard(base, PAGE - 1), ERROR_INVALID_PARAMETER, "not of whole pages");
	ok_equal(discard(base, 3 * GRANULE), ERROR_INVALID_ADDRESS, "not all committed");
	release(base);
}

static void test_locks(void)
{
	char *base = reserve(REGION, REGION);
	BOOL can = can_lock(base, 4 * PAGE);

	release(base);
	if (!can) {
		skip_absent("a system that lets pages be locked");
		return;
	}
	test_lock();
	test_unlock_part();
	test_lock_ends_with_pages();
	test_lock_arguments();
	test_quota();
	test_nt_lock();
	test_locked_page();
}

int main(void)
{
	test_locks();
	test_limits();
	test_empty();
	test_rights();
	test_pages();
	test_many_pages();
	test_shared_pages();
	test_prefetch();
	test_offer();
	test_offer_lost();
	test_discard();
	return tap_done();
}
