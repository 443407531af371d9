/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Placeholders: kept addresses that are cut, joined, and taken by regions. "A placeholder can be
 * replaced, split and coalesced; lpAddress and dwSize must exactly match those of the placeholder."
 * The same source is a native test of core and a Windows program. */

#include "tests/conformance/both.h"

/* Older headers of MinGW's know nothing of it. */
#ifndef MEM_RESERVE_PLACEHOLDER
#define MEM_RESERVE_PLACEHOLDER 0x00040000
#define MEM_REPLACE_PLACEHOLDER 0x00004000
#define MEM_COALESCE_PLACEHOLDERS 0x00000001
#define MEM_PRESERVE_PLACEHOLDER 0x00000002
#endif

#ifdef _WIN32
NTSTATUS NTAPI NtAllocateVirtualMemory(HANDLE, PVOID *, ULONG_PTR, SIZE_T *, ULONG, ULONG);
NTSTATUS NTAPI NtAllocateVirtualMemoryEx(HANDLE, PVOID *, SIZE_T *, ULONG, ULONG,
					 MEM_EXTENDED_PARAMETER *, ULONG);
NTSTATUS NTAPI NtFreeVirtualMemory(HANDLE, PVOID *, SIZE_T *, ULONG);
#endif

#define SELF ((HANDLE)-1)
#define REGION (4 * GRANULE)
#define KEEP (MEM_RESERVE | MEM_RESERVE_PLACEHOLDER)
#define REPLACE (MEM_RESERVE | MEM_REPLACE_PLACEHOLDER)
#define PRESERVE (MEM_RELEASE | MEM_PRESERVE_PLACEHOLDER)
#define COALESCE (MEM_RELEASE | MEM_COALESCE_PLACEHOLDERS)

static NTSTATUS allocate(PVOID base, SIZE_T size, ULONG type, ULONG protect)
{
	return NtAllocateVirtualMemoryEx(SELF, &base, &size, type, protect, NULL, 0);
}

static NTSTATUS release(PVOID base, SIZE_T size, ULONG type)
{
	return NtFreeVirtualMemory(SELF, &base, &size, type);
}

static char *keep(SIZE_T size)
{
	PVOID base = NULL;

	if (NtAllocateVirtualMemoryEx(SELF, &base, &size, KEEP, PAGE_NOACCESS, NULL, 0))
		return NULL;
	return base;
}

/* A placeholder, as the query says; its extent. */
static void expect_kept(const char *base, SIZE_T size, const char *what)
{
	MEMORY_BASIC_INFORMATION info = query(base);

	ok(info.State == MEM_RESERVE && info.Type == MEM_PRIVATE && info.Protect == 0, "%s: kept",
	   what);
	ok(info.AllocationBase == base && info.AllocationProtect == PAGE_NOACCESS,
	   "%s: a region of its own", what);
	ok_equal(info.RegionSize, size, "%s: its size", what);
}

static void test_begin(void)
{
	SIZE_T size = REGION;
	PVOID base = NULL;
	char *kept;

	ok_status(NtAllocateVirtualMemory(SELF, &base, 0, &size, KEEP, PAGE_NOACCESS),
		  STATUS_INVALID_PARAMETER, "the older call knows no placeholders");
	ok_status(allocate(NULL, REGION, KEEP, PAGE_READWRITE), STATUS_INVALID_PARAMETER,
		  "a placeholder has no protection");
	ok_status(allocate(NULL, REGION, KEEP | MEM_COMMIT, PAGE_NOACCESS),
		  STATUS_INVALID_PARAMETER, "a placeholder has no pages");
	ok_status(allocate(NULL, REGION, KEEP | MEM_REPLACE_PLACEHOLDER, PAGE_NOACCESS),
		  STATUS_INVALID_PARAMETER, "a placeholder is no other's successor");
	ok_status(allocate(NULL, REGION, MEM_RESERVE_PLACEHOLDER, PAGE_NOACCESS),
		  STATUS_INVALID_PARAMETER, "a placeholder is reserved");
	kept = keep(REGION);
	ok(kept && (ULONG_PTR)kept % GRANULE == 0, "a placeholder");
	expect_kept(kept, REGION, "whole");
	ok(!can_read(kept) && !can_write(kept), "which cannot be touched");
	ok_status(allocate(kept, REGION, KEEP, PAGE_NOACCESS), STATUS_CONFLICTING_ADDRESSES,
		  "its addresses are taken for another one");
	ok_status(allocate(kept, REGION, MEM_RESERVE, PAGE_NOACCESS), STATUS_CONFLICTING_ADDRESSES,
		  "and for a region");
	ok_status(allocate(kept, REGION, MEM_COMMIT, PAGE_READWRITE), STATUS_CONFLICTING_ADDRESSES,
		  "it is not committed");
	ok_status(release(kept, 0, MEM_RELEASE), STATUS_SUCCESS, "it is released");
	ok_equal(query(kept).State, MEM_FREE, "its addresses are free");
}

