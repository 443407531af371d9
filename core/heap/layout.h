/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* How blocks lie in memory.
 *
 *   segment, 4 MiB, aligned to 4 MiB, one VAD of its own
 *   [ header | slice 1 | slice 2 | slice 3 | ...                       | slice 63 ]
 *     \ one struct page per slice   \------- a span: slices 2 and 3 ---/
 *
 *   span of blocks:   [ block | block | block | ... ]  one size class, one front
 *   span of one:      [ block                       ]  64 KiB to 1 MiB
 *   large segment:    [ header page | block ...     ]  above 1 MiB, any number of 4 MiB chunks
 *
 * The header of a block's segment is found by masking the address of the byte before the block:
 * so a block may start on the boundary after its header (alignments of 4 MiB and more). */

#ifndef VADTRACE_CORE_HEAP_LAYOUT_H
#define VADTRACE_CORE_HEAP_LAYOUT_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/unheard.h"

#define SLICE_SHIFT 16
#define SLICE_BYTES ((size_t)1 << SLICE_SHIFT)
#define SEGMENT_SHIFT 22
#define SEGMENT_BYTES ((size_t)1 << SEGMENT_SHIFT)
#define SEGMENT_MASK (SEGMENT_BYTES - 1)
#define SEGMENT_SLICES 64u
#define SLICES_PER_SPAN_MAX 16u
#define SPAN_BYTES_MAX (SLICES_PER_SPAN_MAX * SLICE_BYTES)
/* Sized blocks above this size lie in a region of their own, as Windows' do. */
#define SIZED_SPAN_BYTES_MAX ((size_t)0xff000)
#define LARGE_HEADER_BYTES ((size_t)4096)
/* Malloc's limit: what differs by more cannot be told by a ptrdiff_t. */
#define BLOCK_BYTES_LIMIT ((size_t)PTRDIFF_MAX)
#define BLOCK_BYTES_MIN ((size_t)16)
/* What a sized block has behind its last usable byte: its exact size and its flags, disguised. */
#define TRAILER_BYTES sizeof(uintptr_t)

struct front;
struct heap;
struct pool;

/* A free block. `mark` is block_mark() while it is in a list, and is cleared when it is given out:
 * so a block that is in lists twice, or was written to while free, is seen before it is given. */
struct block {
	struct block *next;
	uintptr_t mark;
};
static_assert(sizeof(struct block) == BLOCK_BYTES_MIN, "the smallest block holds both words");

enum page_kind {
	PAGE_NONE = 0,   /* the slice is in no span */
	PAGE_BLOCKS = 1, /* blocks of one size class */
	PAGE_SINGLE = 2, /* one block, which fills the span */
	PAGE_LARGE = 3,  /* one block in a segment of its own */
};

/* A span, described in the entry of its first slice.
 *  - every block is free here (in the list `free`), or freed by another thread (in a list of the
 *    page's page_remote), or not carved yet (index >= carved), or given out;
 *  - live = the sum of the addresses of all blocks given out or in that list, and of `start` while
 *    the page is its class's current one: so it is 0 when there are none, and a block that was
 *    freed twice in the place of another does not make a page look empty;
 *  - owner is the front, plus PAGE_FULL while the page is in no queue of it; just PAGE_FULL
 *    if the page is not PAGE_BLOCKS.
 * Who frees a block of another thread's page reads the first cache line, which seldom changes; each
 * of the owner's calls writes to the second one, which nobody else needs.
 * Guarded by: the front; by the pool's lock while free. */
