/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The Win32 face: blocks of the process heap and of others (heaps.c says which there are).
 *
 * Blocks are sized: align16(max(size, 16) + 8) apart as in Windows, and 8 more with a value of the
 * program's. A heap of fixed size counts its blocks' bytes against its maximum. Nobody raises an
 * exception here: HEAP_GENERATE_EXCEPTIONS fails like its absence, with the status. Guarded by:
 * whoever has entered the heap. Source: Microsoft's documentation of heapapi.h. */

#include "core/heap/heap.h"

#include <string.h>

#include "core/base/check.h"
#include "core/base/status.h"
#include "core/heap/blocks.h"
#include "core/heap/checked.h"
#include "core/heap/descriptor.h"
#include "core/heap/hold.h"
#include "core/heap/quick.h"
#include "core/heap/segment.h"
#include "core/heap/thread.h"

/* The largest block that a heap of fixed size gives ("slightly less than 1024 KB"). */
#define FIXED_BLOCK_BYTES_MAX ((size_t)0xff000)

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

/* What a block with this information takes in a page of blocks. */
static size_t gross_bytes(const struct block_info *info)
{
	size_t size_bytes = info->size_bytes;

	if (size_bytes < BLOCK_BYTES_MIN)
		size_bytes = BLOCK_BYTES_MIN;
	return size_bytes + TRAILER_BYTES + (info->has_value ? VALUE_BYTES : 0);
}

static bool is_big(const struct block_info *info)
{
	return info->size_bytes > CLASS_BYTES_MAX - TRAILER_BYTES - VALUE_BYTES;
}

static void *take_big(struct heap *heap, const struct block_info *info, bool *is_zero)
{
	const struct block_request request = {
		.heap = heap,
		.size_bytes = info->size_bytes,
		.alignment_bytes = BLOCK_BYTES_MIN,
		.sized = true,
	};

	return block_take_big(&request, is_zero);
}

/* What a block counts against its heap's maximum. */
size_t heap_charge_for(const struct block_info *info)
{
	if (is_big(info))
		return round_up(info->size_bytes, LARGE_HEADER_BYTES);
	return class_bytes(class_of_size(gross_bytes(info)));
}

static bool charge_bytes(struct heap *heap, size_t bytes)
{
	if (atomic_fetch_add(&heap->taken_bytes, bytes) + bytes <= heap->maximum_bytes)
		return true;
	atomic_fetch_sub(&heap->taken_bytes, bytes);
	return false;
}

static size_t growth(const struct block_info *info, size_t old_bytes)
{
	size_t new_bytes = heap_charge_for(info);

	return new_bytes > old_bytes ? new_bytes - old_bytes : 0;
}

bool heap_charge(struct heap *heap, const struct block_info *info, size_t old_bytes)
{
	return info->size_bytes < FIXED_BLOCK_BYTES_MAX &&
	       charge_bytes(heap, growth(info, old_bytes));
}

static void *take_uncharged(struct heap *heap, struct front *front, const struct block_info *info,
			    bool *is_zero)
{
	if (unlikely(is_big(info)))
		return take_big(heap, info, is_zero);
	return front_allocate(front, class_of_size(gross_bytes(info)));
}

static void *take_charged(struct heap *heap, struct front *front, const struct block_info *info,
			  size_t old_bytes, bool *is_zero)
{
	void *block;

	if (!heap_charge(heap, info, old_bytes))
		return NULL;
	block = take_uncharged(heap, front, info, is_zero);
	if (!block)
		atomic_fetch_sub(&heap->taken_bytes, growth(info, old_bytes));
	return block;
}

static inline void *take_block(struct heap *heap, struct front *front,
			       const struct block_info *info, size_t old_bytes, bool *is_zero)
{
	if (unlikely(heap->maximum_bytes))
		return take_charged(heap, front, info, old_bytes, is_zero);
	return take_uncharged(heap, front, info, is_zero);
}

static void *allocate_checked(struct heap *heap, uint32_t flags, const struct block_info *info,
			      NTSTATUS *status)
{
	const struct checked_request request = {
		.heap = heap,
		.info = *info,
		.alignment_bytes = BLOCK_BYTES_MIN,
		.is_zero = (flags | heap->force_flags) & HEAP_ZERO_MEMORY,
	};
	void *block;

	hold_call_begins(heap);
	block = checked_take(&request);
	hold_call_ends(heap);
	set_status(status, block ? STATUS_SUCCESS : STATUS_NO_MEMORY);
	return block;
}

