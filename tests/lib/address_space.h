/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The size of this process's address space, and a limit of it. */

#ifndef VADTRACE_TESTS_LIB_ADDRESS_SPACE_H
#define VADTRACE_TESTS_LIB_ADDRESS_SPACE_H

#include <stdio.h>
#include <sys/resource.h>

__attribute__((unused)) static void limit_memory(rlim_t bytes)
{
	struct rlimit limit;

	getrlimit(RLIMIT_AS, &limit);
	limit.rlim_cur = bytes;
	setrlimit(RLIMIT_AS, &limit);
}

/* 0: it could not be read. */
static rlim_t address_space_bytes(void)
{
	unsigned long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	if (!file || fscanf(file, "%lu", &pages) != 1)
		pages = 0;
	if (file)
		fclose(file);
	return (rlim_t)pages * 4096;
}

#endif
