/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The Win32 face.
 *
 *   process heap:  each thread's `sized` front (thread.h), lock-free; cannot be destroyed
 *   other heaps:   struct heap, at the start of a VAD of its own, whose address is the handle;
 *                  one front, one lock (also with HEAP_NO_SERIALIZE: a lock too many is allowed)
 *
 * Blocks are sized: align16(max(size, 16) + 8) apart as in Windows. A heap of fixed size counts its
 * blocks' bytes against its maximum. Natively there is nobody to catch an exception, so
 * HEAP_GENERATE_EXCEPTIONS fails like its absence: with the status. Guarded by: heaps_lock (the
 * list), each heap's lock. Source: Microsoft's documentation of heapapi.h. */

#include "core/heap/heap.h"

#include <string.h>

#include "core/base/check.h"
#include "core/base/status.h"
#include "core/heap/blocks.h"
#include "core/heap/pool.h"
#include "core/heap/segment.h"
#include "core/heap/thread.h"

/* One heap.
 *  - maximum_bytes is 0 (growable), or taken_bytes <= maximum_bytes;
 *  - next leads to all heaps but the process heap.
 * Guarded by: lock; next: heaps_lock. */
struct heap {
	struct lock lock;
	struct front front;
	struct heap *next;
	size_t maximum_bytes;
	size_t taken_bytes;
	uint32_t flags;
};

/* Of a fixed heap's maximum, what its own administration takes; and the largest block that it
 * gives ("slightly less than 1024 KB" for a 64-bit process). */
#define HEAP_OVERHEAD_BYTES ((size_t)2048)
#define FIXED_BLOCK_BYTES_MAX ((size_t)0xff000)

static struct lock heaps_lock = LOCK_INITIALIZER(LOCK_RANK_HEAPS);
static struct heap *heaps;
static struct heap process_heap = { .lock = LOCK_INITIALIZER(LOCK_RANK_HEAP),
				    .flags = HEAP_GROWABLE };

struct heap *heap_process(void)
{
	return &process_heap;
}

static bool set_status(NTSTATUS *where, NTSTATUS status)
{
	if (where)
		*where = status;
	return status_is_success(status);
}

static void *fail(NTSTATUS *where, NTSTATUS status)
{
	set_status(where, status);
	return NULL;
}

static void set_up(struct heap *heap, uint32_t flags, size_t maximum_bytes)
{
	heap->lock = (struct lock)LOCK_INITIALIZER(LOCK_RANK_HEAP);
	heap->flags = flags | (maximum_bytes ? 0 : HEAP_GROWABLE);
	heap->maximum_bytes = maximum_bytes;
	heap->taken_bytes = HEAP_OVERHEAD_BYTES;
	front_set_up(&heap->front, heap, &heap->lock, /* sized */ true);
}

struct heap *heap_create(uint32_t flags, size_t initial_bytes, size_t maximum_bytes,
			 NTSTATUS *status)
{
	size_t bytes = sizeof(struct heap);
	struct heap *heap;

	if (initial_bytes > BLOCK_BYTES_LIMIT || maximum_bytes > BLOCK_BYTES_LIMIT)
		return fail(status, STATUS_NO_MEMORY);
	if (maximum_bytes && maximum_bytes < initial_bytes)
		maximum_bytes = initial_bytes;
	heap = pool_reserve(&bytes, /* alignment_bytes */ 0);
	if (!heap)
		return fail(status, STATUS_NO_MEMORY);
	set_up(heap, flags, round_up(maximum_bytes, LARGE_HEADER_BYTES));
	lock_acquire(&heaps_lock);
	heap->next = heaps;
	heaps = heap;
	lock_release(&heaps_lock);
	set_status(status, STATUS_SUCCESS);
	return heap;
}

static struct heap **find_locked(const struct heap *heap)
{
	struct heap **link = &heaps;

	while (*link && *link != heap)
		link = &(*link)->next;
	return *link ? link : NULL;
}

bool heap_is_destroyable(const struct heap *heap)
{
	bool found;

	lock_acquire(&heaps_lock);
	found = find_locked(heap) != NULL;
	lock_release(&heaps_lock);
	return found;
}

/* Locks a heap other than the process heap; false when `heap` is none. */
static bool open_heap(struct heap *heap)
{
	bool found;

	lock_acquire(&heaps_lock);
	found = find_locked(heap) != NULL;
	if (found)
		lock_acquire(&heap->lock);
	lock_release(&heaps_lock);
	return found;
}

static void close_heap(struct heap *heap)
{
	lock_release(&heap->lock);
}

bool heap_destroy(struct heap *heap, NTSTATUS *status)
{
	struct heap **link;

	lock_acquire(&heaps_lock);
	link = find_locked(heap);
	if (link)
		*link = heap->next;
	lock_release(&heaps_lock);
	if (!link)
		return set_status(status, STATUS_INVALID_HANDLE);
	/* Who found it before is done when the lock is ours; nobody finds it now. */
	lock_acquire(&heap->lock);
	lock_release(&heap->lock);
	segments_return_heap(heap);
	(void)pool_release(heap);
	return set_status(status, STATUS_SUCCESS);
}

