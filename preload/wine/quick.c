/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The shortest way from a program's HeapAlloc to core's thread-local lists. These functions have
 * Windows' calling convention and call nothing but, at their end, the long way through the
 * dispatcher, for what is not as usual. So ten xmm registers need not be saved, and for a block of
 * the process heap no others either.
 *
 * Guarded by: nothing; open_heap is set once. */

#include "preload/wine/quick.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/heap/quick.h"
#include "preload/pe/hook.h"
#include "preload/process.h"

/* What may be cleared here; larger blocks are worth a call. */
#define ZERO_BYTES_MAX 256

/* The process heap, once core answers. */
static struct heap *open_heap;

/* A block is a multiple of 16 long at least, and its trailer the last 8 bytes: whole words up to
 * its size are its own. */
static inline void clear(void *block, size_t size_bytes)
{
	uint64_t *words = block;

	for (size_t i = 0; i < (size_bytes + 7) / 8; i++)
		*(volatile uint64_t *)&words[i] = 0;
}

/* The calls as if there were nothing here. */
static hook_rest allocate_rest, release_rest;

/* Of any heap, with any flags. */
static __attribute__((noinline)) HOOK_ABI uint64_t quick_allocate_other(uint64_t heap,
									uint64_t flags,
									uint64_t size_bytes)
{
	bool is_zero = flags & HEAP_ZERO_MEMORY;
	void *block = NULL;

	if (likely(open_heap && !event_is_wanted() && (!is_zero || size_bytes <= ZERO_BYTES_MAX)))
		block = heap_allocate_quickly((struct heap *)heap, (uint32_t)flags, size_bytes);
	if (unlikely(!block))
		return allocate_rest(heap, flags, size_bytes);
	if (is_zero)
		clear(block, size_bytes);
	return (uintptr_t)block;
}

/* That there are no flags, and which heap it is, need not be kept for later: so the registers that
 * a function may use are enough. */
static HOOK_ABI uint64_t quick_allocate(uint64_t heap, uint64_t flags, uint64_t size_bytes)
{
	void *block;

	if (unlikely((struct heap *)heap != open_heap || (uint32_t)flags != 0))
		return quick_allocate_other(heap, flags, size_bytes);
	if (unlikely(event_is_wanted()))
		return allocate_rest(heap, flags, size_bytes);
	block = process_heap_allocate_quickly((struct heap *)heap, 0, size_bytes);
	if (unlikely(!block))
		return allocate_rest((uintptr_t)open_heap, 0, size_bytes);
	return (uintptr_t)block;
}

/* Without a block there is nothing to do, whatever the heap is. */
static __attribute__((noinline)) HOOK_ABI uint64_t quick_release_other(uint64_t heap,
								       uint64_t flags,
								       uint64_t block)
{
	if (likely(open_heap && !event_is_wanted() &&
		   (!block || heap_release_quickly((struct heap *)heap, (struct block *)block))))
		return true;
	return release_rest(heap, flags, block);
}

static HOOK_ABI uint64_t quick_release(uint64_t heap, uint64_t flags, uint64_t block)
{
	if (unlikely((struct heap *)heap != open_heap || (uint32_t)flags != 0 || !block))
		return quick_release_other(heap, flags, block);
	if (likely(!event_is_wanted() &&
		   process_heap_release_quickly((struct heap *)heap, (struct block *)block)))
		return true;
	return release_rest((uintptr_t)open_heap, 0, block);
}

void quick_start(void)
{
	hook_set_quick(API_HeapAlloc, quick_allocate, &allocate_rest);
	hook_set_quick(API_HeapFree, quick_release, &release_rest);
}

void quick_open(void)
{
	open_heap = process_heap;
}