static void test_replace(void)
{
	char *kept = keep(REGION);

	ok_status(allocate(kept, PAGE, REPLACE, PAGE_NOACCESS), STATUS_CONFLICTING_ADDRESSES,
		  "a part is not replaced");
	ok_status(allocate(kept + PAGE, REGION - PAGE, REPLACE, PAGE_NOACCESS),
		  STATUS_CONFLICTING_ADDRESSES, "nor the other part");
	ok_status(allocate(kept, REGION, MEM_REPLACE_PLACEHOLDER, PAGE_READWRITE),
		  STATUS_INVALID_PARAMETER, "a successor is reserved");
	ok_status(allocate(kept, REGION, MEM_REPLACE_PLACEHOLDER | MEM_COMMIT, PAGE_READWRITE),
		  STATUS_INVALID_PARAMETER, "not only committed");
	ok_status(allocate(NULL, REGION, REPLACE, PAGE_READWRITE), STATUS_INVALID_PARAMETER,
		  "the placeholder is named");
	expect_kept(kept, REGION, "refused");
	ok_status(allocate(kept, REGION, REPLACE | MEM_COMMIT, PAGE_READWRITE), STATUS_SUCCESS,
		  "the whole one is replaced");
	ok(can_write(kept) && can_write(kept + REGION - 1), "by pages that can be used");
	ok_equal(query(kept).AllocationProtect, PAGE_READWRITE, "and have a protection");
	memset(kept, 'x', REGION);
	ok_status(allocate(kept, REGION, REPLACE, PAGE_READWRITE), STATUS_CONFLICTING_ADDRESSES,
		  "only once");
	ok_status(release(kept, REGION, PRESERVE), STATUS_SUCCESS, "it goes back");
	expect_kept(kept, REGION, "back");
	ok_status(allocate(kept, REGION, REPLACE, PAGE_READONLY), STATUS_SUCCESS, "replaced again");
	ok_equal(query(kept).State, MEM_RESERVE, "without pages");
	ok_status(allocate(kept, PAGE, MEM_COMMIT, PAGE_READWRITE), STATUS_SUCCESS,
		  "then with one");
	ok(kept[0] == 0, "which is zero");
	ok_status(release(kept, 0, MEM_RELEASE), STATUS_SUCCESS, "released for good");
	ok_equal(query(kept).State, MEM_FREE, "all of it");
}

static void test_split(void)
{
	char *kept = keep(GRANULE), *middle = kept + GRANULE / 2, *last = middle + GRANULE / 4;

	ok_status(release(kept, GRANULE, PRESERVE), STATUS_CONFLICTING_ADDRESSES,
		  "a whole one is one already");
	ok_status(release(kept, 0, PRESERVE), (DWORD)0xC00000F1, "a part has a size");
	ok_status(release(middle, GRANULE / 4, PRESERVE), STATUS_SUCCESS, "cut in three");
	expect_kept(kept, GRANULE / 2, "the first");
	expect_kept(middle, GRANULE / 4, "the second");
	expect_kept(last, GRANULE / 4, "the third");
	ok_status(allocate(middle, GRANULE / 4, REPLACE | MEM_COMMIT, PAGE_READWRITE),
		  STATUS_SUCCESS, "the second is replaced, off the granularity");
	ok(can_write(middle) && !can_write(middle - 1) && !can_write(last), "it alone");
	ok_status(release(middle, PAGE, PRESERVE), STATUS_SUCCESS, "its first page goes back");
	expect_kept(middle, PAGE, "the page");
	ok(query(middle + PAGE).AllocationBase == middle + PAGE && can_write(middle + PAGE),
	   "the rest is a region still");
	ok_status(release(kept, 0, MEM_RELEASE), STATUS_SUCCESS, "the first is released");
	ok_status(release(middle, 0, MEM_RELEASE), STATUS_SUCCESS, "and the page");
	ok_status(release(middle + PAGE, 0, MEM_RELEASE), STATUS_SUCCESS, "and the region");
	ok_status(release(last, 0, MEM_RELEASE), STATUS_SUCCESS, "and the third");
	ok_status(release(kept, 0, MEM_RELEASE), STATUS_MEMORY_NOT_ALLOCATED, "nothing is left");
}

