/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What a handle to a process allows ("Process Security and Access Rights", and the first parameter
 * of each function): every function with each right alone, with all rights but one, and with what
 * is no handle to a process; and what DuplicateHandle and CloseHandle make of handles. */

#include "tests/conformance/child.h"
#include "tests/conformance/nt.h"

#ifdef _WIN32
#define MemoryRegionInformation 3
#endif

#define REGION (4 * GRANULE)
#define NO_HANDLE ((HANDLE)(ULONG_PTR)0xbad0)

static HANDLE child; /* allows everything */
static HANDLE self;
static char *region; /* of the child's, whose writes are watched */

/* --- Each function, as a status -------------------------------------------------------------- */

static NTSTATUS status_of(BOOL is_done)
{
	if (is_done)
		return STATUS_SUCCESS;
	switch (GetLastError()) {
	case ERROR_ACCESS_DENIED:
		return STATUS_ACCESS_DENIED;
	case ERROR_INVALID_HANDLE:
		return STATUS_INVALID_HANDLE;
	default:
		return STATUS_UNSUCCESSFUL;
	}
}

/* A new region is given back. */
static NTSTATUS status_of_new(PVOID base)
{
	NTSTATUS status = status_of(base != NULL);

	if (base)
		VirtualFreeEx(child, base, 0, MEM_RELEASE);
	return status;
}

static NTSTATUS do_allocate(HANDLE process)
{
	return status_of_new(VirtualAllocEx(process, NULL, PAGE, MEM_RESERVE, PAGE_READWRITE));
}

static NTSTATUS do_allocate_numa(HANDLE process)
{
	return status_of_new(
		VirtualAllocExNuma(process, NULL, PAGE, MEM_RESERVE, PAGE_READWRITE, 0));
}

static NTSTATUS do_allocate_2(HANDLE process)
{
	typeof(&VirtualAlloc2) allocate = FUNCTION("kernelbase.dll", VirtualAlloc2);

	return status_of_new(allocate(process, NULL, PAGE, MEM_RESERVE, PAGE_READWRITE, NULL, 0));
}

static NTSTATUS do_allocate_2_from_app(HANDLE process)
{
	typeof(&VirtualAlloc2FromApp) allocate = FUNCTION("kernelbase.dll", VirtualAlloc2FromApp);

	return status_of_new(allocate(process, NULL, PAGE, MEM_RESERVE, PAGE_READWRITE, NULL, 0));
}

static NTSTATUS do_free(HANDLE process)
{
	return status_of(VirtualFreeEx(process, region + PAGE, PAGE, MEM_DECOMMIT));
}

static NTSTATUS do_protect(HANDLE process)
{
	DWORD old;

	return status_of(VirtualProtectEx(process, region, PAGE, PAGE_READWRITE, &old));
}

static NTSTATUS do_query(HANDLE process)
{
	MEMORY_BASIC_INFORMATION info;

	return status_of(VirtualQueryEx(process, region, &info, sizeof info) != 0);
}

static NTSTATUS do_read(HANDLE process)
{
	char byte;

	return status_of(ReadProcessMemory(process, region, &byte, sizeof byte, NULL));
}

static NTSTATUS do_write(HANDLE process)
{
	return status_of(WriteProcessMemory(process, region, "x", 1, NULL));
}

static NTSTATUS do_nt_allocate(HANDLE process)
{
	PVOID base = NULL;
	SIZE_T size = PAGE;
	NTSTATUS status =
		NtAllocateVirtualMemory(process, &base, 0, &size, MEM_RESERVE, PAGE_READWRITE);

	return status ? status : status_of_new(base);
}

static NTSTATUS do_nt_allocate_ex(HANDLE process)
{
	PVOID base = NULL;
	SIZE_T size = PAGE;
	NTSTATUS status = NtAllocateVirtualMemoryEx(process, &base, &size, MEM_RESERVE,
						    PAGE_READWRITE, NULL, 0);

	return status ? status : status_of_new(base);
}

static NTSTATUS do_nt_free(HANDLE process)
{
	PVOID base = region + PAGE;
	SIZE_T size = PAGE;

	return NtFreeVirtualMemory(process, &base, &size, MEM_DECOMMIT);
}

static NTSTATUS do_nt_protect(HANDLE process)
{
	PVOID base = region;
	SIZE_T size = PAGE;
	ULONG old;

	return NtProtectVirtualMemory(process, &base, &size, PAGE_READWRITE, &old);
}

