/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Placement in an address space that we share: the system knows what is free, we do not. So we ask
 * for what lies just below the last range that we took or gave back, which is nearly always free
 * and costs one system call; else for more than is needed, and trim:
 *
 *   asked for   |-------------------------------|
 *   kept             |====================|           ends as high as the alignment lets it
 *   given back  |---|                      |----|
 *
 * Ranges grow downwards one below the other, so equal neighbours become one mapping of the
 * kernel's. A pager whose ranges are whole (another memory manager's) chooses by itself
 * where the granularity is all that is asked. Guarded by: vm_lock. */

#include "core/vm/space.h"

#include <errno.h>

#include "core/base/check.h"
#include "core/os/os.h"
#include "core/os/pager.h"
#include "core/types.h"
#include "core/vm/gaps.h"
#include "core/vm/parking.h"
#include "core/vm/vad.h"

/* Where the next range should end, of pagers with parts and of others; 0: nothing is known. */
static uintptr_t wished_ends[2];

/* Addresses that are tried below a limit; after each so many, the steps become twice as long. */
#define PROBES_MAX 4096
#define PROBES_PER_STEP 256
#define TRIES_MAX 8
/* What one table of the processor's last level maps. */
#define PAGE_TABLE_BYTES ((uintptr_t)0x200000)

static size_t alignment_of(const struct space_wish *wish)
{
	return wish->alignment_bytes > SPACE_GRANULARITY ? wish->alignment_bytes
							 : SPACE_GRANULARITY;
}

static intptr_t take_at(const struct space_wish *wish, uintptr_t base)
{
	return wish->pager->get((void *)base, wish->size_bytes, wish->state);
}

static intptr_t take_below_last(const struct space_wish *wish)
{
	uintptr_t end = wished_ends[wish->pager->has_parts], base;

	if (end < wish->size_bytes + SPACE_GRANULARITY)
		return -ENOMEM;
	base = (end - wish->size_bytes) & ~(alignment_of(wish) - 1);
	return base < SPACE_GRANULARITY ? -ENOMEM : take_at(wish, base);
}

static int trim(const struct pager *whose, uintptr_t base, uintptr_t end)
{
	return base < end ? whose->put((void *)base, end - base) : 0;
}

static intptr_t take_and_trim(const struct space_wish *wish)
{
	size_t alignment = alignment_of(wish);
	size_t asked_bytes = wish->size_bytes + alignment - OS_PAGE_SIZE;
	uintptr_t asked, base;
	intptr_t got;

	if (asked_bytes < wish->size_bytes)
		return -ENOMEM;
	got = wish->pager->get(NULL, asked_bytes, wish->state);
	if (got < 0)
		return got;
	asked = (uintptr_t)got;
	base = (asked + asked_bytes - wish->size_bytes) & ~(alignment - 1);
	if (trim(wish->pager, asked, base) < 0 ||
	    trim(wish->pager, base + wish->size_bytes, asked + asked_bytes) < 0) {
		wish->pager->put((void *)asked, asked_bytes);
		return -ENOMEM;
	}
	return (intptr_t)base;
}

static intptr_t take_where_it_likes(const struct space_wish *wish)
{
	uint32_t state = wish->state | (wish->is_top_down ? MEM_TOP_DOWN : 0);

	return wish->pager->get(NULL, wish->size_bytes, state);
}

/* From a pager whose ranges cannot be trimmed: sees where a larger one fits, gives it back, and
 * takes the aligned part of it if nobody else was faster. */
static intptr_t take_whole(const struct space_wish *wish)
{
	size_t alignment = alignment_of(wish), asked_bytes = wish->size_bytes + alignment;
	intptr_t got = take_below_last(wish);

	for (int tries = 0; got < 0 && tries < TRIES_MAX; tries++) {
		intptr_t asked = wish->pager->get(NULL, asked_bytes, MEM_RESERVE);

		if (asked < 0)
			return asked;
		if (wish->pager->put((void *)asked, asked_bytes) < 0)
			return -ENOMEM;
		got = take_at(wish, ((uintptr_t)asked + alignment - 1) & ~(alignment - 1));
	}
	return got;
}

/* The end of the first range of ours, going down from `end`, that is in the way; 0: none is. */
static uintptr_t skip_known(uintptr_t base, uintptr_t end)
{
	const struct vad *vad = vad_find_below(end);

	if (!vad || vad->origin == VAD_ORIGIN_FOREIGN || vad_end(vad) <= base)
		return 0;
	return vad_base(vad);
}

static uintptr_t lowest_of(const struct space_wish *wish)
{
	return wish->lowest > SPACE_GRANULARITY ? wish->lowest : SPACE_GRANULARITY;
}

static uintptr_t limit_of(const struct space_wish *wish)
{
	return wish->limit && wish->limit < SPACE_END ? wish->limit : SPACE_END;
}

