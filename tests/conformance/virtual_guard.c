/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What faults, and as which exception: guard pages, protections, what is not committed. */

#ifndef _WIN32
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#endif

#include "tests/conformance/exceptions.h"

#define READS 0
#define WRITES 1
#define EXECUTES 8

static void call(void *address)
{
	((void (*)(void))address)();
}

static const struct {
	DWORD protect;
	BOOL reads, writes, executes; /* without a fault */
} accesses[] = {
	{ PAGE_NOACCESS, FALSE, FALSE, FALSE },       { PAGE_READONLY, TRUE, FALSE, FALSE },
	{ PAGE_READWRITE, TRUE, TRUE, FALSE },        { PAGE_EXECUTE_READ, TRUE, FALSE, TRUE },
	{ PAGE_EXECUTE_READWRITE, TRUE, TRUE, TRUE },
};

static void expect(void (*access)(void *), char *page, BOOL is_allowed, ULONG_PTR kind, size_t row)
{
	DWORD code = exception_of(access, page);

	ok_status(code, is_allowed ? 0 : STATUS_ACCESS_VIOLATION, "row %zu: access %d", row,
		  (int)kind);
	if (is_allowed)
		return;
	ok_equal(caught.information[0], kind, "row %zu: the kind of access", row);
	ok(caught.information[1] == (ULONG_PTR)page, "row %zu: its address", row);
}

