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
#include "core/heap/hold.h"
#include "core/heap/pool.h"
#include "core/heap/thread.h"

/* What these functions need of this folder's. A copy of their code that runs at another address has
 * to be told; whoever is where the linker put him says NULL.
 *  - thread_offset and sized_offset are where thread_heap and thread_sized lie, from the address
 *    in %fs. */
struct heap_ground {
	intptr_t thread_offset, sized_offset;
	const struct heap *process;
	uintptr_t secret;
	const uintptr_t *hints;
};

/* For a copy that this process makes, once there is a process heap. */
static inline struct heap_ground heap_ground_here(void)
{
	pool_choose_secret();
	return (struct heap_ground){
		.thread_offset = (intptr_t)((uintptr_t)&thread_heap - os_thread_token()),
		.sized_offset = (intptr_t)((uintptr_t)&thread_sized - os_thread_token()),
		.process = process_heap,
		.secret = segment_secret,
		.hints = chunk_hints,
	};
}

static ALWAYS_INLINE struct thread_heap *ground_thread(const struct heap_ground *ground)
{
	struct thread_heap *thread;

	if (!ground)
		return thread_heap;
	__asm__("mov %%fs:(%1), %0" : "=r"(thread) : "r"(ground->thread_offset));
	return thread;
}

/* The thread's front for the process heap. */
static ALWAYS_INLINE struct front *ground_sized(const struct heap_ground *ground)
{
	struct front *front;

	if (!ground)
		return thread_sized;
	__asm__("mov %%fs:(%1), %0" : "=r"(front) : "r"(ground->sized_offset));
	return front;
}

static ALWAYS_INLINE struct front *ground_front(const struct heap_ground *ground,
						const struct heap *heap)
{
	struct thread_heap *thread = ground_thread(ground);
	const struct heap *process = ground ? ground->process : process_heap;

	return likely(thread != NULL) ? thread_front_beside(thread, heap, process) : NULL;
}

static ALWAYS_INLINE uintptr_t ground_key(const struct heap_ground *ground, const void *block)
{
	return (ground ? ground->secret : segment_secret) ^ (uintptr_t)block;
}

static ALWAYS_INLINE bool ground_has_page(const struct heap_ground *ground, const void *block)
{
	return page_is_hinted_at(ground ? ground->hints : chunk_hints, block);
}

/* What a thread may take and give without asking: not of a heap that somebody has locked, or whose
 * blocks are counted. */
static ALWAYS_INLINE bool heap_is_open(const struct heap *heap)
{
	return likely(!heap_is_held_by_another(heap) && !heap->maximum_bytes);
}

/* The same of the process heap, which is usually held by nobody. */
static ALWAYS_INLINE bool process_heap_is_open(const struct heap *heap)
{
	return likely(!heap_is_held(heap)) || !heap_is_held_by_another(heap);
}

/* The thread's front for the heap, if there is one that nobody is changing. */
static ALWAYS_INLINE struct front *heap_quick_front(const struct heap_ground *ground,
						    const struct heap *heap)
{
	struct front *front = ground_front(ground, heap);

	return likely(front && !front->busy) ? front : NULL;
}

/* Takes a block of this size from the front's current page; NULL when there is none. `kept` is what
 * its trailer says besides: flags, and whether it has a value, which is 0 then. */
static ALWAYS_INLINE void *front_take_sized(const struct heap_ground *ground, struct front *front,
					    size_t size_bytes, uintptr_t kept)
{
	size_t value_bytes = kept & TRAILER_VALUE ? VALUE_BYTES : 0;
	struct page *page = front->direct[direct_index(size_bytes + value_bytes + TRAILER_BYTES)];
	struct block *block = page->free;
	uintptr_t key = ground_key(ground, block);

	if (unlikely(!block || block->mark != (key ^ (uintptr_t)block->next)))
		return NULL;
	page_take_first(page, block);
	*block_trailer(page, block) = (size_bytes | kept) ^ key;
	if (kept & TRAILER_VALUE)
		*block_user_value(page, block) = 0;
	return block;
}

/* What the flags of a call make its block keep. */
static ALWAYS_INLINE uintptr_t kept_by_flags(uint32_t flags)
{
	const struct block_info info = { .user_flags = flags & HEAP_USER_FLAGS,
					 .has_value = flags & HEAP_ADD_USER_INFO };

	return trailer_of_info(&info);
}

/* A block of this size of the process heap, its contents as they are. NULL: ask heap_allocate. */
static ALWAYS_INLINE void *process_heap_allocate_quickly(const struct heap_ground *ground,
							 struct heap *heap, uint32_t flags,
							 size_t size_bytes)
{
	struct front *front = ground_sized(ground);
	void *block = NULL;

	if (unlikely(size_bytes > DIRECT_BYTES_MAX - TRAILER_BYTES || kept_by_flags(flags) ||
		     front->busy))
		return NULL;
	front_mark(front);
	if (process_heap_is_open(heap))
		block = front_take_sized(ground, front, size_bytes, /* kept */ 0);
	front_leave(front);
	return block;
}

/* The same of any heap. */
static ALWAYS_INLINE void *heap_allocate_quickly(const struct heap_ground *ground,
						 struct heap *heap, uint32_t flags,
						 size_t size_bytes)
{
	struct front *front = heap_quick_front(ground, heap);
	void *block = NULL;

	if (unlikely(size_bytes > DIRECT_BYTES_MAX - TRAILER_BYTES - VALUE_BYTES || !front))
		return NULL;
	front_mark(front);
	if (likely(ground_front(ground, heap) == front && heap_is_open(heap)))
		block = front_take_sized(ground, front, size_bytes, kept_by_flags(flags));
	front_leave(front);
	return block;
}

