/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The list of causes is short, so it is searched from end to end. Where the recorder did not know
 * who had allocated a block, the model of the process does: it is live, or was released lately. */

#include "tools/lib/errors.h"
#include "tools/lib/xalloc.h"

#include <stdlib.h>
#include <string.h>

/* How far before an address its block is looked for, and in which steps. */
enum { SEARCH_BYTES = 1 << 17, SEARCH_STEP = 8 };

void errors_free(struct errors *errors)
{
	free(errors->list);
	free(errors->recent);
}

/* The live block that the address lies in. */
static bool find_live(const struct blocks *live, uint64_t address, struct block *found)
{
	uint64_t at = address & ~(uint64_t)(SEARCH_STEP - 1);

	for (uint64_t back = 0; back <= SEARCH_BYTES && back < at; back += SEARCH_STEP) {
		if (blocks_find(live, at - back, found))
			return address - found->address <= found->size_bytes;
	}
	return false;
}

static bool find_recent(const struct errors *errors, uint64_t address, struct block *found)
{
	const struct errors_released *released;

	if (!errors->recent)
		return false;
	released = errors_recent_place(errors, address);
	if (released->address != address)
		return false;
	memset(found, 0, sizeof(*found));
	found->address = address;
	found->size_bytes = released->size_bytes;
	found->site = released->site_low | (uint32_t)released->site_high << 16;
	return true;
}

static bool is_about_a_free_block(uint32_t misuse)
{
	return misuse == MISUSE_DOUBLE_FREE || misuse == MISUSE_FREE_WRITTEN ||
	       misuse == MISUSE_FREE_TOUCHED || misuse == MISUSE_FREE_DAMAGED;
}

static void complete(const struct errors *errors, struct error *error, const struct blocks *live)
{
	struct block found;
	bool is_found;

	if (error->allocated_site)
		return;
	is_found = is_about_a_free_block(error->misuse) || error->misuse == MISUSE_FOREIGN
			   ? find_recent(errors, error->address, &found)
			   : find_live(live, error->address, &found);
	if (!is_found)
		return;
	error->allocated_site = found.site;
	if (!error->block)
		error->block = found.address;
	if (error->block == found.address)
		error->size_bytes = found.size_bytes;
}

static bool has_same_cause(const struct error *a, const struct error *b)
{
	return a->misuse == b->misuse && a->api == b->api && a->site == b->site &&
	       a->allocated_site == b->allocated_site;
}

void errors_add(struct errors *errors, struct error *error, const struct blocks *live)
{
	complete(errors, error, live);
	for (size_t i = 0; i < errors->count; i++) {
		if (has_same_cause(&errors->list[i], error)) {
			errors->list[i].count++;
			return;
		}
	}
	errors->list = xgrow(errors->list, errors->count, &errors->capacity, sizeof(*error));
	error->count = 1;
	errors->list[errors->count++] = *error;
}

const char *errors_name(uint32_t misuse)
{
	static const char *const names[MISUSES] = {
		[MISUSE_FOREIGN] = "no block starts there",
		[MISUSE_INTERIOR] = "not the start of the block",
		[MISUSE_DOUBLE_FREE] = "freed already",
		[MISUSE_OVERRUN] = "written past its end",
		[MISUSE_WRONG_HEAP] = "a block of another heap",
		[MISUSE_NO_HEAP] = "the heap was destroyed, or is none",
		[MISUSE_UNDERRUN] = "written before its start",
		[MISUSE_FREE_WRITTEN] = "written to after it was freed",
		[MISUSE_OUTSIDE] = "touched beside the block",
		[MISUSE_FREE_TOUCHED] = "touched after it was freed",
		[MISUSE_FREE_DAMAGED] = "freed twice, or written to after it was freed",
	};

	return misuse < MISUSES && names[misuse] ? names[misuse] : "?";
}
