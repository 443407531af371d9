/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The documentation of VirtualAllocExNuma from its first sentence to its last: parameters, types in
 * their order, remarks. Each step says which sentence it shows. The same source is a native test of
 * core and a Windows program. */

#include "tests/conformance/both.h"

#define KIB ((SIZE_T)1024)
#define NODE 0

#ifndef MEM_RESET_UNDO
#define MEM_RESET_UNDO 0x1000000
#endif

static char *allocate(PVOID base, SIZE_T size, DWORD type, DWORD protect)
{
	return VirtualAllocExNuma(GetCurrentProcess(), base, size, type, protect, NODE);
}

/* "hProcess", "lpAddress", "dwSize" */
static void test_parameters(void)
{
	char *base = allocate(NULL, 10 * KIB, MEM_RESERVE, PAGE_READWRITE), *again;

	ok_error(!VirtualAllocExNuma((HANDLE)(ULONG_PTR)0xbad0, NULL, PAGE, MEM_RESERVE,
				     PAGE_READWRITE, NODE),
		 ERROR_INVALID_HANDLE, "the handle must be a process's");
	ok(base != NULL, "if lpAddress is NULL, the function determines where to allocate");
	ok_equal(query(base).RegionSize, 12 * KIB, "and rounds dwSize up to the next page");
	VirtualFree(base, 0, MEM_RELEASE);
	again = allocate(base + 4660, 1, MEM_RESERVE, PAGE_READWRITE);
	ok(again == base, "a reserving call rounds the address down to the granularity");
	ok_equal(query(again).RegionSize, 8 * KIB,
		 "and allocates all pages that hold a byte of the range");
	ok(allocate(again + 4000, 200, MEM_COMMIT, PAGE_READWRITE) == again,
	   "a committing call rounds it down to the page");
	ok_equal(query(again).RegionSize, 8 * KIB, "across a boundary it takes both pages");
	VirtualFree(again, 0, MEM_RELEASE);
}

