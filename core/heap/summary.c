/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A heap in four figures. The heap is held while it is looked through, so they belong together. */

#include "core/base/status.h"
#include "core/heap/blocks.h"
#include "core/heap/checked.h"
#include "core/heap/descriptor.h"
#include "core/heap/hold.h"
#include "core/heap/pool.h"
#include "core/heap/segment.h"
#include "core/heap/stock.h"
#include "core/heap/thread.h"

struct summing {
	const struct heap *heap;
	struct heap_summary sum;
};

static void add_block(const struct page *page, const void *block, struct heap_summary *sum)
{
	struct block_info info;

	if (block_examine(page, block) == MISUSE_NONE && block_read_info(page, block, &info))
		sum->allocated_bytes += info.size_bytes;
}

static void add_page(struct page *page, void *context)
{
	struct summing *summing = context;
	size_t span_bytes = page->slices * SLICE_BYTES;

	if (page->heap != summing->heap || !page->sized)
		return;
	if (page->kind != PAGE_BLOCKS) {
		add_block(page, (const void *)page_first_block(page), &summing->sum);
		summing->sum.committed_bytes += page->block_bytes;
		summing->sum.reserved_bytes += page->block_bytes;
		return;
	}
	for (size_t at = 0; at < page_carved_bytes(page); at += page->block_bytes)
		add_block(page, page_start(page) + at, &summing->sum);
	summing->sum.committed_bytes += span_bytes;
	summing->sum.reserved_bytes += span_bytes;
}

NTSTATUS heap_summarize(struct heap *heap, struct heap_summary *summary)
{
	struct summing summing = { .heap = heap };

	if (!heap_is_valid(heap))
		return STATUS_INVALID_HANDLE;
	hold_acquire(heap);
	hold_settle(heap);
	summing.sum.committed_bytes = stock_committed(heap);
	summing.sum.reserved_bytes = heap->region_bytes;
	if (heap->is_checked)
		checked_summarize(heap, &summing.sum);
	else
		segments_visit(add_page, &summing);
	hold_release(heap);
	summing.sum.maximum_bytes = heap->maximum_bytes;
	*summary = summing.sum;
	return STATUS_SUCCESS;
}
