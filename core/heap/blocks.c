/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Blocks of either face.
 *
 *   plain block:  [ usable .............................. ]
 *   sized block:  [ exact size ........ | slack | value | trailer ]
 *
 *   trailer ^ block_key:  bits 0-31 exact size, 32-34 user flags, 35 whether there is a value
 *
 * A sized block that fills a span, or a large one, has all of that in its page instead. Knows
 * nothing of threads: who calls with a front has entered it. */

#include "core/heap/blocks.h"

#include <string.h>

#include "core/base/check.h"
#include "core/heap/descriptor.h"
#include "core/heap/segment.h"
#include "core/heap/thread.h"

enum misuse block_examine(const struct page *page, const void *block)
{
	switch (page->kind) {
	case PAGE_BLOCKS:
		return block_examine_in_page(page, block);
	case PAGE_SINGLE:
		return block == page_start(page) ? MISUSE_NONE : MISUSE_INTERIOR;
	case PAGE_LARGE:
		return block == large_block(page) ? MISUSE_NONE : MISUSE_INTERIOR;
	default:
		return MISUSE_FOREIGN;
	}
}

static bool read_trailer(const struct page *page, const void *block, struct block_info *info)
{
	uintptr_t word = *block_trailer(page, block) ^ block_key(block);

	*info = info_of_trailer(word);
	return trailer_is_whole(page, word);
}

bool block_read_info(const struct page *page, const void *block, struct block_info *info)
{
	if (page->sized && page->kind == PAGE_BLOCKS)
		return read_trailer(page, block, info);
	*info = (struct block_info){ .size_bytes = page->block_bytes };
	if (page->sized) {
		info->size_bytes = page->exact_bytes;
		info->user_flags = page->user_flags & HEAP_USER_FLAGS;
		info->has_value = page->user_flags & HEAP_ADD_USER_INFO;
	}
	return info->size_bytes <= page->block_bytes;
}

void block_write_info(struct page *page, void *block, const struct block_info *info)
{
	if (!page->sized)
		return;
	if (page->kind == PAGE_BLOCKS) {
		*block_trailer(page, block) = trailer_of_info(info) ^ block_key(block);
		return;
	}
	page->exact_bytes = info->size_bytes;
	page->user_flags = info->user_flags | (info->has_value ? HEAP_ADD_USER_INFO : 0);
}

static struct span_request big_request(const struct block_request *request)
{
	return (struct span_request){
		.pool = request->heap->pool,
		.heap = request->heap,
		.block_bytes = round_up(request->size_bytes, LARGE_HEADER_BYTES),
		.exact_bytes = request->size_bytes,
		.slices = (uint32_t)((request->size_bytes + SLICE_BYTES - 1) >> SLICE_SHIFT),
		.align_slices = 1,
		.sized = request->sized,
		.kind = PAGE_SINGLE,
	};
}

static size_t span_bytes_max(const struct block_request *request)
{
	if (request->is_grown)
		return GROWN_SPAN_BYTES_MAX;
	return request->sized ? SIZED_SPAN_BYTES_MAX : SPAN_BYTES_MAX;
}

static struct block *take_big(const struct block_request *request, bool *is_zero)
{
	struct span_request span = big_request(request);
	struct page *page;

	if (request->size_bytes > BLOCK_BYTES_LIMIT)
		return NULL;
	if (request->size_bytes > span_bytes_max(request) ||
	    request->alignment_bytes > SPAN_BYTES_MAX) {
		span.kind = PAGE_LARGE;
		return large_take(&span, request->alignment_bytes, is_zero);
	}
	if (request->alignment_bytes > SLICE_BYTES)
		span.align_slices = (uint32_t)(request->alignment_bytes >> SLICE_SHIFT);
	span.may_grow = true;
	page = span_take(&span, is_zero, /* ahead */ NULL);
	return page ? (struct block *)page_start(page) : NULL;
}

/* What was a small block's mark there is cleared, as it is when that is given out. A program that
 * writes nothing may have it copied elsewhere and back by two reallocations, to a small block of
 * the same address, which would look free then. */
void *block_take_big(const struct block_request *request, bool *is_zero)
{
	struct block *block = take_big(request, is_zero);

	if (block && !*is_zero)
		block->mark = 0;
	return block;
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
		page->exact_bytes = size_bytes;
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

/* Fronts that are entered by the same lock, or the same one: the two shared ones are. */
static bool is_entered_with(const struct front *front, const struct front *entered)
{
	return front == entered || (front->lock && front->lock == entered->lock);
}

enum misuse block_return_entered(struct front *entered, struct page *page, void *block)
{
	struct front *front = page_front(page);

	if (page->kind != PAGE_BLOCKS)
		return block_return(page, block);
	if (is_entered_with(front, entered))
		front_free(front, page, block);
	else if (front->lock)
		return return_locked(front, page, block);
	else
		front_free_remote(page, block);
	return MISUSE_NONE;
}

static enum misuse return_to_front(struct page *page, struct block *block)
{
	struct front *front = page_front(page);

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
