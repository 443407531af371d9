/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Stacks that are not the thread's own, and stacks that are nearly full: fibers, deep recursion
 * that uses memory in every frame, stack overflow inside memory functions. */

#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIBERS 20
#define SWITCHES 100

static void *fibers[FIBERS], *main_fiber;
static char *blocks[FIBERS];
static int current, switches;
static volatile LONG ended;

static void use_memory(void)
{
	MEMORY_BASIC_INFORMATION info;
	char *region = VirtualAlloc(NULL, 0x10000, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

	if (!region || !VirtualQuery(region, &info, sizeof info) || info.RegionSize != 0x10000)
		printf("VirtualAlloc or VirtualQuery is wrong\n");
	VirtualFree(region, 0, MEM_RELEASE);
	HeapFree(GetProcessHeap(), 0, HeapAlloc(GetProcessHeap(), 0, 100));
	free(realloc(malloc(10), 10000));
}

/* Switches to the next fiber in the middle of its own work. */
static void CALLBACK fiber_main(void *number)
{
	for (;;) {
		size_t i = (size_t)number;

		if (!blocks[i]) {
			blocks[i] = malloc(100 + i);
			memset(blocks[i], (int)i, 100 + i);
		} else if (blocks[i][99] != (char)i) {
			printf("fiber %zu: its block is damaged\n", i);
		}
		use_memory();
		if (++switches == SWITCHES * FIBERS)
			SwitchToFiber(main_fiber);
		current = (current + 1) % FIBERS;
		SwitchToFiber(fibers[current]);
	}
}

static void CALLBACK value_ends(void *value)
{
	free(value);
	InterlockedIncrement(&ended);
}

static void test_fibers(void)
{
	DWORD slot = FlsAlloc(value_ends);

	main_fiber = ConvertThreadToFiber(NULL);
	FlsSetValue(slot, malloc(10));
	for (size_t i = 0; i < FIBERS; i++)
		fibers[i] = CreateFiber(0x10000, fiber_main, (void *)i);
	SwitchToFiber(fibers[0]);
	for (int i = 0; i < FIBERS; i++) {
		DeleteFiber(fibers[i]);
		free(blocks[i]);
	}
	FlsFree(slot);
	ConvertFiberToThread();
	use_memory();
	printf("%d switches, %ld values ended\n", switches, ended);
}

/* The bytes of the stack below this frame that can be used at all. */
static size_t room_left(void)
{
	char here;
	/* DeallocationStack of the TEB, and the pages that stay a guard. */
	char *bottom = *(char **)((char *)NtCurrentTeb() + 0x1478);

	return (size_t)(&here - bottom);
}

static int deepest;

/* Uses memory at each depth, until so little is left. */
static int recurse(int depth, size_t least)
{
	volatile char frame[400];

	frame[0] = (char)depth;
	use_memory();
	if (room_left() < least)
		return depth;
	deepest = recurse(depth + 1, least);
	return frame[0] == (char)depth ? deepest : -1;
}

/* Wine itself needs some of the stack: less than 24 KB it does not promise. */
static DWORD WINAPI deep_thread(void *least)
{
	printf("recursion: %s\n", recurse(0, (size_t)least) > 10 ? "deep enough" : "not deep");
	return 0;
}

/* --- Overflow -------------------------------------------------------------------------------- */

static __thread CONTEXT back;
static __thread volatile int overflows;
/* What is left for the handler, which uses memory itself; 0: it does not. */
static __thread ULONG guarantee;

static LONG CALLBACK on_overflow(EXCEPTION_POINTERS *pointers)
{
	if (pointers->ExceptionRecord->ExceptionCode != EXCEPTION_STACK_OVERFLOW)
		return EXCEPTION_CONTINUE_SEARCH;
	overflows++;
	if (guarantee)
		use_memory();
	*pointers->ContextRecord = back;
	return EXCEPTION_CONTINUE_EXECUTION;
}

static volatile int is_endless = 1;

static int overflow(int depth)
{
	volatile char frame[200];

	frame[0] = (char)depth;
	use_memory();
	return is_endless ? overflow(depth + 1) + frame[0] : 0;
}

static DWORD WINAPI overflow_thread(void *bytes)
{
	void *handler = AddVectoredExceptionHandler(TRUE, on_overflow);

	guarantee = (ULONG)(size_t)bytes;
	if (guarantee && !SetThreadStackGuarantee(&(ULONG){ guarantee }))
		printf("no guarantee\n");
	RtlCaptureContext(&back);
	if (!overflows)
		printf("came back: %d\n", overflow(0));
	RemoveVectoredExceptionHandler(handler);
	printf("overflows: %d\n", overflows);
	use_memory();
	return 0;
}

static void run(LPTHREAD_START_ROUTINE function, size_t argument)
{
	HANDLE thread = CreateThread(NULL, 0x40000, function, (void *)argument,
				     STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);

	WaitForSingleObject(thread, INFINITE);
	CloseHandle(thread);
}

int main(int argc, char **argv)
{
	test_fibers();
	for (size_t least = 0x20000; least >= 0x6000; least -= 0x1000)
		run(deep_thread, least);
	if (argc > 1 && !strcmp(argv[1], "overflow")) {
		run(overflow_thread, 0);
		for (size_t bytes = 0x4000; bytes <= 0x10000; bytes += 0x3000)
			run(overflow_thread, bytes);
	}
	printf("heap is valid: %d\n", HeapValidate(GetProcessHeap(), 0, NULL));
	return 0;
}
