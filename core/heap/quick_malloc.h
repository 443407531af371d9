/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The usual calls of the malloc face: a small block, from or to the calling thread's own front.
 * What is not as usual is left to heap_malloc_unusual and heap_free_unusual.
 *
 * They take no lock and need no atomic read-modify-write. */

#ifndef VADTRACE_CORE_HEAP_QUICK_MALLOC_H
#define VADTRACE_CORE_HEAP_QUICK_MALLOC_H

#include "core/base/unheard.h"
#include "core/heap/thread.h"

/* As heap_malloc and heap_try_free; right for usual calls, too. */
void *heap_malloc_unusual(size_t size_bytes);
bool heap_free_unusual(void *block);

static_assert(SMALL_BYTES_END == DIRECT_BYTES_MAX + 1, "a front finds it with one load");

/* NULL: ask heap_malloc_unusual. `only_unheard`: only while no listener is installed.
 * May be called at any time, also where this object is not relocated yet: the thread has no heap
 * then, or what seems to be one seems to be busy. */
static ALWAYS_INLINE void *heap_malloc_quickly(size_t size_bytes, bool only_unheard)
{
	bool is_small = only_unheard ? is_below(size_bytes, &unheard.small_bytes_end)
				     : size_bytes <= DIRECT_BYTES_MAX;
	struct thread_heap *thread = thread_heap;
	struct block *block;

	if (unlikely(!is_small || !thread || thread->plain.busy))
		return NULL;
	front_mark(&thread->plain);
	block = page_pop_quickly(thread->plain.direct[direct_index(size_bytes)]);
	front_leave(&thread->plain);
	return block;
}

/* Of double frees, the one of the block freed last is seen here at no cost; others when the block
 * would be given out twice (page_pop), or its page becomes something else. To look at the block's
 * mark here would wait for the block to come into the cache. */
static inline bool block_may_go(const struct page *page, const struct block *block)
{
	return page_has_block(page, block) && block != page->free;
}

/* Frees a block of the calling thread's, if that is all there is to do; `only_unheard`: only while
 * no listener is installed. False, and nothing done: ask heap_free_unusual.
 * May be called before the dynamic loader has filled in our table of addresses: until there is a
 * segment, nothing here depends on it. */
static ALWAYS_INLINE bool heap_free_quickly(void *address, bool only_unheard)
{
	const uintptr_t *hints =
		only_unheard ? __atomic_load_n(&unheard.hints, __ATOMIC_RELAXED) : chunk_hints;
	struct thread_heap *thread;
	struct page *page;

	/* It is written to last, and may be far away. */
	prefetch_for_write(address);
	if (unlikely(!page_is_hinted_at(hints, address)))
		return false;
	page = page_of_slice(address);
	thread = thread_heap;
	if (unlikely(page_owner(page) != (uintptr_t)thread)) {
		page = page_at(address);
		if (unlikely(page_owner(page) != (uintptr_t)thread))
			return false;
	}
	/* In this order: a thread without a heap is what owns a page that was never used, and such
	 * a page has no blocks. */
	if (unlikely(!block_may_go(page, address) || thread->plain.busy))
		return false;
	front_mark(&thread->plain);
	if (unlikely(page_push(page, address)))
		front_leave_freed(&thread->plain, page);
	else
		front_leave(&thread->plain);
	return true;
}
/* Whether the block, if it is one, is of the calling thread's pages: it is no other that has given
 * it out. */
static inline bool heap_is_own(const void *address)
{
	const struct thread_heap *thread = thread_heap;

	return page_is_at(address) &&
	       (page_owner(page_at(address)) & ~PAGE_FULL) == (uintptr_t)thread && thread;
}
static_assert(offsetof(struct thread_heap, plain) == 0, "a thread is its plain front");

#endif
