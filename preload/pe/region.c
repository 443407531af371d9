/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Where there is room: best in the rest of the last 64 KiB of the image, where no program's memory
 * and no other image can come to lie, because these begin at multiples of 64 KiB. Else at the
 * nearest such multiple that is free, above the image or below.
 *
 * Wine keeps whole ranges for itself by mapping them inaccessible; it puts images there that it
 * must relocate. Nothing that is mapped is ever taken (MAP_FIXED_NOREPLACE), so these are never
 * ours: the search may have to go as far as a jump reaches, 2 GiB. */

#include "preload/pe/region.h"

#include <sys/mman.h>

#include "core/os/os.h"

#define STEP ((uint64_t)64 * 1024)
#define WIDE_STEP ((uint64_t)1024 * 1024)
#define WIDE_FROM ((uint64_t)16 * 1024 * 1024)
#define REACH ((uint64_t)1 << 31)

static uint64_t round_up(uint64_t value, uint64_t unit)
{
	return (value + unit - 1) & ~(unit - 1);
}

/* A system that does not know the flag takes the address as a hint. */
static bool take(uint64_t address, size_t size_bytes)
{
	intptr_t got = os_map((void *)address, size_bytes, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if ((uint64_t)got == address)
		return true;
	if ((uintptr_t)got < (uintptr_t)-4095)
		(void)os_unmap((void *)got, size_bytes);
	return false;
}

/* Between the far ends of the image and of the region must be less than the reach. */
static uint64_t take_near(uint64_t image, size_t image_bytes, size_t size_bytes)
{
	uint64_t end = round_up(image + image_bytes, OS_PAGE_SIZE), above = round_up(end, STEP);
	uint64_t below = image & ~(STEP - 1), need = round_up(size_bytes, STEP);
	uint64_t used = image_bytes + need + 2 * STEP;

	if (above - end >= size_bytes && take(end, size_bytes))
		return end;
	for (uint64_t distance = 0; used + distance < REACH;
	     distance += distance < WIDE_FROM ? STEP : WIDE_STEP) {
		if (take(above + distance, size_bytes))
			return above + distance;
		if (below > distance + need + STEP && take(below - distance - need, size_bytes))
			return below - distance - need;
	}
	return 0;
}

bool region_open(struct region *region, uint64_t image, size_t image_bytes, size_t code_bytes,
		 size_t table_bytes)
{
	code_bytes = round_up(code_bytes, OS_PAGE_SIZE);
	table_bytes = round_up(table_bytes, OS_PAGE_SIZE);
	*region = (struct region){ .base = 0 };
	region->base = take_near(image, image_bytes, code_bytes + table_bytes);
	if (!region->base)
		return false;
	region->size_bytes = code_bytes + table_bytes;
	region->code = (struct emitter){
		.bytes = (uint8_t *)region->base,
		.address = region->base,
		.size_bytes = code_bytes,
	};
	region->tables = (struct emitter){
		.bytes = (uint8_t *)region->base + code_bytes,
		.address = region->base + code_bytes,
		.size_bytes = table_bytes,
	};
	return true;
}

bool region_seal(struct region *region)
{
	return os_protect(region->code.bytes, region->code.size_bytes, PROT_READ | PROT_EXEC) ==
		       0 &&
	       os_protect(region->tables.bytes, region->tables.size_bytes, PROT_READ) == 0;
}

void region_close(struct region *region)
{
	if (region->size_bytes > 0)
		(void)os_unmap((void *)region->base, region->size_bytes);
	*region = (struct region){ .base = 0 };
}