static NTSTATUS do_nt_query(HANDLE process)
{
	MEMORY_BASIC_INFORMATION info;

	return NtQueryVirtualMemory(process, region, 0, &info, sizeof info, NULL);
}

static NTSTATUS do_nt_query_region(HANDLE process)
{
	char info[64];

	return NtQueryVirtualMemory(process, region, MemoryRegionInformation, info,
				    sizeof(WIN32_MEMORY_REGION_INFORMATION), NULL);
}

static NTSTATUS do_nt_read(HANDLE process)
{
	SIZE_T count;
	char byte;

	return NtReadVirtualMemory(process, region, &byte, sizeof byte, &count);
}

static NTSTATUS do_nt_write(HANDLE process)
{
	SIZE_T count;

	return NtWriteVirtualMemory(process, region, "x", 1, &count);
}

static NTSTATUS do_lock(HANDLE process)
{
	PVOID base = region;
	SIZE_T size = PAGE;
	NTSTATUS status = NtLockVirtualMemory(process, &base, &size, MAP_PROCESS);

	if (!status)
		NtUnlockVirtualMemory(child, &base, &size, MAP_PROCESS);
	return status;
}

static NTSTATUS do_unlock(HANDLE process)
{
	PVOID base = region;
	SIZE_T size = PAGE;
	NTSTATUS status;

	NtLockVirtualMemory(child, &base, &size, MAP_PROCESS);
	status = NtUnlockVirtualMemory(process, &base, &size, MAP_PROCESS);
	if (status)
		NtUnlockVirtualMemory(child, &base, &size, MAP_PROCESS);
	return status;
}

/* There is nothing to flush, which is answered to those only who might. */
static NTSTATUS do_flush(HANDLE process)
{
	LPCVOID base = region;
	SIZE_T size = PAGE;
	IO_STATUS_BLOCK block;
	NTSTATUS status = NtFlushVirtualMemory(process, &base, &size, &block);

	return status == (NTSTATUS)STATUS_NOT_MAPPED_DATA ? STATUS_SUCCESS : status;
}

static NTSTATUS do_list(HANDLE process)
{
	PVOID pages[1];
	ULONG_PTR count = 1;
	ULONG granularity;

	return NtGetWriteWatch(process, 0, region, PAGE, pages, &count, &granularity);
}

static NTSTATUS do_reset(HANDLE process)
{
	return NtResetWriteWatch(process, region, PAGE);
}

static NTSTATUS do_get_limits(HANDLE process)
{
	SIZE_T minimum, maximum;

	return status_of(GetProcessWorkingSetSize(process, &minimum, &maximum));
}

static NTSTATUS do_get_limits_ex(HANDLE process)
{
	SIZE_T minimum, maximum;
	DWORD flags;

	return status_of(GetProcessWorkingSetSizeEx(process, &minimum, &maximum, &flags));
}

static NTSTATUS do_set_limits(HANDLE process)
{
	return status_of(SetProcessWorkingSetSize(process, 50 * PAGE, 345 * PAGE));
}

static NTSTATUS do_set_limits_ex(HANDLE process)
{
	return status_of(SetProcessWorkingSetSizeEx(process, 50 * PAGE, 345 * PAGE, 0));
}

static NTSTATUS do_query_pages(HANDLE process)
{
	PSAPI_WORKING_SET_EX_INFORMATION page = { .VirtualAddress = region };

	return status_of(QueryWorkingSetEx(process, &page, sizeof page));
}

#ifndef _WIN32
/* Wine has none. */
static NTSTATUS do_take_frame(HANDLE process)
{
	ULONG_PTR count = 1, number;
	NTSTATUS status = status_of(AllocateUserPhysicalPages(process, &count, &number));

	if (!status)
		FreeUserPhysicalPages(child, &count, &number);
	return status;
}

static NTSTATUS do_take_frame_numa(HANDLE process)
{
	ULONG_PTR count = 1, number;
	NTSTATUS status = status_of(AllocateUserPhysicalPagesNuma(process, &count, &number, 0));

	if (!status)
		FreeUserPhysicalPages(child, &count, &number);
	return status;
}

