/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* File mappings: sections of the paging file and of files, their views, their names. */

#include "tests/conformance/pe.h"

#include <psapi.h>

#define REGION (4 * GRANULE)
#define SECTION_NAME "vadtrace-conformance"
#define VIEW_UNMAP 2

NTSTATUS NTAPI NtCreateSection(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, LARGE_INTEGER *, ULONG,
			       ULONG, HANDLE);
NTSTATUS NTAPI NtOpenSection(HANDLE *, ACCESS_MASK, const OBJECT_ATTRIBUTES *);
NTSTATUS NTAPI NtQuerySection(HANDLE, int, PVOID, SIZE_T, SIZE_T *);
NTSTATUS NTAPI NtExtendSection(HANDLE, LARGE_INTEGER *);
NTSTATUS NTAPI NtMapViewOfSection(HANDLE, HANDLE, PVOID *, ULONG_PTR, SIZE_T, LARGE_INTEGER *,
				  SIZE_T *, int, ULONG, ULONG);
NTSTATUS NTAPI NtMapViewOfSectionEx(HANDLE, HANDLE, PVOID *, const LARGE_INTEGER *, SIZE_T *, ULONG,
				    ULONG, PVOID, ULONG);
NTSTATUS NTAPI NtUnmapViewOfSection(HANDLE, PVOID);
NTSTATUS NTAPI NtUnmapViewOfSectionEx(HANDLE, PVOID, ULONG);

static HANDLE create(DWORD flags, DWORD size)
{
	return CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, flags, 0, size, NULL);
}

/* A file of `size` bytes that goes with its last handle. */
static HANDLE make_file(DWORD size)
{
	char folder[MAX_PATH], name[MAX_PATH];
	HANDLE file;

	GetTempPathA(sizeof folder, folder);
	GetTempFileNameA(folder, "vad", 0, name);
	file = CreateFileA(name, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
			   NULL, CREATE_ALWAYS, FILE_FLAG_DELETE_ON_CLOSE, NULL);
	SetFilePointer(file, (LONG)size, NULL, FILE_BEGIN);
	SetEndOfFile(file);
	return file;
}

/* --- Sections -------------------------------------------------------------------------------- */

static const struct {
	DWORD flags, size, error;
} sections[] = {
	{ PAGE_READWRITE, 1, 0 },
	{ PAGE_READWRITE | SEC_COMMIT, REGION, 0 },
	{ PAGE_READWRITE | SEC_RESERVE, REGION, 0 },
	{ PAGE_READONLY, REGION, 0 },
	{ PAGE_WRITECOPY, REGION, 0 },
	{ PAGE_EXECUTE_READWRITE, REGION, 0 },
	{ PAGE_READWRITE, 0, ERROR_INVALID_PARAMETER },
	{ 0x1000, REGION, ERROR_INVALID_PARAMETER },
	{ PAGE_NOACCESS, REGION, ERROR_INVALID_PARAMETER },
};

static void test_sections(void)
{
	for (size_t i = 0; i < COUNT(sections); i++) {
		HANDLE section;

		if (sections[i].error) {
			ok_error(!create(sections[i].flags, sections[i].size), sections[i].error,
				 "row %zu: refused", i);
			continue;
		}
		SetLastError(UNTOUCHED);
		section = create(sections[i].flags, sections[i].size);
		ok(section != NULL, "row %zu: a section", i);
		ok_equal(GetLastError(), ERROR_SUCCESS, "row %zu: the last error is cleared", i);
		CloseHandle(section);
	}
}

