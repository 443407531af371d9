/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The shortest way from a program's HeapAlloc to core's thread-local lists. These functions have
 * Windows' calling convention and call nothing, so that no register has to be saved: calls are for
 * what is not as usual, and that goes the long way, through the dispatcher.
 *
 * Guarded by: nothing; is_open is set once. */

#include "preload/wine/quick.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/heap/quick.h"
#include "preload/pe/hook.h"
#include "preload/process.h"

/* What may be cleared here; larger blocks are worth a call. */
#define ZERO_BYTES_MAX 256

static bool is_open;

/* A block is a multiple of 16 long at least, and its trailer the last 8 bytes: whole words up to
 * its size are its own. */
static inline void clear(void *block, size_t size_bytes)
{
	uint64_t *words = block;

	for (size_t i = 0; i < (size_bytes + 7) / 8; i++)
		*(volatile uint64_t *)&words[i] = 0;
}

static HOOK_ABI uint64_t quick_allocate(uint64_t heap, uint64_t flags, uint64_t size_bytes,
					uint64_t unused)
{
	bool is_zero = flags & HEAP_ZERO_MEMORY;
	void *block;

	(void)unused;
	if (unlikely(!is_open || event_is_wanted() || (is_zero && size_bytes > ZERO_BYTES_MAX)))
		return 0;
	block = heap_allocate_quickly((struct heap *)heap, (uint32_t)flags, size_bytes);
	if (block && is_zero)
		clear(block, size_bytes);
	return (uintptr_t)block;
}

/* Without a block there is nothing to do, whatever the heap is. */
static HOOK_ABI uint64_t quick_release(uint64_t heap, uint64_t flags, uint64_t block,
				       uint64_t unused)
{
	(void)flags;
	(void)unused;
	if (unlikely(!is_open || event_is_wanted()))
		return 0;
	return !block || heap_release_quickly((struct heap *)heap, (struct block *)block);
}

void quick_start(void)
{
	hook_set_quick(API_HeapAlloc, quick_allocate);
	hook_set_quick(API_HeapFree, quick_release);
}

void quick_open(void)
{
	is_open = true;
}