struct page {
	_Atomic(uintptr_t) owner;
	union {
		uint64_t divider;     /* page_divider: tests divisibility */
		uintptr_t user_value; /* of the one block of other kinds */
	};
	char *start;           /* of the first block; not of a large one */
	uint32_t carved_bytes; /* where the blocks end that have been in a list */
	uint32_t limit; /* blocks that fit; of a large block: where it starts in its segment */
	struct heap *heap;
	size_t exact_bytes; /* PAGE_SINGLE and PAGE_LARGE, if sized: what was asked for */
	uint8_t kind;       /* enum page_kind */
	uint8_t size_class;
	uint8_t slices;
	bool sized;     /* blocks of the Win32 face: they know their exact size */
	bool is_locked; /* its front has a lock: who asks needs not read what others write to */
	bool is_ready;  /* free, but its list of free blocks is as it was: see segment.c */
	uint64_t carved_products; /* what is below is the product of a carved block: layout.h */
	_Alignas(64) struct block *free;
	uintptr_t live;
	size_t block_bytes;
	struct page *next, *prev; /* the queue of the size class */
	union {
		uint32_t carved;     /* carved_bytes, counted */
		uint32_t user_flags; /* of the one block of other kinds; HEAP_ADD_USER_INFO too */
	};
	_Atomic(bool) is_current; /* first in the queue of its class */
};
static_assert(offsetof(struct page, free) == 64 && sizeof(struct page) == 128,
	      "two cache lines: who reads the first one leaves the owner the second");

/* A list of blocks, and the sum of their addresses. */
struct remote_list {
	_Alignas(16) struct block *first;
	uintptr_t sum;
};

/* What other threads freed of a page of blocks (remote.h), in a cache line that the owner seldom
 * needs.
 *  - list.first is not NULL: the page is in its front's `notified` stack, or the thread whose block
 *    came first is about to put it there. Only who takes the page from that stack makes it NULL;
 *    it is REMOTE_NONE when there are no blocks meanwhile;
 *  - of a page that is not PAGE_BLOCKS, list is empty.
 * Changed by atomic exchanges of the whole list. */
struct page_remote {
	_Alignas(64) struct remote_list list;
	struct page *next_notified;
};

#define PAGE_FULL ((uintptr_t)1)

enum segment_list_name {
	SEGMENTS_OPEN,   /* of spans, with a free slice */
	SEGMENTS_FULL,   /* of spans, without */
	SEGMENTS_LARGE,  /* a large block each */
	SEGMENTS_CACHED, /* a large block each that was freed */
	SEGMENTS_LISTS
};

/* The header of a segment.
 *  - head[slice] says where in `pages` the page is whose span holds `slice`, in bytes; 0 (the page
 *    is PAGE_NONE, or the large block's) when there is none;
 *  - free_mask has a bit for each slice in no span; bit 0, the header's, is always clear;
 *  - opener had the first span of it: who is only compared with it, as it may be gone;
 *  - dirty_mask has a bit for each slice that may hold anything but zeroes.
 * Guarded by: its pool's lock. */
struct segment {
	uint16_t head[SEGMENT_SLICES + 1];
	uint8_t list; /* enum segment_list_name */
	uint64_t free_mask;
	uint64_t dirty_mask;
	struct segment *next, *prev;
	struct pool *pool; /* that it belongs to, always */
	const struct front *opener;
	void *region; /* what was asked from vm: starts before the header if aligned to more */
	size_t region_bytes;
	struct page pages[SEGMENT_SLICES] __attribute__((aligned(128)));
	struct page_remote remotes[SEGMENT_SLICES]; /* not of a large segment: it ends before */
};
static_assert(offsetof(struct segment, pages[1]) <= LARGE_HEADER_BYTES, "one page is enough");
static_assert(sizeof(struct segment) <= SLICE_BYTES, "the header fits into its slice");

/* Which 4 MiB chunks of the address space start with a segment's header, and which are ours.
 * Written under the lock of the pool whose chunk it is, read by anyone. */
#define CHUNK_COUNT ((uintptr_t)1 << (47 - SEGMENT_SHIFT))

typedef _Atomic(uint64_t) chunk_map[CHUNK_COUNT / 64];
extern CORE_HIDDEN chunk_map segment_heads, segment_chunks;

