/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* remote target WAY   says its process id and waits for SIGTERM; WAY `closed`: without descriptors
 * remote ask PID      reserves, commits, protects, reads and writes memory of that process; it
 *                     leaves one region of 192 KiB there, of which 8 KiB are committed
 *
 * The target calls nothing of libvadcore's: it is the preload that answers. */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/core.h"

#define PAGE ((SIZE_T)4096)
#define GRANULE ((SIZE_T)65536)

static int wait_as_target(const char *way)
{
	sigset_t end;
	int number;

	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	sigprocmask(SIG_BLOCK, &end, NULL);
	printf("%d\n", (int)getpid());
	fflush(stdout);
	if (!strcmp(way, "closed"))
		syscall(SYS_close_range, 0, ~0u, 0);
	sigwait(&end, &number);
	return 0;
}

static int fail(const char *what)
{
	printf("%s: error %u\n", what, GetLastError());
	return 1;
}

static int use(HANDLE process, char *base)
{
	char buffer[6] = "";
	DWORD old;

	if (VirtualAllocEx(process, base, 2 * PAGE, MEM_COMMIT, PAGE_READWRITE) != base)
		return fail("commit");
	if (!WriteProcessMemory(process, base, "bytes", 6, NULL))
		return fail("write");
	if (!ReadProcessMemory(process, base, buffer, 6, NULL) || strcmp(buffer, "bytes"))
		return fail("read");
	if (!VirtualProtectEx(process, base, PAGE, PAGE_READONLY, &old))
		return fail("protect");
	return 0;
}

static int ask(DWORD id)
{
	HANDLE process = OpenProcess(PROCESS_ALL_ACCESS, FALSE, id);
	char *base, *other;

	if (!process)
		return fail("open");
	other = VirtualAllocEx(process, NULL, GRANULE, MEM_RESERVE, PAGE_READWRITE);
	if (!other)
		return fail("reserve");
	base = VirtualAllocEx(process, NULL, 3 * GRANULE, MEM_RESERVE, PAGE_READWRITE);
	if (!base || use(process, base))
		return fail("use");
	if (!VirtualFreeEx(process, other, 0, MEM_RELEASE))
		return fail("release");
	printf("done\n");
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "target"))
		return wait_as_target(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "ask"))
		return ask((DWORD)atoi(argv[2]));
	return 2;
}
