/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Layers of tables, looked through from the top:
 *
 *   parent   top ---.                       its changes since the last fork
 *   child    top ---+--> layer --> layer    frozen, counted by those who lead here
 *
 * A fork makes the top a layer that both share, and both begin an empty one. A top that has grown
 * to half of the layer below it swallows that first, so each layer is more than twice the one above
 * and there are few. All is linear probing; in a top, a removal moves later blocks of the run back,
 * and leaves a mark only where a layer below has the block too. */

#include "tools/lib/blocks.h"
#include "tools/lib/xalloc.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 64 };

/* Never changed, but for the references. */
struct blocks_layer {
	struct blocks_layer *below;
	struct blocks_table table;
	size_t references;
};

/* The entry at the address, a gone one too; NULL: there is none. */
static inline struct block *find_entry(const struct blocks_table *table, uint64_t address)
{
	if (!table->used || !address)
		return NULL;
	struct block *entry = &table->list[blocks_find_slot(table, address)];
	return entry->address ? entry : NULL;
}

static struct blocks_table make_table(size_t slots)
{
	return (struct blocks_table){ .list = xtable(slots, sizeof(struct block)),
				      .slots = slots,
				      .shift = 64 - (unsigned)__builtin_ctzll(slots) };
}

static void enlarge(struct blocks_table *table)
{
	struct blocks_table old = *table;

	*table = make_table(old.slots ? old.slots * 2 : FIRST_SLOTS);
	table->used = old.used;
	for (size_t i = 0; i < old.slots; i++)
		if (old.list[i].address)
			table->list[blocks_find_slot(table, old.list[i].address)] = old.list[i];
	free(old.list);
}

static void put(struct blocks_table *table, const struct block *block)
{
	if (blocks_table_is_full(table))
		enlarge(table);
	struct block *place = &table->list[blocks_find_slot(table, block->address)];
	table->used += !place->address;
	*place = *block;
}

static struct blocks_layer *share(struct blocks_layer *layer)
{
	if (layer)
		layer->references++;
	return layer;
}

static void release(struct blocks_layer *layer)
{
	while (layer && !--layer->references) {
		struct blocks_layer *below = layer->below;

		free(layer->table.list);
		free(layer);
		layer = below;
	}
}

void blocks_free(struct blocks *blocks)
{
	free(blocks->numbered);
	free(blocks->top.list);
	release(blocks->frozen);
	memset(blocks, 0, sizeof(*blocks));
}

/* The parent's numbers of sites and threads mean nothing to the child. */
static struct block as_inherited(const struct block *block)
{
	struct block inherited = *block;

	inherited.is_counted = false;
	inherited.is_inherited = true;
	inherited.site = 0;
	inherited.thread = 0;
	return inherited;
}

bool blocks_use_numbers(struct blocks *blocks)
{
	if (!blocks->numbered && !blocks->top.used && !blocks->frozen)
		blocks_enlarge_numbered(blocks, FIRST_SLOTS);
	return blocks->numbered != NULL;
}

void blocks_enlarge_numbered(struct blocks *blocks, uint32_t number)
{
	size_t before = blocks->numbered_slots, slots = before ? before : FIRST_SLOTS;

	while (slots <= number)
		slots += slots / 2;
	blocks->numbered = xreallocarray(blocks->numbered, slots, sizeof(struct block));
	memset(&blocks->numbered[before], 0, (slots - before) * sizeof(struct block));
	blocks->numbered_slots = slots;
}

void blocks_end_numbers(struct blocks *blocks)
{
	for (size_t i = 0; i < blocks->numbered_slots; i++)
		if (blocks->numbered[i].address)
			put(&blocks->top, &blocks->numbered[i]);
	free(blocks->numbered);
	blocks->numbered = NULL;
	blocks->numbered_slots = 0;
}

/* The block as the frozen layers have it. */
static bool find_frozen(const struct blocks *blocks, uint64_t address, struct block *found)
{
	bool is_inherited = false;

	for (const struct blocks_layer *layer = blocks->frozen; layer; layer = layer->below) {
		const struct block *entry = find_entry(&layer->table, address);

		is_inherited |= layer == blocks->inherited;
		if (!entry)
			continue;
		*found = is_inherited ? as_inherited(entry) : *entry;
		return !entry->is_gone;
	}
	return false;
}