/* - old_bytes: as heap_charge's. */
static void *allocate(struct heap *heap, uint32_t flags, const struct block_info *info,
		      size_t old_bytes, NTSTATUS *status)
{
	bool is_zero = false;
	struct front *front;
	struct page *page;
	void *block;

	if (unlikely(info->size_bytes > BLOCK_BYTES_LIMIT))
		return fail(status, STATUS_NO_MEMORY);
	front = heap_enter(heap);
	if (unlikely(!front))
		return fail(status, STATUS_INVALID_HANDLE);
	if (unlikely(heap->is_checked)) {
		heap_leave(front);
		return allocate_checked(heap, flags, info, status);
	}
	block = take_block(heap, front, info, old_bytes, &is_zero);
	if (likely(block != NULL)) {
		page = page_of(block);
		block_write_info(page, block, info);
		if (info->has_value)
			*block_user_value(page, block) = 0;
	}
	heap_leave(front);
	if (block && (flags | heap->force_flags) & HEAP_ZERO_MEMORY && !is_zero)
		memset(block, 0, info->size_bytes);
	set_status(status, block ? STATUS_SUCCESS : STATUS_NO_MEMORY);
	return block;
}

static inline void *allocate_quickly(struct heap *heap, uint32_t flags, size_t size_bytes)
{
	return likely(heap == process_heap)
		       ? process_heap_allocate_quickly(NULL, heap, flags, size_bytes)
		       : heap_allocate_quickly(NULL, heap, flags, size_bytes);
}

void *heap_allocate(struct heap *heap, uint32_t flags, size_t size_bytes, NTSTATUS *status)
{
	void *block = allocate_quickly(heap, flags, size_bytes);
	const struct block_info info = {
		.size_bytes = size_bytes,
		.user_flags = flags & HEAP_USER_FLAGS,
		.has_value = flags & HEAP_ADD_USER_INFO,
	};

	if (unlikely(!block))
		return allocate(heap, flags, &info, 0, status);
	if ((flags | heap->force_flags) & HEAP_ZERO_MEMORY)
		memset(block, 0, size_bytes);
	set_status(status, STATUS_SUCCESS);
	return block;
}

struct page *heap_page_of(const struct heap *heap, const void *block)
{
	struct page *page = page_of(block);

	if (!page || page->heap != heap || block_examine(page, block) != MISUSE_NONE)
		return NULL;
	return page;
}