static void test_names(void)
{
	HANDLE first = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, REGION,
					  SECTION_NAME),
	       second, opened;
	char *view, *other;

	SetLastError(UNTOUCHED);
	second = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, REGION,
				    L"" SECTION_NAME);
	ok(second && GetLastError() == ERROR_ALREADY_EXISTS, "the name is there already");
	opened = OpenFileMappingA(FILE_MAP_ALL_ACCESS, /* inherit */ FALSE, SECTION_NAME);
	ok(opened != NULL, "OpenFileMappingA");
	view = MapViewOfFile(first, FILE_MAP_WRITE, 0, 0, 0);
	other = MapViewOfFile(opened, FILE_MAP_READ, 0, 0, 0);
	strcpy(view, "shared");
	ok(view != other && !strcmp(other, "shared"), "both are the same memory");
	CloseHandle(opened);
	opened = OpenFileMappingW(FILE_MAP_READ, FALSE, L"" SECTION_NAME);
	ok(opened != NULL, "OpenFileMappingW");
	CloseHandle(opened);
	CloseHandle(second);
	CloseHandle(first);
	ok(!strcmp(other, "shared"), "a view outlives the handles");
	ok_error(!OpenFileMappingA(FILE_MAP_READ, FALSE, SECTION_NAME), ERROR_FILE_NOT_FOUND,
		 "the name does not");
	UnmapViewOfFile(view);
	UnmapViewOfFile(other);
}

/* --- Views ----------------------------------------------------------------------------------- */

static const struct {
	DWORD section, access, offset;
	SIZE_T size;
	DWORD error, protect;
	SIZE_T result;
} views[] = {
	{ PAGE_READWRITE, FILE_MAP_WRITE, 0, 0, 0, PAGE_READWRITE, REGION },
	{ PAGE_READWRITE, FILE_MAP_ALL_ACCESS, 0, REGION, 0, PAGE_READWRITE, REGION },
	{ PAGE_READWRITE, FILE_MAP_READ, 0, 1, 0, PAGE_READONLY, PAGE },
	{ PAGE_READWRITE, FILE_MAP_COPY, 0, 0, 0, PAGE_WRITECOPY, REGION },
	{ PAGE_READWRITE, FILE_MAP_READ, GRANULE, 0, 0, PAGE_READONLY, REGION - GRANULE },
	{ PAGE_READONLY, FILE_MAP_READ, 0, 0, 0, PAGE_READONLY, REGION },
	{ PAGE_READONLY, FILE_MAP_WRITE, 0, 0, ERROR_ACCESS_DENIED, 0, 0 },
	{ PAGE_READWRITE, FILE_MAP_READ, PAGE, 0, ERROR_MAPPED_ALIGNMENT, 0, 0 },
	{ PAGE_READWRITE, FILE_MAP_READ, 0, REGION + 1, ERROR_ACCESS_DENIED, 0, 0 },
};

static void test_views(void)
{
	for (size_t i = 0; i < COUNT(views); i++) {
		HANDLE section = create(views[i].section, REGION);
		MEMORY_BASIC_INFORMATION info;
		char *view;

		if (views[i].error) {
			ok_error(!MapViewOfFile(section, views[i].access, 0, views[i].offset,
						views[i].size),
				 views[i].error, "row %zu: refused", i);
			CloseHandle(section);
			continue;
		}
		view = MapViewOfFile(section, views[i].access, 0, views[i].offset, views[i].size);
		info = query(view);
		ok((ULONG_PTR)view % GRANULE == 0, "row %zu: at the granularity", i);
		ok(info.AllocationBase == view && info.Type == MEM_MAPPED &&
			   info.State == MEM_COMMIT,
		   "row %zu: mapped memory", i);
		ok_equal(info.Protect, views[i].protect, "row %zu: its protection", i);
		ok_equal(info.RegionSize, views[i].result, "row %zu: its size", i);
		ok(UnmapViewOfFile(view + PAGE / 2), "row %zu: unmapped by an inner pointer", i);
		ok_equal(query(view).State, MEM_FREE, "row %zu: it is gone", i);
		CloseHandle(section);
	}
}