/* Differs from run to run, so that no program's data looks like a free block's mark. */
extern CORE_HIDDEN uintptr_t segment_secret;

/* Of a chunk below CHUNK_COUNT. */
static ALWAYS_INLINE bool chunk_is_marked(chunk_map map, uintptr_t chunk)
{
	return atomic_load_explicit(&map[chunk / 64], memory_order_relaxed) >> (chunk % 64) & 1;
}

static ALWAYS_INLINE bool chunk_is_set(chunk_map map, uintptr_t chunk)
{
	return likely(chunk < CHUNK_COUNT) && chunk_is_marked(map, chunk);
}

static inline bool chunk_is_ours(uintptr_t chunk)
{
	return chunk_is_set(segment_chunks, chunk);
}

static inline struct segment *segment_of_page(const struct page *page)
{
	return (struct segment *)((uintptr_t)page & ~SEGMENT_MASK);
}

/* Whether a segment's header is at the start of the chunk that `address` is in. */
static inline bool segment_is_at(uintptr_t address)
{
	return chunk_is_set(segment_heads, address >> SEGMENT_SHIFT);
}

/* Whether there can be a block of ours at `address`. */
static inline bool page_is_at(const void *address)
{
	return segment_is_at((uintptr_t)address - 1);
}

/* The hint that a chunk has: the address of its last byte, which is never 0. */
static inline uintptr_t chunk_hint(uintptr_t chunk)
{
	return chunk << SEGMENT_SHIFT | SEGMENT_MASK;
}

/* The same at less cost, by `chunk_hints`. Where two chunks share a place there, the second is not
 * known of. */
static ALWAYS_INLINE bool page_is_hinted_at(const uintptr_t *hints, const void *address)
{
	uintptr_t before = (uintptr_t)address - 1;
	size_t place = before >> SEGMENT_SHIFT & (CHUNK_HINTS - 1);

	return likely(__atomic_load_n(&hints[place], __ATOMIC_RELAXED) == (before | SEGMENT_MASK));
}

/* The page that describes `address`, where one is. */
static ALWAYS_INLINE struct page *page_at(const void *address)
{
	uintptr_t segment = ((uintptr_t)address - 1) & ~SEGMENT_MASK;
	size_t slice = ((uintptr_t)address - segment) >> SLICE_SHIFT;
	size_t head = ((const struct segment *)segment)->head[slice];
	uintptr_t page = segment + offsetof(struct segment, pages) + head;

	/* Else the compiler works out the address anew for each field. */
	__asm__("" : "+r"(page));
	return (struct page *)page;
}

/* The same without a look at `head`, for who then looks at the owner: of a block in its span's
 * first slice. Of any other address it is a page that no front owns: that of a slice inside a span,
 * or one that was never used, or the header's. */
static ALWAYS_INLINE struct page *page_of_slice(const void *address)
{
	uintptr_t segment = ((uintptr_t)address - 1) & ~SEGMENT_MASK;
	uintptr_t in_pages =
		((uintptr_t)address & SEGMENT_MASK) / SLICE_BYTES * sizeof(struct page);
	uintptr_t page = segment + offsetof(struct segment, pages) + in_pages;

	/* As above. */
	__asm__("" : "+r"(page));
	return (struct page *)page;
}

/* The page that describes `address`; NULL when it is not ours. Never NULL for a block of ours. */
static inline struct page *page_of(const void *address)
{
	return likely(page_is_at(address)) ? page_at(address) : NULL;
}

/* Where the blocks of a page in a segment of spans start. */
static inline char *page_start(const struct page *page)
{
	return page->start;
}

/* Only grows; those who free from other threads may read an old value, from after their block. */
static inline uint32_t page_carved_bytes(const struct page *page)
{
	return __atomic_load_n(&page->carved_bytes, __ATOMIC_RELAXED);
}

