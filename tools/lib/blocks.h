/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The live blocks of a process, by address: open addressing, 32 bytes a block.
 *
 * A fork's child shares its parent's table. What parent and child do later lies in tables of their
 * own on top of it, so a fork costs no copy, and a child only what it changes. */

#ifndef VADTRACE_TOOLS_LIB_BLOCKS_H
#define VADTRACE_TOOLS_LIB_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A block that is not counted is known only so that its release is: it was inherited from the
 * parent of a fork, or allocated outside of what the user asked to see.
 *  - address is not 0. */
struct block {
	union {
		struct {
			uint64_t address : 48;
			uint64_t heap : 16; /* number in the process's list of heaps */
			uint64_t size_bytes : 48;
			uint64_t api : 16;
			uint64_t time_ns;
			uint64_t site : 32;   /* number in the process's list of sites */
			uint64_t thread : 29; /* number in the process's list of threads */
			uint64_t is_counted : 1;
			uint64_t is_inherited : 1; /* then it is not counted */
			uint64_t is_gone : 1;      /* only in tables: hides one of a layer below */
		};
		uint64_t words[4]; /* for copies, see block_copy */
	};
};

_Static_assert(sizeof(struct block) == 32, "two blocks fill a cache line");

/* Word by word: a copy in halves would wait for the words that were just written. */
static inline void block_copy(struct block *to, const struct block *from)
{
	for (int i = 0; i < 4; i++)
		to->words[i] = from->words[i];
}

/* The first two words are whole, not filled field by field, for the same reason. */
static inline void block_describe(struct block *block, uint64_t address, uint16_t heap,
				  uint64_t size_bytes, uint16_t api)
{
	uint64_t low = (UINT64_C(1) << 48) - 1;

	block->words[0] = (address & low) | (uint64_t)heap << 48;
	block->words[1] = (size_bytes & low) | (uint64_t)api << 48;
}

/* Who made it, and whether it is counted: the last word. */
static inline void block_attribute(struct block *block, uint32_t site, uint32_t thread,
				   bool is_counted)
{
	block->words[3] = site | (uint64_t)thread << 32 | (uint64_t)is_counted << 61;
}

/* - slots is 0 or a power of two, at most 5/8 of them used, of a small table a quarter;
 * - a slot with address 0 is empty;
 * - slots is 1 << (64 - shift). */
struct blocks_table {
	struct block *list;
	size_t slots, used;
	unsigned shift;
};

enum { BLOCKS_UNIT_BITS = 4 };

/* The highest bits of a product, which all bits of the address have a part in, are its hash. An
 * allocator's blocks are steps of one size apart, and these are spread best by the golden ratio. */
static inline uint64_t blocks_hash(uint64_t address)
{
	return (address >> BLOCKS_UNIT_BITS) * UINT64_C(0x9e3779b97f4a7c15);
}

/* Where the search for an address begins. The table has slots. */
static inline size_t blocks_home(const struct blocks_table *table, uint64_t address)
{
	return (size_t)(blocks_hash(address) >> table->shift);
}

struct blocks_layer;

/* Blocks that somebody else has given numbers (numbers.h) lie in a list by these, and nothing has
 * to be searched, until somebody asks for an address: then all go to the table.
 *  - numbered is NULL, or all blocks are in it and the table is empty;
 *  - top hides what `frozen` has at the same address; a gone block in it hides one there;
 * - count and size_bytes are of the blocks that can be found. */
struct blocks {
	struct block *numbered; /* address 0: no block */
	size_t numbered_slots;
	struct blocks_table top;
	struct blocks_layer *frozen;          /* NULL: nothing was shared by a fork */
	const struct blocks_layer *inherited; /* this one and those below: inherited blocks */
	size_t count;
	uint64_t size_bytes;
};

void blocks_free(struct blocks *blocks);

/* Fetches the address's entry into the processor's cache: for who will ask for it soon. Always
 * inlined: GCC 12 takes a function that does nothing else for one that does nothing. */
static inline __attribute__((always_inline)) void blocks_expect(const struct blocks *blocks,
								uint64_t address)
{
	if (blocks->top.slots)
		__builtin_prefetch(&blocks->top.list[blocks_home(&blocks->top, address)],
				   /* for writing */ 1);
}

/* Whether blocks can be added and removed by their numbers: not if some are in the table. */
bool blocks_use_numbers(struct blocks *blocks);
/* Puts blocks that have numbers into the table. What is below wants it done, but for those that say
 * so. */
void blocks_end_numbers(struct blocks *blocks);
void blocks_enlarge_numbered(struct blocks *blocks, uint32_t number);

/* As blocks_expect, blocks_add and blocks_remove, of numbered blocks. */
static inline __attribute__((always_inline)) void blocks_expect_numbered(
	const struct blocks *blocks, uint32_t number)
{
	__builtin_prefetch(&blocks->numbered[number], /* for writing */ 1);
}