static void test_view_places(void)
{
	HANDLE section = create(PAGE_READWRITE, REGION);
	char *view = MapViewOfFileEx(section, FILE_MAP_WRITE, 0, 0, 0, NULL), *again;

	ok(view != NULL, "MapViewOfFileEx anywhere");
	UnmapViewOfFile(view);
	again = MapViewOfFileEx(section, FILE_MAP_WRITE, 0, 0, 0, view);
	ok(again == view, "MapViewOfFileEx at an address");
	ok_error(!MapViewOfFileEx(section, FILE_MAP_WRITE, 0, 0, 0, view), ERROR_INVALID_ADDRESS,
		 "where there is a view");
	ok_error(!MapViewOfFileEx(section, FILE_MAP_WRITE, 0, 0, 0, view + PAGE),
		 ERROR_MAPPED_ALIGNMENT, "off the granularity");
	ok_error(!VirtualFree(view, 0, MEM_RELEASE), ERROR_INVALID_PARAMETER,
		 "a view is not released");
	ok_error(!VirtualFree(view, PAGE, MEM_DECOMMIT), ERROR_INVALID_PARAMETER,
		 "nor decommitted");
	UnmapViewOfFile(view);
	ok_error(!UnmapViewOfFile(view), ERROR_INVALID_ADDRESS, "unmapped twice");
	CloseHandle(section);
}

/* What is committed in one view of a reserved section is in all. */
static void test_reserved(void)
{
	HANDLE section = create(PAGE_READWRITE | SEC_RESERVE, REGION);
	char *one = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0),
	     *two = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
	DWORD old;

	ok_equal(query(one).State, MEM_RESERVE, "a view of a reserved section is reserved");
	ok(VirtualAlloc(one + PAGE, PAGE, MEM_COMMIT, PAGE_READWRITE) == one + PAGE, "committed");
	ok_equal(query(one + PAGE).State, MEM_COMMIT, "committed in this view");
	ok_equal(query(two + PAGE).State, MEM_COMMIT, "and in the other");
	one[PAGE] = 'x';
	ok_equal(two[PAGE], 'x', "where it is the same page");
	ok(VirtualProtect(one + PAGE, PAGE, PAGE_READONLY, &old) && old == PAGE_READWRITE,
	   "protected in one view");
	ok_equal(query(two + PAGE).Protect, PAGE_READWRITE, "not in the other");
	UnmapViewOfFile(one);
	UnmapViewOfFile(two);
	CloseHandle(section);
}

static void test_copies(void)
{
	HANDLE section = create(PAGE_READWRITE, REGION);
	char *shared = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0),
	     *copy = MapViewOfFile(section, FILE_MAP_COPY, 0, 0, 0);

	shared[0] = 'a';
	ok_equal(copy[0], 'a', "a copy shows what is there");
	copy[0] = 'b';
	ok(shared[0] == 'a' && copy[0] == 'b', "until it is written");
	UnmapViewOfFile(copy);
	UnmapViewOfFile(shared);
	CloseHandle(section);
}

/* --- Files ----------------------------------------------------------------------------------- */

static void test_file(void)
{
	HANDLE file = make_file(100), section;
	char *view, buffer[8] = { 0 };
	DWORD count;

	section = CreateFileMappingA(file, NULL, PAGE_READWRITE, 0, 0, NULL);
	view = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
	ok(view && query(view).RegionSize == PAGE, "a file is mapped");
	strcpy(view + 10, "letters");
	ok(FlushViewOfFile(view, 0), "FlushViewOfFile");
	SetFilePointer(file, 10, NULL, FILE_BEGIN);
	ReadFile(file, buffer, 8, &count, NULL);
	ok(!strcmp(buffer, "letters"), "what is written to the view is in the file");
	UnmapViewOfFile(view);
	CloseHandle(section);
	section = CreateFileMappingA(file, NULL, PAGE_READWRITE, 0, 2 * REGION, NULL);
	ok(section && GetFileSize(file, NULL) == 2 * REGION, "a larger section makes it grow");
	CloseHandle(section);
	CloseHandle(file);
	file = make_file(0);
	ok_error(!CreateFileMappingA(file, NULL, PAGE_READWRITE, 0, 0, NULL), ERROR_FILE_INVALID,
		 "an empty file");
	CloseHandle(file);
}

