/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Steps that raise an exception, for native and Windows programs alike.
 *
 *   ok_status(exception_of(write_byte, page), STATUS_GUARD_PAGE_VIOLATION, "a guard page");
 */

#ifndef VADTRACE_TESTS_CONFORMANCE_EXCEPTIONS_H
#define VADTRACE_TESTS_CONFORMANCE_EXCEPTIONS_H

#include "tests/conformance/common.h"

/* Natively there is one way to call. */
#ifndef _WIN32
#define CALLBACK
#define NTAPI
#endif

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

#endif
