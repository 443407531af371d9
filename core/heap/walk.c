/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A heap from one end to the other.
 *
 *   region: the heap itself   its stock (free) | reserved for it (uncommitted)
 *   region: a span      busy | free | busy | ... | never used (free)
 *   region: a span      busy | ...
 *   busy: a block that fills a span, or a large one: a region of its own
 *
 * An entry is found again by its address and kind, so a walk needs no memory of its own and ends
 * whatever happens between its steps. Each step is made under the pool's lock, which keeps the
 * pages there; who wants a consistent picture holds the heap (hold.h). */

#include "core/base/status.h"
#include "core/heap/blocks.h"
#include "core/heap/checked.h"
#include "core/heap/descriptor.h"
#include "core/heap/hold.h"
#include "core/heap/segment.h"
#include "core/heap/stock.h"
#include "core/heap/thread.h"

/* What describes a span. */
#define PAGE_OVERHEAD_BYTES (sizeof(struct page) + sizeof(struct page_remote))
static_assert(PAGE_OVERHEAD_BYTES <= UINT8_MAX, "an entry has a byte for it");

static uintptr_t span_end(const struct page *page)
{
	return (uintptr_t)page_start(page) + page->slices * SLICE_BYTES;
}

static uintptr_t carved_end(const struct page *page)
{
	return (uintptr_t)page_start(page) + page_carved_bytes(page);
}

static BYTE overhead_of(size_t overhead_bytes)
{
	return (BYTE)(overhead_bytes > UINT8_MAX ? UINT8_MAX : overhead_bytes);
}

static DWORD dword_of(size_t bytes)
{
	return bytes < UINT32_MAX ? (DWORD)bytes : UINT32_MAX;
}

/* The heap's own region: the header that its handle points to, and the stock. */
static void show_heap_locked(const struct heap *heap, struct rtl_heap_entry *entry)
{
	*entry = (struct rtl_heap_entry){ .lpData = (void *)heap,
					  .cbData = heap->region_bytes,
					  .cbOverhead = overhead_of(HEAP_HEADER_BYTES),
					  .wFlags = RTL_HEAP_ENTRY_REGION };
	entry->Region.dwCommittedSize = dword_of(heap->committed_bytes);
	entry->Region.dwUnCommittedSize = dword_of(heap->region_bytes - heap->committed_bytes);
	entry->Region.lpFirstBlock = (char *)heap + HEAP_HEADER_BYTES;
	entry->Region.lpLastBlock = (char *)heap + heap->region_bytes;
}

static void show_part(const struct heap *heap, size_t from, size_t end, WORD flags,
		      struct rtl_heap_entry *entry)
{
	*entry = (struct rtl_heap_entry){ .lpData = (char *)heap + from,
					  .cbData = end - from,
					  .wFlags = flags };
}

/* Goes on in the heap's own region: behind its header, or behind its stock. */
static bool go_on_in_heap_locked(const struct heap *heap, struct rtl_heap_entry *entry)
{
	size_t committed = heap->committed_bytes;

	if (entry->lpData == heap && committed > HEAP_HEADER_BYTES)
		show_part(heap, HEAP_HEADER_BYTES, committed, /* flags */ 0, entry);
	else if (!(entry->wFlags & RTL_HEAP_ENTRY_UNCOMMITTED) && committed < heap->region_bytes)
		show_part(heap, committed, heap->region_bytes, RTL_HEAP_ENTRY_UNCOMMITTED, entry);
	else
		return false;
	return true;
}

/* The next region begins; the last number is that of all the rest. */
static void count_region(struct rtl_heap_entry *entry)
{
	if (entry->iRegionIndex < UINT8_MAX)
		entry->iRegionIndex++;
}

