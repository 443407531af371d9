/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Large blocks: each in a segment of its own, which is a VAD of its own.
 *
 *   region                header (4 MiB boundary)           end of region
 *   [ unused if aligned   | struct segment, one page | block            ]
 *
 *   take -> large list -> return -> cached list, newest first -> taken again, or back to vm
 *
 * The block is at most 4 MiB past the header. A freed region keeps its pages for a while, because
 * the system takes far longer to make pages than a program to fill them; when it is taken again for
 * another size, its page tables grow or shrink and its contents stay; what is much too large is
 * split, and its rest stays in the cache. Guarded by: the pool's lock. */

#include <string.h>

#include "core/base/check.h"
#include "core/heap/pool.h"
#include "core/heap/stock.h"
#include "core/vm/virtual.h"

/* What the cache may always hold, besides a quarter of what is in use; and how many regions. */
#define CACHE_BYTES ((size_t)32 << 20)
#define CACHE_REGIONS 32
/* A smaller rest of a region that is taken again goes back to vm. */
#define REST_BYTES_MIN ((size_t)1 << 20)

/* From the region's start to the block. */
static size_t block_offset(size_t alignment_bytes)
{
	return alignment_bytes > LARGE_HEADER_BYTES ? alignment_bytes : LARGE_HEADER_BYTES;
}

/* The header lies right at the region's start, or one chunk before a block of great alignment. */
static struct segment *header_of(char *region, size_t offset)
{
	return (struct segment *)(offset <= SEGMENT_BYTES ? region
							  : region + offset - SEGMENT_BYTES);
}

void *large_block(const struct page *page)
{
	struct segment *segment = segment_of_page(page);

	return (char *)segment + page->limit;
}

/* Makes a region's segment known; its page is described by the caller. */
static void enlist_locked(struct segment *segment, enum segment_list_name list)
{
	pool_link_locked(segment, list);
	if (list == SEGMENTS_LARGE)
		segment->pool->large_bytes += segment->region_bytes;
	else
		segment->pool->cached_bytes += segment->region_bytes;
}

static void delist_locked(struct segment *segment)
{
	pool_unlink_locked(segment);
	if (segment->list == SEGMENTS_LARGE)
		segment->pool->large_bytes -= segment->region_bytes;
	else
		segment->pool->cached_bytes -= segment->region_bytes;
}

static struct segment *reserve_locked(struct pool *pool, size_t offset, size_t region_bytes,
				      size_t alignment_bytes)
{
	char *region =
		pool_reserve(pool, &region_bytes,
			     alignment_bytes > SEGMENT_BYTES ? alignment_bytes : SEGMENT_BYTES);
	struct segment *segment;

	if (!region)
		return NULL;
	pool_choose_secret();
	segment = header_of(region, offset);
	segment->pool = pool;
	segment->region = region;
	segment->region_bytes = region_bytes;
	pool_map_locked(segment, /* ours */ true);
	pool_count_locked(pool, region_bytes, 0);
	return segment;
}

/* Gives a segment that is in no list another size; NULL and unchanged when that fails. */
static struct segment *resize_locked(struct segment *segment, size_t region_bytes)
{
	const struct vm_request request = { .owner = EVENT_OWNER_HEAP,
					    .alignment_bytes = SEGMENT_BYTES };
	size_t lead = (size_t)((char *)segment - (char *)segment->region);
	size_t old_bytes = segment->region_bytes;
	void *region = segment->region;
	bool is_done;

	pool_map_locked(segment, /* ours */ false);
	is_done = vm_resize(region, old_bytes, region_bytes, &region, &request) >= 0;
	if (is_done) {
		segment = (struct segment *)((char *)region + lead);
		segment->region = region;
		segment->region_bytes = region_bytes;
		pool_count_locked(segment->pool, region_bytes, old_bytes);
	}
	pool_map_locked(segment, /* ours */ true);
	return is_done ? segment : NULL;
}

/* Whether `a` suits better: large enough and smaller, or at least the larger of two small ones. */
static bool suits_better(const struct segment *a, const struct segment *b, size_t bytes)
{
	if (!b)
		return true;
	if (a->region_bytes >= bytes)
		return b->region_bytes < bytes || a->region_bytes < b->region_bytes;
	return b->region_bytes < a->region_bytes;
}

/* Of a region that is in no list, keeps what is needed, up to a chunk's end, and caches the rest as
 * a region of its own. Where that cannot be done, nothing is changed. */
static void split_locked(struct segment *segment, size_t bytes)
{
	const struct vm_request request = { .owner = EVENT_OWNER_HEAP };
	size_t first_bytes = round_up(bytes, SEGMENT_BYTES), old_bytes = segment->region_bytes;
	struct segment *rest = (struct segment *)((char *)segment->region + first_bytes);

	if (old_bytes < first_bytes + REST_BYTES_MIN ||
	    vm_split(segment->region, old_bytes, first_bytes, &request) < 0)
		return;
	segment->region_bytes = first_bytes;
	memset(rest, 0, LARGE_HEADER_BYTES);
	rest->pool = segment->pool;
	rest->region = rest;
	rest->region_bytes = old_bytes - first_bytes;
	page_set_owner(&rest->pages[0], PAGE_FULL);
	pool_map_locked(rest, /* ours */ true);
	enlist_locked(rest, SEGMENTS_CACHED);
}

static struct segment *take_cached_locked(const struct pool *pool, size_t bytes)
{
	struct segment *best = NULL, *resized;

