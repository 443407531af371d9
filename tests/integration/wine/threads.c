/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Threads that are suspended, looked into and ended from outside while they use memory. */

#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 0x1000

static volatile LONG is_over, rounds;

/* Whatever a thread may be stopped in. */
static void use_memory(HANDLE heap)
{
	MEMORY_BASIC_INFORMATION info;
	char *block = HeapAlloc(heap, 0, 300), *region;
	DWORD old;

	memset(block, 1, 300);
	block = HeapReAlloc(heap, 0, block, 5000);
	region = VirtualAlloc(NULL, 4 * PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
	region[0] = 1;
	VirtualProtect(region, PAGE, PAGE_READONLY, &old);
	if (!VirtualQuery(region, &info, sizeof info) || info.Protect != PAGE_READONLY)
		printf("VirtualQuery is wrong\n");
	VirtualFree(region, 0, MEM_RELEASE);
	HeapFree(heap, 0, block);
	InterlockedIncrement(&rounds);
}

/* Where the stack of the thread that began last is. */
static const NT_TIB *volatile begun;

static DWORD WINAPI loop_until_over(void *heap)
{
	begun = (const NT_TIB *)NtCurrentTeb();
	while (!is_over)
		use_memory(heap);
	return 0;
}

/* No Virtual functions: a thread that is ended inside them leaves plain Wine locked. */
static DWORD WINAPI loop_for_ever(void *heap)
{
	for (;;) {
		char *block = HeapAlloc(heap, HEAP_ZERO_MEMORY, 300);

		if (HeapSize(heap, 0, block) != 300)
			printf("HeapSize is wrong\n");
		HeapFree(heap, 0, HeapReAlloc(heap, 0, block, 500));
		InterlockedIncrement(&rounds);
	}
	return 0;
}

static DWORD WINAPI exit_inside(void *heap)
{
	use_memory(heap);
	ExitThread(7);
}

static RUNTIME_FUNCTION *function_at(DWORD64 address, DWORD64 *base)
{
	return RtlLookupFunctionEntry(address, base, NULL);
}

/* One frame outwards, as a debugger goes. */
static void step_out(CONTEXT *context)
{
	DWORD64 base, frame;
	void *data;
	RUNTIME_FUNCTION *function = function_at(context->Rip, &base);

	if (function) {
		RtlVirtualUnwind(UNW_FLAG_NHANDLER, base, context->Rip, function, context, &data,
				 &frame, NULL);
		return;
	}
	context->Rip = *(const DWORD64 *)context->Rsp;
	context->Rsp += 8;
}

/* Whether the stack of a stopped thread leads to the function that it began with. */
static int leads_to_loop(CONTEXT context, const NT_TIB *stack)
{
	DWORD64 base, limit = (DWORD64)stack->StackLimit, top = (DWORD64)stack->StackBase;
	const RUNTIME_FUNCTION *loop = function_at((DWORD64)loop_until_over, &base);

	while (context.Rsp >= limit && context.Rsp < top - 8) {
		if (function_at(context.Rip, &base) == loop)
			return 1;
		step_out(&context);
	}
	return 0;
}

/* One that is stopped holds none of our locks: the others go on. Where it is stopped is Windows
 * code, whose callers can be found. */
static void test_suspend(void)
{
	HANDLE heaps[2], threads[2];
	const NT_TIB *stacks[2];
	int bad = 0, lost = 0;

	for (int i = 0; i < 2; i++) {
		begun = NULL;
		heaps[i] = HeapCreate(0, 0, 0);
		threads[i] = CreateThread(NULL, 0, loop_until_over, heaps[i], 0, NULL);
		while (!begun)
			Sleep(0);
		stacks[i] = begun;
	}
	for (int i = 0; i < 500; i++) {
		HANDLE thread = threads[i % 2];
		CONTEXT context = { .ContextFlags = CONTEXT_FULL };

		bad += SuspendThread(thread) != 0;
		bad += !GetThreadContext(thread, &context) || !context.Rip || !context.Rsp;
		lost += !leads_to_loop(context, stacks[i % 2]);
		use_memory(GetProcessHeap());
		bad += !SetThreadContext(thread, &context);
		bad += ResumeThread(thread) != 1;
	}
	is_over = TRUE;
	WaitForMultipleObjects(2, threads, /* all */ TRUE, INFINITE);
	for (int i = 0; i < 2; i++) {
		CloseHandle(threads[i]);
		printf("heap %d is valid: %d\n", i, HeapValidate(heaps[i], 0, NULL));
		HeapDestroy(heaps[i]);
	}
	printf("suspended 500 times, %d failures, %d stacks lost\n", bad, lost);
}

/* What they held is lost, but the process goes on. Their heaps may stay locked, as on Windows. */
static void test_terminate(void)
{
	int bad = 0;

	for (int i = 0; i < 60; i++) {
		HANDLE heap = HeapCreate(0, 0, 0),
		       thread = CreateThread(NULL, 0, loop_for_ever, heap, 0, NULL);
		LONG before = rounds;
		DWORD code = 0;

		while (rounds < before + 20)
			Sleep(0);
		bad += !TerminateThread(thread, 42);
		WaitForSingleObject(thread, INFINITE);
		bad += !GetExitCodeThread(thread, &code) || code != 42;
		CloseHandle(thread);
		use_memory(GetProcessHeap());
	}
	printf("terminated 60 threads, %d failures\n", bad);
}

static void test_many(void)
{
	HANDLE threads[32];
	int bad = 0;

	for (int round = 0; round < 10; round++) {
		for (int i = 0; i < 32; i++)
			threads[i] =
				CreateThread(NULL, 0x10000, exit_inside, GetProcessHeap(), 0, NULL);
		WaitForMultipleObjects(32, threads, TRUE, INFINITE);
		for (int i = 0; i < 32; i++) {
			DWORD code = 0;

			bad += !GetExitCodeThread(threads[i], &code) || code != 7;
			CloseHandle(threads[i]);
		}
	}
	printf("320 threads, %d failures\n", bad);
}

static void CALLBACK on_call(ULONG_PTR value)
{
	use_memory(GetProcessHeap());
	printf("called with %lu\n", (unsigned long)value);
}

static void CALLBACK on_work(PTP_CALLBACK_INSTANCE instance, void *counter)
{
	use_memory(GetProcessHeap());
	InterlockedIncrement(counter);
}

/* Code that the system calls on the thread: calls that were queued, a pool's work. */
static void test_calls(void)
{
	volatile LONG count = 0;

	for (ULONG_PTR i = 0; i < 3; i++)
		QueueUserAPC(on_call, GetCurrentThread(), i);
	SleepEx(0, /* alertable */ TRUE);
	for (int i = 0; i < 200; i++)
		TrySubmitThreadpoolCallback(on_work, (void *)&count, NULL);
	while (count < 200)
		Sleep(1);
	printf("a pool's work: %ld\n", count);
}

int main(void)
{
	test_suspend();
	test_many();
	test_calls();
	test_terminate();
	printf("heap is valid: %d\n", HeapValidate(GetProcessHeap(), 0, NULL));
	return 0;
}
