/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Blocks of either face: what they are, and how they come and go when no fast path does it. */

#ifndef VADTRACE_CORE_HEAP_BLOCKS_H
#define VADTRACE_CORE_HEAP_BLOCKS_H

#include "core/heap/front.h"
#include "core/heap/heap.h"
#include "core/heap/misuse.h"

/* What a sized block has before its trailer, if it has one: the value that the program keeps with
 * it. */
#define VALUE_BYTES sizeof(uintptr_t)

/* What a sized block knows. */
struct block_info {
	size_t size_bytes;
	uint32_t user_flags; /* of HEAP_USER_FLAGS */
	bool has_value;
};

/* Whether the block is in a list of free ones. If it is not, its owner may be writing there. */
static inline RACES_ON_PURPOSE bool block_is_marked_free(const struct block *block)
{
	return block->mark == (segment_secret ^ (uintptr_t)block ^ (uintptr_t)block->next);
}

/* A block's page is one that page_of gave. Whether the block is one that can be freed. */
enum misuse block_examine(const struct page *page, const void *block);
/* The same where the page is one of blocks. */
static inline enum misuse block_examine_in_page(const struct page *page, const struct block *block)
{
	size_t offset = (size_t)((const char *)block - page_start(page));

	if (offset >= page_carved_bytes(page))
		return MISUSE_FOREIGN;
	if (!page_divides(page, offset))
		return MISUSE_INTERIOR;
	return block_is_marked_free(block) ? MISUSE_DOUBLE_FREE : MISUSE_NONE;
}

/* Bytes up to the end of the block, or up to its trailer or value. */
static ALWAYS_INLINE size_t block_capacity(const struct page *page, bool has_value)
{
	if (page->kind != PAGE_BLOCKS || !page->sized)
		return page->block_bytes;
	return page->block_bytes - TRAILER_BYTES - (has_value ? VALUE_BYTES : 0);
}

/* Of a plain block, the size is its capacity. False: its trailer was written over. */
bool block_read_info(const struct page *page, const void *block, struct block_info *info);
/* Its capacity suffices. Nothing is written to a plain block. */
void block_write_info(struct page *page, void *block, const struct block_info *info);
/* Where a sized block of a page of blocks has its trailer: of one without flags and value, that is
 * its size ^ block_key. */
static inline uintptr_t *block_trailer(const struct page *page, const void *block)
{
	return (uintptr_t *)((uintptr_t)block + page->block_bytes - TRAILER_BYTES);
}

/* The word that a trailer disguises: bits 0-31 exact size, 32-34 user flags, 35 whether there is a
 * value. */
#define TRAILER_FLAGS_SHIFT 32
#define TRAILER_VALUE ((uintptr_t)1 << 35)
#define USER_FLAGS_SHIFT 9 /* HEAP_USER_FLAGS become the lowest bits */
static_assert(HEAP_USER_FLAGS >> USER_FLAGS_SHIFT == 7, "three flags");

static ALWAYS_INLINE struct block_info info_of_trailer(uintptr_t word)
{
	return (struct block_info){
		.size_bytes = (uint32_t)word,
		.user_flags = (word >> TRAILER_FLAGS_SHIFT & 7) << USER_FLAGS_SHIFT,
		.has_value = word & TRAILER_VALUE,
	};
}

static ALWAYS_INLINE uintptr_t trailer_of_info(const struct block_info *info)
{
	return info->size_bytes |
	       (uintptr_t)(info->user_flags >> USER_FLAGS_SHIFT) << TRAILER_FLAGS_SHIFT |
	       (info->has_value ? TRAILER_VALUE : 0);
}

/* Whether a block of this page can have such a trailer. */
static ALWAYS_INLINE bool trailer_is_whole(const struct page *page, uintptr_t word)
{
	const struct block_info info = info_of_trailer(word);

	return word == trailer_of_info(&info) &&
	       info.size_bytes <= block_capacity(page, info.has_value);
}

/* The value of a block that has one. */
static inline uintptr_t *block_user_value(struct page *page, const void *block)
{
	return page->kind == PAGE_BLOCKS ? block_trailer(page, block) - 1 : &page->user_value;
}

/* A block for `heap`. alignment_bytes: a power of two; above 16 the block is plain. */
struct block_request {
	struct heap *heap;
	struct front *front; /* entered; only used up to CLASS_BYTES_MAX */
	size_t size_bytes;
	size_t alignment_bytes;
	bool sized;
	bool is_grown; /* by realloc */
};

/* From where on a block that realloc moves to make it longer is no longer one of a class, and from
 * where on it has a region of its own. */
#define GROWN_BYTES_MIN ((size_t)32 << 10)
#define GROWN_SPAN_BYTES_MAX ((size_t)256 << 10)

/* A block above CLASS_BYTES_MAX, or above GROWN_BYTES_MIN if it is grown; *is_zero tells whether it
 * is all zero. NULL: no memory. */
void *block_take_big(const struct block_request *request, bool *is_zero);

/* Resizes such a block without copying; NULL when that cannot be done. The block moves only if
 * may_move. */
void *block_resize_big(struct page *page, void *block, size_t size_bytes, bool may_move);

/* Frees an examined block; not MISUSE_NONE when somebody else freed it meanwhile. */
enum misuse block_return(struct page *page, void *block);
/* The same for a caller that has entered `entered`. */
enum misuse block_return_entered(struct front *entered, struct page *page, void *block);

#endif
