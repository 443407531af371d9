/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The usual calls of the Win32 face: a small block of a growable heap, from or to a front of the
 * calling thread's own. What is not as usual is left to heap_allocate and heap_release.
 *
 * Nothing here calls a function: a caller of Windows' convention has no registers to save then. */

#ifndef VADTRACE_CORE_HEAP_QUICK_H
#define VADTRACE_CORE_HEAP_QUICK_H

#include "core/base/hints.h"
#include "core/heap/blocks.h"
#include "core/heap/descriptor.h"
#include "core/heap/thread.h"

/* What a thread may take and give without asking: not of a heap that somebody has locked, or whose
 * blocks are counted. */
static inline bool heap_is_open(const struct heap *heap)
{
	return likely(!heap_is_held_by_another(heap) && !heap->maximum_bytes);
}

/* The thread's front for the heap, if there is one that nobody is changing. */
static inline struct front *heap_quick_front(const struct heap *heap)
{
	struct thread_heap *thread = thread_heap;
	struct front *front = likely(thread != NULL) ? thread_front_of(thread, heap) : NULL;

	return likely(front && !front->busy) ? front : NULL;
}

/* A block of this size, its contents as they are. NULL: ask heap_allocate. */
static inline void *heap_allocate_quickly(struct heap *heap, uint32_t flags, size_t size_bytes)
{
	size_t bytes = size_bytes > BLOCK_BYTES_MIN ? size_bytes : BLOCK_BYTES_MIN;
	struct front *front = heap_quick_front(heap);
	struct block *block = NULL;
	struct page *page;

	if (unlikely(!front || size_bytes > DIRECT_BYTES_MAX - TRAILER_BYTES ||
		     flags & (HEAP_ADD_USER_INFO | HEAP_USER_FLAGS)))
		return NULL;
	front_mark(front);
	if (likely(thread_front_of(thread_heap, heap) == front && heap_is_open(heap))) {
		page = front->direct[direct_index(bytes + TRAILER_BYTES)];
		block = page_pop_quickly(page);
		if (likely(block != NULL))
			block_write_plain_trailer(page, block, size_bytes);
	}
	front_leave(front);
	return block;
}

/* Whether the block is one of the front's that may go without more ado: not the page's last one. */
static inline bool block_is_usual(const struct front *front, const struct page *page,
				  const struct block *block)
{
	return page_owner(page) == (uintptr_t)front && page_has_block(page, block) &&
	       block->mark != block_mark(block) && block_has_plain_trailer(page, block) &&
	       page->live != (uintptr_t)block;
}

/* False, and nothing done: ask heap_release. */
static inline bool heap_release_quickly(struct heap *heap, struct block *block)
{
	struct front *front = heap_quick_front(heap);
	struct page *page;
	bool is_done = false;

	if (unlikely(!front || !page_is_at(block)))
		return false;
	page = page_at(block);
	front_mark(front);
	if (likely(heap_is_open(heap) && block_is_usual(front, page, block))) {
		(void)page_push(page, block);
		is_done = true;
	}
	front_leave(front);
	return is_done;
}

#endif
