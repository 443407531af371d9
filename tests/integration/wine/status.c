/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Statuses in, one a line, and beside each its Win32 error: core's in the native program, the
 * system's own in the Windows program. */

#include <stdio.h>

#ifdef _WIN32
#include <windows.h>
#include <winternl.h>

static unsigned long error_of(unsigned int status)
{
	return RtlNtStatusToDosError((NTSTATUS)status);
}
#else
#include "core/base/status.h"

static unsigned long error_of(unsigned int status)
{
	return status_to_win32((NTSTATUS)status);
}
#endif

int main(void)
{
	unsigned int status;

	while (scanf("%x", &status) == 1)
		printf("0x%08X %lu\n", status, error_of(status));
	return 0;
}
