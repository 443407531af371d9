/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Virtual memory of every kind, in sizes that the report must tell again. Ends without any further
 * call, having printed what core itself counts. */

#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/core.h"
#include "core/host.h"

#define MIB ((size_t)1 << 20)

static char *map(size_t size_bytes, int prot, int flags, int fd)
{
	void *base = mmap(NULL, size_bytes, prot, flags, fd, 0);

	return base == MAP_FAILED ? NULL : base;
}

static int make_file(void)
{
	int fd = memfd_create("memory", MFD_CLOEXEC);

	return ftruncate(fd, (off_t)(32 * MIB)) == 0 ? fd : -1;
}

/* What only this program has: code that can be written, 7 MiB, 11 MiB at the peak. */
static int make_code(void)
{
	DWORD old;
	char *code = VirtualAlloc(NULL, 16 * MIB, MEM_RESERVE, PAGE_NOACCESS);

	return code && VirtualAlloc(code, 11 * MIB, MEM_COMMIT, PAGE_EXECUTE_READWRITE) &&
	       VirtualProtect(code, MIB, PAGE_READONLY, &old) &&
	       VirtualFree(code + 8 * MIB, 3 * MIB, MEM_DECOMMIT);
}

static int make_mappings(void)
{
	const int anonymous = MAP_ANONYMOUS | MAP_PRIVATE;
	int fd = make_file();
	char *shrinks = map(9 * MIB, PROT_READ | PROT_WRITE, anonymous, -1);
	char *reserved = map(5 * MIB, PROT_NONE, anonymous, -1);

	return fd >= 0 && shrinks && reserved && munmap(shrinks + 2 * MIB, 3 * MIB) == 0 &&
	       mprotect(reserved, MIB, PROT_READ) == 0 &&
	       map(4 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1) &&
	       map(3 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd) &&
	       map(32 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
}

int main(void)
{
	char line[64];
	size_t length;

	if (!make_mappings() || !make_code())
		return 1;
	length = (size_t)snprintf(line, sizeof line, "charge %llu\n",
				  (unsigned long long)core_commit_charge());
	if (write(STDOUT_FILENO, line, length) < 0)
		return 1;
	_exit(0);
}