static void test_accesses(void)
{
	char *page = VirtualAlloc(NULL, PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
	DWORD old;

	for (size_t i = 0; i < COUNT(accesses); i++) {
		VirtualProtect(page, PAGE, PAGE_READWRITE, &old);
		*page = (char)0xc3; /* ret */
		VirtualProtect(page, PAGE, accesses[i].protect, &old);
		expect(read_byte, page, accesses[i].reads, READS, i);
		expect(call, page, accesses[i].executes, EXECUTES, i);
		expect(write_byte, page, accesses[i].writes, WRITES, i);
	}
	VirtualFree(page, 0, MEM_RELEASE);
}

static void test_states(void)
{
	char *region = VirtualAlloc(NULL, GRANULE, MEM_RESERVE, PAGE_READWRITE);

	expect(read_byte, region, FALSE, READS, 0);
	expect(write_byte, region, FALSE, WRITES, 0);
	VirtualAlloc(region, PAGE, MEM_COMMIT, PAGE_READWRITE);
	expect(write_byte, region, TRUE, WRITES, 1);
	expect(write_byte, region + PAGE, FALSE, WRITES, 1);
	VirtualFree(region, PAGE, MEM_DECOMMIT);
	expect(write_byte, region, FALSE, WRITES, 2);
	VirtualAlloc(region, PAGE, MEM_COMMIT, PAGE_READWRITE);
	VirtualFree(region, 0, MEM_RELEASE);
	expect(write_byte, region, FALSE, WRITES, 3);
}

static void test_guard(void)
{
	char *region =
		VirtualAlloc(NULL, 4 * PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE | PAGE_GUARD);
	DWORD old = 0;

	ok_equal(query(region).Protect, PAGE_READWRITE | PAGE_GUARD, "a guard page");
	ok_equal(query(region).RegionSize, 4 * PAGE, "and those after it");
	ok_status(exception_of(write_byte, region), STATUS_GUARD_PAGE_VIOLATION, "it fires");
	ok(caught.information[0] == WRITES && caught.information[1] == (ULONG_PTR)region,
	   "with kind and address");
	ok_equal(query(region).Protect, PAGE_READWRITE, "then it is none");
	ok_equal(query(region).RegionSize, PAGE, "the others still are");
	ok_status(exception_of(write_byte, region), 0, "it fires once");
	ok_status(exception_of(read_byte, region + PAGE), STATUS_GUARD_PAGE_VIOLATION,
		  "the next fires for itself");
	VirtualProtect(region, PAGE, PAGE_READONLY | PAGE_GUARD, &old);
	ok_equal(old, PAGE_READWRITE, "the old protection");
	ok_status(exception_of(write_byte, region), STATUS_GUARD_PAGE_VIOLATION, "set again");
	ok_status(exception_of(write_byte, region), STATUS_ACCESS_VIOLATION,
		  "what lies under it counts then");
	VirtualProtect(region + 2 * PAGE, PAGE, PAGE_READWRITE, &old);
	ok_equal(old, PAGE_READWRITE | PAGE_GUARD, "a guard that has not fired");
	ok_status(exception_of(write_byte, region + 2 * PAGE), 0, "a guard can be taken away");
	VirtualFree(region, 0, MEM_RELEASE);
}

/* A thread that meets a guard page inside a system call. */
static void test_guard_in_call(void)
{
	char *page =
		VirtualAlloc(NULL, PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE | PAGE_GUARD);
#ifdef _WIN32
	char name[MAX_PATH];
	DWORD count;
	HANDLE file;

	GetModuleFileNameA(NULL, name, sizeof name);
	file = CreateFileA(name, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
	ok_error(!ReadFile(file, page, 16, &count, NULL), ERROR_NOACCESS, "the system's read");
	CloseHandle(file);
#else
	int file = open("/dev/zero", O_RDONLY);

	ok(read(file, page, 16) == -1 && errno == EFAULT, "the system's read");
	ok_equal(query(page).Protect, PAGE_READWRITE | PAGE_GUARD, "leaves the guard");
	close(file);
#endif
	VirtualFree(page, 0, MEM_RELEASE);
}

/* "the second attempt succeeds, because the memory block's guard page protection has been toggled
 * off by the first attempt" */
static void test_lock(void)
{
	char *page = VirtualAlloc(NULL, PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READONLY | PAGE_GUARD);

	/* "Creating Guard Pages": the first attempt fails with STATUS_GUARD_PAGE_VIOLATION and
	 * takes the guard off, and "the second attempt succeeds". */
	todo_wine("has another error");
	ok_error(!VirtualLock(page, PAGE), (DWORD)STATUS_GUARD_PAGE_VIOLATION, "a guard page");
	todo_wine("leaves the guard");
	ok_equal(query(page).Protect, PAGE_READONLY, "the attempt to lock it is its first touch");
	todo_wine("fails again");
	ok(VirtualLock(page, PAGE), "the second attempt");
	VirtualFree(page, 0, MEM_RELEASE);
}

/* The handler of a reservation that commits its pages as they are touched. */
static char *sparse;

static LONG CALLBACK commit_page(EXCEPTION_POINTERS *pointers)
{
	EXCEPTION_RECORD *record = pointers->ExceptionRecord;
	char *address = (char *)record->ExceptionInformation[1];

	if (record->ExceptionCode != (DWORD)STATUS_ACCESS_VIOLATION || address < sparse ||
	    address >= sparse + 64 * GRANULE)
		return EXCEPTION_CONTINUE_SEARCH;
	return VirtualAlloc(address, 1, MEM_COMMIT, PAGE_READWRITE) ? EXCEPTION_CONTINUE_EXECUTION
								    : EXCEPTION_CONTINUE_SEARCH;
}

static void test_commit_on_demand(void)
{
	PVOID handler = AddVectoredExceptionHandler(TRUE, commit_page);
	unsigned sum = 0;

	sparse = VirtualAlloc(NULL, 64 * GRANULE, MEM_RESERVE, PAGE_NOACCESS);
	for (int i = 0; i < 64; i++)
		sparse[i * GRANULE + 77 * i] = (char)i;
	for (int i = 0; i < 64; i++)
		sum += (unsigned)sparse[i * GRANULE + 77 * i];
	ok_equal(sum, 64 * 63 / 2, "pages are committed by the handler of their faults");
	ok_equal(query(sparse + GRANULE + PAGE).State, MEM_RESERVE, "no others");
	RemoveVectoredExceptionHandler(handler);
	VirtualFree(sparse, 0, MEM_RELEASE);
}

int main(void)
{
	test_accesses();
	test_states();
	test_guard();
	test_guard_in_call();
	test_lock();
	test_commit_on_demand();
	return tap_done();
}
