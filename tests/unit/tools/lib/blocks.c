/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Tables of blocks that forks share: random changes of a family against plain arrays, and the
 * memory that a big parent's many children take. */

#include "tools/lib/blocks.h"

#include "tests/lib/tap.h"

#include <string.h>

enum { FAMILY = 12, ADDRESSES = 400, STEPS = 60000, HEAPS = 3 };

/* What a process must know of each address; size 0: no block. */
struct truth {
	uint64_t size;
	uint16_t heap;
	bool is_inherited;
};

static struct blocks family[FAMILY];
static struct truth truths[FAMILY][ADDRESSES];
static uint64_t left_count;

static uint64_t next_random(void)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

static uint64_t address_of(int place)
{
	return 0x1000 + 16 * (uint64_t)place;
}

static bool is_as_told(const struct block *block, const struct truth *truth)
{
	return block->size_bytes == truth->size && block->heap == truth->heap &&
	       block->is_inherited == truth->is_inherited && !block->is_gone &&
	       (block->site == 0) == truth->is_inherited;
}

static bool add(int member, int place)
{
	struct truth *truth = &truths[member][place];
	struct truth now = { .size = 1 + next_random() % 1000,
			     .heap = (uint16_t)(next_random() % HEAPS) };
	struct block block = { .address = address_of(place),
			       .size_bytes = now.size,
			       .heap = now.heap,
			       .site = 5,
			       .is_counted = true };
	struct block old;
	bool was_there = blocks_add(&family[member], &block, &old);
	bool is_good = was_there == (truth->size != 0) && (!was_there || is_as_told(&old, truth));

	*truth = now;
	return is_good;
}

static bool take(int member, int place)
{
	struct truth *truth = &truths[member][place];
	struct block old;
	bool was_there = blocks_remove(&family[member], address_of(place), &old);
	bool is_good = was_there == (truth->size != 0) && (!was_there || is_as_told(&old, truth));

	truth->size = 0;
	return is_good;
}

static void fork_member(int parent, int child)
{
	blocks_free(&family[child]);
	blocks_inherit(&family[child], &family[parent]);
	memcpy(truths[child], truths[parent], sizeof(truths[child]));
	for (int i = 0; i < ADDRESSES; i++)
		truths[child][i].is_inherited = true;
}

static void count_left(void *context, const struct block *block)
{
	left_count += block->heap == *(uint16_t *)context;
}

static bool destroy(int member, uint16_t heap)
{
	uint64_t count = 0;

	for (int i = 0; i < ADDRESSES; i++)
		if (truths[member][i].size && truths[member][i].heap == heap) {
			truths[member][i].size = 0;
			count++;
		}
	left_count = 0;
	blocks_remove_heap(&family[member], heap, count, count_left, &heap);
	return left_count == count;
}

static bool is_right(int member)
{
	struct block found;
	uint64_t bytes = 0;
	size_t count = 0;

	for (int i = 0; i < ADDRESSES; i++) {
		const struct truth *truth = &truths[member][i];
		bool is_there = blocks_find(&family[member], address_of(i), &found);

		if (is_there != (truth->size != 0) || (is_there && !is_as_told(&found, truth)))
			return false;
		count += is_there;
		bytes += truth->size;
	}
	return count == family[member].count && bytes == family[member].size_bytes &&
	       blocks_check(&family[member]);
}

static bool step(void)
{
	int member = (int)(next_random() % FAMILY), place = (int)(next_random() % ADDRESSES);
	uint64_t dice = next_random() % 1000;

	if (dice < 8 && (int)(dice % FAMILY) != member)
		fork_member(member, (int)(dice % FAMILY));
	else if (dice < 12)
		return destroy(member, (uint16_t)(next_random() % HEAPS));
	else if (dice < 14)
		blocks_free(&family[member]), memset(truths[member], 0, sizeof(truths[member]));
	else
		return dice < 700 ? add(member, place) : take(member, place);
	return true;
}

static void test_random(void)
{
	bool is_good = true, is_whole = true;

	for (int i = 0; i < STEPS; i++) {
		is_good &= step();
		if (i % 200 == 0)
			for (int member = 0; member < FAMILY; member++)
				is_whole &= is_right(member);
	}
	ok(is_good, "a family of %d: each change finds what was there", FAMILY);
	ok(is_whole, "a family of %d: each member has its own blocks", FAMILY);
	for (int member = 0; member < FAMILY; member++)
		blocks_free(&family[member]);
}

/* A parent of many blocks forks often and changes little between. */
static void test_sharing(void)
{
	enum { BLOCKS = 200000, CHILDREN = 1000, CHANGES = 20 };
	static struct blocks parent, children[CHILDREN];
	struct block block = { .size_bytes = 8 }, old;
	size_t own_bytes = 0;
	bool is_good = true;

	for (uint64_t i = 1; i <= BLOCKS; i++) {
		block.address = 16 * i;
		blocks_add(&parent, &block, &old);
	}
	size_t whole_bytes = blocks_memory_bytes(&parent);
	for (uint64_t child = 0; child < CHILDREN; child++) {
		blocks_inherit(&children[child], &parent);
		size_t shared_bytes = blocks_memory_bytes(&children[child]);
		for (uint64_t i = 1; i <= CHANGES; i++) {
			blocks_remove(&parent, 16 * (CHANGES * child + i), &old);
			blocks_remove(&children[child], 16 * (BLOCKS - i), &old);
		}
		own_bytes += blocks_memory_bytes(&children[child]) - shared_bytes;
	}
	for (uint64_t child = 0; child < CHILDREN; child++)
		is_good &= children[child].count == BLOCKS - CHANGES * (child + 1);
	ok(is_good, "each of %d children has what its parent had then", CHILDREN);
	ok(own_bytes <= whole_bytes, "all children's own tables together are no bigger than one");
	ok(blocks_memory_bytes(&parent) <= 3 * whole_bytes, "nor does the parent's grow");
	ok(blocks_check(&parent) && blocks_check(&children[CHILDREN / 2]), "and all is in order");
	for (int child = 0; child < CHILDREN; child++)
		blocks_free(&children[child]);
	blocks_free(&parent);
}

int main(void)
{
	test_random();
	test_sharing();
	return tap_done();
}
