/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* For the tests that are native programs and Windows programs alike: the same names from core's
 * headers or from Windows' own, and the steps that all of them take.
 *
 *   ok_error(!VirtualLock(base, PAGE), ERROR_NOACCESS, "what is only reserved is not locked");
 */

#ifndef VADTRACE_TESTS_CONFORMANCE_COMMON_H
#define VADTRACE_TESTS_CONFORMANCE_COMMON_H

#ifdef _WIN32
#define WIN32_NO_STATUS
#include <windows.h>
#undef WIN32_NO_STATUS
#include <ntstatus.h>
#include <psapi.h>
#include <winternl.h>
#else
#include "core/base/status.h"
#include "core/core.h"
#endif

#include <stdint.h>
#include <string.h>

#include "tests/lib/tap.h"

#define PAGE 0x1000
#define GRANULE 0x10000
#define UNTOUCHED 0xdeadbeef
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* The function of a DLL; NULL when the system has none. Natively core has all that it names. */
#ifdef _WIN32
#define FUNCTION(dll, name) ((typeof(&name))(void *)GetProcAddress(GetModuleHandleA(dll), #name))
#else
#define FUNCTION(dll, name) (&name)
#endif

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

/* Whether core answers. Where Wine does, what it does not look for is not done: its heap would be
 * broken. */
#ifdef _WIN32
#define IS_CORE (getenv("TAP_CORE") != NULL)
#else
#define IS_CORE TRUE
#endif

__attribute__((unused)) static MEMORY_BASIC_INFORMATION query(const void *address)
{
	MEMORY_BASIC_INFORMATION info = { 0 };

	VirtualQuery(address, &info, sizeof info);
	return info;
}

#endif
