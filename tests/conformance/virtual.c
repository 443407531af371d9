/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* VirtualAlloc, VirtualFree, VirtualProtect, VirtualQuery as memoryapi.h documents them. The same
 * source is a native test of core and a Windows program. */

#ifdef _WIN32
#include <windows.h>
#else
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/core.h"
#endif

#include <string.h>

#include "tests/lib/tap.h"

#define PAGE 0x1000
#define GRANULE 0x10000
#define REGION (4 * GRANULE)
#define UNTOUCHED 0xdeadbeef

/* An excuse before it is for both. */
static void expect_error(BOOL is_failure, DWORD error, const char *what, size_t row)
{
	DWORD got = GetLastError();
	const char *excuse = tap_todo;

	ok(is_failure, "row %zu: %s fails", row, what);
	tap_todo = excuse;
	ok_equal(got, error, "row %zu: %s sets the error", row, what);
}

/* Arguments alone. */
static const struct {
	SIZE_T size;
	DWORD type;
	DWORD protect;
	DWORD error;           /* 0: succeeds */
	const char *todo_wine; /* what Wine does instead */
} allocations[] = {
	{ 1, MEM_RESERVE, PAGE_READWRITE, 0, NULL },
	{ 99 * 1024, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE, 0, NULL },
	{ PAGE, MEM_COMMIT, PAGE_READWRITE, 0, NULL },
	{ PAGE, MEM_RESERVE | MEM_TOP_DOWN, PAGE_NOACCESS, 0, NULL },
	{ PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_EXECUTE_READWRITE, 0, NULL },
	{ PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE | PAGE_NOCACHE, 0, NULL },
	{ 0, MEM_RESERVE, PAGE_READWRITE, ERROR_INVALID_PARAMETER, NULL },
	{ PAGE, 0, PAGE_READWRITE, ERROR_INVALID_PARAMETER, NULL },
	{ PAGE, MEM_RESERVE | MEM_RELEASE, PAGE_READWRITE, ERROR_INVALID_PARAMETER, NULL },
	/* "This value cannot be used with any other value" (VirtualAlloc, MEM_RESET). */
	{ PAGE, MEM_RESERVE | MEM_RESET, PAGE_READWRITE, ERROR_INVALID_PARAMETER, "takes it" },
	{ PAGE, MEM_RESERVE, 0, ERROR_INVALID_PARAMETER, NULL },
	{ PAGE, MEM_RESERVE, PAGE_READONLY | PAGE_READWRITE, ERROR_INVALID_PARAMETER, NULL },
	{ PAGE, MEM_RESERVE, PAGE_WRITECOPY, ERROR_INVALID_PARAMETER, NULL },
	{ PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_EXECUTE_WRITECOPY, ERROR_INVALID_PARAMETER, NULL },
};

static void test_arguments(void)
{
	for (size_t i = 0; i < sizeof allocations / sizeof allocations[0]; i++) {
		void *base;

		SetLastError(UNTOUCHED);
		base = VirtualAlloc(NULL, allocations[i].size, allocations[i].type,
				    allocations[i].protect);
		if (allocations[i].error) {
			todo_wine(allocations[i].todo_wine);
			expect_error(!base, allocations[i].error, "allocation", i);
			continue;
		}
		ok(base && (ULONG_PTR)base % GRANULE == 0, "row %zu: at the granularity", i);
		ok_equal(GetLastError(), UNTOUCHED, "row %zu: the last error stays", i);
		ok(VirtualFree(base, 0, MEM_RELEASE), "row %zu: released", i);
	}
}

/* Committing with MEM_COMMIT alone, in a region of REGION bytes with one page committed. */
static const struct {
	ptrdiff_t offset;
	SIZE_T size;
	DWORD error;
	ptrdiff_t result; /* where the answer points */
} commits[] = {
	{ 0, PAGE, 0, 0 },
	{ PAGE + 1, 1, 0, PAGE },
	/* Two bytes across a page boundary take both pages. */
	{ 3 * PAGE - 1, 2, 0, 2 * PAGE },
	{ 0, REGION, 0, 0 },
	{ 0, REGION + 1, ERROR_INVALID_ADDRESS, 0 },
	{ REGION - PAGE, 2 * PAGE, ERROR_INVALID_ADDRESS, 0 },
	{ REGION, PAGE, ERROR_INVALID_ADDRESS, 0 },
};