static void test_release_part(void)
{
	char *kept = keep(GRANULE);

	ok_status(release(kept + PAGE, PAGE, MEM_RELEASE), STATUS_SUCCESS, "a part is released");
	expect_kept(kept, PAGE, "what is before");
	ok_equal(query(kept + PAGE).State, MEM_FREE, "the part is free");
	expect_kept(kept + 2 * PAGE, GRANULE - 2 * PAGE, "what is behind");
	ok_status(release(kept, 0, MEM_RELEASE), STATUS_SUCCESS, "the first is released");
	ok_status(release(kept + 2 * PAGE, 0, MEM_RELEASE), STATUS_SUCCESS, "and the last");
}

/* What cannot be joined, of pieces of 4, 4 and 8 pages. */
static const struct {
	ptrdiff_t first, pages;
} unions[] = { { 0, 4 }, { 0, 6 }, { 0, 17 }, { 0, 15 }, { 1, 15 }, { 1, 7 }, { 4, 8 } };

static void test_coalesce(void)
{
	char *kept = keep(GRANULE);

	release(kept, 4 * PAGE, PRESERVE);
	release(kept + 4 * PAGE, 4 * PAGE, PRESERVE);
	for (size_t i = 0; i < COUNT(unions); i++)
		ok_status(release(kept + unions[i].first * PAGE, unions[i].pages * PAGE, COALESCE),
			  STATUS_CONFLICTING_ADDRESSES, "row %zu: not whole ones", i);
	ok_status(release(kept, 0, COALESCE), (DWORD)0xC00000F1, "no size");
	ok_status(release(kept, GRANULE, MEM_COALESCE_PLACEHOLDERS), (DWORD)0xC00000F2,
		  "not released");
	ok_status(release(kept, GRANULE, MEM_RELEASE), STATUS_UNABLE_TO_FREE_VM,
		  "several are not released at once");
	expect_kept(kept, 4 * PAGE, "refused");
	ok_status(release(kept, 8 * PAGE, COALESCE), STATUS_SUCCESS, "two are joined");
	expect_kept(kept, 8 * PAGE, "joined");
	ok_status(release(kept, GRANULE, COALESCE), STATUS_SUCCESS, "and the last one");
	expect_kept(kept, GRANULE, "whole again");
	release(kept, 4 * PAGE, PRESERVE);
	ok_status(allocate(kept, 4 * PAGE, REPLACE, PAGE_READWRITE), STATUS_SUCCESS, "replaced");
	ok_status(release(kept, GRANULE, COALESCE), STATUS_CONFLICTING_ADDRESSES,
		  "a region is not joined");
	release(kept, 0, MEM_RELEASE);
	ok_status(release(kept, GRANULE, COALESCE), STATUS_CONFLICTING_ADDRESSES,
		  "nor what is free");
	release(kept + 4 * PAGE, 0, MEM_RELEASE);
}

/* What never was a placeholder becomes none. */
static void test_ordinary(void)
{
	char *base = VirtualAlloc(NULL, REGION, MEM_RESERVE, PAGE_NOACCESS);

	ok_status(release(base, REGION, PRESERVE), STATUS_CONFLICTING_ADDRESSES,
		  "a region leaves no placeholder");
	ok_status(release(base, PAGE, PRESERVE), STATUS_CONFLICTING_ADDRESSES, "nor does a part");
	ok_status(allocate(base, REGION, REPLACE, PAGE_READWRITE), STATUS_CONFLICTING_ADDRESSES,
		  "a region is not replaced");
	ok_equal(query(base).RegionSize, REGION, "it is as it was");
	VirtualFree(base, 0, MEM_RELEASE);
	ok_status(allocate(base, REGION, REPLACE, PAGE_READWRITE), STATUS_CONFLICTING_ADDRESSES,
		  "nor what is free");
}