/* Tries one address after the other, from the limit downwards. */
static intptr_t take_by_trying(const struct space_wish *wish)
{
	size_t alignment = alignment_of(wish), step = alignment;
	uintptr_t end = limit_of(wish), lowest = lowest_of(wish);
	int probes = 0;

	while (probes < PROBES_MAX) {
		uintptr_t base, known;
		intptr_t got;

		if (end < wish->size_bytes)
			return -ENOMEM;
		base = (end - wish->size_bytes) & ~(alignment - 1);
		if (base < lowest)
			return -ENOMEM;
		known = skip_known(base, base + wish->size_bytes);
		if (known) {
			end = known;
			continue;
		}
		got = take_at(wish, base);
		if (got != -EEXIST)
			return got;
		if (++probes % PROBES_PER_STEP == 0)
			step *= 2;
		if (base < step)
			return -ENOMEM;
		end = base - step + wish->size_bytes;
	}
	return -ENOMEM;
}

/* Another thread may take the gap that was found: then the next one is looked for. */
static intptr_t take_gap(const struct space_wish *wish)
{
	for (int tries = 0; tries < TRIES_MAX; tries++) {
		uintptr_t base = gaps_find(wish->size_bytes, alignment_of(wish), lowest_of(wish),
					   limit_of(wish));
		intptr_t got = base ? take_at(wish, base) : -ENOMEM;

		if (got != -EEXIST)
			return got;
	}
	return -ENOMEM;
}

static bool is_in_bounds(const struct space_wish *wish, uintptr_t base)
{
	return (base & (alignment_of(wish) - 1)) == 0 && base >= lowest_of(wish) &&
	       base + wish->size_bytes <= limit_of(wish);
}

static intptr_t take_in_bounds(const struct space_wish *wish)
{
	uintptr_t limit = limit_of(wish);
	intptr_t got;

	if (wish->pager->has_parts)
		return take_gap(wish);
	if (!wish->pager->get_below)
		return take_by_trying(wish);
	got = wish->pager->get_below(limit, wish->size_bytes, wish->state);
	if (got < 0 || is_in_bounds(wish, (uintptr_t)got))
		return got;
	wish->pager->put((void *)got, wish->size_bytes);
	return take_by_trying(wish);
}

static intptr_t take_anywhere(const struct space_wish *wish)
{
	intptr_t got;

	if (!wish->pager->has_parts && alignment_of(wish) == SPACE_GRANULARITY)
		return take_where_it_likes(wish);
	if (!wish->pager->has_parts) {
		got = take_whole(wish);
	} else {
		got = take_below_last(wish);
		if (got < 0)
			got = take_and_trim(wish);
		/* There may be no room for more than what is wished. */
		if (got == -ENOMEM)
			got = take_gap(wish);
	}
	if (got >= 0)
		wished_ends[wish->pager->has_parts] = (uintptr_t)got;
	return got;
}

/* Whether the system's list of what is free has to be looked at. */
static bool is_choosy(const struct space_wish *wish)
{
	return wish->limit || wish->lowest || (wish->is_top_down && wish->pager->has_parts);
}

static intptr_t take(const struct space_wish *wish)
{
	if (wish->base)
		return take_at(wish, wish->base);
	if (is_choosy(wish))
		return take_in_bounds(wish);
	return take_anywhere(wish);
}

/* Regions that are parked are in nobody's way. */
intptr_t space_take(const struct space_wish *wish)
{
	intptr_t got;

	check_debug(lock_is_mine(&vm_lock), "addresses taken without the lock");
	if (wish->base)
		parking_clear(wish->base, wish->base + wish->size_bytes);
	else if (is_choosy(wish))
		parking_clear_all();
	got = take(wish);
	if (got == -ENOMEM && parking_clear_all())
		got = take(wish);
	return got;
}

/* What is free twice over has a whole page table in it. Somebody may be faster there; then the next
 * range lies where others do. */
void space_step_aside(void)
{
	const size_t size_bytes = 2 * PAGE_TABLE_BYTES;
	intptr_t got = pager_linux.get(/* address */ NULL, size_bytes, MEM_RESERVE);

	check_debug(lock_is_mine(&vm_lock), "placement changed without the lock");
	if (got < 0 || pager_linux.put((void *)got, size_bytes) < 0)
		return;
	wished_ends[true] = ((uintptr_t)got + size_bytes) & ~(PAGE_TABLE_BYTES - 1);
}

/* Near vm.max_map_count the system may have no room for the boundary that a hole needs. The
 * contents go back all the same; the addresses stay taken, and nobody gets them again. */
static int leave_empty(const struct pager *whose, uintptr_t base, size_t size_bytes)
{
	return pager_discard(whose, (void *)base, size_bytes);
}

int space_give_back(const struct pager *whose, uintptr_t base, size_t size_bytes)
{
	int error = whose->put((void *)base, size_bytes);

	if (error == -ENOMEM && whose->has_parts)
		return leave_empty(whose, base, size_bytes);
	if (error == 0)
		wished_ends[whose->has_parts] = base + size_bytes;
	return error;
}