static void test_file_names(void)
{
	WCHAR wide[MAX_PATH];
	char name[MAX_PATH];
	HMODULE module = GetModuleHandleA("kernel32.dll");

	ok(GetMappedFileNameA(GetCurrentProcess(), module, name, sizeof name) &&
		   strstr(name, "kernel32.dll"),
	   "GetMappedFileNameA");
	ok(GetMappedFileNameW(GetCurrentProcess(), module, wide, COUNT(wide)) &&
		   wcsstr(wide, L"kernel32.dll"),
	   "GetMappedFileNameW");
}

/* A DLL as data, laid out as an image. */
static void test_image(void)
{
	char name[MAX_PATH];
	HANDLE file, section;
	char *view;

	GetSystemDirectoryA(name, sizeof name);
	strcat(name, "\\version.dll");
	file = CreateFileA(name, GENERIC_READ | GENERIC_EXECUTE, FILE_SHARE_READ, NULL,
			   OPEN_EXISTING, 0, NULL);
	section = CreateFileMappingA(file, NULL, PAGE_EXECUTE_READ | SEC_IMAGE, 0, 0, NULL);
	view = MapViewOfFile(section, FILE_MAP_READ | FILE_MAP_EXECUTE, 0, 0, 0);
	ok(view && view[0] == 'M' && view[1] == 'Z', "an image is mapped");
	ok(query(view).Type == MEM_IMAGE && query(view + PAGE).Protect == PAGE_EXECUTE_READ,
	   "with the protections of its sections");
	ok(UnmapViewOfFile(view), "unmapped");
	CloseHandle(section);
	CloseHandle(file);
}

/* --- Other forms ----------------------------------------------------------------------------- */

static void test_numa(void)
{
	HANDLE(WINAPI * create_numa)
	(HANDLE, SECURITY_ATTRIBUTES *, DWORD, DWORD, DWORD, LPCSTR, DWORD) =
		(PVOID)GetProcAddress(GetModuleHandleA("kernel32.dll"), "CreateFileMappingNumaA");
	HANDLE section = CreateFileMappingNumaW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0,
						REGION, NULL, 0);
	PVOID view = MapViewOfFileExNuma(section, FILE_MAP_WRITE, 0, 0, 0, NULL, 0);

	ok(section != NULL, "CreateFileMappingNumaW");
	ok(view && query(view).Protect == PAGE_READWRITE, "MapViewOfFileExNuma");
	UnmapViewOfFile(view);
	CloseHandle(section);
	if (!create_numa) {
		skip_absent("CreateFileMappingNumaA");
		return;
	}
	section = create_numa(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, REGION, NULL, 0);
	ok(section != NULL, "CreateFileMappingNumaA");
	CloseHandle(section);
}

static void test_application(void)
{
	typeof(&CreateFileMappingFromApp) make =
		FUNCTION("kernelbase.dll", CreateFileMappingFromApp);
	typeof(&MapViewOfFileFromApp) map = FUNCTION("kernelbase.dll", MapViewOfFileFromApp);
	typeof(&OpenFileMappingFromApp) open = FUNCTION("kernelbase.dll", OpenFileMappingFromApp);
	HANDLE section = make(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, REGION, L"" SECTION_NAME),
	       opened = open(FILE_MAP_READ, FALSE, L"" SECTION_NAME);
	PVOID view = map(section, FILE_MAP_WRITE, 0, 0);

	ok(section != NULL, "CreateFileMappingFromApp");
	ok(opened != NULL, "OpenFileMappingFromApp");
	ok(view && query(view).Protect == PAGE_READWRITE, "MapViewOfFileFromApp");
	UnmapViewOfFile(view);
	CloseHandle(opened);
	CloseHandle(section);
}

static void test_extended(void)
{
	typeof(&MapViewOfFile3) map = FUNCTION("kernelbase.dll", MapViewOfFile3);
	typeof(&UnmapViewOfFile2) unmap = FUNCTION("kernelbase.dll", UnmapViewOfFile2);
	typeof(&UnmapViewOfFileEx) unmap_ex = FUNCTION("kernelbase.dll", UnmapViewOfFileEx);
	HANDLE section = create(PAGE_READWRITE, REGION);
	PVOID view =
		map(section, GetCurrentProcess(), NULL, GRANULE, 0, 0, PAGE_READWRITE, NULL, 0);

	ok(view && query(view).RegionSize == REGION - GRANULE, "MapViewOfFile3");
	ok(unmap(GetCurrentProcess(), view, 0), "UnmapViewOfFile2");
	view = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
	ok(unmap_ex(view, 0), "UnmapViewOfFileEx");
	ok_equal(query(view).State, MEM_FREE, "it is gone");
	CloseHandle(section);
}

