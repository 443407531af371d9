/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Guarded by: the pool's lock. Source: Microsoft's documentation of HeapCreate. */

#include "core/heap/stock.h"

#include "core/base/status.h"
#include "core/vm/virtual.h"

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Reserves a region and commits its start; NULL, and nothing is taken. */
static void *take(const struct pool *pool, size_t committed_bytes, size_t reserved_bytes)
{
	const struct vm_request request = { .owner = EVENT_OWNER_HEAP, .pager = pool->pager };
	bool is_partial = committed_bytes < reserved_bytes;
	uint32_t type = is_partial ? MEM_RESERVE : MEM_RESERVE | MEM_COMMIT;
	size_t bytes = reserved_bytes;
	void *base = NULL;

	if (!status_is_success(vm_allocate(&base, &bytes, type, pool->protect, &request)))
		return NULL;
	bytes = committed_bytes;
	if (!is_partial ||
	    status_is_success(vm_allocate(&base, &bytes, MEM_COMMIT, pool->protect, &request)))
		return base;
	(void)pool_release(base);
	return NULL;
}

struct heap *stock_make_heap(struct pool *pool, size_t committed_bytes, size_t reserved_bytes)
{
	struct heap *heap;

	committed_bytes =
		round_up(larger(committed_bytes, sizeof(struct heap)), LARGE_HEADER_BYTES);
	reserved_bytes = larger(round_up(reserved_bytes, LARGE_HEADER_BYTES), committed_bytes);
	heap = take(pool, committed_bytes, reserved_bytes);
	if (!heap)
		return NULL;
	heap->region_bytes = reserved_bytes;
	heap->committed_bytes = committed_bytes;
	return heap;
}

size_t stock_draw_locked(struct heap *heap, size_t size_bytes)
{
	const struct vm_request request = { .owner = EVENT_OWNER_HEAP };
	size_t stock_bytes = heap->committed_bytes - HEAP_HEADER_BYTES;
	void *start;

	if (likely(!stock_bytes))
		return 0;
	size_bytes = smaller(round_up(size_bytes, LARGE_HEADER_BYTES), stock_bytes);
	start = (char *)heap + heap->committed_bytes - size_bytes;
	if (!status_is_success(vm_free(&start, &size_bytes, MEM_DECOMMIT, &request)))
		return 0;
	heap->committed_bytes -= size_bytes;
	return size_bytes;
}

/* Somebody may have been faster to commit it. */
void stock_restore_locked(struct heap *heap, size_t drawn_bytes)
{
	const struct vm_request request = { .owner = EVENT_OWNER_HEAP };
	void *start = (char *)heap + heap->committed_bytes;

	if (drawn_bytes && status_is_success(vm_allocate(&start, &drawn_bytes, MEM_COMMIT,
							 heap->pool->protect, &request)))
		heap->committed_bytes += drawn_bytes;
}

size_t stock_committed(const struct heap *heap)
{
	size_t bytes;

	lock_acquire(&heap->pool->lock);
	bytes = heap->committed_bytes;
	lock_release(&heap->pool->lock);
	return bytes;
}
