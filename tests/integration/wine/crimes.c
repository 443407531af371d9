/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* One misuse per call: crimes NAME. Says what the heap answered, or ends by an exception. */

#include <windows.h>

#include <stdio.h>
#include <string.h>

static char *volatile block;
static volatile char seen;

__attribute__((noinline)) static char *allocate(SIZE_T size)
{
	return HeapAlloc(GetProcessHeap(), 0, size);
}

__attribute__((noinline)) static void release(void)
{
	BOOL is_freed = HeapFree(GetProcessHeap(), 0, block);

	printf("%s\n", is_freed ? "freed" : "refused");
}

static void free_twice(void)
{
	release();
	release();
}

static void write_behind(void)
{
	block[101] = 1;
	release();
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
	release();
}

static void free_inside(void)
{
	block += 16;
	release();
}

static void free_foreign(void)
{
	static char bytes[64] __attribute__((aligned(16)));

	block = bytes + 32;
	release();
}

static void free_elsewhere(void)
{
	block = HeapAlloc(HeapCreate(0, 0, 0), 0, 100);
	release();
}

static void resize_freed(void)
{
	release();
	printf("%s\n", HeapReAlloc(GetProcessHeap(), 0, block, 50) ? "resized" : "refused");
}

/* Its heap was destroyed, and the process heap does not know it. */
static void free_stale(void)
{
	HANDLE heap = HeapCreate(0, 0, 0);

	block = HeapAlloc(heap, 0, 100);
	HeapDestroy(heap);
	release();
}

static void free_of_destroyed(void)
{
	HANDLE heap = HeapCreate(0, 0, 0);

	block = HeapAlloc(heap, 0, 100);
	HeapDestroy(heap);
	printf("%s\n", HeapFree(heap, 0, block) ? "freed" : "refused");
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
	{ "elsewhere", free_elsewhere }, { "resize-freed", resize_freed },
	{ "stale", free_stale },         { "destroyed", free_of_destroyed },
};

int main(int argc, char **argv)
{
	block = allocate(100);
	AddVectoredExceptionHandler(TRUE, tell_exception);
	for (size_t i = 0; i < sizeof(crimes) / sizeof(crimes[0]); i++) {
		if (argc > 1 && strcmp(argv[1], crimes[i].name) == 0)
			crimes[i].commit();
	}
	printf("after\n");
	return 0;
}