static NTSTATUS release_checked(struct heap *heap, void *block)
{
	enum misuse misuse;

	hold_call_begins(heap);
	misuse = checked_return(heap, block);
	hold_call_ends(heap);
	return misuse == MISUSE_NONE ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

/* - kept_bytes: what the block that it moved to goes on to count for. */
static NTSTATUS release_entered(struct heap *heap, struct front *front, void *block,
				size_t kept_bytes)
{
	struct page *page = heap_page_of(heap, block);
	struct block_info info;
	size_t charged_bytes;

	if (!page || !block_read_info(page, block, &info))
		return STATUS_INVALID_PARAMETER;
	charged_bytes = page->block_bytes;
	if (block_return_entered(front, page, block) != MISUSE_NONE)
		return STATUS_INVALID_PARAMETER;
	if (unlikely(heap->maximum_bytes))
		atomic_fetch_sub(&heap->taken_bytes, charged_bytes - kept_bytes);
	return STATUS_SUCCESS;
}

static inline bool release_quickly(struct heap *heap, void *block)
{
	return likely(heap == process_heap) ? process_heap_release_quickly(NULL, heap, block)
					    : heap_release_quickly(NULL, heap, block);
}

static NTSTATUS release(struct heap *heap, void *block, size_t kept_bytes)
{
	struct front *front = heap_enter(heap);
	NTSTATUS result;

	if (unlikely(!front))
		return STATUS_INVALID_HANDLE;
	if (unlikely(heap->is_checked)) {
		heap_leave(front);
		return release_checked(heap, block);
	}
	result = release_entered(heap, front, block, kept_bytes);
	heap_leave(front);
	return result;
}

bool heap_release(struct heap *heap, uint32_t flags, void *block, NTSTATUS *status)
{
	(void)flags;
	if (!block || likely(release_quickly(heap, block)))
		return set_status(status, STATUS_SUCCESS);
	return set_status(status, release(heap, block, /* kept_bytes */ 0));
}

size_t heap_size(struct heap *heap, uint32_t flags, const void *block)
{
	struct front *front = heap_enter(heap);
	size_t size_bytes = SIZE_MAX;
	struct block_info info;
	struct page *page;

	(void)flags;
	if (!front)
		return SIZE_MAX;
	if (unlikely(heap->is_checked)) {
		heap_leave(front);
		return checked_validate(heap, block) && checked_read_info(heap, block, &info)
			       ? info.size_bytes
			       : SIZE_MAX;
	}
	page = heap_page_of(heap, block);
	if (page && block_read_info(page, block, &info))
		size_bytes = info.size_bytes;
	heap_leave(front);
	return size_bytes;
}

/* Of a heap of fixed size, which may have no room for what the block would grow by. */
static bool grow_in_place(struct page *page, void *block, size_t size_bytes)
{
	size_t more_bytes = round_up(size_bytes, LARGE_HEADER_BYTES) - page->block_bytes;
	struct heap *heap = page->heap;

	if (page->kind == PAGE_BLOCKS || size_bytes >= FIXED_BLOCK_BYTES_MAX ||
	    !charge_bytes(heap, more_bytes))
		return false;
	if (block_resize_big(page, block, size_bytes, /* may_move */ false))
		return true;
	atomic_fetch_sub(&heap->taken_bytes, more_bytes);
	return false;
}

/* Whether the block has its new size; *info is what it knows. What is counted against a maximum
 * becomes no less. */
static bool resize_in_place(struct page *page, void *block, size_t size_bytes,
			    struct block_info *info)
{
	if (page->heap->maximum_bytes && size_bytes > page->block_bytes)
		return grow_in_place(page, block, size_bytes);
	if (page->kind != PAGE_BLOCKS)
		return block_resize_big(page, block, size_bytes, /* may_move */ false) != NULL;
	if (size_bytes > block_capacity(page, info->has_value))
		return false;
	info->size_bytes = size_bytes;
	block_write_info(page, block, info);
	return true;
}

/* A block that shrinks to less than half gives its place up, unless it must stay. */
static bool should_move(const struct page *page, uint32_t flags, size_t size_bytes)
{
	return !(flags & HEAP_REALLOC_IN_PLACE_ONLY) && size_bytes < page->block_bytes / 2 &&
	       page->block_bytes > 4 * BLOCK_BYTES_MIN;
}

/* The block counted for old_bytes, the one that it moved to counts for new_bytes. */
static void release_moved(struct heap *heap, void *block, size_t old_bytes, size_t new_bytes)
{
	size_t kept_bytes = old_bytes < new_bytes ? old_bytes : new_bytes;

	if (likely(!heap->maximum_bytes))
		heap_release(heap, 0, block, NULL);
	else if (release(heap, block, kept_bytes) != STATUS_SUCCESS)
		/* Another thread freed it meanwhile, by mistake. */
		atomic_fetch_add(&heap->taken_bytes, kept_bytes);
}

/* A new block with all that the old one has. A heap of fixed size needs no room for both. */
static void *move_block(struct heap *heap, void *block, size_t size_bytes,
			const struct block_info *old, NTSTATUS *status)
{
	struct block_info info = *old;
	struct page *page = page_of(block);
	size_t old_bytes = page->block_bytes;
	void *moved;

	info.size_bytes = size_bytes;
	moved = allocate(heap, 0, &info, old_bytes, status);
	if (!moved)
		return NULL;
	memcpy(moved, block, old->size_bytes < size_bytes ? old->size_bytes : size_bytes);
	if (info.has_value)
		*block_user_value(page_of(moved), moved) = *block_user_value(page, block);
	release_moved(heap, block, old_bytes, heap_charge_for(&info));
	return moved;
}

/* Tries to leave the block where it is. *info is what it knew. */
static NTSTATUS resize_entered(struct heap *heap, uint32_t flags, void *block, size_t size_bytes,
			       struct block_info *info, bool *is_done)
{
	struct page *page = heap_page_of(heap, block);
	struct block_info changed;

	if (!page || !block_read_info(page, block, info))
		return STATUS_INVALID_PARAMETER;
	changed = *info;
	*is_done = !should_move(page, flags, size_bytes) &&
		   resize_in_place(page, block, size_bytes, &changed);
	if (!*is_done && flags & HEAP_REALLOC_IN_PLACE_ONLY)
		return STATUS_NO_MEMORY;
	return STATUS_SUCCESS;
}

void *heap_reallocate(struct heap *heap, uint32_t flags, void *block, size_t size_bytes,
		      NTSTATUS *status)
{
	struct block_info info = { 0 };
	struct front *front;
	bool is_done = false;
	NTSTATUS result;

	if (size_bytes > BLOCK_BYTES_LIMIT)
		return fail(status, STATUS_NO_MEMORY);
	front = heap_enter(heap);
	if (!front)
		return fail(status, STATUS_INVALID_HANDLE);
	if (unlikely(heap->is_checked)) {
		heap_leave(front);
		hold_call_begins(heap);
		block = checked_resize(heap, flags, block, size_bytes, status);
		hold_call_ends(heap);
		return block;
	}
	result = resize_entered(heap, flags, block, size_bytes, &info, &is_done);
	heap_leave(front);
	if (!set_status(status, result))
		return NULL;
	if (!is_done)
		block = move_block(heap, block, size_bytes, &info, status);
	if (block && flags & HEAP_ZERO_MEMORY && size_bytes > info.size_bytes)
		memset((char *)block + info.size_bytes, 0, size_bytes - info.size_bytes);
	return block;
}
