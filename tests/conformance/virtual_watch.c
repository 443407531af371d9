/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Write watch: GetWriteWatch and ResetWriteWatch list the pages that were written, by the program
 * or by the system on its behalf. */

#include "tests/conformance/pe.h"

NTSTATUS NTAPI NtGetWriteWatch(HANDLE, ULONG, PVOID, SIZE_T, PVOID *, ULONG_PTR *, ULONG *);
NTSTATUS NTAPI NtResetWriteWatch(HANDLE, PVOID, SIZE_T);

#define PAGES 16
#define REGION (PAGES * PAGE)

static char *watched;

/* The pages that were written, as bits. */
static DWORD written(DWORD flags)
{
	PVOID pages[PAGES];
	ULONG_PTR count = PAGES;
	DWORD size = 0, bits = 0;

	if (GetWriteWatch(flags, watched, REGION, pages, &count, &size) || size != PAGE)
		return UNTOUCHED;
	for (ULONG_PTR i = 0; i < count; i++)
		bits |= 1u << (((char *)pages[i] - watched) / PAGE);
	return bits;
}

static void test_writes(void)
{
	DWORD old;

	ok_equal(written(0), 0, "nothing is written at first");
	watched[0] = 1;
	watched[5 * PAGE + 100] = 1;
	read_byte(watched + 7 * PAGE);
	ok_equal(written(0), 0x21, "pages that are written are listed, those that are read not");
	ok_equal(written(WRITE_WATCH_FLAG_RESET), 0x21, "they are listed again, and forgotten");
	ok_equal(written(0), 0, "forgotten");
	watched[PAGE - 1] = 1;
	ok_equal(written(0), 1, "written again");
	ok_equal(ResetWriteWatch(watched, REGION), 0, "reset");
	ok_equal(written(0), 0, "all are forgotten");
	watched[3 * PAGE] = 1;
	VirtualProtect(watched, REGION, PAGE_READONLY, &old);
	ok_equal(old, PAGE_READWRITE, "a watched page's protection does not show the watch");
	ok_equal(written(0), 8, "a protection keeps the list");
	VirtualProtect(watched, REGION, PAGE_READWRITE, &old);
	watched[4 * PAGE] = 1;
	ok_equal(written(WRITE_WATCH_FLAG_RESET), 0x18, "and the watch");
}

static void test_limited(void)
{
	PVOID pages[2] = { 0 };
	ULONG_PTR count = 2;
	DWORD size = 0;

	for (int i = 0; i < PAGES; i++)
		watched[i * PAGE] = 1;
	ok_equal(GetWriteWatch(WRITE_WATCH_FLAG_RESET, watched, REGION, pages, &count, &size), 0,
		 "a list that is too short");
	ok(count == 2 && pages[0] == watched && pages[1] == watched + PAGE, "is filled");
	ok_equal(written(WRITE_WATCH_FLAG_RESET), 0xfffc, "only what was listed is forgotten");
	watched[2 * PAGE] = watched[9 * PAGE] = 1;
	count = 2;
	GetWriteWatch(0, watched + 8 * PAGE, 4 * PAGE, pages, &count, &size);
	ok(count == 1 && pages[0] == watched + 9 * PAGE, "a part of the region");
	ResetWriteWatch(watched, 4 * PAGE);
	ok_equal(written(WRITE_WATCH_FLAG_RESET), 0x200, "a part is reset");
}

/* The system writes, too. */
static void test_file(void)
{
	char name[MAX_PATH];
	HANDLE file;
	DWORD count = 0;

	GetModuleFileNameA(NULL, name, sizeof name);
	file = CreateFileA(name, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
	ok(file != INVALID_HANDLE_VALUE, "a file");
	ok(ReadFile(file, watched + 2 * PAGE - 8, 16, &count, NULL) && count == 16,
	   "is read into watched pages");
	ok_equal(written(WRITE_WATCH_FLAG_RESET), 6, "which are listed");
	CloseHandle(file);
	count = 0;
	ok(ReadProcessMemory(GetCurrentProcess(), name, watched + 4 * PAGE, 4, NULL),
	   "memory is read into a watched page");
	ok_equal(written(WRITE_WATCH_FLAG_RESET), 16, "which is listed");
}

static void test_decommit(void)
{
	watched[0] = 1;
	VirtualFree(watched, PAGE, MEM_DECOMMIT);
	VirtualAlloc(watched, PAGE, MEM_COMMIT, PAGE_READWRITE);
	written(WRITE_WATCH_FLAG_RESET);
	watched[0] = 1;
	ok_equal(written(WRITE_WATCH_FLAG_RESET), 1, "a page that is committed again is watched");
}

static void test_arguments(void)
{
	PVOID pages[PAGES];
	ULONG_PTR count = PAGES;
	DWORD size;
	char *plain = VirtualAlloc(NULL, PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

	ok_error(GetWriteWatch(0, plain, PAGE, pages, &count, &size) == ~0u,
		 ERROR_INVALID_PARAMETER, "memory without a watch");
	ok_error(ResetWriteWatch(plain, PAGE) == ~0u, ERROR_INVALID_PARAMETER,
		 "reset of memory without a watch");
	ok_error(GetWriteWatch(0, watched, REGION + PAGE, pages, &count, &size) == ~0u,
		 ERROR_INVALID_PARAMETER, "more than the region");
	ok_error(GetWriteWatch(0, watched, 0, pages, &count, &size) == ~0u, ERROR_INVALID_PARAMETER,
		 "no size");
	ok_error(GetWriteWatch(0x80, watched, REGION, pages, &count, &size) == ~0u,
		 ERROR_INVALID_PARAMETER, "an unknown flag");
	count = 0;
	ok_error(GetWriteWatch(0, watched, REGION, pages, &count, &size) == ~0u,
		 ERROR_INVALID_PARAMETER, "room for nothing");
	VirtualFree(plain, 0, MEM_RELEASE);
}

static void test_nt(void)
{
	PVOID pages[PAGES];
	ULONG_PTR count = PAGES;
	ULONG size = 0;

	watched[6 * PAGE] = 1;
	ok_status(NtGetWriteWatch((HANDLE)-1, WRITE_WATCH_FLAG_RESET, watched, REGION, pages,
				  &count, &size),
		  STATUS_SUCCESS, "NtGetWriteWatch");
	ok(count == 1 && pages[0] == watched + 6 * PAGE && size == PAGE, "its list");
	watched[0] = 1;
	ok_status(NtResetWriteWatch((HANDLE)-1, watched, REGION), STATUS_SUCCESS,
		  "NtResetWriteWatch");
	ok_equal(written(0), 0, "forgotten");
	ok_status(NtResetWriteWatch((HANDLE)-1, watched, 0), STATUS_INVALID_PARAMETER, "no size");
}

int main(void)
{
	watched = VirtualAlloc(NULL, REGION, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
			       PAGE_READWRITE);
	ok(watched != NULL, "a watched region");
	test_writes();
	test_limited();
	test_file();
	test_decommit();
	test_arguments();
	test_nt();
	ok(VirtualFree(watched, 0, MEM_RELEASE), "released");
	return tap_done();
}
