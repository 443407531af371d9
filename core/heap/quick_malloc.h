/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The usual calls of the malloc face: a small block, from or to the calling thread's own front.
 * What is not as usual is left to heap_malloc and heap_try_free.
 *
 * Nothing here calls a function, takes a lock, or needs an atomic read-modify-write. */

#ifndef VADTRACE_CORE_HEAP_QUICK_MALLOC_H
#define VADTRACE_CORE_HEAP_QUICK_MALLOC_H

#include "core/base/hints.h"
#include "core/heap/thread.h"

/* NULL: ask heap_malloc. */
static inline void *heap_malloc_quickly(size_t size_bytes)
{
	struct thread_heap *thread = thread_heap;
	struct block *block;

	if (unlikely(size_bytes > DIRECT_BYTES_MAX || !thread || thread->plain.busy))
		return NULL;
	front_mark(&thread->plain);
	block = page_pop_quickly(thread->plain.direct[direct_index(size_bytes)]);
	front_leave(&thread->plain);
	return block;
}

/* Whether the block may go into its page's list without more ado: it is not the page's last one.
 * Of double frees, the one of the block freed last is seen here at no cost; others when the block
 * would be given out twice (page_pop), or its page given back. To look at the block's mark here
 * would wait for the block to come into the cache. */
static inline bool block_may_go(const struct thread_heap *thread, const struct page *page,
				size_t offset, const struct block *block)
{
	return page_owner(page) == (uintptr_t)thread && page_has_block_at(page, offset) &&
	       page_used(page) > 1 && block != page->free && !thread->plain.busy;
}
static_assert(offsetof(struct thread_heap, plain) == 0, "a thread is its plain front");

/* False, and nothing done: ask heap_try_free. */
static inline bool heap_free_quickly(void *address)
{
	struct thread_heap *thread = thread_heap;
	size_t offset;
	struct page *page = page_at(address, &offset);

	if (unlikely(!page || !block_may_go(thread, page, offset, address)))
		return false;
	front_mark(&thread->plain);
	(void)page_push(page, address);
	front_leave(&thread->plain);
	return true;
}

#endif
