/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The malloc face.
 *
 *   heap_malloc:  size -> direct[] of the thread's front -> page -> its first free block
 *   heap_free:    address -> segment -> page -> owner is our front? -> into the page's list
 *
 * These two paths are those of quick_malloc.h; all else is in the slow ones here. */

#include "core/heap/heap.h"

#include <string.h>

#include "core/base/check.h"
#include "core/base/hints.h"
#include "core/base/status.h"
#include "core/heap/blocks.h"
#include "core/heap/checked.h"
#include "core/heap/quick_malloc.h"
#include "core/heap/remote.h"
#include "core/heap/segment.h"
#include "core/heap/thread.h"

static void *take_of_class(uint32_t size_class)
{
	struct front *front = thread_enter(/* sized */ false);
	void *block;

	if (likely(front != NULL)) {
		block = front_allocate(front, size_class);
		front_leave(front);
		return block;
	}
	front = shared_enter(/* sized */ false);
	block = front_allocate(front, size_class);
	shared_leave(front);
	return block;
}

static void *take_big(size_t size_bytes, size_t alignment_bytes, bool *is_zero)
{
	const struct block_request request = {
		.heap = heap_native(),
		.size_bytes = size_bytes,
		.alignment_bytes = alignment_bytes,
	};

	return block_take_big(&request, is_zero);
}

static void *take_checked(size_t alignment_bytes, size_t size_bytes, bool is_zero)
{
	const struct checked_request request = {
		.heap = heap_native(),
		.info = { .size_bytes = size_bytes },
		.alignment_bytes = alignment_bytes,
		.is_zero = is_zero,
		.is_malloc = true,
	};

	return checked_take(&request);
}

void *heap_malloc_unusual(size_t size_bytes)
{
	bool is_zero;

	if (checked_is_on())
		return take_checked(BLOCK_BYTES_MIN, size_bytes, /* is_zero */ false);
	if (size_bytes <= CLASS_BYTES_MAX)
		return take_of_class(class_of_size(size_bytes));
	return take_big(size_bytes, BLOCK_BYTES_MIN, &is_zero);
}

void *heap_malloc(size_t size_bytes)
{
	void *block = heap_malloc_quickly(size_bytes, /* only_unheard */ false);

	return likely(block != NULL) ? block : heap_malloc_unusual(size_bytes);
}

void *heap_calloc(size_t size_bytes)
{
	bool is_zero = false;
	void *block;

	if (checked_is_on())
		return take_checked(BLOCK_BYTES_MIN, size_bytes, /* is_zero */ true);
	if (size_bytes <= CLASS_BYTES_MAX)
		block = heap_malloc(size_bytes);
	else
		block = take_big(size_bytes, BLOCK_BYTES_MIN, &is_zero);
	if (block && !is_zero)
		memset(block, 0, size_bytes);
	return block;
}

/* Spans start at slices and blocks lie side by side: a block is aligned to what divides its size,
 * up to a slice. */
static void *take_aligned_of_class(size_t alignment_bytes, size_t size_bytes)
{
	uint32_t size_class = class_of_size(size_bytes);

	while (class_bytes(size_class) % alignment_bytes)
		size_class++;
	return take_of_class(size_class);
}

void *heap_memalign(size_t alignment_bytes, size_t size_bytes)
{
	bool is_zero;

	if (alignment_bytes <= BLOCK_BYTES_MIN)
		return heap_malloc(size_bytes);
	if (checked_is_on())
		return take_checked(alignment_bytes, size_bytes, /* is_zero */ false);
	if (size_bytes < alignment_bytes)
		size_bytes = alignment_bytes;
	if (size_bytes <= CLASS_BYTES_MAX && alignment_bytes <= SLICE_BYTES)
		return take_aligned_of_class(alignment_bytes, size_bytes);
	return take_big(size_bytes, alignment_bytes, &is_zero);
}

static __attribute__((noinline)) void free_slow(struct page *page, void *block)
{
	enum misuse misuse = block_examine(page, block);

	if (misuse == MISUSE_NONE)
		misuse = block_return(page, block);
	if (unlikely(misuse != MISUSE_NONE))
		misuse_abort(API_free, misuse, block);
}

/* The first block of a full page of the calling thread's own: where none is free, none can be freed
 * twice. False, and nothing done: it is another. */
static bool free_in_full(struct page *page, struct block *block)
{
	struct thread_heap *thread = thread_heap;

	if (thread->plain.busy || page->free || page_is_notified(page) ||
	    !page_has_block(page, block))
		return false;
	front_mark(&thread->plain);
	page_push(page, block);
	front_leave_freed(&thread->plain, page);
	return true;
}

/* A block of another thread's front for malloc. False, and nothing done: it is another. */
static bool free_in_other(struct page *page, struct block *block)
{
	if (page->kind != PAGE_BLOCKS || page->sized || page->is_locked ||
	    block_examine_in_page(page, block) != MISUSE_NONE)
		return false;
	front_free_remote(page, block);
	return true;
}

/* The commonest of the unusual frees. False, and nothing done: it is none of them. */
static bool free_in_pages(struct page *page, struct block *block)
{
	uintptr_t owner = page_owner(page), own = (uintptr_t)thread_heap;

	if (own && owner == (own | PAGE_FULL))
		return free_in_full(page, block);
	return owner != own && free_in_other(page, block);
}

