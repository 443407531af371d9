/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The pools of segments: they give and take back spans and large segments. Any thread. */

#ifndef VADTRACE_CORE_HEAP_SEGMENT_H
#define VADTRACE_CORE_HEAP_SEGMENT_H

#include "core/heap/heap.h"
#include "core/heap/layout.h"

/* How a span is to be used; the fields of struct page of the same names. */
struct span_request {
	struct pool *pool;
	struct front *owner; /* PAGE_BLOCKS only */
	struct heap *heap;
	size_t block_bytes;
	size_t exact_bytes;
	uint32_t slices;
	uint32_t align_slices; /* power of two */
	uint8_t kind;
	uint8_t size_class;
	bool sized;
	bool may_grow; /* may take a new segment */
};

/* A span; *is_zero tells whether it holds zeroes only. NULL when there is no memory.
 *  - ahead: NULL, or where a list of a few more that an owner who needs many will want next goes,
 *    described as this one, linked by `next`; it stays as it is when there are none. */
struct page *span_take(const struct span_request *request, bool *is_zero, struct page **ahead);
/* The same from a span of blocks that the request's owner has already, and that has no blocks now;
 * as long as the request wants. */
void span_reuse(struct page *page, const struct span_request *request);
void span_return(struct page *page);
/* The same of a list of spans of one pool, linked by `next`: not an empty one. */
void spans_return(struct page *list);
/* Gives a single block's span back, if it is (still) one. False: somebody else did. */
bool span_return_single(struct page *page);
/* Makes a single block longer or shorter where it is; false when it cannot. */
bool span_resize_single(struct page *page, size_t block_bytes, size_t exact_bytes);

/* A block in a segment of its own; alignment a power of two. NULL: no memory. */
void *large_take(const struct span_request *request, size_t alignment_bytes, bool *is_zero);
bool large_return(struct page *page);
/* Grows or shrinks a large block, moving it if it must. NULL: no memory, all is as it was. */
void *large_resize(struct page *page, size_t size_bytes, size_t exact_bytes);
void *large_block(const struct page *page);

/* Called now and then by who needs no spans: what is free and was not needed for a while goes back
 * to the system. */
void segments_decay(struct pool *pool);
/* Gives memory of free spans back to the system; returns whether there was any. */
bool segments_trim(void);
void segments_get_statistics(struct heap_statistics *statistics);

/* Calls `visit` for every page in use; under its pool's lock, so it takes no heap's lock. */
void segments_visit(void (*visit)(struct page *page, void *context), void *context);
/* Gives back all spans and large blocks of a heap that is being destroyed, to the system: its pages
 * are nobody's, and regions that no other heap uses are released. */
void segments_return_heap(struct pool *pool, struct heap *heap);

void segments_fork_prepare(void);
void segments_fork_parent(void);
void segments_fork_child(void);
void segments_check(void);

#endif
