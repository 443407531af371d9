/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Where the code beside a DLL comes to lie: a range of this process stands for the DLL. */

#include "preload/pe/region.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/lib/tap.h"

#define GIB ((uint64_t)1 << 30)
#define STEP ((uint64_t)0x10000)
#define CODE_BYTES 10000
#define TABLE_BYTES 3000
#define REGION_BYTES (0x3000 + 0x1000) /* whole pages of each */

static uint64_t arena;

static void reserve(uint64_t address, size_t size_bytes)
{
	(void)mmap((void *)address, size_bytes, PROT_NONE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
}

static bool is_reachable(const struct region *region, uint64_t image, size_t image_bytes)
{
	uint64_t end = region->base + region->size_bytes;

	return end - image < 2 * GIB || image + image_bytes - region->base < 2 * GIB;
}

/* The image at `image`; the rest of the arena is free, or taken in [taken, taken + taken_bytes). */
static void check(const char *name, uint64_t image, size_t image_bytes, uint64_t taken,
		  uint64_t taken_bytes, uint64_t expected)
{
	struct region region;
	bool is_open;

	munmap((void *)arena, 8 * GIB);
	if (taken_bytes > 0)
		reserve(taken, taken_bytes);
	reserve(image, image_bytes);
	is_open = region_open(&region, image, image_bytes, CODE_BYTES, TABLE_BYTES);
	ok_equal(is_open ? region.base : 0, expected, "%s: the place", name);
	if (is_open)
		ok(region.size_bytes == REGION_BYTES && is_reachable(&region, image, image_bytes),
		   "%s: size and distance", name);
	region_close(&region);
	ok(region.size_bytes == 0, "%s: given back", name);
}

static void test_places(void)
{
	uint64_t image = arena + 4 * GIB;

	check("room in the last 64 KiB", image, 0xb000, 0, 0, image + 0xb000);
	check("room of exactly that", image, 0xc000, 0, 0, image + 0xc000);
	check("too little room there", image, 0xd000, 0, 0, image + STEP);
	check("an image to the end of them", image, 0x10000, 0, 0, image + STEP);
	check("above is taken", image, 0xf000, image, GIB, image - STEP);
	check("more of both sides is taken", image, 0x20000, image - 2 * STEP, GIB,
	      image - 3 * STEP);
	/* There the search goes by whole MiB from the image's end. */
	check("only far above is free", image, 0x10000, arena, 5 * GIB + GIB / 2,
	      image + STEP + GIB + GIB / 2);
	check("nothing in reach is free", image, 0x10000, arena, 8 * GIB, 0);
}

/* The permissions that /proc/self/maps shows of an address. */
static bool has_permissions(const void *address, const char *expected)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned long begin, end;
	char line[512], permissions[8];
	bool is_found = false;

	while (maps && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx %7s", &begin, &end, permissions) == 3 &&
		    (uintptr_t)address - begin < end - begin)
			is_found = strcmp(permissions, expected) == 0;
	if (maps)
		fclose(maps);
	return is_found;
}

static void test_seal(void)
{
	struct region region;

	munmap((void *)arena, 8 * GIB);
	reserve(arena + GIB, 0x1000);
	region_open(&region, arena + GIB, 0x1000, CODE_BYTES, TABLE_BYTES);
	ok(has_permissions(region.code.bytes, "rw-p"), "first it is written");
	ok(region_seal(&region), "then it is sealed");
	ok(has_permissions(region.code.bytes, "r-xp"), "code is executable, and not writable");
	ok(has_permissions(region.tables.bytes, "r--p"), "tables are neither");
	region_close(&region);
}

int main(void)
{
	arena = (uintptr_t)mmap(NULL, 8 * GIB + STEP, PROT_NONE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (arena == (uintptr_t)MAP_FAILED)
		tap_skip_all("no room for the test");
	arena = (arena + STEP - 1) & ~(STEP - 1);
	test_places();
	test_seal();
	return tap_done();
}
