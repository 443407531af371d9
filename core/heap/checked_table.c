/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* All checked blocks, by address, and the quarantine.
 *
 *   tree:        live and freed blocks, and those that are going
 *   quarantine:  oldest -> freed -> freed -> newest
 *
 * The lock is held for steps in the tree only: never while a block's memory is touched, because the
 * program may have protected it. Who looks holds the block instead. Knows nothing of what a block's
 * memory should look like. */

#include "core/base/arena.h"
#include "core/base/lock.h"
#include "core/heap/checked_block.h"
#include "core/os/os.h"

/* What a block costs besides its memory. */
#define RECORD_BYTES sizeof(struct checked_block)
#define WAIT_NS 50000

static struct lock table_lock = LOCK_INITIALIZER(LOCK_RANK_CHECKED);
static struct rb_tree tree;
static struct checked_block *oldest, *newest;
static size_t quarantined_bytes, limit_bytes;

void checked_table_set_limit(size_t quarantine_bytes)
{
	limit_bytes = quarantine_bytes;
}

static struct checked_block *block_of(struct rb_node *node)
{
	return node ? rb_entry(node, struct checked_block, node) : NULL;
}

/* The last block whose region begins at the address or before. */
static struct checked_block *find_at_or_before(uintptr_t address)
{
	struct rb_node *node = tree.root;
	struct checked_block *best = NULL;

	while (node) {
		struct checked_block *block = block_of(node);

		if (block->region <= address)
			best = block;
		node = block->region <= address ? node->right : node->left;
	}
	return best;
}

/* The first block behind the address. */
static struct checked_block *find_behind(uintptr_t address)
{
	struct checked_block *before = find_at_or_before(address);

	if (before && before->address > address)
		return before;
	return block_of(before ? rb_next(&before->node) : rb_first(&tree));
}

static struct checked_block *find_covering(uintptr_t address)
{
	struct checked_block *block = find_at_or_before(address);

	return block && address - block->region < block->region_bytes ? block : NULL;
}

static void insert(struct checked_block *block)
{
	struct rb_node **link = &tree.root, *parent = NULL;

	while (*link) {
		parent = *link;
		link = block_of(parent)->region < block->region ? &parent->right : &parent->left;
	}
	rb_insert(&tree, &block->node, parent, link);
}

void checked_table_add(struct checked_block *block)
{
	block->state = CHECKED_LIVE;
	lock_acquire(&table_lock);
	insert(block);
	lock_release(&table_lock);
}

static enum misuse judge(const struct checked_block *block, const struct heap *heap,
			 uintptr_t address)
{
	if (!block)
		return MISUSE_FOREIGN;
	if (block->address != address)
		return address - block->room < block->room_bytes ? MISUSE_INTERIOR : MISUSE_FOREIGN;
	if (block->state != CHECKED_LIVE)
		return MISUSE_DOUBLE_FREE;
	return block->heap == heap ? MISUSE_NONE : MISUSE_WRONG_HEAP;
}

struct checked_block *checked_table_hold(const struct heap *heap, uintptr_t address,
					 enum misuse *misuse)
{
	struct checked_block *block;

	lock_acquire(&table_lock);
	block = find_covering(address);
	*misuse = judge(block, heap, address);
	if (*misuse == MISUSE_NONE)
		block->holds++;
	lock_release(&table_lock);
	return *misuse == MISUSE_NONE ? block : NULL;
}

/* The block, held by nobody, or not to be had. */
static struct checked_block *seize_now(const struct heap *heap, uintptr_t address,
				       enum misuse *misuse, bool *is_held)
{
	struct checked_block *block;

	lock_acquire(&table_lock);
	block = find_covering(address);
	*misuse = judge(block, heap, address);
	*is_held = *misuse == MISUSE_NONE && block->holds > 0;
	if (*misuse != MISUSE_NONE || *is_held)
		block = NULL;
	else
		block->state = CHECKED_GOING;
	lock_release(&table_lock);
	return block;
}

struct checked_block *checked_table_seize(const struct heap *heap, uintptr_t address,
					  enum misuse *misuse)
{
	struct checked_block *block;
	bool is_held;

