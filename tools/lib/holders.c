/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* As for blocks (replay.c), the composition of the peak is exact in one pass: a peak only raises
 * peak_number, and a holder copies its figures aside when it changes for the first time after it.
 */

#include "tools/lib/holders.h"
#include "tools/lib/xalloc.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_COUNT = 16 };

void holders_free(struct holders *holders)
{
	free(holders->list);
	memset(holders, 0, sizeof(*holders));
}

static void enlarge(struct holders *holders, size_t site)
{
	size_t count = holders->count ? holders->count : FIRST_COUNT;

	while (count <= site)
		count *= 2;
	holders->list = xreallocarray(holders->list, count, sizeof(*holders->list));
	memset(holders->list + holders->count, 0,
	       (count - holders->count) * sizeof(*holders->list));
	holders->count = count;
}

static void save_peak(const struct holders *holders, struct holder *holder)
{
	if (holder->peak_number == holders->peak_number)
		return;
	holder->peak_number = holders->peak_number;
	holder->peak_reserved_bytes = holder->reserved_bytes;
	holder->peak_committed_bytes = holder->committed_bytes;
}

static struct holder *need(struct holders *holders, uint32_t site, enum holders_group group)
{
	if (site >= holders->count)
		enlarge(holders, site);
	return &holders->list[site][group];
}

void holders_change(struct holders *holders, uint32_t site, enum holders_group group,
		    uint64_t size_bytes, bool is_committed, bool is_added)
{
	struct holder *holder = need(holders, site, group);
	uint64_t change = is_added ? size_bytes : -size_bytes;

	save_peak(holders, holder);
	holder->reserved_bytes += change;
	if (is_committed)
		holder->committed_bytes += change;
}

void holders_count_call(struct holders *holders, uint32_t site, enum holders_group group,
			uint64_t reserved_bytes)
{
	struct holder *holder = need(holders, site, group);

	holder->calls++;
	holder->call_bytes += reserved_bytes;
}

void holders_note_peak(struct holders *holders)
{
	holders->peak_number++;
}

void holders_finish(struct holders *holders)
{
	for (size_t site = 0; site < holders->count; site++)
		for (int group = 0; group < HOLDERS_GROUPS; group++)
			save_peak(holders, &holders->list[site][group]);
}

const struct holder *holders_find(const struct holders *holders, uint32_t site,
				  enum holders_group group)
{
	static const struct holder none;

	return site < holders->count ? &holders->list[site][group] : &none;
}
