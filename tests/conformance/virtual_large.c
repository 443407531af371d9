/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Large pages (virtualallocexnuma.txt, MEM_LARGE_PAGES): the same source is a native test of core
 * and a Windows program. Natively the system's pool is filled for the time of the test, where that
 * is allowed; where there are no large pages to be had, only refusals are tested. */

#include "tests/conformance/common.h"

#define LARGE_TYPE (MEM_RESERVE | MEM_COMMIT | MEM_LARGE_PAGES)
#define POOL_PAGES 4

static SIZE_T large;

#ifdef _WIN32
static void fill_pool(void)
{
}
#else
#define POOL "/proc/sys/vm/nr_hugepages"

static long pool_before;

static long exchange_pool(long pages)
{
	FILE *stream = fopen(POOL, "r+");
	long before = -1;

	if (!stream)
		return -1;
	if (fscanf(stream, "%ld", &before) != 1)
		before = -1;
	if (before >= 0 && pages >= 0) {
		rewind(stream);
		fprintf(stream, "%ld\n", pages);
	}
	fclose(stream);
	return before;
}

static void put_pool_back(void)
{
	exchange_pool(pool_before);
}

/* Pages that others have are left to them. */
static void fill_pool(void)
{
	pool_before = exchange_pool(-1);
	if (pool_before < 0)
		return;
	atexit(put_pool_back);
	exchange_pool(pool_before + POOL_PAGES);
}
#endif

static void *allocate(void *address, SIZE_T size, DWORD type, DWORD protect)
{
	SetLastError(UNTOUCHED);
	return VirtualAlloc(address, size, type, protect);
}

/* "The size and alignment must be a multiple of the large-page minimum. [...] If you specify this
 * value, you must also specify MEM_RESERVE and MEM_COMMIT." */
static const struct {
	ULONG_PTR address, size; /* of the large-page minimum, in halves */
	DWORD type;
} refusals[] = {
	{ 0, 2, MEM_LARGE_PAGES },
	{ 0, 2, MEM_RESERVE | MEM_LARGE_PAGES },
	{ 0, 2, MEM_COMMIT | MEM_LARGE_PAGES },
	{ 0, 1, LARGE_TYPE },
	{ 0, 3, LARGE_TYPE },
	{ 0, 0, LARGE_TYPE },
	{ 1001, 2, LARGE_TYPE },
};

static void test_refusals(void)
{
	for (size_t i = 0; i < COUNT(refusals); i++) {
		void *address = (void *)(refusals[i].address * large / 2);

		ok_error(!allocate(address, refusals[i].size * large / 2, refusals[i].type,
				   PAGE_READWRITE),
			 ERROR_INVALID_PARAMETER, "a request that cannot be");
	}
}

/* A region, or NULL with a clear error. */
static char *take(SIZE_T size)
{
	char *base = allocate(NULL, size, LARGE_TYPE, PAGE_READWRITE);
	DWORD error = GetLastError();

	if (base)
		return base;
	/* "Large-Page Support" names what may be missing: the privilege SeLockMemoryPrivilege, and
	 * large pages that are free. The request itself is right. */
	todo_wine("ERROR_INVALID_PARAMETER: does not know the flag");
	ok(error == ERROR_NO_SYSTEM_RESOURCES || error == ERROR_PRIVILEGE_NOT_HELD,
	   "no large pages: error %u", (unsigned)error);
	return NULL;
}

static void test_region(void)
{
	char *base = take(2 * large);
	MEMORY_BASIC_INFORMATION info;

	if (!base) {
		skip_absent("a region of large pages");
		return;
	}
	ok((ULONG_PTR)base % large == 0, "at a multiple of a large page");
	ok(base[0] == 0 && base[2 * large - 1] == 0, "zero filled");
	memset(base, 'x', 2 * large);
	info = query(base + PAGE);
	ok(info.BaseAddress == base + PAGE && info.AllocationBase == base &&
		   info.RegionSize == 2 * large - PAGE,
	   "VirtualQuery: the region");
	ok(info.State == MEM_COMMIT && info.Type == MEM_PRIVATE && info.Protect == PAGE_READWRITE &&
		   info.AllocationProtect == PAGE_READWRITE,
	   "VirtualQuery: the words");
	ok(VirtualAlloc(base, large, MEM_COMMIT, PAGE_READWRITE) == base, "committed again");
	ok(base[0] == 'x', "the contents stay");
	ok(VirtualFree(base, 0, MEM_RELEASE), "released");
	ok(query(base).State == MEM_FREE, "and free");
}

