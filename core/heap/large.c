/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Large blocks: each in a segment of its own, which is a VAD of its own.
 *
 *   region                header (4 MiB boundary)           end of region
 *   [ unused if aligned   | struct segment, one page | block            ]
 *
 * The block is at most 4 MiB past the header. Guarded by: segments_lock. */

#include "core/base/check.h"
#include "core/heap/pool.h"
#include "core/vm/virtual.h"

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

static void *set_up_locked(char *region, size_t region_bytes, size_t offset,
			   const struct span_request *request)
{
	struct segment *segment = header_of(region, offset);
	struct page *page = &segment->pages[0];

	pool_choose_secret_locked();
	pool_describe(page, request);
	page->block_bytes = region_bytes - offset;
	page->limit = (uint32_t)(region + offset - (char *)segment);
	segment->region = region;
	segment->region_bytes = region_bytes;
	pool_link_locked(segment, SEGMENTS_LARGE);
	pool_map_locked(segment, /* ours */ true);
	pool_count_locked(region_bytes, 0);
	return region + offset;
}

void *large_take(const struct span_request *request, size_t alignment_bytes)
{
	size_t offset = block_offset(alignment_bytes);
	size_t bytes = offset + request->block_bytes;
	char *region;
	void *block = NULL;

	if (bytes < offset || bytes > BLOCK_BYTES_LIMIT)
		return NULL;
	lock_acquire(&pool.lock);
	region = pool_reserve(&bytes,
			      alignment_bytes > SEGMENT_BYTES ? alignment_bytes : SEGMENT_BYTES);
	if (region)
		block = set_up_locked(region, bytes, offset, request);
	lock_release(&pool.lock);
	return block;
}

static bool is_large_locked(const struct page *page)
{
	return chunk_is_set(segment_heads, (uintptr_t)page >> SEGMENT_SHIFT) &&
	       page->kind == PAGE_LARGE;
}

static void unset_locked(struct segment *segment)
{
	pool_unlink_locked(segment);
	pool_map_locked(segment, /* ours */ false);
	pool_count_locked(0, segment->region_bytes);
}

void pool_return_large_locked(struct page *page)
{
	struct segment *segment = segment_of_page(page);

	unset_locked(segment);
	pool_release(segment->region);
}

bool large_return(struct page *page)
{
	bool is_large;

	lock_acquire(&pool.lock);
	is_large = is_large_locked(page);
	if (is_large)
		pool_return_large_locked(page);
	lock_release(&pool.lock);
	return is_large;
}

static struct segment *resize_locked(struct segment *segment, size_t region_bytes)
{
	const struct vm_request request = { .owner = EVENT_OWNER_HEAP,
					    .alignment_bytes = SEGMENT_BYTES };
	size_t lead = (size_t)((char *)segment - (char *)segment->region);
	void *region = segment->region;

	unset_locked(segment);
	if (vm_resize(region, segment->region_bytes, region_bytes, &region, &request) >= 0) {
		segment = (struct segment *)((char *)region + lead);
		segment->region = region;
		segment->pages[0].block_bytes += region_bytes - segment->region_bytes;
		segment->region_bytes = region_bytes;
	} else {
		region = NULL;
	}
	pool_link_locked(segment, SEGMENTS_LARGE);
	pool_map_locked(segment, /* ours */ true);
	pool_count_locked(segment->region_bytes, 0);
	return region ? segment : NULL;
}

void *large_resize(struct page *page, size_t size_bytes, size_t exact_bytes)
{
	struct segment *segment = segment_of_page(page);
	size_t offset = (size_t)((char *)large_block(page) - (char *)segment->region);
	size_t region_bytes = round_up(offset + size_bytes, LARGE_HEADER_BYTES);

	if (region_bytes < size_bytes || region_bytes > BLOCK_BYTES_LIMIT)
		return NULL;
	lock_acquire(&pool.lock);
	if (region_bytes != segment->region_bytes)
		segment = resize_locked(segment, region_bytes);
	if (segment)
		segment->pages[0].exact_bytes = exact_bytes;
	lock_release(&pool.lock);
	return segment ? large_block(&segment->pages[0]) : NULL;
}