	while (!(block = seize_now(heap, address, misuse, &is_held)) && is_held)
		os_sleep(WAIT_NS);
	return block;
}

static bool is_of(const struct checked_block *block, const struct heap *heap)
{
	return !heap || block->heap == heap;
}

static uintptr_t next_live(const struct heap *heap, uintptr_t after)
{
	struct checked_block *block;

	lock_acquire(&table_lock);
	block = find_behind(after);
	while (block && (block->state != CHECKED_LIVE || !is_of(block, heap)))
		block = block_of(rb_next(&block->node));
	after = block ? block->address : 0;
	lock_release(&table_lock);
	return after;
}

/* One that another thread has freed meanwhile is passed by. */
struct checked_block *checked_table_seize_next(const struct heap *heap, uintptr_t after)
{
	struct checked_block *block = NULL;
	enum misuse misuse;

	while (!block && (after = next_live(heap, after)))
		block = checked_table_seize(heap, after, &misuse);
	return block;
}

void checked_table_restore(struct checked_block *block)
{
	lock_acquire(&table_lock);
	block->state = CHECKED_LIVE;
	lock_release(&table_lock);
}

static size_t cost_of(const struct checked_block *block)
{
	return block->room_bytes + RECORD_BYTES;
}

static void append(struct checked_block *block)
{
	block->state = CHECKED_FREED;
	block->next = NULL;
	if (newest)
		newest->next = block;
	else
		oldest = block;
	newest = block;
	quarantined_bytes += cost_of(block);
}

/* Takes the oldest ones out until the rest is small enough; one that is held stays for now. */
static struct checked_block *take_surplus(void)
{
	struct checked_block *first = oldest, *last = NULL;

	while (oldest && quarantined_bytes > limit_bytes && oldest->holds == 0) {
		last = oldest;
		oldest = oldest->next;
		quarantined_bytes -= cost_of(last);
		rb_remove(&tree, &last->node);
	}
	if (!last)
		return NULL;
	if (!oldest)
		newest = NULL;
	last->next = NULL;
	return first;
}

struct checked_block *checked_table_retire(struct checked_block *block)
{
	struct checked_block *surplus;

	lock_acquire(&table_lock);
	append(block);
	surplus = take_surplus();
	lock_release(&table_lock);
	return surplus;
}

struct checked_block *checked_table_hold_next(const struct heap *heap, uintptr_t after)
{
	struct checked_block *block;

	lock_acquire(&table_lock);
	block = find_behind(after);
	while (block && (block->state == CHECKED_GOING || !is_of(block, heap)))
		block = block_of(rb_next(&block->node));
	if (block)
		block->holds++;
	lock_release(&table_lock);
	return block;
}

void checked_table_let_go(struct checked_block *block)
{
	lock_acquire(&table_lock);
	block->holds--;
	lock_release(&table_lock);
}

bool checked_table_visit(uintptr_t address,
			 bool (*visit)(struct checked_block *block, void *context), void *context)
{
	struct checked_block *block;
	bool result = false;

	lock_acquire(&table_lock);
	block = find_covering(address);
	if (block)
		result = visit(block, context);
	lock_release(&table_lock);
	return result;
}

static bool is_shown(const struct checked_block *block, const struct heap *heap)
{
	return block->state == CHECKED_LIVE && block->heap == heap && !block->is_malloc;
}

bool checked_table_visit_next(const struct heap *heap, uintptr_t after,
			      bool (*visit)(struct checked_block *block, void *context),
			      void *context)
{
	struct checked_block *block;
	bool result = false;

	lock_acquire(&table_lock);
	block = find_behind(after);
	while (block && !is_shown(block, heap))
		block = block_of(rb_next(&block->node));
	if (block)
		result = visit(block, context);
	lock_release(&table_lock);
	return result;
}

void checked_fork_prepare(void)
{
	lock_acquire(&table_lock);
}

void checked_fork_parent(void)
{
	lock_release(&table_lock);
}

/* What other threads held or were freeing stays so: nobody else looks at it. */
void checked_fork_child(void)
{
	for (struct rb_node *node = rb_first(&tree); node; node = rb_next(node))
		block_of(node)->holds = 0;
	lock_fork_adopt(&table_lock);
	lock_release(&table_lock);
}