/* Its memory is all committed. */
static void show_span(const struct page *page, struct rtl_heap_entry *entry)
{
	*entry = (struct rtl_heap_entry){ .lpData = page_start(page),
					  .cbData = page->slices * SLICE_BYTES,
					  .cbOverhead = PAGE_OVERHEAD_BYTES,
					  .iRegionIndex = entry->iRegionIndex,
					  .wFlags = RTL_HEAP_ENTRY_REGION };
	entry->Region.dwCommittedSize = (DWORD)entry->cbData;
	entry->Region.lpFirstBlock = page_start(page);
	entry->Region.lpLastBlock = (void *)span_end(page);
}

static void show_block(const struct page *page, void *block, struct rtl_heap_entry *entry)
{
	BYTE index = entry->iRegionIndex;
	struct block_info info;

	*entry = (struct rtl_heap_entry){ .lpData = block, .iRegionIndex = index };
	if (block_examine(page, block) == MISUSE_NONE && block_read_info(page, block, &info)) {
		entry->wFlags =
			RTL_HEAP_ENTRY_BUSY | RTL_HEAP_ENTRY_BLOCK | (WORD)(info.user_flags >> 4);
		entry->cbData = info.size_bytes;
		entry->cbOverhead = overhead_of(page->block_bytes - info.size_bytes);
		return;
	}
	entry->cbData = page->block_bytes;
}

static void show_rest(const struct page *page, struct rtl_heap_entry *entry)
{
	BYTE index = entry->iRegionIndex;

	*entry = (struct rtl_heap_entry){ .lpData = (void *)carved_end(page),
					  .cbData = span_end(page) - carved_end(page),
					  .iRegionIndex = index };
}

/* What is at `at` in a page of blocks, or first behind it. */
static bool show_in_span(const struct page *page, uintptr_t at, struct rtl_heap_entry *entry)
{
	if (at < carved_end(page)) {
		show_block(page, (void *)at, entry);
		return true;
	}
	if (at == carved_end(page) && at < span_end(page)) {
		show_rest(page, entry);
		return true;
	}
	return false;
}

/* Goes on in the page of blocks that the last entry lay in. */
static bool go_on_in_span(const struct heap *heap, struct rtl_heap_entry *entry)
{
	uintptr_t at = (uintptr_t)entry->lpData;
	const struct page *page = page_of(entry->lpData);

	if (!page || page->kind != PAGE_BLOCKS || page->heap != heap || !page->sized)
		return false;
	if (at < (uintptr_t)page_start(page))
		return false;
	if (entry->wFlags & RTL_HEAP_ENTRY_REGION)
		return show_in_span(page, (uintptr_t)page_start(page), entry);
	at += page->block_bytes - (at - (uintptr_t)page_start(page)) % page->block_bytes;
	return show_in_span(page, at, entry);
}

static bool is_in_heap(const struct heap *heap, const void *address)
{
	const struct page *page = page_of(address);

	return page && page->kind != PAGE_NONE && page->heap == heap;
}

static NTSTATUS step_locked(const struct heap *heap, struct rtl_heap_entry *entry)
{
	uintptr_t from = (uintptr_t)entry->lpData + 1;
	struct page *page;

	if (stock_has(heap, entry->lpData))
		from = 0;
	else if (!is_in_heap(heap, entry->lpData))
		return STATUS_INVALID_PARAMETER;
	else if (go_on_in_span(heap, entry))
		return STATUS_SUCCESS;
	page = pool_next_page_locked(heap->pool, heap, from);
	if (!page)
		return STATUS_NO_MORE_ENTRIES;
	count_region(entry);
	if (page->kind == PAGE_BLOCKS)
		show_span(page, entry);
	else
		show_block(page, (void *)page_first_block(page), entry);
	return STATUS_SUCCESS;
}

/* Whether the next entry is of the heap's own region. */
static bool walk_in_heap(const struct heap *heap, struct rtl_heap_entry *entry)
{
	bool is_shown = !entry->lpData;

	if (entry->lpData && !stock_has(heap, entry->lpData))
		return false;
	lock_acquire(&heap->pool->lock);
	if (is_shown)
		show_heap_locked(heap, entry);
	else
		is_shown = go_on_in_heap_locked(heap, entry);
	lock_release(&heap->pool->lock);
	return is_shown;
}