/* "MEM_COMMIT" */
static void test_commit(void)
{
	char *base = allocate(NULL, 64 * KIB, MEM_RESERVE, PAGE_READWRITE);

	ok(allocate(base, 8 * KIB, MEM_COMMIT, PAGE_READWRITE) == base && base[0] == 0,
	   "when first accessed, the contents are zero");
	base[0] = 'x';
	ok(allocate(base, 16 * KIB, MEM_COMMIT, PAGE_READWRITE) == base,
	   "committing a page that is committed does not fail");
	ok(base[0] == 'x', "and keeps what is there");
	ok_error(!allocate(base + 60 * KIB, 8 * KIB, MEM_COMMIT, PAGE_READWRITE),
		 ERROR_INVALID_ADDRESS, "it fails unless the entire range is reserved");
	ok(query(base + 60 * KIB).State == MEM_RESERVE, "and then no page is allocated");
	VirtualFree(base, 0, MEM_RELEASE);
	base = allocate(NULL, 64 * KIB, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
	ok(base && can_write(base + 64 * KIB - 1), "both in one step");
	VirtualFree(base, 0, MEM_RELEASE);
}

/* "MEM_RESERVE" */
static void test_reserve(void)
{
	char *base = allocate(NULL, 64 * KIB, MEM_RESERVE, PAGE_READWRITE);

	ok_error(!allocate(base, 4 * KIB, MEM_RESERVE, PAGE_READWRITE), ERROR_INVALID_ADDRESS,
		 "a reserved page cannot be reserved");
	ok(!can_read(base) && !can_write(base), "a reserved range has no storage");
	ok(allocate(base, 4 * KIB, MEM_COMMIT, PAGE_READWRITE) && can_write(base),
	   "pages are committed by further calls");
	VirtualFree(base, 0, MEM_RELEASE);
}

/* "MEM_RESET", "MEM_RESET_UNDO" */
static void test_reset(void)
{
	char *base = allocate(NULL, 64 * KIB, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

	memset(base, 'x', 64 * KIB);
	ok(allocate(base, 64 * KIB, MEM_RESET, PAGE_NOACCESS) == base,
	   "data that are of no interest any more");
	ok(query(base).State == MEM_COMMIT && query(base).Protect == PAGE_READWRITE,
	   "are not decommitted, and fProtect is ignored");
	if (allocate(base, 64 * KIB, MEM_RESET_UNDO, PAGE_NOACCESS))
		ok(base[0] == 'x' && base[64 * KIB - 1] == 'x',
		   "if the undo succeeds, all data are intact");
	else
		ok(base[0] == 'x' || base[0] == 0, "if it fails, some are zeros");
	/* "This value cannot be used with any other value." */
	todo_wine("takes it");
	ok_error(!allocate(base, 64 * KIB, MEM_RESET | MEM_COMMIT, PAGE_READWRITE),
		 ERROR_INVALID_PARAMETER, "MEM_RESET goes with no other value");
	todo_wine("takes it");
	ok_error(!allocate(base, 64 * KIB, MEM_RESET_UNDO | MEM_COMMIT, PAGE_READWRITE),
		 ERROR_INVALID_PARAMETER, "nor does MEM_RESET_UNDO");
	/* "However, you must still set fProtect to a valid protection value, such as
	 * PAGE_NOACCESS." */
	todo_wine("does not look at the protection");
	ok_error(!allocate(base, 64 * KIB, MEM_RESET, 0x1000), ERROR_INVALID_PARAMETER,
		 "fProtect must be a valid value all the same");
	VirtualFree(base, 64 * KIB, MEM_DECOMMIT);
	allocate(base, 64 * KIB, MEM_COMMIT, PAGE_READWRITE);
	ok(base[0] == 0, "who wants zeros decommits and commits again");
	VirtualFree(base, 0, MEM_RELEASE);
}

static BOOL is_documented_refusal(DWORD error)
{
	return error == ERROR_PRIVILEGE_NOT_HELD || error == ERROR_NO_SYSTEM_RESOURCES ||
	       error == ERROR_NOT_ENOUGH_MEMORY || error == ERROR_COMMITMENT_LIMIT;
}

/* "MEM_LARGE_PAGES" */
static void test_large_pages(void)
{
	SIZE_T large = GetLargePageMinimum();
	char *base;

	if (!large) {
		printf("# this system has no large pages\n");
		return;
	}
	ok_error(!allocate(NULL, large, MEM_RESERVE | MEM_LARGE_PAGES, PAGE_READWRITE),
		 ERROR_INVALID_PARAMETER, "MEM_RESERVE and MEM_COMMIT must be specified, too");
	ok_error(!allocate(NULL, large + PAGE, MEM_RESERVE | MEM_COMMIT | MEM_LARGE_PAGES,
			   PAGE_READWRITE),
		 ERROR_INVALID_PARAMETER, "the size must be a multiple of the minimum");
	SetLastError(UNTOUCHED);
	base = allocate(NULL, large, MEM_RESERVE | MEM_COMMIT | MEM_LARGE_PAGES, PAGE_READWRITE);
	/* Large page support wants a privilege and free large pages: that these are missing is what
	 * may be said of a request that is right in itself. */
	todo_wine("has an error of its own");
	if (base)
		ok((ULONG_PTR)base % large == 0 && can_write(base + large - 1),
		   "large pages, aligned to the minimum");
	else
		ok(is_documented_refusal(GetLastError()), "large pages that are not to be had");
	VirtualFree(base, 0, MEM_RELEASE);
}

/* "MEM_PHYSICAL": "a region of memory within the virtual address space that can be used to map
 * physical pages in and out". */
static void test_window(void)
{
	ULONG_PTR count = 4, pages[4];
	char *window = allocate(NULL, 64 * KIB, MEM_RESERVE | MEM_PHYSICAL, PAGE_READWRITE);

	ok_error(!allocate(NULL, 64 * KIB, MEM_RESERVE | MEM_COMMIT | MEM_PHYSICAL, PAGE_READWRITE),
		 ERROR_INVALID_PARAMETER, "MEM_COMMIT must not be specified for a window");
	if (!window || !AllocateUserPhysicalPages(GetCurrentProcess(), &count, pages)) {
		/* "The VirtualAllocExNuma function can be used to reserve an Address Windowing
		 * Extensions region": where that can be done there are pages for it. */
		todo_wine("has no windows");
		ok(!window, "physical pages are to be had");
		VirtualFree(window, 0, MEM_RELEASE);
		return;
	}
	ok(count == 4 && MapUserPhysicalPages(window, count, pages), "pages are mapped in");
	window[0] = 'x';
	ok(MapUserPhysicalPages(window, count, NULL) && !can_read(window), "and out");
	ok(MapUserPhysicalPages(window + 16 * KIB, count, pages) && window[16 * KIB] == 'x',
	   "and in elsewhere, with what they hold");
	FreeUserPhysicalPages(GetCurrentProcess(), &count, pages);
	VirtualFree(window, 0, MEM_RELEASE);
}

/* "MEM_TOP_DOWN", "flProtect", "nndPreferred" */
static void test_rest(void)
{
	char *base = allocate(NULL, 64 * KIB, MEM_RESERVE | MEM_TOP_DOWN, PAGE_READWRITE);
	DWORD old;

	ok(base != NULL, "the highest possible address");
	ok(allocate(base, PAGE, MEM_COMMIT, PAGE_READONLY) && can_read(base) && !can_write(base),
	   "committed pages have one of the protection constants");
	ok(VirtualAllocExNuma(GetCurrentProcess(), base, PAGE, MEM_COMMIT, PAGE_READWRITE, 0),
	   "the node is of no matter when pages of a region are committed");
	ok(VirtualProtect(base, PAGE, PAGE_EXECUTE_READ, &old) && old == PAGE_READWRITE,
	   "generated code is made executable by VirtualProtectEx and its like");
	VirtualFree(base, 0, MEM_RELEASE);
	/* "The NUMA node where the physical memory should reside": a node that is not there is no
	 * such node. */
	todo_wine("asks for no node");
	ok_error(!VirtualAllocExNuma(GetCurrentProcess(), NULL, PAGE, MEM_RESERVE, PAGE_READWRITE,
				     4711),
		 ERROR_INVALID_PARAMETER, "a new region's node must be there");
}

/* "Return value": NULL, and GetLastError says why. */
static void test_failure(void)
{
	ok_error(!allocate(NULL, 0, MEM_RESERVE, PAGE_READWRITE), ERROR_INVALID_PARAMETER,
		 "no bytes");
	ok_error(!allocate(NULL, PAGE, 0, PAGE_READWRITE), ERROR_INVALID_PARAMETER, "no type");
	ok_error(!allocate(NULL, PAGE, MEM_RESERVE, 0), ERROR_INVALID_PARAMETER, "no protection");
	ok_error(!allocate(NULL, (SIZE_T)1 << 60, MEM_RESERVE, PAGE_READWRITE),
		 ERROR_INVALID_PARAMETER, "more than there are addresses");
}

int main(void)
{
	test_parameters();
	test_commit();
	test_reserve();
	test_reset();
	test_large_pages();
	test_window();
	test_rest();
	test_failure();
	return tap_done();
}