static bool free_checked(void *block)
{
	enum misuse misuse;

	if (!heap_owns(block))
		return !block;
	misuse = checked_return(heap_native(), block);
	if (misuse != MISUSE_NONE)
		misuse_abort(API_free, misuse, block);
	return true;
}

bool heap_free_unusual(void *block)
{
	struct page *page = page_of(block);

	if (checked_is_on())
		return free_checked(block);
	if (unlikely(!page))
		return !block;
	if (!free_in_pages(page, block))
		free_slow(page, block);
	return true;
}

bool heap_try_free(void *block)
{
	return likely(heap_free_quickly(block, /* only_unheard */ false)) ||
	       heap_free_unusual(block);
}

void heap_free(void *block)
{
	if (unlikely(!heap_try_free(block)))
		misuse_abort(API_free, MISUSE_FOREIGN, block);
}

/* The page of a block that the program gave to `api`. */
static struct page *page_of_argument(enum api api, const void *block)
{
	struct page *page = page_of(block);
	enum misuse misuse = page ? block_examine(page, block) : MISUSE_FOREIGN;

	if (unlikely(misuse != MISUSE_NONE))
		misuse_abort(api, misuse, block);
	return page;
}

static size_t usable_size_checked(const void *block)
{
	struct misuse_report report;
	struct block_info info;

	if (checked_read_info(heap_native(), block, &info))
		return info.size_bytes;
	misuse_examine(heap_native(), block, &report);
	misuse_abort(API_malloc_usable_size, report.misuse, block);
}

size_t heap_usable_size(const void *block)
{
	struct block_info info;
	struct page *page;

	if (!block)
		return 0;
	if (checked_is_on())
		return usable_size_checked(block);
	page = page_of_argument(API_malloc_usable_size, block);
	if (!block_read_info(page, block, &info))
		misuse_abort(API_malloc_usable_size, MISUSE_OVERRUN, block);
	return info.size_bytes;
}

/* A smaller size keeps the block unless half of it would be wasted. */
static bool fits(const struct page *page, size_t size_bytes)
{
	return page->kind == PAGE_BLOCKS && !page->sized && size_bytes <= page->block_bytes &&
	       (size_bytes >= page->block_bytes / 2 || page->block_bytes <= 2 * BLOCK_BYTES_MIN);
}

/* What grew once will grow again: in a span of its own it does so in place, and above that the
 * system moves its pages. The block of each class on the way would be filled with a copy. */
static void *take_grown(size_t size_bytes)
{
	const struct block_request request = {
		.heap = heap_native(),
		.size_bytes = size_bytes,
		.alignment_bytes = BLOCK_BYTES_MIN,
		.is_grown = true,
	};
	bool is_zero;

	return block_take_big(&request, &is_zero);
}

/* Frees a block of which there is a larger copy. */
static void free_outgrown(struct page *page, struct block *block)
{
	struct thread_heap *thread = thread_heap;

	if (page_owner(page) != (uintptr_t)thread || thread->plain.busy) {
		free_slow(page, block);
		return;
	}
	front_mark(&thread->plain);
	front_free_outgrown(&thread->plain, page, block);
	front_leave(&thread->plain);
}

static void *move_block(struct page *page, void *block, size_t size_bytes)
{
	size_t old_bytes = heap_usable_size(block);
	bool is_grown = size_bytes > old_bytes;
	void *moved = is_grown && size_bytes > GROWN_BYTES_MIN ? take_grown(size_bytes)
							       : heap_malloc(size_bytes);

	if (!moved)
		return NULL;
	memcpy(moved, block, is_grown ? old_bytes : size_bytes);
	if (is_grown)
		free_outgrown(page, block);
	else
		free_slow(page, block);
	return moved;
}

/* Whether a block becomes so large that the system had better move it from now on. */
static bool outgrows_span(const struct page *page, size_t size_bytes)
{
	return page->kind == PAGE_SINGLE && page->block_bytes <= GROWN_SPAN_BYTES_MAX &&
	       size_bytes > GROWN_SPAN_BYTES_MAX;
}

static void *resize_checked(void *block, size_t size_bytes)
{
	struct misuse_report report;
	NTSTATUS status;
	void *resized = checked_resize(heap_native(), 0, block, size_bytes, &status);

	if (status != STATUS_INVALID_PARAMETER)
		return resized;
	misuse_examine(heap_native(), block, &report);
	misuse_abort(API_realloc, report.misuse, block);
}

void *heap_realloc(void *block, size_t size_bytes)
{
	struct page *page;
	void *resized;

	if (!block)
		return heap_malloc(size_bytes);
	if (checked_is_on())
		return resize_checked(block, size_bytes);
	page = page_of_argument(API_realloc, block);
	if (fits(page, size_bytes))
		return block;
	if (size_bytes > GROWN_BYTES_MIN && !page->sized && !outgrows_span(page, size_bytes)) {
		resized = block_resize_big(page, block, size_bytes, /* may_move */ true);
		if (resized)
			return resized;
	}
	return move_block(page, block, size_bytes);
}

bool heap_trim(void)
{
	thread_release_own();
	threads_reap(/* wholly */ true);
	return segments_trim();
}