bool blocks_find(const struct blocks *blocks, uint64_t address, struct block *found)
{
	const struct block *entry = find_entry(&blocks->top, address);

	if (!entry)
		return find_frozen(blocks, address, found);
	*found = *entry;
	return !entry->is_gone;
}

/* The top takes over the layer below it. */
static void swallow(struct blocks *blocks)
{
	struct blocks_layer *layer = blocks->frozen;
	bool is_inherited = layer == blocks->inherited;
	struct blocks_table upper = blocks->top, *table = &blocks->top;

	*table = make_table(layer->table.slots);
	for (size_t i = 0; i < layer->table.slots; i++) {
		struct block *entry = &layer->table.list[i];
		struct block block = is_inherited ? as_inherited(entry) : *entry;

		if (entry->address && !find_entry(&upper, entry->address))
			put(table, &block);
	}
	for (size_t i = 0; i < upper.slots; i++)
		if (upper.list[i].address && (!upper.list[i].is_gone || layer->below))
			put(table, &upper.list[i]);
	free(upper.list);
	blocks->frozen = share(layer->below);
	if (is_inherited)
		blocks->inherited = layer->below;
	release(layer);
}

static void swallow_small(struct blocks *blocks)
{
	while (blocks->frozen && 2 * blocks->top.used >= blocks->frozen->table.used)
		swallow(blocks);
}

bool blocks_add_layered(struct blocks *blocks, const struct block *block, struct block *old)
{
	if (blocks_table_is_full(&blocks->top)) {
		swallow_small(blocks);
		if (blocks_table_is_full(&blocks->top))
			enlarge(&blocks->top);
	}
	struct block *place = &blocks->top.list[blocks_find_slot(&blocks->top, block->address)];
	bool was_there;

	if (place->address) {
		*old = *place;
		was_there = !place->is_gone;
	} else {
		was_there = blocks->frozen && find_frozen(blocks, block->address, old);
		blocks->top.used++;
	}
	block_copy(place, block);
	blocks->count += !was_there;
	blocks->size_bytes += block->size_bytes;
	if (was_there)
		blocks->size_bytes -= old->size_bytes;
	return was_there;
}

static void hide(struct blocks *blocks, uint64_t address)
{
	struct block gone = { .address = address, .is_gone = true };

	put(&blocks->top, &gone);
}

/* `entry`, in the top or NULL, goes; a layer below may have the block too. */
static void take_out(struct blocks *blocks, struct block *entry, uint64_t address)
{
	struct block hidden;

	if (blocks->frozen && find_frozen(blocks, address, &hidden))
		hide(blocks, address);
	else if (entry)
		blocks_close_gap(&blocks->top, (size_t)(entry - blocks->top.list));
}

bool blocks_remove_layered(struct blocks *blocks, uint64_t address, struct block *old)
{
	if (blocks->frozen && blocks_table_is_full(&blocks->top))
		swallow_small(blocks);

	struct block *entry = find_entry(&blocks->top, address);
	if (entry) {
		block_copy(old, entry);
		if (entry->is_gone)
			return false;
	} else if (!address || !find_frozen(blocks, address, old)) {
		return false;
	}
	blocks->count--;
	blocks->size_bytes -= old->size_bytes;
	take_out(blocks, entry, address);
	return true;
}

/* What a heap's end takes with it. */
struct removal {
	struct blocks *blocks;
	blocks_leave leave;
	void *context;
	uint64_t left;
	uint16_t heap;
};

/* Whether the entry was the heap's block, and is removed. */
static bool remove_entry(struct removal *removal, const struct block *entry)
{
	uint64_t address = entry->address;
	struct block old;

	if (!removal->left || !address || entry->heap != removal->heap ||
	    !blocks_find(removal->blocks, address, &old) || old.heap != removal->heap)
		return false;
	blocks_remove(removal->blocks, address, &old);
	removal->left--;
	removal->leave(removal->context, &old);
	return true;
}

