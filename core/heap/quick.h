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

/* Takes a block of this size from the front's current page; NULL when there is none. */
static inline void *front_take_sized(struct front *front, size_t size_bytes)
{
	struct page *page = front->direct[direct_index(size_bytes + TRAILER_BYTES)];
	struct block *block = page->free;
	uintptr_t key = block_key(block);

	if (unlikely(!block || block->mark != (key ^ (uintptr_t)block->next)))
		return NULL;
	page_take_first(page, block);
	*block_trailer(page, block) = size_bytes ^ key;
	return block;
}

/* What makes a block of a kind that is not usual, also one that is too large. */
static inline bool block_is_special(uint32_t flags, size_t size_bytes)
{
	return unlikely(size_bytes > DIRECT_BYTES_MAX - TRAILER_BYTES ||
			flags & (HEAP_ADD_USER_INFO | HEAP_USER_FLAGS));
}

/* A block of this size of the process heap, its contents as they are. NULL: ask heap_allocate. */
static inline void *process_heap_allocate_quickly(struct heap *heap, uint32_t flags,
						  size_t size_bytes)
{
	struct thread_heap *thread = thread_heap;
	void *block = NULL;

	if (block_is_special(flags, size_bytes) || unlikely(!thread || thread->sized.busy))
		return NULL;
	front_mark(&thread->sized);
	if (likely(!heap_is_held(heap)))
		block = front_take_sized(&thread->sized, size_bytes);
	front_leave(&thread->sized);
	return block;
}

/* The same of any heap. */
static inline void *heap_allocate_quickly(struct heap *heap, uint32_t flags, size_t size_bytes)
{
	struct front *front = heap_quick_front(heap);
	void *block = NULL;

	if (block_is_special(flags, size_bytes) || unlikely(!front))
		return NULL;
	front_mark(front);
	if (likely(thread_front_of(thread_heap, heap) == front && heap_is_open(heap)))
		block = front_take_sized(front, size_bytes);
	front_leave(front);
	return block;
}

/* Whether the page's blocks reach as far as one at `block` would. */
static inline bool is_carved(const struct page *page, const struct block *block)
{
	size_t offset = (size_t)((const char *)block - page->start);

	return (uint32_t)(offset + page->block_bytes) <= page->carved_bytes;
}

/* Frees a block of the front's, which the caller has marked, if that is all there is to do: it is
 * not the page's last one. Where no block starts, nothing looks like a trailer. */
static inline bool front_free_sized(const struct front *front, struct block *block)
{
	struct page *page = page_at(block);
	uintptr_t key = block_key(block);

	if (unlikely(page_owner(page) != (uintptr_t)front || !is_carved(page, block) ||
		     block->mark == (key ^ (uintptr_t)block->next) ||
		     (*block_trailer(page, block) ^ key) > page->block_bytes - TRAILER_BYTES ||
		     page->live == (uintptr_t)block))
		return false;
	page_link_first(page, block, key);
	return true;
}

/* Frees a block of the process heap. False, and nothing done: ask heap_release. */
static inline bool process_heap_release_quickly(struct heap *heap, struct block *block)
{
	struct thread_heap *thread = thread_heap;

	if (unlikely(!thread || thread->sized.busy || !page_is_at(block)))
		return false;
	front_mark(&thread->sized);
	if (unlikely(heap_is_held(heap) || !front_free_sized(&thread->sized, block))) {
		front_leave(&thread->sized);
		return false;
	}
	front_leave(&thread->sized);
	return true;
}

/* The same of any heap. */
static inline bool heap_release_quickly(struct heap *heap, struct block *block)
{
	struct front *front = heap_quick_front(heap);
	bool is_done = false;

	if (unlikely(!front || !page_is_at(block)))
		return false;
	front_mark(front);
	if (likely(heap_is_open(heap)))
		is_done = front_free_sized(front, block);
	front_leave(front);
	return is_done;
}

#endif
