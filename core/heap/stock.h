/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What HeapCreate commits and reserves for a heap before it has a block.
 *
 *   a heap's region   [ header | committed: the stock | reserved ]
 *                     `-> its handle
 *
 * Blocks lie in the pool's segments, never here. Each segment that the pool takes from the system
 * for the heap is paid for out of the heap's stock, as far as that goes: the heap has what it was
 * promised while others use the memory up, and what was promised is not had twice. */

#ifndef VADTRACE_CORE_HEAP_STOCK_H
#define VADTRACE_CORE_HEAP_STOCK_H

#include "core/heap/descriptor.h"

/* A region of its own for a heap: committed_bytes of reserved_bytes, each as they are rounded up to
 * what a header needs and to pages. NULL: no memory. */
struct heap *stock_make_heap(struct pool *pool, size_t committed_bytes, size_t reserved_bytes);

/* So much is about to be taken from the system for this heap: how much of it the stock paid for.
 * When it is not given, that goes back into the stock. Under the pool's lock. */
size_t stock_draw_locked(struct heap *heap, size_t size_bytes);
void stock_restore_locked(struct heap *heap, size_t drawn_bytes);

/* How much of the heap's own region is committed. */
size_t stock_committed(const struct heap *heap);

/* Whether the address lies in the heap's own region, which a walk begins with. */
static inline bool stock_has(const struct heap *heap, const void *address)
{
	return (uintptr_t)address - (uintptr_t)heap < heap->region_bytes;
}

#endif