/* Whether the page's blocks reach as far as one at `block` would. */
static ALWAYS_INLINE bool is_carved(const struct page *page, const struct block *block)
{
	size_t offset = (size_t)((const char *)block - page->start);

	return (uint32_t)(offset + page->block_bytes) <= page->carved_bytes;
}

/* Frees a block of the front's, which the caller has marked, if that is all there is to do: it is
 * not the page's last one. Where no block starts, nothing looks like a trailer. `kept`: whether the
 * block may have more than its size. */
static ALWAYS_INLINE bool front_free_sized(const struct heap_ground *ground,
					   const struct front *front, struct block *block,
					   bool kept)
{
	struct page *page = page_of_slice(block);
	uintptr_t key = ground_key(ground, block);
	uintptr_t word;

	if (unlikely(page_owner(page) != (uintptr_t)front)) {
		page = page_at(block);
		if (unlikely(page_owner(page) != (uintptr_t)front))
			return false;
	}
	if (unlikely(!is_carved(page, block) || block->mark == (key ^ (uintptr_t)block->next) ||
		     page->live == (uintptr_t)block))
		return false;
	word = *block_trailer(page, block) ^ key;
	if (unlikely(word > page->block_bytes - TRAILER_BYTES) &&
	    !(kept && trailer_is_whole(page, word)))
		return false;
	page_link_first(page, block, key);
	return true;
}

/* Frees a block of the process heap. False, and nothing done: ask heap_release. */
static ALWAYS_INLINE bool process_heap_release_quickly(const struct heap_ground *ground,
						       struct heap *heap, struct block *block)
{
	struct front *front = ground_sized(ground);

	if (unlikely(front->busy || !ground_has_page(ground, block)))
		return false;
	front_mark(front);
	if (unlikely(!process_heap_is_open(heap) ||
		     !front_free_sized(ground, front, block, /* kept */ false))) {
		front_leave(front);
		return false;
	}
	front_leave(front);
	return true;
}

/* The same of any heap. */
static ALWAYS_INLINE bool heap_release_quickly(const struct heap_ground *ground, struct heap *heap,
					       struct block *block)
{
	struct front *front = heap_quick_front(ground, heap);
	bool is_done = false;

	if (unlikely(!front || !ground_has_page(ground, block)))
		return false;
	front_mark(front);
	if (likely(heap_is_open(heap)))
		is_done = front_free_sized(ground, front, block, /* kept */ true);
	front_leave(front);
	return is_done;
}

/* The page of a block of the front's own, with what the block knows; NULL: ask block_examine. */
static ALWAYS_INLINE struct page *front_find_sized(const struct heap_ground *ground,
						   const struct front *front,
						   const struct block *block,
						   struct block_info *info)
{
	struct page *page = ground_has_page(ground, block) ? page_at(block) : NULL;
	uintptr_t key = ground_key(ground, block), word;

	if (unlikely(!page || (page_owner(page) & ~PAGE_FULL) != (uintptr_t)front ||
		     !is_carved(page, block) || block->mark == (key ^ (uintptr_t)block->next)))
		return NULL;
	word = *block_trailer(page, block) ^ key;
	*info = info_of_trailer(word);
	return likely(trailer_is_whole(page, word)) ? page : NULL;
}

/* The size of a block of the calling thread's. SIZE_MAX: ask heap_size. */
static ALWAYS_INLINE size_t heap_size_quickly(const struct heap_ground *ground,
					      const struct heap *heap, const struct block *block)
{
	struct front *front = heap_quick_front(ground, heap);
	size_t size_bytes = SIZE_MAX;
	struct block_info info;

	if (unlikely(!front))
		return SIZE_MAX;
	front_mark(front);
	if (likely(ground_front(ground, heap) == front && !heap_is_held_by_another(heap) &&
		   front_find_sized(ground, front, block, &info)))
		size_bytes = info.size_bytes;
	front_leave(front);
	return size_bytes;
}

/* Sets the value of a block of the calling thread's that has one. False: ask heap_set_user_value.
 */
static ALWAYS_INLINE bool heap_set_user_value_quickly(const struct heap_ground *ground,
						      const struct heap *heap, struct block *block,
						      uintptr_t value)
{
	struct front *front = heap_quick_front(ground, heap);
	struct block_info info;
	struct page *page = NULL;

	if (unlikely(!front))
		return false;
	front_mark(front);
	if (likely(ground_front(ground, heap) == front && !heap_is_held_by_another(heap)))
		page = front_find_sized(ground, front, block, &info);
	if (unlikely(page && !info.has_value))
		page = NULL;
	if (likely(page != NULL))
		*block_user_value(page, block) = value;
	front_leave(front);
	return page != NULL;
}

/* Whether the calling thread has used the heap, so that it exists. */
static ALWAYS_INLINE bool heap_is_used(const struct heap_ground *ground, const struct heap *heap)
{
	return ground_front(ground, heap) != NULL;
}

/* Locks a heap that no other thread holds. False, and nothing done: ask heap_lock. */
static ALWAYS_INLINE bool heap_lock_quickly(const struct heap_ground *ground, struct heap *heap)
{
	return heap_is_used(ground, heap) && hold_try(heap);
}

/* Whether the calling thread has locked the heap: hold_let_go may unlock it. */
static ALWAYS_INLINE bool heap_is_locked_here(const struct heap_ground *ground,
					      const struct heap *heap)
{
	return heap_is_used(ground, heap) && heap_is_held(heap) && !heap_is_held_by_another(heap);
}

#endif
