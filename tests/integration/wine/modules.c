/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* DLLs that come and go while memory is used, walks of the stack across memory functions, and the
 * code of memory functions as programs look at it. */

#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void use_memory(void)
{
	free(realloc(malloc(10), 10000));
	VirtualFree(VirtualAlloc(NULL, 1, MEM_RESERVE, PAGE_NOACCESS), 0, MEM_RELEASE);
}

static void test_load(void)
{
	static const char *const names[] = { "version.dll", "winmm.dll", "ws2_32.dll",
					     "crypt32.dll", "oleaut32.dll" };
	int bad = 0;

	for (int round = 0; round < 10; round++) {
		for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
			HMODULE module = LoadLibraryA(names[i]);

			use_memory();
			bad += !module || !FreeLibrary(module);
		}
	}
	printf("loaded and freed, %d failures\n", bad);
}

/* --- Stacks ---------------------------------------------------------------------------------- */

/* The functions of this program on the stack from here. */
static int frames_here(void)
{
	void *frames[62];
	int count = RtlCaptureStackBackTrace(0, 62, frames, NULL), found = 0;
	void *base = GetModuleHandleA(NULL);

	for (int i = 0; i < count; i++) {
		void *module = NULL;

		RtlPcToFileHeader(frames[i], &module);
		found += module == base;
	}
	return found;
}

static int frames_in_handler, frames_below;

/* Runs on top of the memory function that raised. */
static LONG CALLBACK on_exception(EXCEPTION_POINTERS *pointers)
{
	if (pointers->ExceptionRecord->ExceptionCode != (DWORD)STATUS_NO_MEMORY)
		return EXCEPTION_CONTINUE_SEARCH;
	frames_in_handler = frames_here();
	return EXCEPTION_CONTINUE_SEARCH;
}

static CONTEXT back;
static volatile int is_back;

static LONG CALLBACK go_back(EXCEPTION_POINTERS *pointers)
{
	if (pointers->ExceptionRecord->ExceptionCode != (DWORD)STATUS_NO_MEMORY)
		return EXCEPTION_CONTINUE_SEARCH;
	is_back = 1;
	*pointers->ContextRecord = back;
	return EXCEPTION_CONTINUE_EXECUTION;
}

__attribute__((noinline)) static void raise_in_heap(void)
{
	frames_below = frames_here();
	HeapAlloc(GetProcessHeap(), HEAP_GENERATE_EXCEPTIONS, (SIZE_T)1 << 47);
}

/* The walk from the handler finds what the walk from the caller found, and the handler. */
static void test_stacks(void)
{
	void *first = AddVectoredExceptionHandler(TRUE, on_exception),
	     *last = AddVectoredExceptionHandler(FALSE, go_back);

	RtlCaptureContext(&back);
	if (!is_back)
		raise_in_heap();
	printf("frames of ours: %d more in the handler\n", frames_in_handler - frames_below);
	RemoveVectoredExceptionHandler(first);
	RemoveVectoredExceptionHandler(last);
	use_memory();
}

/* --- Code ------------------------------------------------------------------------------------ */

/* kernel32's heap functions are ntdll's; two roads lead to one entry. */
static void test_entries(void)
{
	HMODULE kernel32 = GetModuleHandleA("kernel32.dll"), ntdll = GetModuleHandleA("ntdll.dll");

	printf("HeapAlloc is RtlAllocateHeap: %d\n",
	       GetProcAddress(kernel32, "HeapAlloc") == GetProcAddress(ntdll, "RtlAllocateHeap"));
	printf("HeapReAlloc is RtlReAllocateHeap: %d\n",
	       GetProcAddress(kernel32, "HeapReAlloc") ==
		       GetProcAddress(ntdll, "RtlReAllocateHeap"));
}

/* The pages of a hooked function are as readable, executable and unwritable as ever. */
static void test_pages(void)
{
	static const char *const names[][2] = { { "ntdll.dll", "RtlAllocateHeap" },
						{ "ntdll.dll", "NtAllocateVirtualMemory" },
						{ "kernelbase.dll", "VirtualAlloc" },
						{ "kernel32.dll", "VirtualAlloc" } };
	MEMORY_BASIC_INFORMATION info;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		HMODULE module = GetModuleHandleA(names[i][0]);

		VirtualQuery((void *)GetProcAddress(module, names[i][1]), &info, sizeof info);
		printf("%s: protection 0x%lx, type 0x%lx, of the module: %d\n", names[i][1],
		       info.Protect, info.Type, info.AllocationBase == module);
	}
}

/* All of the address space in order, without holes or overlaps. */
static void test_space(void)
{
	MEMORY_BASIC_INFORMATION info;
	char *next = NULL;
	int bad = 0, runs = 0;

	while (VirtualQuery(next, &info, sizeof info)) {
		bad += info.BaseAddress != next || !info.RegionSize;
		bad += info.State != MEM_FREE && info.AllocationBase > info.BaseAddress;
		next += info.RegionSize;
		runs++;
	}
	printf("the address space: %s runs, %d failures, up to %p\n", runs > 50 ? "many" : "few",
	       bad, next);
}

int main(void)
{
	test_load();
	test_stacks();
	test_entries();
	test_pages();
	test_space();
	return 0;
}