static void test_decommit(void)
{
	char *base = take(2 * large);

	if (!base)
		return;
	base[large] = 'x';
	ok_error(!VirtualFree(base + large, large, MEM_DECOMMIT), ERROR_INVALID_ADDRESS,
		 "no large page is decommitted");
	ok_error(!VirtualFree(base, 0, MEM_DECOMMIT), ERROR_INVALID_ADDRESS, "nor are all");
	ok(query(base + large).State == MEM_COMMIT, "it stays committed");
	ok(base[large] == 'x', "and keeps its contents");
	ok_error(!VirtualFree(base, large, MEM_RELEASE), ERROR_INVALID_PARAMETER,
		 "a part is not released");
	ok(VirtualFree(base, 0, MEM_RELEASE), "released");
}

static void test_protect(void)
{
	char *base = take(2 * large);
	DWORD old = 0;

	if (!base)
		return;
	ok(VirtualProtect(base, large, PAGE_READONLY, &old) && old == PAGE_READWRITE,
	   "one large page is protected");
	ok(query(base).RegionSize == large && query(base).Protect == PAGE_READONLY,
	   "VirtualQuery tells them apart");
	ok(VirtualAlloc(base, large, MEM_RESET, PAGE_NOACCESS) == base, "reset");
	ok(VirtualLock(base + large, PAGE), "they can be locked");
	VirtualUnlock(base + large, PAGE);
	VirtualFree(base, 0, MEM_RELEASE);
}

#ifndef _WIN32
/* What only the native system can be made to show. */

static void test_real(void)
{
	PSAPI_WORKING_SET_EX_INFORMATION page = { .VirtualAddress = NULL };
	char *base = take(large),
	     *ordinary = allocate(NULL, PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

	if (!base)
		return;
	base[0] = ordinary[0] = 1;
	page.VirtualAddress = base;
	QueryWorkingSetEx(GetCurrentProcess(), &page, sizeof page);
	ok(page.VirtualAttributes.Valid && page.VirtualAttributes.LargePage, "a large page");
	page.VirtualAddress = ordinary;
	QueryWorkingSetEx(GetCurrentProcess(), &page, sizeof page);
	ok(page.VirtualAttributes.Valid && !page.VirtualAttributes.LargePage, "an ordinary one");
	VirtualFree(base, 0, MEM_RELEASE);
	VirtualFree(ordinary, 0, MEM_RELEASE);
}

/* At an address that is a large page's, and at one that is taken. */
static void test_address(void)
{
	char *first = take(large), *second;

	if (!first)
		return;
	ok_error(!VirtualAlloc(first, large, LARGE_TYPE, PAGE_READWRITE), ERROR_INVALID_ADDRESS,
		 "what is there already");
	VirtualFree(first, 0, MEM_RELEASE);
	second = allocate(first, large, LARGE_TYPE, PAGE_READWRITE);
	ok(second == first, "an address of its own");
	VirtualFree(second, 0, MEM_RELEASE);
}

static void test_limits(void)
{
	MEM_ADDRESS_REQUIREMENTS requirements = { .Alignment = 4 * large };
	MEM_EXTENDED_PARAMETER parameter = { .Type = MemExtendedParameterAddressRequirements,
					     .Pointer = &requirements };
	char *base = take(large);

	if (!base)
		return;
	VirtualFree(base, 0, MEM_RELEASE);
	requirements.HighestEndingAddress = (void *)0xffffffff;
	base = VirtualAlloc2(NULL, NULL, large, LARGE_TYPE, PAGE_READWRITE, &parameter, 1);
	ok(base && (ULONG_PTR)base < 0xffffffff && (ULONG_PTR)base % (4 * large) == 0,
	   "below a limit, at an alignment");
	VirtualFree(base, 0, MEM_RELEASE);
}

/* Until there are none left. */
static void test_exhaustion(void)
{
	SIZE_T more_than_there_are = (SIZE_T)1 << 40;

	ok_error(!VirtualAlloc(NULL, more_than_there_are, LARGE_TYPE, PAGE_READWRITE),
		 ERROR_NO_SYSTEM_RESOURCES, "more large pages than there are");
}
#else
static void test_real(void)
{
}

static void test_address(void)
{
}

static void test_limits(void)
{
}

static void test_exhaustion(void)
{
}
#endif

int main(void)
{
	large = GetLargePageMinimum();
	if (large == 0)
		tap_skip_all("this system has no large pages");
	fill_pool();
	test_refusals();
	test_region();
	test_decommit();
	test_protect();
	test_real();
	test_address();
	test_limits();
	test_exhaustion();
	return tap_done();
}
