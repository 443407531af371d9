/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What Microsoft's compiler makes of a program: structured exceptions through memory functions,
 * and no DWARF. Built by clang for that target, without headers or a C library. */

typedef void *HANDLE;
typedef unsigned long DWORD;
typedef unsigned long long SIZE_T;

#define IMPORT __declspec(dllimport)
#define HEAP_GENERATE_EXCEPTIONS 4
#define MEM_COMMIT 0x1000
#define MEM_RESERVE 0x2000
#define MEM_RELEASE 0x8000
#define PAGE_NOACCESS 1
#define PAGE_READWRITE 4
#define PAGE_GUARD 0x100
#define STATUS_GUARD_PAGE_VIOLATION 0x80000001
#define STATUS_ACCESS_VIOLATION 0xc0000005
#define STATUS_NO_MEMORY 0xc0000017

IMPORT HANDLE GetProcessHeap(void);
IMPORT void *HeapAlloc(HANDLE heap, DWORD flags, SIZE_T size);
IMPORT void *HeapReAlloc(HANDLE heap, DWORD flags, void *block, SIZE_T size);
IMPORT int HeapFree(HANDLE heap, DWORD flags, void *block);
IMPORT void *VirtualAlloc(void *address, SIZE_T size, DWORD type, DWORD protect);
IMPORT int VirtualFree(void *address, SIZE_T size, DWORD type);
IMPORT HANDLE GetStdHandle(DWORD which);
IMPORT int WriteFile(HANDLE file, const void *data, DWORD size, DWORD *count, void *overlapped);
IMPORT void ExitProcess(DWORD code);
unsigned long _exception_code(void);

static void say(const char *what, int is_good)
{
	HANDLE output = GetStdHandle((DWORD)-11);
	DWORD length = 0, count;

	while (what[length])
		length++;
	WriteFile(output, what, length, &count, 0);
	WriteFile(output, is_good ? ": yes\r\n" : ": NO\r\n", is_good ? 7 : 6, &count, 0);
}

static int cleanups;

/* The exception leaves through the memory function and this one's cleanup. */
__declspec(noinline) static void *allocate_too_much(void *block)
{
	__try {
		if (block)
			return HeapReAlloc(GetProcessHeap(), HEAP_GENERATE_EXCEPTIONS, block,
					   (SIZE_T)1 << 47);
		return HeapAlloc(GetProcessHeap(), HEAP_GENERATE_EXCEPTIONS, (SIZE_T)1 << 47);
	} __finally {
		cleanups++;
	}
}

static DWORD code_of_allocation(void *block)
{
	DWORD code = 0;

	__try {
		allocate_too_much(block);
	} __except (code = _exception_code(), 1) {
		return code;
	}
	return 0;
}

/* The compiler looks for exceptions in calls only. */
__declspec(noinline) static void put(volatile char *address, char value)
{
	*address = value;
}

static DWORD code_of_write(volatile char *address)
{
	DWORD code = 0;

	__try {
		put(address, 1);
	} __except (code = _exception_code(), 1) {
		return code;
	}
	return 0;
}

/* A filter that commits the page and lets the write go on. */
static int commit(char *address)
{
	return VirtualAlloc(address, 1, MEM_COMMIT, PAGE_READWRITE) ? -1 : 0;
}

static int write_and_commit(volatile char *address)
{
	__try {
		put(address, 7);
	} __except (commit((char *)address)) {
		return 0;
	}
	return *address == 7;
}

static void test_heap(void)
{
	int is_good = 1;

	for (int i = 0; i < 1000; i++) {
		void *block = HeapAlloc(GetProcessHeap(), 0, 100);

		is_good &= code_of_allocation(0) == STATUS_NO_MEMORY;
		is_good &= code_of_allocation(block) == STATUS_NO_MEMORY;
		is_good &= HeapFree(GetProcessHeap(), 0, block);
	}
	say("allocations raise", is_good);
	say("each cleanup has run", cleanups == 2000);
}

static void test_pages(void)
{
	char *region = VirtualAlloc(0, 0x10000, MEM_RESERVE, PAGE_NOACCESS);

	say("a reserved page faults", code_of_write(region) == STATUS_ACCESS_VIOLATION);
	say("a filter commits it", write_and_commit(region));
	VirtualAlloc(region + 0x1000, 0x1000, MEM_COMMIT, PAGE_READWRITE | PAGE_GUARD);
	say("a guard page fires", code_of_write(region + 0x1000) == STATUS_GUARD_PAGE_VIOLATION);
	say("once", code_of_write(region + 0x1000) == 0);
	VirtualFree(region, 0, MEM_RELEASE);
	say("a released page faults", code_of_write(region) == STATUS_ACCESS_VIOLATION);
}

void start(void)
{
	test_heap();
	test_pages();
	ExitProcess(0);
}