/* Removing moves other blocks: a slot that was refilled is looked at again, and a block that moved
 * from the table's end to its beginning is met by another round. */
static bool remove_round(struct removal *removal)
{
	const struct blocks_table *top = &removal->blocks->top;
	uint64_t before = removal->left;

	for (size_t i = 0; i < top->slots; i++)
		while (remove_entry(removal, &top->list[i]))
			;
	return removal->left && removal->left != before;
}

void blocks_remove_heap(struct blocks *blocks, uint16_t heap, uint64_t count, blocks_leave leave,
			void *context)
{
	struct removal removal = { blocks, leave, context, count, heap };
	struct blocks_layer *first = count ? share(blocks->frozen) : NULL;

	blocks_end_numbers(blocks);
	for (const struct blocks_layer *layer = first; layer; layer = layer->below)
		for (size_t i = 0; i < layer->table.slots; i++)
			remove_entry(&removal, &layer->table.list[i]);
	while (count && remove_round(&removal))
		;
	release(first);
}

/* Makes the top a layer, which others may share. */
static void freeze(struct blocks *blocks)
{
	struct blocks_layer *layer;

	blocks_end_numbers(blocks);
	swallow_small(blocks);
	if (!blocks->top.used)
		return;
	layer = xmalloc(sizeof(*layer));
	*layer = (struct blocks_layer){ .below = blocks->frozen,
					.table = blocks->top,
					.references = 1 };
	blocks->frozen = layer;
	memset(&blocks->top, 0, sizeof(blocks->top));
}

void blocks_inherit(struct blocks *to, struct blocks *from)
{
	freeze(from);
	*to = (struct blocks){ .frozen = share(from->frozen),
			       .inherited = from->frozen,
			       .count = from->count,
			       .size_bytes = from->size_bytes };
}

size_t blocks_memory_bytes(const struct blocks *blocks)
{
	size_t slots = blocks->top.slots + blocks->numbered_slots;

	for (const struct blocks_layer *layer = blocks->frozen; layer; layer = layer->below)
		slots += layer->table.slots;
	return slots * sizeof(struct block);
}

/* What decides about the address: the entry in the highest table that has one. */
static const struct block *highest_entry(const struct blocks *blocks, uint64_t address)
{
	const struct block *entry = find_entry(&blocks->top, address);

	for (const struct blocks_layer *layer = blocks->frozen; layer && !entry;
	     layer = layer->below)
		entry = find_entry(&layer->table, address);
	return entry;
}

/* How many of the table's blocks can be found; SIZE_MAX: the table is no good. */
static size_t check_table(const struct blocks *blocks, const struct blocks_table *table)
{
	size_t used = 0, count = 0;

	for (size_t i = 0; i < table->slots; i++) {
		const struct block *entry = &table->list[i];

		if (!entry->address)
			continue;
		if (find_entry(table, entry->address) != entry)
			return SIZE_MAX;
		used++;
		count += !entry->is_gone && highest_entry(blocks, entry->address) == entry;
	}
	return used == table->used && 8 * used <= 5 * table->slots ? count : SIZE_MAX;
}

static size_t count_numbered(const struct blocks *blocks)
{
	size_t count = 0;

	for (size_t i = 0; i < blocks->numbered_slots; i++)
		count += blocks->numbered[i].address != 0;
	return count;
}

bool blocks_check(const struct blocks *blocks)
{
	if (blocks->numbered)
		return !blocks->top.used && !blocks->frozen &&
		       count_numbered(blocks) == blocks->count;
	size_t count = check_table(blocks, &blocks->top);

	for (const struct blocks_layer *layer = blocks->frozen; layer; layer = layer->below) {
		size_t here = check_table(blocks, &layer->table);

		if (count == SIZE_MAX || here == SIZE_MAX || !layer->references ||
		    (layer->below && 2 * layer->table.used >= layer->below->table.used))
			return false;
		count += here;
	}
	return count == blocks->count;
}
