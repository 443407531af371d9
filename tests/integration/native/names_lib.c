/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A library with Windows' names of its own, as those have that bring Windows' programs to Linux. */

const char *VirtualAlloc(void);
const char *CloseHandle(void);
const char *NtAllocateVirtualMemory(void);
const char *core_serve(void);

const char *VirtualAlloc(void)
{
	return "the library's";
}

const char *CloseHandle(void)
{
	return "the library's";
}

const char *NtAllocateVirtualMemory(void)
{
	return "the library's";
}

const char *core_serve(void)
{
	return "the library's";
}
