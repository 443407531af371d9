/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Linear probing; a removal moves later blocks of the run back, so there are no tombstones. */

#include "tools/lib/blocks.h"
#include "tools/lib/xalloc.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 64 };

static size_t home(const struct blocks *blocks, uint64_t address)
{
	return hash_word(address) & (blocks->slots - 1);
}

static size_t find_slot(const struct blocks *blocks, uint64_t address)
{
	size_t slot = home(blocks, address);

	while (blocks->table[slot].address && blocks->table[slot].address != address)
		slot = (slot + 1) & (blocks->slots - 1);
	return slot;
}

void blocks_free(struct blocks *blocks)
{
	free(blocks->table);
	memset(blocks, 0, sizeof(*blocks));
}

struct block *blocks_find(const struct blocks *blocks, uint64_t address)
{
	if (!blocks->count || !address)
		return NULL;
	struct block *block = &blocks->table[find_slot(blocks, address)];
	return block->address ? block : NULL;
}

static void enlarge(struct blocks *blocks)
{
	struct block *old = blocks->table;
	size_t old_slots = blocks->slots;

	blocks->slots = old_slots ? old_slots * 2 : FIRST_SLOTS;
	blocks->table = xcalloc(blocks->slots, sizeof(*blocks->table));
	for (size_t i = 0; i < old_slots; i++)
		if (old[i].address)
			blocks->table[find_slot(blocks, old[i].address)] = old[i];
	free(old);
}

bool blocks_add(struct blocks *blocks, const struct block *block, struct block *old)
{
	if (4 * (blocks->count + 1) > 3 * blocks->slots)
		enlarge(blocks);
	struct block *place = &blocks->table[find_slot(blocks, block->address)];
	bool was_there = place->address != 0;
	if (was_there)
		*old = *place;
	*place = *block;
	blocks->count += !was_there;
	return was_there;
}

/* Moves the blocks behind the gap back as long as that brings them nearer to their home. */
static void close_gap(struct blocks *blocks, size_t gap)
{
	size_t mask = blocks->slots - 1;

	for (size_t slot = (gap + 1) & mask; blocks->table[slot].address;
	     slot = (slot + 1) & mask) {
		size_t distance = (slot - home(blocks, blocks->table[slot].address)) & mask;

		if (distance < ((slot - gap) & mask))
			continue;
		blocks->table[gap] = blocks->table[slot];
		gap = slot;
	}
	blocks->table[gap].address = 0;
}

bool blocks_remove(struct blocks *blocks, uint64_t address, struct block *old)
{
	struct block *block = blocks_find(blocks, address);

	if (!block)
		return false;
	*old = *block;
	blocks->count--;
	close_gap(blocks, (size_t)(block - blocks->table));
	return true;
}

void blocks_inherit(struct blocks *to, const struct blocks *from)
{
	*to = *from;
	to->table = NULL;
	if (!from->slots)
		return;
	to->table = xmalloc(from->slots * sizeof(*to->table));
	memcpy(to->table, from->table, from->slots * sizeof(*to->table));
	for (size_t i = 0; i < to->slots; i++) {
		to->table[i].is_counted = false;
		to->table[i].is_inherited = true;
		to->table[i].site = 0;
		to->table[i].thread = 0;
	}
}

bool blocks_check(const struct blocks *blocks)
{
	size_t count = 0;

	for (size_t i = 0; i < blocks->slots; i++) {
		if (!blocks->table[i].address)
			continue;
		count++;
		if (blocks_find(blocks, blocks->table[i].address) != &blocks->table[i])
			return false;
	}
	return count == blocks->count && 4 * count <= 3 * blocks->slots;
}