static NTSTATUS do_give_frame(HANDLE process)
{
	ULONG_PTR count = 1, number;
	NTSTATUS status;

	AllocateUserPhysicalPages(child, &count, &number);
	status = status_of(FreeUserPhysicalPages(process, &count, &number));
	count = 1;
	if (status)
		FreeUserPhysicalPages(child, &count, &number);
	return status;
}
#endif

static NTSTATUS do_identify(HANDLE process)
{
	return status_of(GetProcessId(process) == child_id());
}

/* Wine does something else, whatever the handle allows. */
#define OTHERWISE UINT32_MAX

static const struct {
	const char *name;
	NTSTATUS (*call)(HANDLE process);
	DWORD needed;  /* all of these */
	DWORD by_wine; /* what Wine asks for instead, where that is excused */
	const char *todo_wine;
} calls[] = {
	{ "VirtualAllocEx", do_allocate, PROCESS_VM_OPERATION, 0, NULL },
	{ "VirtualAllocExNuma", do_allocate_numa, PROCESS_VM_OPERATION, 0, NULL },
	{ "VirtualAlloc2", do_allocate_2, PROCESS_VM_OPERATION, 0, NULL },
	{ "VirtualAlloc2FromApp", do_allocate_2_from_app, PROCESS_VM_OPERATION, 0, NULL },
	{ "VirtualFreeEx", do_free, PROCESS_VM_OPERATION, 0, NULL },
	{ "VirtualProtectEx", do_protect, PROCESS_VM_OPERATION, 0, NULL },
	{ "VirtualQueryEx", do_query, PROCESS_QUERY_INFORMATION, 0, NULL },
	{ "ReadProcessMemory", do_read, PROCESS_VM_READ, 0, NULL },
	/* "The handle must have PROCESS_VM_WRITE and PROCESS_VM_OPERATION access to the process";
	 * NtWriteVirtualMemory is its other half. */
	{ "WriteProcessMemory", do_write, PROCESS_VM_WRITE | PROCESS_VM_OPERATION, PROCESS_VM_WRITE,
	  "asks for the right to write only" },
	{ "NtWriteVirtualMemory", do_nt_write, PROCESS_VM_WRITE | PROCESS_VM_OPERATION,
	  PROCESS_VM_WRITE, "asks for the right to write only" },
	{ "NtReadVirtualMemory", do_nt_read, PROCESS_VM_READ, 0, NULL },
	{ "NtAllocateVirtualMemory", do_nt_allocate, PROCESS_VM_OPERATION, 0, NULL },
	{ "NtAllocateVirtualMemoryEx", do_nt_allocate_ex, PROCESS_VM_OPERATION, 0, NULL },
	{ "NtFreeVirtualMemory", do_nt_free, PROCESS_VM_OPERATION, 0, NULL },
	{ "NtProtectVirtualMemory", do_nt_protect, PROCESS_VM_OPERATION, 0, NULL },
	{ "NtQueryVirtualMemory", do_nt_query, PROCESS_QUERY_INFORMATION, 0, NULL },
	/* "A handle for the process in whose context the pages to be queried reside", as
	 * VirtualQueryEx has one, which needs PROCESS_QUERY_INFORMATION. */
	{ "NtQueryVirtualMemory of a region", do_nt_query_region, PROCESS_QUERY_INFORMATION,
	  OTHERWISE, "serves the calling process only" },
	{ "NtLockVirtualMemory", do_lock, PROCESS_VM_OPERATION, 0, NULL },
	{ "NtUnlockVirtualMemory", do_unlock, PROCESS_VM_OPERATION, 0, NULL },
	{ "NtFlushVirtualMemory", do_flush, PROCESS_VM_OPERATION, 0, NULL },
	/* The process is the one whose pages are listed, as VirtualAllocEx's is the one whose pages
	 * change: PROCESS_VM_OPERATION is "required to perform an operation on the address space of
	 * a process". */
	{ "NtGetWriteWatch", do_list, PROCESS_VM_OPERATION, OTHERWISE,
	  "does not look at the handle" },
	{ "NtResetWriteWatch", do_reset, PROCESS_VM_OPERATION, OTHERWISE,
	  "does not look at the handle" },
	/* "The handle must have the PROCESS_QUERY_INFORMATION or PROCESS_QUERY_LIMITED_INFORMATION
	 * access right." */
	{ "GetProcessWorkingSetSize", do_get_limits, PROCESS_QUERY_LIMITED_INFORMATION, 0,
	  "does not look at the handle" },
	{ "GetProcessWorkingSetSizeEx", do_get_limits_ex, PROCESS_QUERY_LIMITED_INFORMATION, 0,
	  "does not look at the handle" },
	/* "The handle must have the PROCESS_SET_QUOTA access right." */
	{ "SetProcessWorkingSetSize", do_set_limits, PROCESS_SET_QUOTA, 0, "takes no limits" },
	{ "SetProcessWorkingSetSizeEx", do_set_limits_ex, PROCESS_SET_QUOTA, 0, "takes no limits" },
	/* "The handle must have the PROCESS_QUERY_INFORMATION access right." */
	{ "QueryWorkingSetEx", do_query_pages, PROCESS_QUERY_INFORMATION, OTHERWISE,
	  "serves the calling process only" },
#ifndef _WIN32
	{ "AllocateUserPhysicalPages", do_take_frame, PROCESS_VM_OPERATION, 0, NULL },
	{ "AllocateUserPhysicalPagesNuma", do_take_frame_numa, PROCESS_VM_OPERATION, 0, NULL },
	{ "FreeUserPhysicalPages", do_give_frame, PROCESS_VM_OPERATION, 0, NULL },
#endif
	{ "GetProcessId", do_identify, PROCESS_QUERY_LIMITED_INFORMATION, 0, NULL },
};

