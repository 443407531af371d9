/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A front: pages of one owner, in a queue for each size class. Who may touch it:
 *
 *  - a thread's fronts: that thread, between front_enter and front_leave, without any lock;
 *  - a heap's fronts: whoever holds the heap's lock.
 * Everyone else may read a page's owner and push a block to its remote list (front_free_remote).
 *
 * Each store of a fast path comes in such an order that a thread that stops for ever in the middle
 * (siglongjmp out of a handler, fork in another thread) loses at most the block it was at, or keeps
 * its page from ever looking empty. The
 * queues are not that robust; they are derived data: `dirty` tells that they were being changed,
 * and front_rebuild makes them anew from the pages. What a drain had in hand then is lost. */

#ifndef VADTRACE_CORE_HEAP_FRONT_H
#define VADTRACE_CORE_HEAP_FRONT_H

#include "core/base/lock.h"
#include "core/heap/classes.h"
#include "core/heap/layout.h"

struct thread_heap;

/* Pages with room, and with used or free blocks; the first is the class's current page. */
struct page_queue {
	struct page *first, *last;
};

/* A front.
 *  - direct[i] is the current page of class_of_size(16 * i), or page_none; in a sized front, whose
 *    smallest blocks have 32 bytes, the first three are the same;
 *  - each page owned is in the queue of its class, or has PAGE_FULL in its owner;
 *  - `empty` are empty_count pages of one slice without blocks, which any class may have next;
 *  - `notified` is a stack of pages whose remote list is not empty (layout.h), each once.
 * Guarded by: see above; `notified`: atomic. */
struct front {
	uintptr_t busy; /* not 0: stack pointer of the call that is changing this front */
	struct page *direct[DIRECT_COUNT];
	bool sized;
	bool dirty;
	bool from_above; /* takes its pages from the end of a segment: see thread.c */
	uint16_t empty_count;
	uint32_t slow_slices; /* since the front looked at the clock */
	uint32_t taken_spans; /* of the pool, ever; it stops counting at SPANS_BEFORE_OWN */
	uint64_t looked_ns;   /* when pages without blocks were last given back */
	struct page *empty;   /* linked by `next` */
	/* A cache line for who frees what is another thread's: little of it changes. */
	_Alignas(64) _Atomic(struct page *) notified;
	struct lock *lock;                /* NULL: a thread's front */
	struct heap *heap;                /* NULL: the process heap */
	const struct thread_heap *thread; /* NULL: with a lock */
	struct front *next;               /* while it is a spare one */
	_Alignas(64) struct page_queue queues[CLASS_COUNT];
};

/* What direct[] points at when a class has no current page: always without a free block. */
extern CORE_HIDDEN struct page page_none;

void front_set_up(struct front *front, struct heap *heap, struct lock *lock, bool sized);

/* Whether `front`, found busy, is so because of a call that was abandoned: then it is ours. */
bool front_enter_busy(struct front *front);

/* Marks the front, which nobody is changing, as being changed by this call. */
static ALWAYS_INLINE void front_mark(struct front *front)
{
	__asm__ volatile("mov %%rsp, %0" : "=m"(front->busy)::"memory");
}

/* Marks the front as being changed by this call. False: a signal handler interrupted a call that
 * is changing it; the caller must go elsewhere. The mark is a plain store: only this thread and
 * its handlers look at it. */
static inline bool front_enter(struct front *front)
{
	if (unlikely(front->busy))
		return front_enter_busy(front);
	front_mark(front);
	return true;
}

static ALWAYS_INLINE void front_leave(struct front *front)
{
	__atomic_store_n(&front->busy, 0, __ATOMIC_RELEASE);
}

/* Ends the process: the program wrote to a block that it had freed, or freed one twice. */
_Noreturn void front_fail_corrupted(const struct block *block);

/* Gives out the first block of the page's free list, which is marked as it should be. */
static ALWAYS_INLINE struct block *page_take_first(struct page *page, struct block *block)
{
	*(struct block *volatile *)&page->free = block->next;
	/* Who allocates next from this page need not wait for it then. */
	prefetch_for_write(block->next);
	page_add_live(page, block);
	block->mark = 0;
	return block;
}

/* Takes a block from the page's free list; NULL when that is empty. */
static inline struct block *page_pop(struct page *page)
{
	struct block *block = page->free;

	if (unlikely(!block))
		return NULL;
	if (unlikely(block->mark != block_mark(block)))
		front_fail_corrupted(block);
	return page_take_first(page, block);
}

/* The first free block of a page; NULL also when it has been written over. */
static inline struct block *page_pop_quickly(struct page *page)
{
	struct block *block = page->free;

	if (unlikely(!block || block->mark != block_mark(block)))
		return NULL;
	return page_take_first(page, block);
}

/* Puts a block that is no longer live into the page's free list; `key` is the block's. */
static ALWAYS_INLINE void page_link(struct page *page, struct block *block, uintptr_t key)
{
	struct block *next = page->free;

	atomic_signal_fence(memory_order_seq_cst);
	block->next = next;
	block->mark = key ^ (uintptr_t)next;
	atomic_signal_fence(memory_order_seq_cst);
	*(struct block *volatile *)&page->free = block;
}

/* The same of a live one. Returns whether none is live now. Each way has stores of its own, so that
 * no instruction has to remember which it is. */
static ALWAYS_INLINE bool page_link_first(struct page *page, struct block *block, uintptr_t key)
{
	if (unlikely(page_take_live(page, block))) {
		page_link(page, block, key);
		return true;
	}
	page_link(page, block, key);
	return false;
}

static inline bool page_push(struct page *page, struct block *block)
{
	return page_link_first(page, block, block_key(block));
}

/* What a walk of the free list finds: how many there are, and the sum of their addresses. A block
 * that was freed twice makes the list a circle, and ends the process. */
struct page_free_list {
	uint32_t count;
	uintptr_t sum;
};
struct page_free_list page_walk_free(const struct page *page);

/* A block of a class whose current page has none; NULL when there is no memory. */
void *front_allocate_slow(struct front *front, uint32_t size_class);

static inline void *front_allocate(struct front *front, uint32_t size_class)
{
	struct page *page = front->queues[size_class].first;
	struct block *block = page ? page_pop(page) : NULL;

	return likely(block != NULL) ? block : front_allocate_slow(front, size_class);
}

/* What is left to do when page_push gave true, or the page was full. */
void front_page_freed(struct front *front, struct page *page);

/* The same, and front_leave. */
void front_leave_freed(struct front *front, struct page *page);

/* Frees a block of a page of this front. */
static inline void front_free(struct front *front, struct page *page, struct block *block)
{
	if (unlikely(page_push(page, block) || page_owner(page) != (uintptr_t)front))
		front_page_freed(front, page);
}

/* Frees a block that has been copied to a larger one: the page that holds no other is not kept for
 * the next block of its class. */
void front_free_outgrown(struct front *front, struct page *page, struct block *block);

/* Frees a block of any front without touching more than its page's remote list: lock-free. */
void front_free_remote(struct page *page, struct block *block);

/* Takes in what others have freed. */
void front_drain(struct front *front);
/* Gives back all pages without used blocks, but for those that ever held at most `keep_bytes`. */
void front_release_empty(struct front *front, size_t keep_bytes);
/* Makes the queues from the pages. */
void front_rebuild(struct front *front);
/* Takes over a front whose thread is gone, or gave up in the middle of a call. */
void front_recover(struct front *front);
void front_check(const struct front *front);

#endif