static void test_commit(void)
{
	/* Room behind, so that nobody else's region is there. */
	char *base = VirtualAlloc(NULL, 2 * REGION, MEM_RESERVE, PAGE_READWRITE);

	VirtualFree(base, 0, MEM_RELEASE);
	base = VirtualAlloc(base, REGION, MEM_RESERVE, PAGE_READWRITE);
	for (size_t i = 0; i < sizeof commits / sizeof commits[0]; i++) {
		char *got;

		SetLastError(UNTOUCHED);
		got = VirtualAlloc(base + commits[i].offset, commits[i].size, MEM_COMMIT,
				   PAGE_READWRITE);
		if (commits[i].error) {
			expect_error(!got, commits[i].error, "commit", i);
			continue;
		}
		ok(got == base + commits[i].result, "row %zu: the page that holds the address", i);
		memset(base + commits[i].offset, 1, commits[i].size);
	}
	VirtualFree(base, 0, MEM_RELEASE);
}

/* "The entire range" is of one region. */
static void test_two_regions(void)
{
	char *base = VirtualAlloc(NULL, 2 * GRANULE, MEM_RESERVE, PAGE_READWRITE), *second, *got;
	MEMORY_BASIC_INFORMATION info = { 0 };
	BOOL is_done;

	VirtualFree(base, 0, MEM_RELEASE);
	base = VirtualAlloc(base, GRANULE, MEM_RESERVE, PAGE_READWRITE);
	second = VirtualAlloc(base + GRANULE, GRANULE, MEM_RESERVE, PAGE_READWRITE);
	ok(base && second == base + GRANULE, "two regions side by side");
	SetLastError(UNTOUCHED);
	got = VirtualAlloc(second - PAGE, 2 * PAGE, MEM_COMMIT, PAGE_READWRITE);
	expect_error(!got, ERROR_INVALID_ADDRESS, "a commit across them", 0);
	VirtualQuery(second - PAGE, &info, sizeof info);
	ok(info.State == MEM_RESERVE && info.RegionSize == PAGE, "nothing is committed in one");
	VirtualQuery(second, &info, sizeof info);
	ok(info.State == MEM_RESERVE && info.RegionSize == GRANULE, "nor in the other");
	VirtualAlloc(second - PAGE, PAGE, MEM_COMMIT, PAGE_READWRITE);
	VirtualAlloc(second, PAGE, MEM_COMMIT, PAGE_READWRITE);
	SetLastError(UNTOUCHED);
	is_done = VirtualFree(second - PAGE, 2 * PAGE, MEM_DECOMMIT);
	expect_error(!is_done, ERROR_INVALID_PARAMETER, "a decommit across them", 0);
	VirtualQuery(second - PAGE, &info, sizeof info);
	ok(info.State == MEM_COMMIT, "nothing is decommitted");
	VirtualFree(base, 0, MEM_RELEASE);
	VirtualFree(second, 0, MEM_RELEASE);
}

static char *place_in(const MEMORY_BASIC_INFORMATION *gap)
{
	ULONG_PTR base = (ULONG_PTR)gap->BaseAddress + GRANULE - 1;

	base &= ~(ULONG_PTR)(GRANULE - 1);
	return base + GRANULE <= (ULONG_PTR)gap->BaseAddress + gap->RegionSize ? (char *)base
									       : NULL;
}

/* The highest granule that is free, or NULL. */
static char *highest_free(const char *from)
{
	MEMORY_BASIC_INFORMATION info;
	char *highest = NULL;
	SYSTEM_INFO system;

	GetSystemInfo(&system);
	while (from <= (char *)system.lpMaximumApplicationAddress &&
	       VirtualQuery(from, &info, sizeof info)) {
		if (info.State == MEM_FREE && place_in(&info))
			highest = (char *)info.BaseAddress + info.RegionSize - GRANULE;
		from = (char *)info.BaseAddress + info.RegionSize;
	}
	return highest;
}

