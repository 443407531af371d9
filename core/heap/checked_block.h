/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What is kept of a checked block, the table of them, and the memory they lie in. For checked*.c
 * and checked_*.c only. */

#ifndef VADTRACE_CORE_HEAP_CHECKED_BLOCK_H
#define VADTRACE_CORE_HEAP_CHECKED_BLOCK_H

#include "core/base/rbtree.h"
#include "core/heap/checked.h"

enum checked_state {
	CHECKED_LIVE,
	CHECKED_GOING, /* a thread is freeing or resizing it */
	CHECKED_FREED, /* in the quarantine */
};

/* One checked block.
 *  - [region, region + region_bytes) overlaps no other's; of that, [room, room + room_bytes) can be
 *    touched, and holds the block;
 *  - what is in the room and not in the block is painted;
 *  - holds > 0: threads look at its memory without the lock: it stays as it is.
 * Guarded by: the table's lock; while CHECKED_GOING, the thread that made it so. */
struct checked_block {
	struct rb_node node;
	struct checked_block *next; /* in the quarantine */
	const struct heap *heap;
	uintptr_t address;
	uintptr_t room, region;
	size_t room_bytes, region_bytes;
	struct block_info info;
	uintptr_t user_value;
	size_t charged_bytes; /* of a heap of fixed size */
	uint32_t holds;
	uint8_t state; /* enum checked_state */
	bool is_page;
	bool has_code; /* the heap's blocks may be executed */
	bool is_malloc;
	bool is_told; /* that it was written over */
	struct misuse_stack allocated, freed;
};

/* Memory. */

/* Fills in region and room for a block of info.size_bytes. False: no memory. */
bool checked_memory_take(struct checked_block *block, size_t alignment_bytes);
void checked_memory_give(const struct checked_block *block);
/* Everything around the block; and the block itself, unless it is zero as it is. */
void checked_memory_paint(const struct checked_block *block, bool is_zero);
void checked_memory_paint_rest(const struct checked_block *block);
/* Nobody may use the block any more. */
void checked_memory_retire(const struct checked_block *block);
/* Whether the program has left the surroundings of the block readable. */
bool checked_memory_is_readable(const struct checked_block *block);
/* What was written over, and where; of a live block its surroundings, of a freed one all of it. */
enum misuse checked_memory_look(const struct checked_block *block, uintptr_t *where);

/* The table. */

/* Makes the block known, live. */
void checked_table_add(struct checked_block *block);
/* The live block of the heap that begins there becomes this thread's, CHECKED_GOING; waits while it
 * is held. NULL: *misuse says why not. */
struct checked_block *checked_table_seize(const struct heap *heap, uintptr_t address,
					  enum misuse *misuse);
/* The same, but the block is held only: others may look at it, too. */
struct checked_block *checked_table_hold(const struct heap *heap, uintptr_t address,
					 enum misuse *misuse);
/* As checked_table_seize for the heap's next live block behind `after`; NULL: there is no more. */
struct checked_block *checked_table_seize_next(const struct heap *heap, uintptr_t after);
/* A seized block is live again. */
void checked_table_restore(struct checked_block *block);
/* A seized block goes into the quarantine. Those that it pushes out are linked by `next`: they are
 * in the table no more. */
struct checked_block *checked_table_retire(struct checked_block *block);
/* Holds the next block behind `after` that is not going: of the heap, or of all (NULL). */
struct checked_block *checked_table_hold_next(const struct heap *heap, uintptr_t after);
void checked_table_let_go(struct checked_block *block);

/* Calls `visit` under the lock with the block whose region has the address; false: there is none.
 */
bool checked_table_visit(uintptr_t address,
			 bool (*visit)(struct checked_block *block, void *context), void *context);
/* The same with the heap's next live block behind `after` that is not malloc's. */
bool checked_table_visit_next(const struct heap *heap, uintptr_t after,
			      bool (*visit)(struct checked_block *block, void *context),
			      void *context);

void checked_table_set_limit(size_t quarantine_bytes);

#endif