static inline void page_set_carved(struct page *page, uint32_t carved)
{
	page->carved = carved;
	page->carved_products = carved * (page->divider * page->block_bytes);
	__atomic_store_n(&page->carved_bytes, carved * (uint32_t)page->block_bytes,
			 __ATOMIC_RELAXED);
}

/* The multiplication that stands for a division by d, a block's size: let M = floor(2^64 / d) + 1
 * and e = M * d - 2^64, so that 1 <= e <= d. For n = q * d + r, n < 2^32, the product
 * n * M mod 2^64 = q * e + r * M is less than M exactly when r = 0, and then it is q * e: so one
 * comparison tells also whether q is below a bound. */
static inline uint64_t page_divider(uint64_t block_bytes)
{
	return -block_bytes / block_bytes + 2;
}

/* Whether so far behind the start of a PAGE_BLOCKS there is a multiple of a block. */
static inline bool page_divides(const struct page *page, size_t offset)
{
	return offset * page->divider < page->divider;
}

/* Whether a carved block of a PAGE_BLOCKS starts at `address`, which is in its span. For the page's
 * owner. */
static inline bool page_has_block(const struct page *page, const void *address)
{
	size_t offset = (size_t)((const char *)address - page->start);

	return offset * page->divider < page->carved_products;
}

/* What disguises a word that belongs to this block. */
static inline uintptr_t block_key(const void *block)
{
	return segment_secret ^ (uintptr_t)block;
}

static inline uintptr_t block_mark(const struct block *block)
{
	return block_key(block) ^ (uintptr_t)block->next;
}

static inline void block_link(struct block *block, struct block *next)
{
	block->next = next;
	block->mark = block_mark(block);
}

/* How many blocks `live` stands for: all of them together are less than `start` behind it. */
static inline uint32_t page_used(const struct page *page)
{
	return (uint32_t)(__atomic_load_n(&page->live, __ATOMIC_RELAXED) / (uintptr_t)page->start);
}

/* Only the owner writes `live`, so the addition needs not be atomic; others may read it for
 * statistics. One instruction does it, where the race checker is not looking. */
static inline void page_add_live(struct page *page, const void *block)
{
#ifdef __SANITIZE_THREAD__
	__atomic_store_n(&page->live, page->live + (uintptr_t)block, __ATOMIC_RELAXED);
#else
	__asm__("add %1, %0" : "+m"(page->live) : "r"(block) : "cc");
#endif
}

/* Whether there is nothing live now. */
static inline bool page_take_live(struct page *page, const void *block)
{
#ifdef __SANITIZE_THREAD__
	__atomic_store_n(&page->live, page->live - (uintptr_t)block, __ATOMIC_RELAXED);
	return page->live == 0;
#else
	bool is_empty;

	__asm__("sub %2, %0" : "+m"(page->live), "=@ccz"(is_empty) : "r"(block) : "cc");
	return is_empty;
#endif
}

static inline bool page_is_empty(const struct page *page)
{
	return page->live == 0;
}

static inline bool page_is_current(const struct page *page)
{
	return atomic_load_explicit(&page->is_current, memory_order_relaxed);
}

static inline void page_set_current(struct page *page, bool is_current)
{
	atomic_store_explicit(&page->is_current, is_current, memory_order_relaxed);
}

static inline uintptr_t page_owner(const struct page *page)
{
	return atomic_load_explicit(&page->owner, memory_order_relaxed);
}

static inline void page_set_owner(struct page *page, uintptr_t owner)
{
	atomic_store_explicit(&page->owner, owner, memory_order_relaxed);
}

/* The front that a page of blocks is of. */
static inline struct front *page_front(const struct page *page)
{
	return (struct front *)(page_owner(page) & ~PAGE_FULL);
}

static inline size_t round_up(size_t bytes, size_t step)
{
	return (bytes + step - 1) & ~(step - 1);
}

#endif
