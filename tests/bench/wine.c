/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What calls of a Windows program take: prints "name ns" of each, the best of several rounds. */

#include <windows.h>

#include <stdio.h>

#define ROUNDS 7

static HANDLE heap;
static MEMORY_BASIC_INFORMATION info;
static char *region;

static void heap_pair(void)
{
	HeapFree(heap, 0, HeapAlloc(heap, 0, 64));
}

/* Of sizes as they come, 100 blocks live. */
static void heap_mix(void)
{
	static void *blocks[100];
	static unsigned next, random = 1;

	random = random * 1103515245u + 12345u;
	if (blocks[next])
		HeapFree(heap, 0, blocks[next]);
	blocks[next] = HeapAlloc(heap, 0, 16 + (random >> 16) % 1000);
	next = (next + 1) % 100;
}

static void virtual_query(void)
{
	VirtualQuery(region, &info, sizeof info);
}

static void virtual_pair(void)
{
	VirtualFree(VirtualAlloc(NULL, 0x10000, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE), 0,
		    MEM_RELEASE);
}

static void virtual_protect(void)
{
	DWORD old;

	VirtualProtect(region, 0x1000, PAGE_READONLY, &old);
	VirtualProtect(region, 0x1000, PAGE_READWRITE, &old);
}

static HGLOBAL moveable;
static DWORD tls_index;

static void heap_lock_pair(void)
{
	HeapLock(heap);
	HeapUnlock(heap);
}

static void global_lock_pair(void)
{
	GlobalLock(moveable);
	GlobalUnlock(moveable);
}

static void global_size(void)
{
	GlobalSize(moveable);
}

static void global_pair(void)
{
	GlobalFree(GlobalAlloc(GMEM_MOVEABLE, 64));
}

static void local_pair(void)
{
	LocalFree(LocalAlloc(LMEM_FIXED, 64));
}

static void tls_pair(void)
{
	TlsSetValue(tls_index, (char *)TlsGetValue(tls_index) + 1);
}

/* A thread that has used the heap, and is there. */
static DWORD WINAPI stay(LPVOID ready)
{
	HeapFree(heap, 0, HeapAlloc(heap, 0, 64));
	SetEvent(ready);
	Sleep(INFINITE);
	return 0;
}

/* Locks cost more where there are other threads. */
static void add_thread(void)
{
	HANDLE ready = CreateEventA(NULL, FALSE, FALSE, NULL);

	CloseHandle(CreateThread(NULL, 0, stay, ready, 0, NULL));
	WaitForSingleObject(ready, INFINITE);
	CloseHandle(ready);
}

static const struct {
	const char *name;
	void (*step)(void);
	unsigned count; /* 0: done once, and no row */
} rows[] = {
	{ "HeapAlloc+HeapFree", heap_pair, 200000 },
	{ "heap-mix", heap_mix, 200000 },
	{ "VirtualQuery", virtual_query, 100000 },
	{ "VirtualAlloc+VirtualFree", virtual_pair, 5000 },
	{ "VirtualProtect", virtual_protect, 10000 },
	{ "LocalAlloc+LocalFree", local_pair, 100000 },
	{ "GlobalAlloc+GlobalFree", global_pair, 100000 },
	{ "GlobalLock+GlobalUnlock", global_lock_pair, 100000 },
	{ "GlobalSize", global_size, 100000 },
	{ "TlsGetValue+TlsSetValue", tls_pair, 200000 },
	{ "HeapLock+HeapUnlock", heap_lock_pair, 100000 },
	{ "another-thread", add_thread, 0 },
	{ "GlobalLock+GlobalUnlock,threads", global_lock_pair, 100000 },
	{ "GlobalSize,threads", global_size, 100000 },
	{ "HeapLock+HeapUnlock,threads", heap_lock_pair, 100000 },
};

static double round_ns(void (*step)(void), unsigned count)
{
	LARGE_INTEGER start, end, frequency;

	QueryPerformanceFrequency(&frequency);
	QueryPerformanceCounter(&start);
	for (unsigned i = 0; i < count; i++)
		step();
	QueryPerformanceCounter(&end);
	return (double)(end.QuadPart - start.QuadPart) * 1e9 / (double)frequency.QuadPart / count;
}

static void print_best(const char *name, void (*step)(void), unsigned count)
{
	double best = round_ns(step, count);

	for (int round = 1; round < ROUNDS; round++) {
		double ns = round_ns(step, count);

		best = ns < best ? ns : best;
	}
	printf("%s %.1f\n", name, best);
}

int main(int argc, char **argv)
{
	/* Once is enough to see that all is well. */
	unsigned shift = argc > 1 ? 8 : 0;

	heap = GetProcessHeap();
	region = VirtualAlloc(NULL, 0x100000, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
	moveable = GlobalAlloc(GMEM_MOVEABLE, 64);
	tls_index = TlsAlloc();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (rows[i].count == 0)
			rows[i].step();
		else
			print_best(rows[i].name, rows[i].step, rows[i].count >> shift);
	}
	return 0;
}
