/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Uses memory in each way from functions and lines that it knows, and prints what a report must
 * say of them:
 *
 *   function line calls bytes live_blocks live_bytes
 *
 * Of each kind, some are ended and some stay. With "kill" it ends itself as if from outside, and
 * with "wait" it waits for that. */

#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE 1000

struct truth {
	const char *function;
	unsigned line, calls, ended, bytes;
};

static HANDLE own_heap;
static void *volatile sink;

/* Notes the line, and that the call is no tail call. */
#define AT_THIS_LINE(truth, call) ((truth)->line = __LINE__, (truth)->calls++, (sink = (call)))

__attribute__((noinline)) static void *do_virtual(struct truth *truth)
{
	return AT_THIS_LINE(truth, VirtualAlloc(NULL, 0x20000, MEM_RESERVE | MEM_COMMIT, 4));
}

__attribute__((noinline)) static void *do_heap(struct truth *truth)
{
	return AT_THIS_LINE(truth, HeapAlloc(GetProcessHeap(), 0, SIZE));
}

__attribute__((noinline)) static void *do_own_heap(struct truth *truth)
{
	return AT_THIS_LINE(truth, HeapAlloc(own_heap, HEAP_ZERO_MEMORY, SIZE));
}

__attribute__((noinline)) static void *do_global(struct truth *truth)
{
	return AT_THIS_LINE(truth, GlobalAlloc(GMEM_FIXED, SIZE));
}

__attribute__((noinline)) static void *do_local(struct truth *truth)
{
	return AT_THIS_LINE(truth, LocalAlloc(LMEM_FIXED, SIZE));
}

__attribute__((noinline)) static void *do_malloc(struct truth *truth)
{
	return AT_THIS_LINE(truth, malloc(SIZE));
}

__attribute__((noinline)) static void *do_view(struct truth *truth)
{
	HANDLE section = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, 4, 0, 0x20000, NULL);
	void *view = AT_THIS_LINE(truth, MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0));

	CloseHandle(section);
	return view;
}

static void end_virtual(void *memory)
{
	VirtualFree(memory, 0, MEM_RELEASE);
}

static void end_heap(void *memory)
{
	HeapFree(GetProcessHeap(), 0, memory);
}

static void end_own_heap(void *memory)
{
	HeapFree(own_heap, 0, memory);
}

static void end_global(void *memory)
{
	GlobalFree(memory);
}

static void end_local(void *memory)
{
	LocalFree(memory);
}

static void end_view(void *memory)
{
	UnmapViewOfFile(memory);
}

static struct {
	struct truth truth;
	void *(*make)(struct truth *truth);
	void (*end)(void *memory);
	unsigned made, ended;
} kinds[] = {
	{ { "do_virtual", .bytes = 0x20000 }, do_virtual, end_virtual, 13, 3 },
	{ { "do_heap", .bytes = SIZE }, do_heap, end_heap, 211, 100 },
	{ { "do_own_heap", .bytes = SIZE }, do_own_heap, end_own_heap, 223, 200 },
	{ { "do_global", .bytes = SIZE }, do_global, end_global, 227, 27 },
	{ { "do_local", .bytes = SIZE }, do_local, end_local, 229, 29 },
	{ { "do_malloc", .bytes = SIZE }, do_malloc, free, 233, 33 },
	{ { "do_view", .bytes = 0x20000 }, do_view, end_view, 17, 7 },
};
#define KINDS (sizeof kinds / sizeof kinds[0])

__attribute__((noinline)) static void work(void)
{
	static void *memory[256];

	for (size_t kind = 0; kind < KINDS; kind++) {
		for (unsigned i = 0; i < kinds[kind].made; i++)
			memory[i] = kinds[kind].make(&kinds[kind].truth);
		for (unsigned i = 0; i < kinds[kind].ended; i++)
			kinds[kind].end(memory[i]);
	}
}

int main(int argc, char **argv)
{
	own_heap = HeapCreate(0, 0, 0);
	work();
	for (size_t kind = 0; kind < KINDS; kind++) {
		const struct truth *truth = &kinds[kind].truth;
		unsigned live = kinds[kind].made - kinds[kind].ended;

		printf("%s %u %u %u %u %u\n", truth->function, truth->line, truth->calls,
		       truth->calls * truth->bytes, live, live * truth->bytes);
	}
	fflush(stdout);
	if (argc > 1 && !strcmp(argv[1], "kill"))
		TerminateProcess(GetCurrentProcess(), 137);
	if (argc > 1 && !strcmp(argv[1], "wait"))
		Sleep(INFINITE);
	return 0;
}