static void test_top_down(void)
{
	DWORD type = MEM_RESERVE | MEM_TOP_DOWN;
	char *first = VirtualAlloc(NULL, GRANULE, type, PAGE_READWRITE), *second, *again;

	/* "MEM_TOP_DOWN: Allocates memory at the highest possible address." */
	todo_wine("leaves room above, or does not know who has it");
	ok(first && !highest_free(first), "the highest address: nothing above it is free");
	second = VirtualAlloc(NULL, GRANULE, type, PAGE_READWRITE);
	ok(second && second < first, "the next one is below it");
	VirtualFree(first, 0, MEM_RELEASE);
	again = VirtualAlloc(NULL, GRANULE, type, PAGE_READWRITE);
	ok(again == first, "what was given back is the highest again");
	VirtualFree(again, 0, MEM_RELEASE);
	VirtualFree(second, 0, MEM_RELEASE);
}

static void test_commit_keeps_contents(void)
{
	char *base = VirtualAlloc(NULL, REGION, MEM_RESERVE, PAGE_READWRITE);

	VirtualAlloc(base, PAGE, MEM_COMMIT, PAGE_READWRITE);
	ok(base[0] == 0 && base[PAGE - 1] == 0, "committed pages are zero");
	base[5] = 'x';
	ok(VirtualAlloc(base, 2 * PAGE, MEM_COMMIT, PAGE_READWRITE) == base,
	   "committed pages may be committed again");
	ok(base[5] == 'x', "they keep their contents");
	ok(VirtualFree(base, PAGE, MEM_DECOMMIT), "decommitted");
	VirtualAlloc(base, PAGE, MEM_COMMIT, PAGE_READWRITE);
	ok(base[5] == 0, "decommitted and committed again: zero");
	VirtualFree(base, 0, MEM_RELEASE);
}

static void test_reserve_at_address(void)
{
	char *base = VirtualAlloc(NULL, REGION, MEM_RESERVE, PAGE_NOACCESS), *got;

	SetLastError(UNTOUCHED);
	got = VirtualAlloc(base + GRANULE, PAGE, MEM_RESERVE, PAGE_NOACCESS);
	expect_error(!got, ERROR_INVALID_ADDRESS, "reserving a reserved page", 0);
	VirtualFree(base, 0, MEM_RELEASE);
	got = VirtualAlloc(base + GRANULE + 0x1234, PAGE, MEM_RESERVE, PAGE_NOACCESS);
	ok(got == base + GRANULE, "an address is rounded down to the granularity");
	VirtualFree(got, 0, MEM_RELEASE);
	SetLastError(UNTOUCHED);
	got = VirtualAlloc((void *)(ULONG_PTR)0xffff800000000000, PAGE, MEM_RESERVE, PAGE_NOACCESS);
	expect_error(!got, ERROR_INVALID_PARAMETER, "an address of the system's", 1);
}

/* Each on a fresh region of REGION bytes, with its first page committed. */
static const struct {
	ptrdiff_t offset;
	SIZE_T size;
	DWORD type;
	DWORD error;
} frees[] = {
	{ 0, 0, MEM_RELEASE, 0 },
	{ 0, 0, MEM_DECOMMIT, 0 },
	{ PAGE, PAGE, MEM_DECOMMIT, 0 },
	{ 0, REGION, MEM_DECOMMIT, 0 },
	{ 0, PAGE, MEM_RELEASE, ERROR_INVALID_PARAMETER },
	{ 0, REGION, MEM_RELEASE, ERROR_INVALID_PARAMETER },
	{ PAGE, 0, MEM_RELEASE, ERROR_INVALID_ADDRESS },
	{ PAGE, 0, MEM_DECOMMIT, ERROR_INVALID_ADDRESS },
	{ 0, REGION + PAGE, MEM_DECOMMIT, ERROR_INVALID_PARAMETER },
	{ 0, 0, 0, ERROR_INVALID_PARAMETER },
	{ 0, 0, MEM_RELEASE | MEM_DECOMMIT, ERROR_INVALID_PARAMETER },
	{ 0, 0, MEM_RESERVE, ERROR_INVALID_PARAMETER },
	{ 0, 0, MEM_RELEASE | MEM_RESERVE, ERROR_INVALID_PARAMETER },
	{ 0, 0, MEM_RELEASE | 0x10, ERROR_INVALID_PARAMETER },
	{ 0, 0, MEM_DECOMMIT | 0x80000000, ERROR_INVALID_PARAMETER },
};