static inline bool blocks_add_numbered(struct blocks *blocks, uint32_t number,
				       const struct block *block, struct block *old)
{
	struct block *place;
	bool was_there;

	if (number >= blocks->numbered_slots)
		blocks_enlarge_numbered(blocks, number);
	place = &blocks->numbered[number];
	was_there = place->address != 0;
	if (was_there) {
		block_copy(old, place);
		blocks->size_bytes -= old->size_bytes;
		blocks->count--;
	}
	block_copy(place, block);
	blocks->size_bytes += block->size_bytes;
	blocks->count++;
	return was_there;
}

static inline bool blocks_remove_numbered(struct blocks *blocks, uint32_t number, struct block *old)
{
	struct block *place;

	if (number >= blocks->numbered_slots)
		return false;
	place = &blocks->numbered[number];
	if (!place->address)
		return false;
	block_copy(old, place);
	place->words[0] = 0;
	blocks->count--;
	blocks->size_bytes -= old->size_bytes;
	return true;
}

/* Copies the block at the address to *found. False: there is none. */
bool blocks_find(const struct blocks *blocks, uint64_t address, struct block *found);
/* As the two below, for any tables. */
bool blocks_add_layered(struct blocks *blocks, const struct block *block, struct block *old);
bool blocks_remove_layered(struct blocks *blocks, uint64_t address, struct block *old);

/* Up to which a table is small: it costs little memory, and short searches are worth more. */
enum { BLOCKS_SMALL_SLOTS = 1 << 14 };

static inline bool blocks_table_is_full(const struct blocks_table *table)
{
	if (table->slots <= BLOCKS_SMALL_SLOTS)
		return 4 * (table->used + 1) > table->slots;
	return 8 * (table->used + 1) > 5 * table->slots;
}

/* The slot with the address, or the empty one where the search for it ends. The table has slots. */
static inline size_t blocks_find_slot(const struct blocks_table *table, uint64_t address)
{
	const struct block *list = table->list;
	size_t mask = table->slots - 1, slot = blocks_home(table, address);

	while (list[slot].address != address && list[slot].address)
		slot = (slot + 1) & mask;
	return slot;
}

/* Empties a slot: moves the blocks behind the gap back as long as that brings them nearer to their
 * home. */
static inline void blocks_close_gap(struct blocks_table *table, size_t gap)
{
	struct block *list = table->list;
	size_t mask = table->slots - 1;

	for (size_t slot = (gap + 1) & mask; list[slot].address; slot = (slot + 1) & mask) {
		size_t distance = (slot - blocks_home(table, list[slot].address)) & mask;

		if (distance < ((slot - gap) & mask))
			continue;
		block_copy(&list[gap], &list[slot]);
		gap = slot;
	}
	list[gap].words[0] = 0;
	table->used--;
}

/* Adds the block; when one is there already it is replaced, copied to *old, and the result is true.
 */
static inline bool blocks_add(struct blocks *blocks, const struct block *block, struct block *old)
{
	struct block *place;

	if (blocks->frozen || blocks_table_is_full(&blocks->top))
		return blocks_add_layered(blocks, block, old);
	place = &blocks->top.list[blocks_find_slot(&blocks->top, block->address)];
	if (place->address)
		return blocks_add_layered(blocks, block, old);
	block_copy(place, block);
	blocks->top.used++;
	blocks->count++;
	blocks->size_bytes += block->size_bytes;
	return false;
}

/* Removes the block and copies it to *old. False: there is none. */
static inline bool blocks_remove(struct blocks *blocks, uint64_t address, struct block *old)
{
	struct block *place;
	size_t slot;

	if (blocks->frozen || !blocks->top.slots || !address)
		return blocks_remove_layered(blocks, address, old);
	slot = blocks_find_slot(&blocks->top, address);
	place = &blocks->top.list[slot];
	if (!place->address)
		return false;
	block_copy(old, place);
	blocks->count--;
	blocks->size_bytes -= old->size_bytes;
	blocks_close_gap(&blocks->top, slot);
	return true;
}

typedef void (*blocks_leave)(void *context, const struct block *block);
/* Removes the `count` blocks of a heap; `leave` is told of each. */
void blocks_remove_heap(struct blocks *blocks, uint16_t heap, uint64_t count, blocks_leave leave,
			void *context);

/* For a fork's child: *to, which is empty, has all blocks of `from`, as inherited ones. */
void blocks_inherit(struct blocks *to, struct blocks *from);

/* The memory of all tables, those that are shared too; numbered blocks, too. */
size_t blocks_memory_bytes(const struct blocks *blocks);

/* Executes the invariants of the struct: for tests. */
bool blocks_check(const struct blocks *blocks);

#endif