static BOOL allows(DWORD rights, DWORD needed)
{
	return (rights & needed) == needed;
}

static BOOL is_excused(size_t i, DWORD rights)
{
	return calls[i].by_wine == OTHERWISE ||
	       allows(rights, calls[i].by_wine) != allows(rights, calls[i].needed);
}

static void test_handle(HANDLE process, DWORD rights)
{
	if (rights & PROCESS_QUERY_INFORMATION)
		rights |= PROCESS_QUERY_LIMITED_INFORMATION;
	ok(process != NULL, "rights 0x%lx are given", (unsigned long)rights);
	for (size_t i = 0; i < COUNT(calls); i++) {
		DWORD expected = allows(rights, calls[i].needed) ? STATUS_SUCCESS
								 : (DWORD)STATUS_ACCESS_DENIED;
		NTSTATUS status = calls[i].call(process);

		if (is_excused(i, rights))
			todo_wine(calls[i].todo_wine);
		ok_status(status, expected, "%s with rights 0x%lx", calls[i].name,
			  (unsigned long)rights);
	}
}

static void test_rights(DWORD rights)
{
	HANDLE process = OpenProcess(rights, FALSE, child_id());

	test_handle(process, rights);
	CloseHandle(process);
}

static void test_each_right(void)
{
	for (DWORD right = 1; right < PROCESS_ALL_ACCESS; right <<= 1) {
		test_rights(right);
		test_rights(PROCESS_ALL_ACCESS & ~right);
	}
	test_rights(PROCESS_ALL_ACCESS);
}

/* "The generic rights are mapped to those of the object" (WinNT.h). */
static const struct {
	DWORD generic, rights;
} generics[] = {
	{ GENERIC_READ, PROCESS_VM_READ | PROCESS_QUERY_INFORMATION },
	{ GENERIC_WRITE, PROCESS_VM_WRITE | PROCESS_VM_OPERATION | PROCESS_SET_QUOTA },
	{ GENERIC_EXECUTE, PROCESS_QUERY_LIMITED_INFORMATION },
	{ GENERIC_ALL, PROCESS_ALL_ACCESS },
	{ MAXIMUM_ALLOWED, PROCESS_ALL_ACCESS },
};

static void test_generic(void)
{
	for (size_t i = 0; i < COUNT(generics); i++) {
		HANDLE process = OpenProcess(generics[i].generic, FALSE, child_id());

		test_handle(process, generics[i].rights);
		CloseHandle(process);
	}
}

/* ERROR_INVALID_HANDLE is what both statuses become. */
static void test_no_process(HANDLE handle, const char *what)
{
	for (size_t i = 0; i < COUNT(calls); i++) {
		NTSTATUS status = calls[i].call(handle);

		todo_wine(calls[i].todo_wine);
		ok(status == STATUS_INVALID_HANDLE ||
			   status == (NTSTATUS)STATUS_OBJECT_TYPE_MISMATCH,
		   "%s with %s", calls[i].name, what);
	}
}

