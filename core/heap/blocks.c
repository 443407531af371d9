/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Blocks of either face.
 *
 *   plain block:  [ usable .............................. ]
 *   sized block:  [ exact size ........ | slack | trailer ]   trailer = exact size ^ block_key
 *
 * A sized block that fills a span, or a large one, has its exact size in its page instead. Knows
 * nothing of threads: who calls with a front has entered it. */

#include "core/heap/blocks.h"

#include <string.h>

#include "core/base/check.h"
#include "core/heap/segment.h"
#include "core/heap/thread.h"

static enum misuse examine_in_page(const struct page *page, const struct block *block)
{
	size_t offset = (size_t)((const char *)block - page_start(page));

	if (offset >= page_carved_bytes(page))
		return MISUSE_FOREIGN;
	if (!page_has_block_at(page, offset))
		return MISUSE_INTERIOR;
	return block->mark == block_mark(block) ? MISUSE_DOUBLE_FREE : MISUSE_NONE;
}

enum misuse block_examine(const struct page *page, const void *block)
{
	switch (page->kind) {
	case PAGE_BLOCKS:
		return examine_in_page(page, block);
	case PAGE_SINGLE:
		return block == page_start(page) ? MISUSE_NONE : MISUSE_INTERIOR;
	case PAGE_LARGE:
		return block == large_block(page) ? MISUSE_NONE : MISUSE_INTERIOR;
	default:
		return MISUSE_FOREIGN;
	}
}

size_t block_capacity(const struct page *page)
{
	bool has_trailer = page->kind == PAGE_BLOCKS && page->sized;

	return page->block_bytes - (has_trailer ? TRAILER_BYTES : 0);
}

static uintptr_t *trailer_of(const struct page *page, const void *block)
{
	return (uintptr_t *)((uintptr_t)block + page->block_bytes - TRAILER_BYTES);
}

bool block_read_size(const struct page *page, const void *block, size_t *size_bytes)
{
	size_t size;

	if (!page->sized)
		size = page->block_bytes;
	else if (page->kind == PAGE_BLOCKS)
		size = *trailer_of(page, block) ^ block_key(block);
	else
		size = page->exact_bytes;
	if (size > block_capacity(page))
		return false;
	*size_bytes = size;
	return true;
}

void block_write_size(struct page *page, void *block, size_t size_bytes)
{
	if (!page->sized)
		return;
	if (page->kind == PAGE_BLOCKS)
		*trailer_of(page, block) = size_bytes ^ block_key(block);
	else
		page->exact_bytes = size_bytes;
}

static struct span_request big_request(const struct block_request *request)
{
	return (struct span_request){
		.heap = request->heap,
		.block_bytes = round_up(request->size_bytes, LARGE_HEADER_BYTES),
		.exact_bytes = request->size_bytes,
		.slices = (uint32_t)((request->size_bytes + SLICE_BYTES - 1) >> SLICE_SHIFT),
		.align_slices = 1,
		.sized = request->sized,
		.kind = PAGE_SINGLE,
	};
}

void *block_take_big(const struct block_request *request, bool *is_zero)
{
	struct span_request span = big_request(request);
	struct page *page;

	if (request->size_bytes > BLOCK_BYTES_LIMIT)
		return NULL;
	if (request->size_bytes > SPAN_BYTES_MAX || request->alignment_bytes > SPAN_BYTES_MAX) {
		span.kind = PAGE_LARGE;
		return large_take(&span, request->alignment_bytes, is_zero);
	}
	if (request->alignment_bytes > SLICE_BYTES)
		span.align_slices = (uint32_t)(request->alignment_bytes >> SLICE_SHIFT);
	span.may_grow = true;
	page = span_take(&span, is_zero);
	return page ? page_start(page) : NULL;
}

static bool is_worth_keeping(size_t old_bytes, size_t new_bytes)
{
	return new_bytes >= old_bytes / 2;
}

void *block_resize_big(struct page *page, void *block, size_t size_bytes, bool may_move)
{
	size_t rounded = round_up(size_bytes, LARGE_HEADER_BYTES);

	if (size_bytes > BLOCK_BYTES_LIMIT || page->kind == PAGE_BLOCKS)
		return NULL;
	if (may_move && !is_worth_keeping(page->block_bytes, size_bytes) &&
	    size_bytes <= SPAN_BYTES_MAX)
		return NULL;
	if (page->kind == PAGE_LARGE && may_move)
		return large_resize(page, size_bytes, size_bytes);
	if (size_bytes <= page->block_bytes) {
		block_write_size(page, block, size_bytes);
		return block;
	}
	if (page->kind == PAGE_LARGE || size_bytes > SPAN_BYTES_MAX)
		return NULL;
	return span_resize_single(page, rounded, size_bytes) ? block : NULL;
}

/* The lock's holder may have freed it a moment ago. */
static enum misuse return_locked(struct front *front, struct page *page, struct block *block)
{
	enum misuse misuse;

	lock_acquire(front->lock);
	misuse = block_examine(page, block);
	if (misuse == MISUSE_NONE)
		front_free(front, page, block);
	lock_release(front->lock);
	return misuse;
}

static enum misuse return_to_front(struct page *page, struct block *block)
{
	struct front *front = (struct front *)(page_owner(page) & ~PAGE_FULL);

	if (front->lock)
		return return_locked(front, page, block);
	if (thread_owns(front) && front_enter(front)) {
		front_free(front, page, block);
		front_leave(front);
		return MISUSE_NONE;
	}
	front_free_remote(page, block);
	return MISUSE_NONE;
}

enum misuse block_return(struct page *page, void *block)
{
	switch (page->kind) {
	case PAGE_BLOCKS:
		return return_to_front(page, block);
	case PAGE_SINGLE:
		return span_return_single(page) ? MISUSE_NONE : MISUSE_DOUBLE_FREE;
	case PAGE_LARGE:
		return large_return(page) ? MISUSE_NONE : MISUSE_DOUBLE_FREE;
	default:
		return MISUSE_DOUBLE_FREE;
	}
}