	for (struct segment *s = pool->lists[SEGMENTS_CACHED]; s; s = s->next) {
		if (s == s->region && suits_better(s, best, bytes))
			best = s;
	}
	if (!best)
		return NULL;
	delist_locked(best);
	split_locked(best, bytes);
	if (best->region_bytes >= bytes && best->region_bytes - bytes <= bytes / 8)
		return best;
	resized = resize_locked(best, round_up(bytes, LARGE_HEADER_BYTES));
	if (!resized)
		enlist_locked(best, SEGMENTS_CACHED);
	return resized;
}

static void *set_up_locked(struct segment *segment, size_t offset,
			   const struct span_request *request)
{
	struct page *page = &segment->pages[0];

	pool_describe(page, request);
	page->block_bytes = segment->region_bytes - offset;
	page->limit = (uint32_t)((char *)segment->region + offset - (char *)segment);
	enlist_locked(segment, SEGMENTS_LARGE);
	return large_block(page);
}

/* A new region, for which the heap's stock pays. */
static struct segment *buy_locked(const struct span_request *request, size_t offset,
				  size_t region_bytes, size_t alignment_bytes)
{
	size_t drawn_bytes = stock_draw_locked(request->heap, region_bytes);
	struct segment *segment =
		reserve_locked(request->pool, offset, region_bytes, alignment_bytes);

	if (!segment)
		stock_restore_locked(request->heap, drawn_bytes);
	return segment;
}

void *large_take(const struct span_request *request, size_t alignment_bytes, bool *is_zero)
{
	size_t offset = block_offset(alignment_bytes);
	size_t bytes = offset + request->block_bytes;
	struct pool *pool = request->pool;
	struct segment *segment = NULL;
	void *block = NULL;

	if (bytes < offset || bytes > BLOCK_BYTES_LIMIT)
		return NULL;
	lock_acquire(&pool->lock);
	if (offset == LARGE_HEADER_BYTES)
		segment = take_cached_locked(pool, bytes);
	*is_zero = !segment;
	if (!segment)
		segment = buy_locked(request, offset, bytes, alignment_bytes);
	if (segment)
		block = set_up_locked(segment, offset, request);
	pool_note_locked(pool);
	lock_release(&pool->lock);
	return block;
}

static bool is_large_locked(const struct page *page)
{
	return segment_is_at((uintptr_t)page) && page->kind == PAGE_LARGE;
}

/* Drops the oldest first. */
bool pool_shrink_cache_locked(struct pool *pool, size_t keep_bytes)
{
	struct segment *next;
	size_t bytes = 0, regions = 0;
	bool found = false;

	for (struct segment *s = pool->lists[SEGMENTS_CACHED]; s; s = next) {
		next = s->next;
		bytes += s->region_bytes;
		if (bytes <= keep_bytes && ++regions <= CACHE_REGIONS)
			continue;
		delist_locked(s);
		if (pool_release_segment_locked(s))
			found = true;
		else
			enlist_locked(s, SEGMENTS_CACHED);
	}
	return found;
}

static bool is_worth_caching(const struct segment *segment)
{
	return segment == segment->region && segment->pages[0].limit == LARGE_HEADER_BYTES &&
	       segment->region_bytes <= CACHE_BYTES / 2 + segment->pool->large_bytes / 4;
}

void pool_return_large_locked(struct page *page)
{
	struct segment *segment = segment_of_page(page);
	struct pool *pool = segment->pool;

	delist_locked(segment);
	page->kind = PAGE_NONE;
	if (!is_worth_caching(segment) && pool_release_segment_locked(segment))
		return;
	enlist_locked(segment, SEGMENTS_CACHED);
	pool_shrink_cache_locked(pool, CACHE_BYTES + pool->large_bytes / 4);
	pool_note_locked(pool);
}

void pool_release_large_locked(struct page *page)
{
	struct segment *segment = segment_of_page(page);

	delist_locked(segment);
	page->kind = PAGE_NONE;
	if (!pool_release_segment_locked(segment))
		enlist_locked(segment, SEGMENTS_CACHED);
}

bool large_return(struct page *page)
{
	struct pool *pool = segment_of_page(page)->pool;
	bool is_large;

	lock_acquire(&pool->lock);
	is_large = is_large_locked(page);
	if (is_large)
		pool_return_large_locked(page);
	lock_release(&pool->lock);
	return is_large;
}

void *large_resize(struct page *page, size_t size_bytes, size_t exact_bytes)
{
	struct segment *segment = segment_of_page(page), *resized = segment;
	size_t offset = (size_t)((char *)large_block(page) - (char *)segment->region);
	size_t region_bytes = round_up(offset + size_bytes, LARGE_HEADER_BYTES);
	struct pool *pool = segment->pool;

	if (region_bytes < size_bytes || region_bytes > BLOCK_BYTES_LIMIT)
		return NULL;
	lock_acquire(&pool->lock);
	if (region_bytes != segment->region_bytes) {
		delist_locked(segment);
		resized = resize_locked(segment, region_bytes);
		segment = resized ? resized : segment;
		segment->pages[0].block_bytes = segment->region_bytes - offset;
		enlist_locked(segment, SEGMENTS_LARGE);
	}
	if (resized)
		segment->pages[0].exact_bytes = exact_bytes;
	lock_release(&pool->lock);
	return resized ? large_block(&segment->pages[0]) : NULL;
}
