/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Calls each function whose name it reads, as often as it is told:
 *
 *   each.exe CALLS < rows of "name dll export"
 *
 * Most calls are refused, because all their arguments are 0: they are calls all the same. What must
 * not be refused, or must not be given a null pointer, has its arguments below. Prints "called" or
 * "absent" and the name. */

#include <windows.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARGUMENTS_MAX 10
#define CALLS_MAX 100

typedef uint64_t (*function)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
			     uint64_t, uint64_t, uint64_t);

/* What an argument stands for. */
enum { HEAP = 0x10001, BLOCK, FREED, ROOM, NOBODY };

static const struct row {
	const char *name;
	unsigned arguments[5];
} rows[] = {
	/* Of these a block tells: it has to be one. */
	{ "RtlAllocateHeap", { HEAP, 0, 16 } },
	{ "RtlReAllocateHeap", { HEAP, 0, BLOCK, 32 } },
	{ "RtlFreeHeap", { HEAP, 0, FREED } },
	{ "RtlSizeHeap", { HEAP, 0, BLOCK } },
	/* These write before they look. */
	{ "GetSystemInfo", { ROOM } },
	{ "GetNativeSystemInfo", { ROOM } },
	{ "GlobalMemoryStatus", { ROOM } },
	{ "GlobalMemoryStatusEx", { ROOM } },
	{ "GetNumaHighestNodeNumber", { ROOM } },
	{ "GetNumaNodeProcessorMaskEx", { 0, ROOM } },
	{ "GetNumaAvailableMemoryNodeEx", { 0, ROOM } },
	{ "GetProcessWorkingSetSize", { 0, ROOM, ROOM } },
	{ "GetProcessWorkingSetSizeEx", { 0, ROOM, ROOM, ROOM } },
	{ "FreeUserPhysicalPages", { 0, ROOM, ROOM } },
	{ "MapUserPhysicalPages", { 0, ROOM, ROOM } },
	{ "RtlGetUserInfoHeap", { 0, 0, 0, ROOM, ROOM } },
	{ "HeapWalk", { 0, ROOM } },
	{ "RtlWalkHeap", { 0, ROOM } },
	{ "RtlGetProcessHeaps", { 0, ROOM } },
	/* 0 is a slot that somebody may have. */
	{ "TlsFree", { NOBODY } },
	{ "TlsSetValue", { NOBODY } },
	{ "FlsFree", { NOBODY } },
	{ "FlsSetValue", { NOBODY } },
};

static HANDLE heap;
static void *block, *blocks[CALLS_MAX];
static uint64_t room[512];

static uint64_t value_of(unsigned argument, int call)
{
	switch (argument) {
	case HEAP:
		return (uintptr_t)heap;
	case BLOCK:
		return (uintptr_t)block;
	case FREED:
		return (uintptr_t)blocks[call];
	case ROOM:
		return (uintptr_t)room;
	case NOBODY:
		return 0xffffffff;
	default:
		return argument;
	}
}

static void call_once(function function, const struct row *row, int call)
{
	uint64_t a[5] = { 0 }, result;

	for (int i = 0; row && i < 5; i++)
		a[i] = value_of(row->arguments[i], call);
	result = function(a[0], a[1], a[2], a[3], a[4], 0, 0, 0, 0, 0);
	if (row && strcmp(row->name, "RtlAllocateHeap") == 0)
		blocks[call] = (void *)(uintptr_t)result;
	if (row && strcmp(row->name, "RtlReAllocateHeap") == 0)
		block = (void *)(uintptr_t)result;
}

static const struct row *find_row(const char *export)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strcmp(rows[i].name, export) == 0)
			return &rows[i];
	return NULL;
}

int main(int argc, char **argv)
{
	char name[64], dll[64], export[64], line[256];
	int calls = argc > 1 ? atoi(argv[1]) : 0;

	if (calls < 1 || calls > CALLS_MAX)
		return 2;
	setvbuf(stdin, malloc(1 << 14), _IOFBF, 1 << 14);
	setvbuf(stdout, malloc(1 << 14), _IOFBF, 1 << 14);
	heap = GetProcessHeap();
	block = HeapAlloc(heap, 0, 16);
	while (fgets(line, sizeof line, stdin) &&
	       sscanf(line, "%63s %63s %63s", name, dll, export) == 3) {
		function function = (__typeof__(function))(uintptr_t)GetProcAddress(
			GetModuleHandleA(dll), export);

		for (int call = 0; function && call < calls; call++)
			call_once(function, find_row(export), call);
		printf("%s %s\n", function ? "called" : "absent", name);
		fflush(stdout);
	}
	return 0;
}