/* What a block of this exact size takes, trailer included. */
static size_t gross_bytes(size_t size_bytes)
{
	return (size_bytes > BLOCK_BYTES_MIN ? size_bytes : BLOCK_BYTES_MIN) + TRAILER_BYTES;
}

/* A block from an entered front, or from the pool if it is big. */
static void *take_block(struct heap *heap, struct front *front, size_t size_bytes, bool *is_zero)
{
	const struct block_request big = {
		.heap = heap,
		.size_bytes = size_bytes,
		.alignment_bytes = BLOCK_BYTES_MIN,
		.sized = true,
	};

	*is_zero = false;
	if (size_bytes > CLASS_BYTES_MAX - TRAILER_BYTES)
		return block_take_big(&big, is_zero);
	return front_allocate(front, class_of_size(gross_bytes(size_bytes)));
}

static void *take_from_process(size_t size_bytes, bool *is_zero)
{
	struct front *front;
	void *block;

	if (size_bytes > CLASS_BYTES_MAX - TRAILER_BYTES)
		return take_block(&process_heap, NULL, size_bytes, is_zero);
	front = thread_enter(/* sized */ true);
	if (front) {
		block = take_block(&process_heap, front, size_bytes, is_zero);
		front_leave(front);
		return block;
	}
	front = shared_enter(/* sized */ true);
	block = take_block(&process_heap, front, size_bytes, is_zero);
	shared_leave(front);
	return block;
}

/* What a block counts against its heap's maximum. */
static size_t charge_for(size_t size_bytes)
{
	if (size_bytes > CLASS_BYTES_MAX - TRAILER_BYTES)
		return round_up(size_bytes, LARGE_HEADER_BYTES);
	return class_bytes(class_of_size(gross_bytes(size_bytes)));
}

/* Whether a heap of fixed size may give a block of this size. */
static bool has_room_locked(const struct heap *heap, size_t size_bytes)
{
	if (!heap->maximum_bytes)
		return true;
	return size_bytes < FIXED_BLOCK_BYTES_MAX &&
	       charge_for(size_bytes) <= heap->maximum_bytes - heap->taken_bytes;
}

static void *take_from_heap_locked(struct heap *heap, size_t size_bytes, bool *is_zero)
{
	void *block;

	if (!has_room_locked(heap, size_bytes))
		return NULL;
	block = take_block(heap, &heap->front, size_bytes, is_zero);
	if (block)
		heap->taken_bytes += page_of(block)->block_bytes;
	return block;
}

/* STATUS_INVALID_HANDLE, STATUS_NO_MEMORY or success with *block. */
static NTSTATUS take(struct heap *heap, size_t size_bytes, void **block, bool *is_zero)
{
	if (heap == &process_heap) {
		*block = take_from_process(size_bytes, is_zero);
		return *block ? STATUS_SUCCESS : STATUS_NO_MEMORY;
	}
	if (!open_heap(heap))
		return STATUS_INVALID_HANDLE;
	*block = take_from_heap_locked(heap, size_bytes, is_zero);
	close_heap(heap);
	return *block ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}

void *heap_allocate(struct heap *heap, uint32_t flags, size_t size_bytes, NTSTATUS *status)
{
	NTSTATUS result = STATUS_NO_MEMORY;
	bool is_zero = false;
	void *block = NULL;

	if (size_bytes <= BLOCK_BYTES_LIMIT)
		result = take(heap, size_bytes, &block, &is_zero);
	if (!set_status(status, result))
		return NULL;
	block_write_size(page_of(block), block, size_bytes);
	if ((flags & HEAP_ZERO_MEMORY) && !is_zero)
		memset(block, 0, size_bytes);
	return block;
}

/* The page of a block of this heap that is not free; NULL for anything else. */
static struct page *page_of_heap(const struct heap *heap, const void *block)
{
	struct page *page = page_of(block);

	if (!page || page->heap != heap || block_examine(page, block) != MISUSE_NONE)
		return NULL;
	return page;
}

static NTSTATUS release_locked(struct heap *heap, struct page *page, void *block)
{
	size_t size_bytes, charge = page->block_bytes;

	if (!block_read_size(page, block, &size_bytes))
		return STATUS_INVALID_PARAMETER;
	if (page->kind == PAGE_BLOCKS)
		front_free(&heap->front, page, block);
	else if (block_return(page, block) != MISUSE_NONE)
		return STATUS_INVALID_PARAMETER;
	heap->taken_bytes -= charge;
	return STATUS_SUCCESS;
}

