/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What large address spaces cost: records take memory for what differs, not for what is reserved or
 * committed, and equal neighbours are one mapping of the kernel's. */

#include <stdio.h>
#include <sys/prctl.h>

#include "core/core.h"
#include "core/vm/virtual.h"
#include "tests/lib/tap.h"

#define PAGE ((size_t)0x1000)
#define GRANULE ((size_t)0x10000)
#define GIGABYTE ((size_t)1 << 30)
#define REGIONS 100000
#define PAGES 100000

/* A vad is 128 bytes; a change of a page's state, of which a lone page needs two, is 48. */
#define REGION_BYTES_MAX 192
#define PAGE_BYTES_MAX 128
#define SLACK_BYTES 300000

static long resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	long all = 0, resident = 0;

	if (file && fscanf(file, "%ld %ld", &all, &resident) != 2)
		resident = 0;
	if (file)
		fclose(file);
	return resident * (long)PAGE;
}

static long count_mappings(void)
{
	FILE *file = fopen("/proc/self/maps", "re");
	long lines = 0;

	for (int c = 0; file && (c = getc(file)) != EOF;)
		lines += c == '\n';
	if (file)
		fclose(file);
	return lines;
}

static bool is_right(const char *at, DWORD state, const char *base, size_t size_bytes)
{
	MEMORY_BASIC_INFORMATION info;

	return VirtualQuery(at, &info, sizeof info) && info.State == state &&
	       info.AllocationBase == base && info.RegionSize == size_bytes;
}

/* The first measurement maps what stdio needs. */
static void test_reserve(void)
{
	size_t size_bytes = 1024 * GIGABYTE;
	long before = (resident_bytes(), resident_bytes());
	char *base = VirtualAlloc(NULL, size_bytes, MEM_RESERVE, PAGE_READWRITE);
	char *middle = base + size_bytes / 2;

	ok(base && VirtualAlloc(middle, PAGE, MEM_COMMIT, PAGE_READWRITE) == middle,
	   "a page in 1 TB is committed");
	*middle = 'x';
	ok(is_right(base, MEM_RESERVE, base, size_bytes / 2) &&
		   is_right(middle, MEM_COMMIT, base, PAGE) &&
		   is_right(middle + PAGE, MEM_RESERVE, base, size_bytes / 2 - PAGE),
	   "and nothing else is");
	ok(resident_bytes() - before < SLACK_BYTES, "that took %ld bytes",
	   resident_bytes() - before);
	ok(VirtualFree(base, 0, MEM_RELEASE), "1 TB is released");
}

static void test_commit(void)
{
	size_t size_bytes = 8 * GIGABYTE;
	long before = resident_bytes();
	char *base = VirtualAlloc(NULL, size_bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

	if (!base) {
		ok(GetLastError() == ERROR_COMMITMENT_LIMIT ||
			   GetLastError() == ERROR_NOT_ENOUGH_MEMORY,
		   "8 GB are more than this machine commits: error %u", (unsigned)GetLastError());
		return;
	}
	for (size_t at = 0; at < size_bytes; at += GIGABYTE)
		base[at] = base[at + GIGABYTE - 1] = 'x';
	ok(is_right(base, MEM_COMMIT, base, size_bytes), "8 GB are committed");
	ok(resident_bytes() - before < SLACK_BYTES, "with 16 pages in use they took %ld bytes",
	   resident_bytes() - before);
	ok(VirtualFree(base + GIGABYTE, GIGABYTE, MEM_DECOMMIT) && base[0] == 'x' &&
		   base[size_bytes - 1] == 'x',
	   "a part is decommitted, the rest is as it was");
	ok(VirtualFree(base, 0, MEM_RELEASE), "8 GB are released");
}

/* What the kernel does not see, but a record does: every second page is uncached. */
static void set_pages(char *base, DWORD protect)
{
	DWORD old;

	for (size_t page = 0; page < PAGES; page += 2)
		VirtualProtect(base + page * PAGE, PAGE, protect, &old);
}

static void test_pages(void)
{
	char *base = VirtualAlloc(NULL, PAGES * PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
	long before = resident_bytes(), first, second;

	set_pages(base, PAGE_READWRITE | PAGE_NOCACHE);
	first = resident_bytes() - before;
	ok(is_right(base + 7 * PAGE, MEM_COMMIT, base, PAGE), "each page has a state of its own");
	ok(first > PAGES / 2 * 32 && first < PAGES / 2 * PAGE_BYTES_MAX + SLACK_BYTES,
	   "each took %ld bytes", first / (PAGES / 2));
	set_pages(base, PAGE_READWRITE);
	ok(is_right(base, MEM_COMMIT, base, PAGES * PAGE), "all are alike again");
	set_pages(base, PAGE_READWRITE | PAGE_NOCACHE);
	second = resident_bytes() - before;
	ok(second < first + SLACK_BYTES, "the records are used again: %ld bytes more",
	   second - first);
	VirtualFree(base, 0, MEM_RELEASE);
}

static void test_regions(void)
{
	static char *regions[REGIONS];
	long before = resident_bytes(), mappings = count_mappings(), bytes;
	int wrong = 0;

	for (int i = 0; i < REGIONS; i++)
		regions[i] = VirtualAlloc(NULL, GRANULE, MEM_RESERVE, PAGE_READWRITE);
	bytes = resident_bytes() - before - (long)sizeof regions;
	for (int i = 0; i < REGIONS; i++)
		wrong += !is_right(regions[i], MEM_RESERVE, regions[i], GRANULE);
	ok_equal(wrong, 0, "%d regions are there", REGIONS);
	ok(bytes < (long)REGIONS * REGION_BYTES_MAX, "each took %ld bytes", bytes / REGIONS);
	ok(count_mappings() - mappings < 100, "they are %ld mappings of the kernel's",
	   count_mappings() - mappings);
	for (int i = 0; i < REGIONS; i++)
		wrong += !VirtualFree(regions[(size_t)i * 7919 % REGIONS], 0, MEM_RELEASE);
	ok_equal(wrong, 0, "all are released, in no order");
}

/* A page that is touched is one page. */
int main(void)
{
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	test_reserve();
	test_commit();
	test_pages();
	test_regions();
	vm_check();
	return tap_done();
}