static void test_no_processes(void)
{
	HANDLE other = CreateMemoryResourceNotification(LowMemoryResourceNotification);
	HANDLE closed = OpenProcess(PROCESS_ALL_ACCESS, FALSE, child_id());

	CloseHandle(closed);
	test_no_process(NO_HANDLE, "no handle");
	test_no_process(closed, "a closed handle");
	test_no_process(other, "a handle of something else");
	CloseHandle(other);
}

/* --- Duplicates ------------------------------------------------------------------------------ */

/* The duplicate, or NULL with the last error. */
static HANDLE duplicate(HANDLE source, DWORD access, DWORD options)
{
	HANDLE made = NULL;

	SetLastError(UNTOUCHED);
	return DuplicateHandle(self, source, self, &made, access, FALSE, options) ? made : NULL;
}

static BOOL is_open(HANDLE handle)
{
	return GetProcessId(handle) != 0;
}

static void test_duplicate_access(void)
{
	HANDLE weak = duplicate(child, PROCESS_VM_READ, 0), same, strong;

	test_handle(weak, PROCESS_VM_READ);
	same = duplicate(weak, PROCESS_ALL_ACCESS, DUPLICATE_SAME_ACCESS);
	ok(same && same != weak, "DUPLICATE_SAME_ACCESS ignores the access that is asked for");
	test_handle(same, PROCESS_VM_READ);
	/* "In some cases, the new handle can have more access rights than the original handle":
	 * where the process could be opened with them. */
	strong = duplicate(weak, PROCESS_ALL_ACCESS, 0);
	test_handle(strong, PROCESS_ALL_ACCESS);
	ok(CloseHandle(weak) && do_read(same) == STATUS_SUCCESS, "each is closed for itself");
	ok(CloseHandle(same) && CloseHandle(strong), "all of them");
	ok(is_open(child), "the first source is open still");
}

static void test_duplicate_close(void)
{
	HANDLE source = duplicate(child, PROCESS_ALL_ACCESS, 0), made;

	made = duplicate(source, 0, DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE);
	ok(made && do_read(made) == STATUS_SUCCESS, "a duplicate in place of its source");
	if (made != source)
		ok_error(!CloseHandle(source), ERROR_INVALID_HANDLE, "which is closed");
	ok(DuplicateHandle(self, made, self, NULL, 0, FALSE, DUPLICATE_CLOSE_SOURCE),
	   "a handle is closed by a duplicate that nobody is told of");
	/* "Closes the source handle." */
	todo_wine("gives the duplicate the source's number");
	ok_error(!CloseHandle(made), ERROR_INVALID_HANDLE, "it is");
	/* "Closes the source handle. This occurs regardless of any error status returned." */
	source = duplicate(child, PROCESS_ALL_ACCESS, 0);
	ok_error(!DuplicateHandle(self, source, NO_HANDLE, &made, 0, FALSE,
				  DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE),
		 ERROR_INVALID_HANDLE, "a duplicate for no process");
	ok_error(!CloseHandle(source), ERROR_INVALID_HANDLE, "its source is closed all the same");
}

/* "If hSourceHandle is a pseudo handle [...], DuplicateHandle converts it to a real handle". */
static void test_duplicate_pseudo(void)
{
	HANDLE real = duplicate(GetCurrentProcess(), 0, DUPLICATE_SAME_ACCESS);
	HANDLE weak = duplicate(GetCurrentProcess(), PROCESS_QUERY_LIMITED_INFORMATION, 0);
	PVOID base;

	ok(real && real != GetCurrentProcess() && GetProcessId(real) == GetCurrentProcessId(),
	   "the pseudo handle has a real duplicate");
	base = VirtualAllocEx(real, NULL, PAGE, MEM_RESERVE, PAGE_READWRITE);
	ok(base && VirtualFree(base, 0, MEM_RELEASE), "which allows everything here");
	ok(GetProcessId(weak) == GetCurrentProcessId(), "and one with less access");
	ok_error(!VirtualAllocEx(weak, NULL, PAGE, MEM_RESERVE, PAGE_READWRITE),
		 ERROR_ACCESS_DENIED, "which allows less");
	CloseHandle(real);
	CloseHandle(weak);
	real = duplicate(GetCurrentProcess(), 0, DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE);
	ok(is_open(real) && is_open(GetCurrentProcess()), "it is there when its source is closed");
	CloseHandle(real);
}

