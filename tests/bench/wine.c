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

static const struct {
	const char *name;
	void (*step)(void);
	unsigned count;
} rows[] = {
	{ "HeapAlloc+HeapFree", heap_pair, 200000 },
	{ "heap-mix", heap_mix, 200000 },
	{ "VirtualQuery", virtual_query, 100000 },
	{ "VirtualAlloc+VirtualFree", virtual_pair, 5000 },
	{ "VirtualProtect", virtual_protect, 10000 },
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

int main(int argc, char **argv)
{
	/* Once is enough to see that all is well. */
	unsigned shift = argc > 1 ? 8 : 0;

	heap = GetProcessHeap();
	region = VirtualAlloc(NULL, 0x100000, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		double best = round_ns(rows[i].step, rows[i].count >> shift);

		for (int round = 1; round < ROUNDS; round++) {
			double ns = round_ns(rows[i].step, rows[i].count >> shift);

			best = ns < best ? ns : best;
		}
		printf("%s %.1f\n", rows[i].name, best);
	}
	return 0;
}