static NTSTATUS release_from_process(struct page *page, void *block)
{
	size_t size_bytes;

	if (!block_read_size(page, block, &size_bytes))
		return STATUS_INVALID_PARAMETER;
	return block_return(page, block) == MISUSE_NONE ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

bool heap_release(struct heap *heap, uint32_t flags, void *block, NTSTATUS *status)
{
	NTSTATUS result = STATUS_INVALID_PARAMETER;
	struct page *page;

	if (!block)
		return set_status(status, STATUS_SUCCESS);
	if (heap != &process_heap && !open_heap(heap))
		return set_status(status, STATUS_INVALID_HANDLE);
	page = page_of_heap(heap, block);
	if (page && heap == &process_heap)
		result = release_from_process(page, block);
	else if (page)
		result = release_locked(heap, page, block);
	if (heap != &process_heap)
		close_heap(heap);
	return set_status(status, result);
}

size_t heap_size(struct heap *heap, uint32_t flags, const void *block)
{
	size_t size_bytes = SIZE_MAX;
	struct page *page;

	if (heap != &process_heap && !open_heap(heap))
		return SIZE_MAX;
	page = page_of_heap(heap, block);
	if (page && !block_read_size(page, block, &size_bytes))
		size_bytes = SIZE_MAX;
	if (heap != &process_heap)
		close_heap(heap);
	return size_bytes;
}

static void *resize_in_place(struct page *page, void *block, size_t size_bytes)
{
	if (page->kind != PAGE_BLOCKS)
		return block_resize_big(page, block, size_bytes, /* may_move */ false);
	if (size_bytes > block_capacity(page))
		return NULL;
	block_write_size(page, block, size_bytes);
	return block;
}

/* A block that shrinks to less than half gives its place up, unless it must stay. */
static bool should_move(const struct page *page, uint32_t flags, size_t size_bytes)
{
	return !(flags & HEAP_REALLOC_IN_PLACE_ONLY) && size_bytes < block_capacity(page) / 2 &&
	       page->block_bytes > 4 * BLOCK_BYTES_MIN;
}

static void *move_block(struct heap *heap, void *block, size_t old_bytes, size_t size_bytes,
			NTSTATUS *status)
{
	void *moved = heap_allocate(heap, 0, size_bytes, status);

	if (!moved)
		return NULL;
	memcpy(moved, block, old_bytes < size_bytes ? old_bytes : size_bytes);
	heap_release(heap, 0, block, NULL);
	return moved;
}

static void *resize(struct heap *heap, uint32_t flags, struct page *page, void *block,
		    size_t size_bytes, NTSTATUS *status)
{
	size_t old_bytes;
	void *resized = NULL;

	if (!block_read_size(page, block, &old_bytes))
		return fail(status, STATUS_INVALID_PARAMETER);
	set_status(status, STATUS_SUCCESS);
	if (!should_move(page, flags, size_bytes))
		resized = resize_in_place(page, block, size_bytes);
	if (!resized && (flags & HEAP_REALLOC_IN_PLACE_ONLY))
		return fail(status, STATUS_NO_MEMORY);
	if (!resized)
		resized = move_block(heap, block, old_bytes, size_bytes, status);
	if (resized && (flags & HEAP_ZERO_MEMORY) && size_bytes > old_bytes)
		memset((char *)resized + old_bytes, 0, size_bytes - old_bytes);
	return resized;
}

void *heap_reallocate(struct heap *heap, uint32_t flags, void *block, size_t size_bytes,
		      NTSTATUS *status)
{
	struct page *page;

	if (size_bytes > BLOCK_BYTES_LIMIT)
		return fail(status, STATUS_NO_MEMORY);
	if (heap != &process_heap && !open_heap(heap))
		return fail(status, STATUS_INVALID_HANDLE);
	page = page_of_heap(heap, block);
	if (heap != &process_heap)
		close_heap(heap);
	if (!page)
		return fail(status, STATUS_INVALID_PARAMETER);
	return resize(heap, flags, page, block, size_bytes, status);
}

static void lock_each(void (*act)(struct lock *lock))
{
	for (struct heap *heap = heaps; heap; heap = heap->next)
		act(&heap->lock);
}

static void adopt_and_release(struct lock *lock)
{
	lock_fork_adopt(lock);
	lock_release(lock);
}

void heap_fork_prepare(void)
{
	lock_acquire(&heaps_lock);
	threads_fork_prepare();
	lock_each(lock_acquire);
	segments_fork_prepare();
}

void heap_fork_parent(void)
{
	segments_fork_parent();
	lock_each(lock_release);
	threads_fork_parent();
	lock_release(&heaps_lock);
}

void heap_fork_child(void)
{
	segments_fork_child();
	lock_each(adopt_and_release);
	threads_fork_child();
	adopt_and_release(&heaps_lock);
}

static void check_heap(struct heap *heap)
{
	lock_acquire(&heap->lock);
	check(!heap->maximum_bytes || heap->taken_bytes <= heap->maximum_bytes,
	      "a heap larger than its maximum");
	front_check(&heap->front);
	lock_release(&heap->lock);
}

void heap_check(void)
{
	lock_acquire(&heaps_lock);
	for (struct heap *heap = heaps; heap; heap = heap->next)
		check_heap(heap);
	lock_release(&heaps_lock);
	threads_check();
	segments_check();
}

void heap_get_statistics(struct heap_statistics *statistics)
{
	segments_get_statistics(statistics);
}