/* Of both process handles: "The handle must have the PROCESS_DUP_HANDLE access right." */
static void test_duplicate_rights(void)
{
	DWORD all_but_one = PROCESS_ALL_ACCESS & ~PROCESS_DUP_HANDLE;
	HANDLE weak = OpenProcess(all_but_one, FALSE, GetCurrentProcessId());
	HANDLE enough = OpenProcess(PROCESS_DUP_HANDLE, FALSE, GetCurrentProcessId()), made = NULL;

	ok_error(!DuplicateHandle(weak, child, self, &made, 0, FALSE, DUPLICATE_SAME_ACCESS),
		 ERROR_ACCESS_DENIED, "from a process that is not opened for that");
	ok_error(!DuplicateHandle(self, child, weak, &made, 0, FALSE, DUPLICATE_SAME_ACCESS),
		 ERROR_ACCESS_DENIED, "to one");
	ok(made == NULL, "nothing is written");
	ok(DuplicateHandle(enough, child, enough, &made, 0, FALSE, DUPLICATE_SAME_ACCESS) &&
		   is_open(made),
	   "the right is enough");
	CloseHandle(made);
	ok_error(!DuplicateHandle(self, NO_HANDLE, self, &made, 0, FALSE, DUPLICATE_SAME_ACCESS),
		 ERROR_INVALID_HANDLE, "what is no handle is not duplicated");
	ok_error(!DuplicateHandle(self, NULL, self, &made, 0, FALSE, DUPLICATE_SAME_ACCESS),
		 ERROR_INVALID_HANDLE, "nor is NULL");
	ok_error(!DuplicateHandle(NO_HANDLE, child, self, &made, 0, FALSE, DUPLICATE_SAME_ACCESS),
		 ERROR_INVALID_HANDLE, "nor a handle of no process");
	CloseHandle(weak);
	CloseHandle(enough);
}

/* "This handle value is valid in the context of the target process." */
static void test_duplicate_there(void)
{
	HANDLE made = NULL;

	todo_core("hands nothing to another process");
	ok(DuplicateHandle(self, GetCurrentProcess(), child, &made, 0, FALSE,
			   DUPLICATE_SAME_ACCESS),
	   "a handle for another process");
#ifndef _WIN32
	ok_error(!DuplicateHandle(self, child, child, &made, 0, FALSE, DUPLICATE_SAME_ACCESS),
		 ERROR_NOT_SUPPORTED, "which says so");
#endif
}

static void test_duplicate_notification(void)
{
	HANDLE source = CreateMemoryResourceNotification(HighMemoryResourceNotification);
	HANDLE made = duplicate(source, 0, DUPLICATE_SAME_ACCESS);
	BOOL state = -1;

	ok(made && made != source, "a notification has duplicates, too");
	ok(CloseHandle(source) && QueryMemoryResourceNotification(made, &state) &&
		   (state & ~1) == 0,
	   "which last longer than their source");
	ok(CloseHandle(made), "until they are closed");
	ok_error(!CloseHandle(made), ERROR_INVALID_HANDLE, "once");
}

static void test_close(void)
{
	ok_error(!CloseHandle(NULL), ERROR_INVALID_HANDLE, "NULL is not closed");
	ok_error(!CloseHandle(NO_HANDLE), ERROR_INVALID_HANDLE, "nor what is no handle");
	ok_error(!CloseHandle((HANDLE)(ULONG_PTR)0x7ffff7f0), ERROR_INVALID_HANDLE,
		 "nor a large number");
	SetLastError(UNTOUCHED);
	ok(CloseHandle(GetCurrentProcess()) && is_open(GetCurrentProcess()),
	   "the pseudo handle needs no closing");
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return child_run();
	self = GetCurrentProcess();
	child = child_begin(argv[0], PROCESS_ALL_ACCESS);
	region = VirtualAllocEx(child, NULL, REGION, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
				PAGE_READWRITE);
	ok_equal(child_ask(CHILD_STATE, region), MEM_COMMIT | (uint64_t)PAGE_READWRITE << 32,
		 "a region of a second process");
	test_each_right();
	test_generic();
	test_no_processes();
	test_duplicate_access();
	test_duplicate_close();
	test_duplicate_pseudo();
	test_duplicate_rights();
	test_duplicate_there();
	test_duplicate_notification();
	test_close();
	child_end();
	return tap_done();
}
