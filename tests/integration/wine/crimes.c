/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* One misuse per call: crimes NAME. Says what the heap answered, or ends by an exception. */

#include <windows.h>

#include <stdio.h>
#include <string.h>

static char *volatile block;
static HANDLE heap;
static volatile char seen;

__attribute__((noinline)) static char *allocate(SIZE_T size)
{
	return HeapAlloc(heap, 0, size);
}

__attribute__((noinline)) static void release(void)
{
	BOOL is_freed = HeapFree(heap, 0, block);

	printf("%s\n", is_freed ? "freed" : "refused");
}

/* What is no block of the heap is given to all that takes one. */
static void misuse(void)
{
	char *resized;

	printf("%s\n", HeapSize(heap, 0, block) != (SIZE_T)-1 ? "sized" : "unsized");
	resized = HeapReAlloc(heap, 0, block, 50);
	printf("%s\n", resized ? "resized" : "unresized");
	if (resized)
		block = resized;
	release();
}

static void free_twice(void)
{
	release();
	misuse();
}

static void write_behind(void)
{
	block[101] = 1;
	misuse();
}

/* As far as the next block. */
static void write_over_next(void)
{
	memset(block + 100, 'x', 64);
	misuse();
}

static void write_freed(void)
{
	release();
	block[50] = 1;
}

static void read_freed(void)
{
	release();
	seen = block[50];
}

static void read_behind(void)
{
	seen = block[112];
	release();
}

static void free_handle(void)
{
	block = (char *)GlobalAlloc(GMEM_MOVEABLE, 100);
	misuse();
}

static void free_inside(void)
{
	block += 16;
	misuse();
}

static void free_foreign(void)
{
	static char bytes[64] __attribute__((aligned(16)));

	block = bytes + 32;
	misuse();
}

static void free_elsewhere(void)
{
	block = HeapAlloc(HeapCreate(0, 0, 0), 0, 100);
	misuse();
}

/* Its heap was destroyed, and the process heap does not know it. */
static void free_stale(void)
{
	HANDLE other = HeapCreate(0, 0, 0);

	block = HeapAlloc(other, 0, 100);
	HeapDestroy(other);
	misuse();
}

static void free_of_destroyed(void)
{
	heap = HeapCreate(0, 0, 0);
	block = HeapAlloc(heap, 0, 100);
	HeapDestroy(heap);
	misuse();
}

static LONG CALLBACK tell_exception(EXCEPTION_POINTERS *pointers)
{
	printf("exception 0x%lx\n", pointers->ExceptionRecord->ExceptionCode);
	fflush(stdout);
	ExitProcess(3);
}

static const struct {
	const char *name;
	void (*commit)(void);
} crimes[] = {
	{ "double", free_twice },        { "behind", write_behind },
	{ "write-freed", write_freed },  { "read-freed", read_freed },
	{ "read-behind", read_behind },  { "handle", free_handle },
	{ "inside", free_inside },       { "foreign", free_foreign },
	{ "elsewhere", free_elsewhere }, { "overrun", write_over_next },
	{ "stale", free_stale },         { "destroyed", free_of_destroyed },
};

int main(int argc, char **argv)
{
	/* Nothing else takes memory meanwhile. */
	setvbuf(stdout, NULL, _IONBF, 0);
	heap = GetProcessHeap();
	block = allocate(100);
	AddVectoredExceptionHandler(TRUE, tell_exception);
	for (size_t i = 0; i < sizeof(crimes) / sizeof(crimes[0]); i++) {
		if (argc > 1 && strcmp(argv[1], crimes[i].name) == 0)
			crimes[i].commit();
	}
	printf("after\n");
	return 0;
}
