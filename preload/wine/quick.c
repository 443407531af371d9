/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The shortest way from a program's HeapAlloc to core's thread-local lists, and the like. These
 * functions have Windows' calling convention and call nothing but, at their end, the long way
 * through the dispatcher, for what is not as usual. So ten xmm registers need not be saved, and for
 * a block of the process heap no others either.
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
static hook_rest allocate_rest, release_rest, size_rest, value_rest;
static hook_rest lock_rest, unlock_rest, heap_lock_rest, heap_unlock_rest;

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

static HOOK_ABI uint64_t quick_size(uint64_t heap, uint64_t flags, uint64_t block)
{
	size_t size_bytes = SIZE_MAX;

	if (likely(open_heap && !event_is_wanted()))
		size_bytes = heap_size_quickly((struct heap *)heap, (struct block *)block);
	return likely(size_bytes != SIZE_MAX) ? size_bytes : size_rest(heap, flags, block);
}

static HOOK_ABI uint64_t quick_set_value(uint64_t heap, uint64_t flags, uint64_t block,
					 uint64_t value)
{
	if (likely(open_heap && !event_is_wanted() &&
		   heap_set_user_value_quickly((struct heap *)heap, (struct block *)block, value)))
		return true;
	return ((hook_rest_4)(void (*)(void))value_rest)(heap, flags, block, value);
}

/* --- Locks, which Wine's Global and Local functions take at each call ------------------------ */

static inline bool lock(uint64_t heap)
{
	return likely(open_heap && !event_is_wanted()) && heap_lock_quickly((struct heap *)heap);
}

static inline bool may_unlock(uint64_t heap)
{
	return likely(open_heap && !event_is_wanted()) && heap_is_locked_here((struct heap *)heap);
}

static __attribute__((noinline)) HOOK_ABI uint64_t wake(struct heap *heap)
{
	hold_wake(&heap->hold);
	return true;
}

static inline uint64_t unlock(struct heap *heap)
{
	return unlikely(hold_let_go(heap)) ? wake(heap) : true;
}

static HOOK_ABI uint64_t quick_lock(uint64_t heap, uint64_t unused, uint64_t unused_too)
{
	return lock(heap) ? true : lock_rest(heap, unused, unused_too);
}

static HOOK_ABI uint64_t quick_unlock(uint64_t heap, uint64_t unused, uint64_t unused_too)
{
	return may_unlock(heap) ? unlock((struct heap *)heap)
				: unlock_rest(heap, unused, unused_too);
}

static HOOK_ABI uint64_t quick_heap_lock(uint64_t heap, uint64_t unused, uint64_t unused_too)
{
	return lock(heap) ? true : heap_lock_rest(heap, unused, unused_too);
}

static HOOK_ABI uint64_t quick_heap_unlock(uint64_t heap, uint64_t unused, uint64_t unused_too)
{
	return may_unlock(heap) ? unlock((struct heap *)heap)
				: heap_unlock_rest(heap, unused, unused_too);
}

void quick_start(void)
{
	hook_set_quick(API_HeapAlloc, quick_allocate, &allocate_rest);
	hook_set_quick(API_HeapFree, quick_release, &release_rest);
	hook_set_quick(API_HeapSize, quick_size, &size_rest);
	hook_set_quick(API_RtlSetUserValueHeap, (hook_quick)(void (*)(void))quick_set_value,
		       &value_rest);
	hook_set_quick(API_RtlLockHeap, quick_lock, &lock_rest);
	hook_set_quick(API_RtlUnlockHeap, quick_unlock, &unlock_rest);
	hook_set_quick(API_HeapLock, quick_heap_lock, &heap_lock_rest);
	hook_set_quick(API_HeapUnlock, quick_heap_unlock, &heap_unlock_rest);
}

void quick_open(void)
{
	open_heap = process_heap;
}
