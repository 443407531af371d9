/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* As names_lib.c, but loaded while the program runs, and calling its own. */

const char *HeapAlloc(void);
const char *NtFreeVirtualMemory(void);
const char *names_module_calls(void);

const char *HeapAlloc(void)
{
	return "the module's";
}

const char *NtFreeVirtualMemory(void)
{
	return "the module's";
}

const char *names_module_calls(void)
{
	return NtFreeVirtualMemory() == HeapAlloc() ? HeapAlloc() : "mixed";
}
