/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* memoryapi.h beyond virtual.c and virtual_2.c: the forms with a process. */

#include "tests/conformance/pe.h"

#include <psapi.h>

#define REGION (4 * GRANULE)

static HANDLE self;

/* --- Allocation in its other forms ----------------------------------------------------------- */

static void test_process(void)
{
	MEMORY_BASIC_INFORMATION info;
	char *base = VirtualAllocEx(self, NULL, REGION, MEM_RESERVE, PAGE_READWRITE);
	DWORD old = UNTOUCHED;

	ok(base != NULL, "VirtualAllocEx reserves");
	ok(VirtualAllocEx(self, base, PAGE, MEM_COMMIT, PAGE_READWRITE) == base, "and commits");
	ok(VirtualProtectEx(self, base, PAGE, PAGE_READONLY, &old) && old == PAGE_READWRITE,
	   "VirtualProtectEx");
	ok_equal(VirtualQueryEx(self, base, &info, sizeof info), sizeof info, "VirtualQueryEx");
	ok(info.AllocationBase == base && info.RegionSize == PAGE && info.Protect == PAGE_READONLY,
	   "its words");
	ok(VirtualFreeEx(self, base, PAGE, MEM_DECOMMIT), "VirtualFreeEx decommits");
	ok_error(!VirtualFreeEx(self, base, PAGE, MEM_RELEASE), ERROR_INVALID_PARAMETER,
		 "a part is not released");
	ok(VirtualFreeEx(self, base, 0, MEM_RELEASE), "and releases");
	ok_error(!VirtualAllocEx((HANDLE)0xbad0, NULL, PAGE, MEM_RESERVE, PAGE_READWRITE),
		 ERROR_INVALID_HANDLE, "no process");
}

/* A handle that allows something else. */
static void test_rights(void)
{
	HANDLE process =
		OpenProcess(PROCESS_QUERY_INFORMATION, /* inherit */ FALSE, GetCurrentProcessId());
	char local;

	ok(process != NULL, "a handle to ask with");
	ok_error(!VirtualAllocEx(process, NULL, PAGE, MEM_RESERVE, PAGE_READWRITE),
		 ERROR_ACCESS_DENIED, "does not allow allocation");
	ok_error(!ReadProcessMemory(process, &local, &local, 0, NULL), ERROR_ACCESS_DENIED,
		 "nor reading");
	CloseHandle(process);
}

/* --- Copies ---------------------------------------------------------------------------------- */

static void test_copies(void)
{
	char *base = VirtualAlloc(NULL, REGION, MEM_RESERVE, PAGE_READWRITE);
	char buffer[8] = "letters";
	SIZE_T count = UNTOUCHED;
	DWORD old;

	VirtualAlloc(base, PAGE, MEM_COMMIT, PAGE_READWRITE);
	ok(WriteProcessMemory(self, base + 8, buffer, sizeof buffer, &count), "WriteProcessMemory");
	ok(count == sizeof buffer && !strcmp(base + 8, "letters"), "has written");
	memset(buffer, 0, sizeof buffer);
	ok(ReadProcessMemory(self, base + 8, buffer, sizeof buffer, &count), "ReadProcessMemory");
	ok(count == sizeof buffer && !strcmp(buffer, "letters"), "has read");
	VirtualProtect(base, PAGE, PAGE_READONLY, &old);
	/* WriteProcessMemory: "The entire area to be written to must be accessible, and if it is
	 * not accessible, the function fails." */
	todo_wine("goes through what has no access");
	ok_error(!WriteProcessMemory(self, base, buffer, sizeof buffer, &count), ERROR_NOACCESS,
		 "a page that is only read is not written");
	VirtualFree(base, 0, MEM_RELEASE);
	/* ReadProcessMemory: "The entire area to be read must be accessible, and if it is not
	 * accessible, the function fails." */
	todo_wine("goes through what has no access");
	ok_error(!ReadProcessMemory(self, base, buffer, sizeof buffer, &count), ERROR_PARTIAL_COPY,
		 "what is free is not read");
}

/* --- Where answers go ------------------------------------------------------------------------ */

/* A buffer that could be written a moment ago and cannot now. */
static void test_buffers(void)
{
	static MEMORY_BASIC_INFORMATION info;
	MEMORY_BASIC_INFORMATION *buffer =
		VirtualAlloc(NULL, PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
	DWORD old;

	for (int i = 0; i < 3; i++) {
		ok_equal(VirtualQuery(buffer, buffer, sizeof *buffer), sizeof *buffer,
			 "VirtualQuery into memory of its own, again %d", i);
		ok_equal(VirtualQuery(buffer, &info, sizeof info), sizeof info,
			 "and into a variable");
	}
	ok(buffer->AllocationBase == buffer && info.Protect == PAGE_READWRITE, "the words");
	VirtualProtect(buffer, PAGE, PAGE_READONLY, &old);
	ok_error(!VirtualQuery(buffer, buffer, sizeof *buffer), ERROR_NOACCESS,
		 "a buffer that has become read-only");
	VirtualProtect(buffer, PAGE, PAGE_READWRITE, &old);
	ok_equal(VirtualQuery(buffer, buffer, sizeof *buffer), sizeof *buffer,
		 "and writable again");
	VirtualFree(buffer, PAGE, MEM_DECOMMIT);
	ok_error(!VirtualQuery(&info, buffer, sizeof *buffer), ERROR_NOACCESS,
		 "a buffer that was decommitted");
	VirtualFree(buffer, 0, MEM_RELEASE);
	ok_error(!VirtualQuery(&info, buffer, sizeof *buffer), ERROR_NOACCESS,
		 "a buffer that is gone");
}

/* --- Wine's own libraries -------------------------------------------------------------------- */

/* A bitmap's memory comes from a library that is no Windows program, by a call that is none of
 * ntdll.dll's. */
static void test_other_libraries(void)
{
	HMODULE library = LoadLibraryA("gdi32.dll");
	typeof(&CreateBitmap) create = FUNCTION("gdi32.dll", CreateBitmap);
	typeof(&DeleteObject) delete = FUNCTION("gdi32.dll", DeleteObject);
	HBITMAP bitmap;

	if (!library || !create || !delete) {
		skip_absent("gdi32.dll");
		return;
	}
	bitmap = create(300, 300, 1, 32, NULL);
	ok(bitmap && delete (bitmap), "a bitmap");
}

int main(void)
{
	DuplicateHandle(GetCurrentProcess(), GetCurrentProcess(), GetCurrentProcess(), &self, 0,
			FALSE, DUPLICATE_SAME_ACCESS);
	test_process();
	test_rights();
	test_copies();
	test_buffers();
	test_other_libraries();
	return tap_done();
}