static void test_free(void)
{
	for (size_t i = 0; i < sizeof frees / sizeof frees[0]; i++) {
		char *base = VirtualAlloc(NULL, REGION, MEM_RESERVE, PAGE_READWRITE);
		BOOL got;

		VirtualAlloc(base, PAGE, MEM_COMMIT, PAGE_READWRITE);
		SetLastError(UNTOUCHED);
		got = VirtualFree(base + frees[i].offset, frees[i].size, frees[i].type);
		if (frees[i].error)
			expect_error(!got, frees[i].error, "free", i);
		else
			ok(got, "row %zu: free", i);
		VirtualFree(base, 0, MEM_RELEASE);
		SetLastError(UNTOUCHED);
		got = VirtualFree(base, 0, MEM_RELEASE);
		/* STATUS_MEMORY_NOT_ALLOCATED is "an attempt was made to free virtual memory that
		 * is not allocated", which is ERROR_INVALID_ADDRESS. */
		todo_wine("ERROR_INVALID_PARAMETER");
		expect_error(!got, ERROR_INVALID_ADDRESS, "releasing what is free", i);
	}
}

static const struct {
	SIZE_T size;
	DWORD protect;
	DWORD error;
} protections[] = {
	{ PAGE, PAGE_READONLY, 0 },
	{ PAGE, PAGE_NOACCESS, 0 },
	{ 2 * PAGE, PAGE_EXECUTE_READ, 0 },
	{ 1, PAGE_READWRITE, 0 },
	{ 2 * PAGE + 1, PAGE_READONLY, ERROR_INVALID_ADDRESS },
	{ PAGE, 0, ERROR_INVALID_PARAMETER },
	{ PAGE, PAGE_WRITECOPY, ERROR_INVALID_PARAMETER },
	{ PAGE, PAGE_READONLY | PAGE_READWRITE, ERROR_INVALID_PARAMETER },
};

/* Two pages of a region are committed. */
static void test_protect(void)
{
	char *base = VirtualAlloc(NULL, REGION, MEM_RESERVE, PAGE_READWRITE);
	DWORD expected = PAGE_READWRITE, old;
	BOOL got;

	VirtualAlloc(base, 2 * PAGE, MEM_COMMIT, PAGE_READWRITE);
	for (size_t i = 0; i < sizeof protections / sizeof protections[0]; i++) {
		old = UNTOUCHED;
		SetLastError(UNTOUCHED);
		got = VirtualProtect(base, protections[i].size, protections[i].protect, &old);
		if (protections[i].error) {
			expect_error(!got, protections[i].error, "protect", i);
			continue;
		}
		ok(got, "row %zu: protect", i);
		ok_equal(old, expected, "row %zu: the old protection", i);
		expected = protections[i].protect;
	}
	SetLastError(UNTOUCHED);
	got = VirtualProtect(base, PAGE, PAGE_READONLY, NULL);
	expect_error(!got, ERROR_NOACCESS, "protect without a place for the old one", 0);
	VirtualFree(base, 0, MEM_RELEASE);
	SetLastError(UNTOUCHED);
	got = VirtualProtect(base, PAGE, PAGE_READONLY, &old);
	/* VirtualProtect: all pages must be in one reserved region. STATUS_CONFLICTING_ADDRESSES
	 * says that they are not, which is ERROR_INVALID_ADDRESS. */
	todo_wine("ERROR_INVALID_PARAMETER");
	expect_error(!got, ERROR_INVALID_ADDRESS, "protect of free pages", 0);
}

static void expect_run(const char *address, const char *base, SIZE_T size, DWORD state,
		       DWORD protect, const char *what)
{
	MEMORY_BASIC_INFORMATION info;

	memset(&info, 0xcc, sizeof info);
	ok_equal(VirtualQuery(address, &info, sizeof info), sizeof info, "%s: an answer", what);
	ok(info.BaseAddress == (void *)((ULONG_PTR)address & ~(ULONG_PTR)(PAGE - 1)),
	   "%s: from the page of the address", what);
	ok(info.AllocationBase == base, "%s: the region", what);
	ok_equal(info.AllocationProtect, PAGE_READWRITE, "%s: the region's protection", what);
	ok_equal(info.RegionSize, size, "%s: the run's size", what);
	ok_equal(info.State, state, "%s: the state", what);
	ok_equal(info.Protect, protect, "%s: the protection", what);
	ok_equal(info.Type, MEM_PRIVATE, "%s: private", what);
}