/* --- The functions of ntdll ------------------------------------------------------------------ */

static void test_nt_views(HANDLE section)
{
	HANDLE self = (HANDLE)-1;
	LARGE_INTEGER offset = { .QuadPart = GRANULE };
	PVOID view = NULL;
	SIZE_T size = 0;

	ok_status(NtMapViewOfSection(section, self, &view, 0, 0, &offset, &size, VIEW_UNMAP, 0,
				     PAGE_READWRITE),
		  STATUS_SUCCESS, "NtMapViewOfSection");
	ok(view && size == REGION - GRANULE, "its size");
	ok_status(NtUnmapViewOfSection(self, view), STATUS_SUCCESS, "NtUnmapViewOfSection");
	ok_status(NtUnmapViewOfSection(self, view), STATUS_NOT_MAPPED_VIEW, "twice");
	view = NULL;
	size = 0;
	ok_status(NtMapViewOfSectionEx(section, self, &view, &offset, &size, 0, PAGE_READONLY, NULL,
				       0),
		  STATUS_SUCCESS, "NtMapViewOfSectionEx");
	ok_status(NtUnmapViewOfSectionEx(self, view, 0), STATUS_SUCCESS, "NtUnmapViewOfSectionEx");
	offset.QuadPart = PAGE;
	view = NULL;
	ok_status(NtMapViewOfSection(section, self, &view, 0, 0, &offset, &size, VIEW_UNMAP, 0,
				     PAGE_READWRITE),
		  STATUS_MAPPED_ALIGNMENT, "an offset off the granularity");
}

struct extension {
	typeof(&NtExtendSection) function;
	HANDLE section;
	NTSTATUS status;
};

static void extend(void *argument)
{
	struct extension *extension = argument;
	LARGE_INTEGER size = { .QuadPart = 2 * REGION };

	extension->status = extension->function(extension->section, &size);
}

static void test_extend(void)
{
	HANDLE file = make_file(REGION);
	struct extension extension = { FUNCTION("ntdll.dll", NtExtendSection), NULL, 0 };

	extension.section = CreateFileMappingA(file, NULL, PAGE_READWRITE, 0, 0, NULL);
	if (!extension.function || exception_of(extend, &extension) == STATUS_WINE_STUB)
		skip_absent("NtExtendSection");
	else
		ok_status(extension.status, STATUS_SUCCESS, "NtExtendSection");
	CloseHandle(extension.section);
	CloseHandle(file);
}

static void test_nt(void)
{
	struct {
		PVOID base;
		ULONG attributes;
		LARGE_INTEGER size;
	} basic;
	LARGE_INTEGER size = { .QuadPart = REGION };
	OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes };
	HANDLE section = NULL, opened = NULL;

	ok_status(NtCreateSection(&section, SECTION_ALL_ACCESS, NULL, &size, PAGE_READWRITE,
				  SEC_COMMIT, NULL),
		  STATUS_SUCCESS, "NtCreateSection");
	ok_status(NtQuerySection(section, 0, &basic, sizeof basic, NULL), STATUS_SUCCESS,
		  "NtQuerySection");
	ok_equal(basic.size.QuadPart, REGION, "its size");
	ok_status(NtOpenSection(&opened, SECTION_MAP_READ, &attributes),
		  STATUS_OBJECT_PATH_SYNTAX_BAD, "NtOpenSection without a name");
	test_nt_views(section);
	CloseHandle(section);
}

int main(void)
{
	test_sections();
	test_names();
	test_views();
	test_view_places();
	test_reserved();
	test_copies();
	test_file();
	test_file_names();
	test_image();
	test_numa();
	test_application();
	test_extended();
	test_nt();
	test_extend();
	return tap_done();
}