NTSTATUS heap_walk(struct heap *heap, struct rtl_heap_entry *entry)
{
	NTSTATUS status;

	if (!heap_is_valid(heap))
		return STATUS_INVALID_HANDLE;
	hold_settle(heap);
	if (walk_in_heap(heap, entry))
		return STATUS_SUCCESS;
	if (heap->is_checked)
		return checked_walk(heap, entry);
	lock_acquire(&heap->pool->lock);
	status = step_locked(heap, entry);
	lock_release(&heap->pool->lock);
	return status;
}

/* The findings of a look at a whole heap. */
struct survey {
	const struct heap *heap;
	size_t largest_free_bytes;
	bool is_damaged;
};

static void survey_blocks(const struct page *page, struct survey *survey)
{
	uintptr_t block = (uintptr_t)page_start(page);
	struct block_info info;

	for (; block < carved_end(page); block += page->block_bytes) {
		if (block_examine(page, (void *)block) == MISUSE_DOUBLE_FREE)
			continue;
		survey->is_damaged |= !block_read_info(page, (void *)block, &info);
	}
}

/* Each free block is marked; the list of them is no longer than the page. */
static void survey_free(const struct page *page, struct survey *survey)
{
	uint32_t count = 0;

	for (const struct block *block = page->free; block; block = block->next) {
		if (++count > page->carved || block->mark != block_mark(block)) {
			survey->is_damaged = true;
			return;
		}
	}
	if ((count || page->carved < page->limit) &&
	    block_capacity(page, false) > survey->largest_free_bytes)
		survey->largest_free_bytes = block_capacity(page, false);
}

static void survey_page(struct page *page, void *context)
{
	struct survey *survey = context;

	if (page->heap != survey->heap || !page->sized)
		return;
	if (page->kind != PAGE_BLOCKS) {
		survey->is_damaged |= page->exact_bytes > page->block_bytes;
		return;
	}
	survey_free(page, survey);
	survey_blocks(page, survey);
}

static struct survey survey_heap(struct heap *heap)
{
	struct survey survey = { .heap = heap };

	hold_acquire(heap);
	hold_settle(heap);
	survey.largest_free_bytes = stock_committed(heap) - HEAP_HEADER_BYTES;
	segments_visit(survey_page, &survey);
	hold_release(heap);
	return survey;
}

/* A block that is given out but has no exact size yet lies in a call that was interrupted for good;
 * the heap that is held has none else. */
bool heap_validate(enum api api, struct heap *heap, const void *block)
{
	if (!heap_is_valid(heap))
		return false;
	if (heap->is_checked)
		return block ? checked_validate(heap, block) : checked_validate_all(api, heap);
	if (block)
		return heap_size(heap, 0, block) != SIZE_MAX;
	return !survey_heap(heap).is_damaged;
}

size_t heap_compact(struct heap *heap)
{
	struct front *front = heap_enter(heap);

	if (!front)
		return 0;
	front_release_empty(front, /* keep_bytes */ 0);
	heap_leave(front);
	if (heap == heap_process())
		threads_reap(/* wholly */ true);
	return survey_heap(heap).largest_free_bytes;
}

NTSTATUS heap_optimize(struct heap *heap)
{
	if (heap && !heap_is_valid(heap))
		return STATUS_INVALID_HANDLE;
	if (heap)
		heap_compact(heap);
	heap_trim();
	return STATUS_SUCCESS;
}

NTSTATUS heap_lock(struct heap *heap)
{
	if (!heap_is_valid(heap))
		return STATUS_INVALID_HANDLE;
	hold_acquire(heap);
	return STATUS_SUCCESS;
}

void heap_settle(struct heap *heap)
{
	hold_settle(heap);
}

NTSTATUS heap_unlock(struct heap *heap)
{
	if (!heap_is_valid(heap))
		return STATUS_INVALID_HANDLE;
	return hold_release(heap) ? STATUS_SUCCESS : STATUS_RESOURCE_NOT_OWNED;
}