static void test_query(void)
{
	char *base = VirtualAlloc(NULL, REGION, MEM_RESERVE, PAGE_READWRITE);
	MEMORY_BASIC_INFORMATION info;
	DWORD old;

	expect_run(base + 5, base, REGION, MEM_RESERVE, 0, "reserved");
	VirtualAlloc(base + PAGE, 3 * PAGE, MEM_COMMIT, PAGE_READWRITE);
	expect_run(base, base, PAGE, MEM_RESERVE, 0, "before the committed pages");
	expect_run(base + PAGE, base, 3 * PAGE, MEM_COMMIT, PAGE_READWRITE, "committed");
	expect_run(base + 2 * PAGE + 9, base, 2 * PAGE, MEM_COMMIT, PAGE_READWRITE,
		   "from inside the run");
	VirtualProtect(base + 2 * PAGE, PAGE, PAGE_READONLY, &old);
	expect_run(base + PAGE, base, PAGE, MEM_COMMIT, PAGE_READWRITE, "cut by a protection");
	expect_run(base + 2 * PAGE, base, PAGE, MEM_COMMIT, PAGE_READONLY, "protected");
	VirtualProtect(base + 2 * PAGE, PAGE, PAGE_READWRITE, &old);
	expect_run(base + PAGE, base, 3 * PAGE, MEM_COMMIT, PAGE_READWRITE, "whole again");
	VirtualFree(base, 0, MEM_RELEASE);
	ok_equal(VirtualQuery(base, &info, sizeof info), sizeof info, "free: an answer");
	ok(info.State == MEM_FREE && info.Protect == PAGE_NOACCESS && info.Type == 0 &&
		   info.AllocationBase == NULL,
	   "free: its words");
	ok(info.RegionSize >= REGION, "free: as far as it goes");
}

static int initialised = 1;
static const int constant = 1;

static void test_query_others(void)
{
	MEMORY_BASIC_INFORMATION info;
	int local = 0;

	VirtualQuery((void *)(ULONG_PTR)test_query_others, &info, sizeof info);
	ok(info.State == MEM_COMMIT && info.Type == MEM_IMAGE &&
		   info.Protect == PAGE_EXECUTE_READ &&
		   info.AllocationProtect == PAGE_EXECUTE_WRITECOPY,
	   "code is an image's");
	VirtualQuery(&constant, &info, sizeof info);
	ok(info.State == MEM_COMMIT && info.Type == MEM_IMAGE && info.Protect == PAGE_READONLY,
	   "constants are an image's");
	VirtualQuery(&initialised, &info, sizeof info);
	ok(info.State == MEM_COMMIT && info.Type == MEM_IMAGE, "variables are an image's");
	VirtualQuery(&local, &info, sizeof info);
	ok(info.State == MEM_COMMIT && info.Type == MEM_PRIVATE && info.Protect == PAGE_READWRITE,
	   "the stack is private");
}

/* A view of this program's file, as data. */
static void *map_file(void)
{
#ifdef _WIN32
	char name[MAX_PATH];
	HANDLE file, section;
	void *view;

	GetModuleFileNameA(NULL, name, sizeof name);
	file = CreateFileA(name, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
	section = CreateFileMappingA(file, NULL, PAGE_READONLY, 0, 0, NULL);
	view = MapViewOfFile(section, FILE_MAP_READ, 0, 0, PAGE);
	CloseHandle(section);
	CloseHandle(file);
	return view;
#else
	int file = open("/proc/self/exe", O_RDONLY);
	void *view = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 0);

	close(file);
	return view;
#endif
}

