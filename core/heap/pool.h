/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What segment.c and large.c share: the lists of segments and the map. For these two only. */

#ifndef VADTRACE_CORE_HEAP_POOL_H
#define VADTRACE_CORE_HEAP_POOL_H

#include "core/base/lock.h"
#include "core/heap/layout.h"
#include "core/heap/segment.h"
#include "core/os/pager.h"

/* The segments that get their memory in one way.
 *  - used_slices and dirty_slices count slices in spans and free ones that hold pages;
 *  - cached_bytes is the size of all regions in SEGMENTS_CACHED, newest first in the list;
 *  - dirty_low and cached_low are the least that these two have been since decayed_ns: so much
 *    nobody needed; `calls` counts what may be a reason to look at the clock;
 *  - reserved_bytes is what vm gave and has not got back.
 *  - pager and protect do not change while it has segments.
 * Guarded by: lock. */
struct pool {
	struct lock lock;
	const struct pager *pager; /* NULL: the default one */
	uint32_t protect;
	struct segment *lists[SEGMENTS_LISTS];
	size_t used_slices, dirty_slices;
	size_t large_bytes, cached_bytes;
	size_t dirty_low, cached_low;
	uint64_t decayed_ns;
	uint32_t calls;
	size_t reserved_bytes, peak_reserved_bytes;
};

/* The pools, by what their heaps need. */
enum pool_name {
	POOL_NATIVE,      /* malloc, and the heaps of a native program */
	POOL_NATIVE_CODE, /* of heaps whose blocks may be executed */
	POOL_HOST,        /* the pager of the host's choice (heap_use_pager) */
	POOL_HOST_CODE,
	POOLS
};
extern struct pool pools[POOLS];

void pool_link_locked(struct segment *segment, enum segment_list_name list);
void pool_unlink_locked(struct segment *segment);
/* Makes the segment's chunks known as ours, or no longer. */
void pool_map_locked(const struct segment *segment, bool ours);
void pool_count_locked(struct pool *pool, size_t taken_bytes, size_t returned_bytes);
void pool_choose_secret(void);
/* Fills in a page for a span, or for a large block. */
void pool_describe(struct page *page, const struct span_request *request);

/* Something was taken or given back. Now and then, gives back to the system what nobody needed for
 * a while. */
void pool_note_locked(struct pool *pool);
void pool_return_large_locked(struct page *page);
/* The same, but to the system, if it takes it. */
void pool_release_large_locked(struct page *page);
/* Gives cached large regions back until they are no more than `keep_bytes`; whether there were. */
bool pool_shrink_cache_locked(struct pool *pool, size_t keep_bytes);

/* The lowest page of sized blocks of `heap` whose first block is at `from` or above, or NULL. */
struct page *pool_next_page_locked(const struct pool *pool, const struct heap *heap,
				   uintptr_t from);
static inline uintptr_t page_first_block(const struct page *page)
{
	return (uintptr_t)(page->kind == PAGE_LARGE ? large_block(page) : page_start(page));
}

/* Memory from vm and back to it. *size_bytes becomes what was really taken. A release may fail:
 * when the system has as many mappings as it allows, it cannot cut one out of a larger one. */
void *pool_reserve(const struct pool *pool, size_t *size_bytes, size_t alignment_bytes);
bool pool_release(void *base);
/* Releases the region of a segment that is in no list. False: it still exists, in no list. */
bool pool_release_segment_locked(struct segment *segment);

#endif
