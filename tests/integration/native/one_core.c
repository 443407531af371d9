/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A program that links libvadcore: whoever serves it, the native calls and the Win32 ones know the
 * same regions, heaps, handles and limits. Sizes are multiples of 64 KiB. */

#include <stdio.h>

#include "core/core.h"
#include "core/host.h"

#define SIZE ((SIZE_T)256 * 1024)
#define ROOM ((SIZE_T)16 * 1024 * 1024)

static void made_by_nt(void)
{
	MEMORY_BASIC_INFORMATION info = { 0 };
	PVOID base = NULL;
	SIZE_T size = SIZE;
	DWORD old = 0;
	NTSTATUS status = NtAllocateVirtualMemory(GetCurrentProcess(), &base, 0, &size,
						  MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

	printf("NtAllocateVirtualMemory: %#x, %zu bytes\n", (unsigned int)status, size);
	printf("VirtualQuery: %d\n", VirtualQuery(base, &info, sizeof info) == sizeof info &&
					     info.AllocationBase == base &&
					     info.RegionSize == SIZE);
	printf("VirtualProtect: %d", VirtualProtect(base, SIZE, PAGE_READONLY, &old));
	printf(", was %#x\n", (unsigned int)old);
	printf("VirtualFree: %d\n", VirtualFree(base, 0, MEM_RELEASE));
}

static void freed_by_nt(void)
{
	PVOID base = VirtualAlloc(NULL, SIZE, MEM_RESERVE, PAGE_NOACCESS);
	SIZE_T size = SIZE;

	printf("commit: %#x\n",
	       (unsigned int)NtAllocateVirtualMemory(GetCurrentProcess(), &base, 0, &size,
						     MEM_COMMIT, PAGE_READWRITE));
	size = 0;
	printf("NtFreeVirtualMemory: %#x\n",
	       (unsigned int)NtFreeVirtualMemory(GetCurrentProcess(), &base, &size, MEM_RELEASE));
}

/* One of Nt's calls takes a handle that OpenProcess made. */
static void handle(void)
{
	HANDLE process = OpenProcess(PROCESS_ALL_ACCESS, FALSE, GetCurrentProcessId());
	int value = 7, copy = 0;
	NTSTATUS status = NtReadVirtualMemory(process, &value, &copy, sizeof copy, NULL);

	printf("NtReadVirtualMemory: %#x, %d\n", (unsigned int)status, copy);
	printf("CloseHandle: %d\n", CloseHandle(process));
}

static void limit(void)
{
	PVOID base;

	core_set_commit_limit(core_commit_charge() + ROOM / 2);
	base = VirtualAlloc(NULL, ROOM, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
	printf("past the limit: %d, error %u\n", base != NULL, (unsigned int)GetLastError());
	core_set_commit_limit(0);
	base = VirtualAlloc(NULL, ROOM, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
	printf("without a limit: %d\n", base != NULL);
	VirtualFree(base, 0, MEM_RELEASE);
}

int main(void)
{
	made_by_nt();
	freed_by_nt();
	handle();
	limit();
	return 0;
}