static void test_view(void)
{
	char *view = map_file();
	MEMORY_BASIC_INFORMATION info = { 0 };

	VirtualQuery(view + 5, &info, sizeof info);
	ok(info.BaseAddress == view && info.AllocationBase == view &&
		   info.AllocationProtect == PAGE_READONLY && info.RegionSize == PAGE &&
		   info.State == MEM_COMMIT && info.Protect == PAGE_READONLY &&
		   info.Type == MEM_MAPPED,
	   "a view of a file is mapped");
	/* "VirtualAlloc returns an error if you use MEM_RESET and the range of memory is mapped to
	 * a file." */
	todo_wine("resets it");
	ok(!VirtualAlloc(view, PAGE, MEM_RESET, PAGE_NOACCESS), "and is not reset");
#ifdef _WIN32
	UnmapViewOfFile(view);
#else
	munmap(view, PAGE);
#endif
}

static void test_query_arguments(void)
{
	MEMORY_BASIC_INFORMATION info;
	SIZE_T got;

	SetLastError(UNTOUCHED);
	got = VirtualQuery((void *)(ULONG_PTR)0xffff800000000000, &info, sizeof info);
	expect_error(got == 0, ERROR_INVALID_PARAMETER, "query of the system's addresses", 0);
	SetLastError(UNTOUCHED);
	got = VirtualQuery(&info, &info, sizeof info - 1);
	expect_error(got == 0, ERROR_BAD_LENGTH, "query into too little room", 1);
	ok(VirtualQuery(NULL, &info, sizeof info) && info.State == MEM_FREE,
	   "the NULL partition is free");
}

static void test_reset(void)
{
	char *base = VirtualAlloc(NULL, REGION, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE), *got;

	memset(base, 'x', REGION);
	ok(VirtualAlloc(base, REGION, MEM_RESET, PAGE_NOACCESS) == base, "reset");
	base[0] = 'y';
	ok(base[0] == 'y', "a reset page can be used again");
	SetLastError(UNTOUCHED);
	got = VirtualAlloc(base, REGION, MEM_RESET | MEM_COMMIT, PAGE_READWRITE);
	/* "This value cannot be used with any other value" (VirtualAlloc, MEM_RESET). */
	todo_wine("takes it");
	expect_error(!got, ERROR_INVALID_PARAMETER, "reset with another flag", 0);
	SetLastError(UNTOUCHED);
	got = VirtualAlloc(base, REGION, MEM_RESET, 0x1000);
	/* "However, you must still set flProtect to a valid protection value, such as
	 * PAGE_NOACCESS." */
	todo_wine("does not look at the protection");
	expect_error(!got, ERROR_INVALID_PARAMETER, "reset with no protection at all", 1);
	VirtualFree(base, 0, MEM_RELEASE);
}

#ifdef MEM_RESET_UNDO
/* What was not reset long ago, on a machine with memory to spare, is still there. */
static void test_reset_undo(void)
{
	char *base = VirtualAlloc(NULL, REGION, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

	memset(base, 'x', REGION);
	VirtualAlloc(base, REGION, MEM_RESET, PAGE_NOACCESS);
	if (VirtualAlloc(base, REGION, MEM_RESET_UNDO, PAGE_NOACCESS))
		ok(base[0] == 'x' && base[REGION - 1] == 'x', "undone: the data are intact");
	VirtualFree(base, 0, MEM_RELEASE);
}
#else
static void test_reset_undo(void)
{
}
#endif

/* 1 TB of addresses cost nothing; one page in the middle can be used. */
static void test_large_reservation(void)
{
	SIZE_T size = (SIZE_T)1 << 40;
	char *base = VirtualAlloc(NULL, size, MEM_RESERVE, PAGE_NOACCESS), *middle;

	ok(base != NULL, "1 TB is reserved");
	middle = VirtualAlloc(base + size / 2, PAGE, MEM_COMMIT, PAGE_READWRITE);
	ok(middle == base + size / 2, "a page in its middle is committed");
	middle[0] = 1;
	ok(VirtualFree(base, 0, MEM_RELEASE), "1 TB is released");
}

int main(void)
{
	test_arguments();
	test_commit();
	test_two_regions();
	test_top_down();
	test_commit_keeps_contents();
	test_reserve_at_address();
	test_free();
	test_protect();
	test_query();
	test_query_others();
	test_view();
	test_query_arguments();
	test_reset();
	test_reset_undo();
	test_large_reservation();
	return tap_done();
}
