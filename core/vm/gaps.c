/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* One walk over the system's list of mappings; what lies between two of them is a gap, unless the
 * upper one is the stack: that gap is what the system keeps free for it.
 *
 *   lowest |     [mapping]   gap   [mapping]  gap  | limit
 *                                           |====|        the last one that fits
 *
 * Guarded by: vm_lock, because the reader's buffer is. */

#include "core/vm/gaps.h"

#include "core/os/os.h"
#include "core/vm/maps.h"

/* What is looked for, and the best place so far. */
struct search {
	size_t size_bytes;
	size_t alignment_bytes;
	uintptr_t lowest;
	uintptr_t limit;
	uintptr_t found;
};

static void look_at(struct search *search, uintptr_t base, uintptr_t end)
{
	uintptr_t place;

	base = base > search->lowest ? base : search->lowest;
	end = end < search->limit ? end : search->limit;
	if (end < search->size_bytes || end - search->size_bytes < base)
		return;
	place = (end - search->size_bytes) & ~(search->alignment_bytes - 1);
	if (place >= base)
		search->found = place;
}

uintptr_t gaps_find(size_t size_bytes, size_t alignment_bytes, uintptr_t lowest, uintptr_t limit)
{
	struct search search = { size_bytes, alignment_bytes, lowest, limit, 0 };
	struct maps_reader reader;
	struct maps_line line;
	uintptr_t free_base = 0;

	if (maps_open(&reader) < 0)
		return 0;
	while (free_base < limit && maps_next(&reader, &line)) {
		if (!line.is_stack)
			look_at(&search, free_base, line.base);
		free_base = line.end;
	}
	if (maps_close(&reader) < 0)
		return 0;
	if (free_base < limit)
		look_at(&search, free_base, OS_USER_END);
	return search.found;
}
