/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* For the tests that are Windows programs only: Windows' own headers, functions that not every
 * system has, and exceptions.
 *
 *   ok(exception_of(write_byte, page) == STATUS_GUARD_PAGE_VIOLATION, "a guard page");
 */

#ifndef VADTRACE_TESTS_CONFORMANCE_PE_H
#define VADTRACE_TESTS_CONFORMANCE_PE_H

#define WIN32_NO_STATUS
#include <windows.h>
#undef WIN32_NO_STATUS
#include <ntstatus.h>
#include <winternl.h>

#include <stdint.h>
#include <string.h>

#include "tests/lib/tap.h"

#define PAGE 0x1000
#define GRANULE 0x10000
#define UNTOUCHED 0xdeadbeef
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Wine raises it for an export that it only names. */
#define STATUS_WINE_STUB ((DWORD)0x80000100)

/* The function of a DLL; NULL when the system has none. */
#define FUNCTION(dll, name) ((typeof(&name))(void *)GetProcAddress(GetModuleHandleA(dll), #name))

/* A test of a function that is not there. */
#define skip_absent(name) \
	printf("ok %d - %s # SKIP this system does not have it\n", ++tap_count, name)

/* One step with the last error untouched beforehand: it is refused, with this error. */
#define ok_error(condition, error, ...)                                   \
	do {                                                              \
		const char *excuse = tap_todo;                            \
		BOOL is_refused = (SetLastError(UNTOUCHED), (condition)); \
		DWORD got_error = GetLastError();                         \
		ok(is_refused, __VA_ARGS__);                              \
		tap_todo = excuse;                                        \
		ok_equal(got_error, error, "last error: " __VA_ARGS__);   \
	} while (0)

#define ok_status(call, expected, ...) ok_equal((DWORD)(call), (DWORD)(expected), __VA_ARGS__)

/* The exception that is being caught, one thread at a time. */
static struct {
	volatile DWORD code;
	ULONG_PTR information[2]; /* how, and which address */
	BOOL is_wanted;
	CONTEXT back;
} caught;

__attribute__((unused)) static LONG CALLBACK catch_exception(EXCEPTION_POINTERS *pointers)
{
	EXCEPTION_RECORD *record = pointers->ExceptionRecord;

	if (!caught.is_wanted)
		return EXCEPTION_CONTINUE_SEARCH;
	caught.is_wanted = FALSE;
	caught.information[0] = record->NumberParameters > 0 ? record->ExceptionInformation[0] : 0;
	caught.information[1] = record->NumberParameters > 1 ? record->ExceptionInformation[1] : 0;
	caught.code = record->ExceptionCode;
	*pointers->ContextRecord = caught.back;
	return EXCEPTION_CONTINUE_EXECUTION;
}

/* The code of the exception that the function raises; 0: none. */
__attribute__((unused, noinline)) static DWORD exception_of(void (*function)(void *),
							    void *argument)
{
	PVOID handler = AddVectoredExceptionHandler(/* first */ TRUE, catch_exception);

	caught.code = 0;
	caught.is_wanted = TRUE;
	RtlCaptureContext(&caught.back);
	if (!caught.code)
		function(argument);
	caught.is_wanted = FALSE;
	RemoveVectoredExceptionHandler(handler);
	return caught.code;
}

__attribute__((unused)) static void write_byte(void *address)
{
	*(volatile char *)address = 1;
}

__attribute__((unused)) static void read_byte(void *address)
{
	(void)*(volatile char *)address;
}

__attribute__((unused)) static MEMORY_BASIC_INFORMATION query(const void *address)
{
	MEMORY_BASIC_INFORMATION info = { 0 };

	VirtualQuery(address, &info, sizeof info);
	return info;
}

#endif