/* Writes to a region that took a placeholder's place can be watched. */
static void test_watch(void)
{
	char *kept = keep(GRANULE);
	PVOID pages[16];
	ULONG_PTR count = COUNT(pages);
	DWORD size = 0;

	ok_status(allocate(kept, GRANULE, REPLACE | MEM_COMMIT | MEM_WRITE_WATCH, PAGE_READWRITE),
		  STATUS_SUCCESS, "replaced by a watched region");
	kept[3 * PAGE] = 1;
	ok(GetWriteWatch(0, kept, GRANULE, pages, &count, &size) == 0 && count == 1 &&
		   pages[0] == kept + 3 * PAGE,
	   "the written page is listed");
	ok_status(release(kept, GRANULE, PRESERVE), STATUS_SUCCESS, "back again");
	ok_status(allocate(kept, GRANULE, REPLACE | MEM_COMMIT, PAGE_READWRITE), STATUS_SUCCESS,
		  "replaced by an ordinary one");
	kept[PAGE] = 1;
	count = COUNT(pages);
	ok(GetWriteWatch(0, kept, GRANULE, pages, &count, &size) != 0, "which is not watched");
	release(kept, 0, MEM_RELEASE);
}

/* MEM_REPLACE_PLACEHOLDER: "Replaces a placeholder with a normal private allocation. Only
 * data/pf-backed section views are supported (no images, physical memory, etc.)." Of the error
 * nothing is said. */
static void test_only_ordinary(void)
{
	char *kept = keep(REGION);

	ok_status(allocate(kept, REGION, REPLACE | MEM_PHYSICAL, PAGE_READWRITE),
		  STATUS_NOT_SUPPORTED, "a window for physical pages");
	ok_status(allocate(kept, REGION, REPLACE | MEM_COMMIT | MEM_LARGE_PAGES, PAGE_READWRITE),
		  STATUS_NOT_SUPPORTED, "large pages");
	expect_kept(kept, REGION, "neither takes its place");
	release(kept, 0, MEM_RELEASE);
}

/* The same through VirtualAlloc2 and VirtualFree, with last errors. */
static void test_win32(void)
{
	typeof(&VirtualAlloc2) allocate2 = FUNCTION("kernelbase.dll", VirtualAlloc2);
	char *kept = allocate2(NULL, NULL, REGION, KEEP, PAGE_NOACCESS, NULL, 0);

	ok(kept != NULL, "VirtualAlloc2 keeps addresses");
	ok_error(!VirtualAlloc(NULL, REGION, KEEP, PAGE_NOACCESS), ERROR_INVALID_PARAMETER,
		 "VirtualAlloc does not");
	ok(VirtualFree(kept, GRANULE, PRESERVE), "VirtualFree cuts");
	ok_error(!VirtualFree(kept, GRANULE, PRESERVE), ERROR_INVALID_ADDRESS, "only once");
	ok_error(!VirtualFree(kept, 0, PRESERVE), ERROR_INVALID_PARAMETER, "with a size");
	ok(allocate2(NULL, kept, GRANULE, REPLACE | MEM_COMMIT, PAGE_READWRITE, NULL, 0) == kept,
	   "VirtualAlloc2 replaces");
	ok(can_write(kept) && !can_write(kept + GRANULE), "the piece");
	ok_error(!allocate2(NULL, kept + GRANULE, GRANULE, REPLACE, PAGE_READWRITE, NULL, 0),
		 ERROR_INVALID_ADDRESS, "not a part of one");
	ok_error(!allocate2(NULL, kept + GRANULE, REGION - GRANULE, REPLACE | MEM_PHYSICAL,
			    PAGE_READWRITE, NULL, 0),
		 ERROR_NOT_SUPPORTED, "by what is not ordinary");
	ok(VirtualFree(kept, GRANULE, PRESERVE), "VirtualFree gives it back");
	ok(VirtualFree(kept, REGION, COALESCE), "and joins");
	expect_kept(kept, REGION, "joined");
	ok(VirtualFree(kept, 0, MEM_RELEASE), "and releases");
}

/* Wine 8.0 refuses to make one, so there is nothing to see there. */
static BOOL has_placeholders(void)
{
	char *kept = keep(REGION);

	/* "To create a placeholder, call VirtualAlloc2 with MEM_RESERVE | MEM_RESERVE_PLACEHOLDER
	 * and PageProtection set to PAGE_NOACCESS." */
	todo_wine("has no placeholders");
	ok(kept != NULL, "a placeholder is made");
	return kept && !release(kept, 0, MEM_RELEASE);
}

int main(void)
{
	if (!has_placeholders())
		return tap_done();
	test_begin();
	test_replace();
	test_split();
	test_release_part();
	test_coalesce();
	test_ordinary();
	test_watch();
	test_only_ordinary();
	test_win32();
	return tap_done();
}
