/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A heap, as its handle points to it. For the files of this folder only. */

#ifndef VADTRACE_CORE_HEAP_DESCRIPTOR_H
#define VADTRACE_CORE_HEAP_DESCRIPTOR_H

#include "core/base/lock.h"
#include "core/heap/front.h"
#include "core/heap/heap.h"
#include "core/heap/pool.h"
#include "core/os/os.h"

#define HEAP_SIGNATURE 0xffeeffeeu
/* In a heap's flags: any but the process heap. */
#define HEAP_PRIVATE 0x00001000u

/* Who keeps a heap for itself (HeapLock).
 *  - holder is a thread's token (os.h), or 0;
 *  - depth is how often the holder has locked it again;
 *  - is_alone: calls of other threads that began before have ended, as the holder has seen;
 *  - word changes whenever the heap becomes free while waiters are not 0; they sleep on it.
 * Guarded by: depth, is_alone: the holder; else atomic. */
struct heap_hold {
	_Alignas(64) uintptr_t holder;
	uint32_t depth;
	bool is_alone;
	uint32_t word;
	uint32_t waiters;
};

/* One heap.
 *  - what stands before `lock` is where programs and debuggers look for it in a Windows heap;
 *  - maximum_bytes is 0 (growable), or at least taken_bytes, but for those in a call;
 *  - region_bytes are reserved where it stands, the first committed_bytes of them are committed:
 *    HEAP_HEADER_BYTES, and its stock (stock.h);
 *  - next leads to all heaps but the process heap.
 * Guarded by: lock; next: heaps_lock; committed_bytes: the pool's lock. */
struct heap {
	uint8_t unknown1[0x10];
	uint32_t signature;
	uint32_t auto_flags; /* HEAP_GROWABLE or 0 */
	uint8_t unknown2[0x58];
	uint32_t flags;       /* HEAP_* */
	uint32_t force_flags; /* what every call has besides its own */
	uint8_t unknown3[0x88];
	struct lock lock;
	struct front
		front; /* serves who has none of his own here (thread.h); not the process heap */
	struct pool *pool;
	struct heap *next;
	size_t maximum_bytes;
	_Atomic(size_t) taken_bytes;
	size_t region_bytes, committed_bytes;
	struct heap_hold hold;
	uint32_t compatibility; /* HeapCompatibilityInformation */
	uint32_t checked_calls; /* that are under way on a checked heap; atomic */
	bool is_checked;        /* from its first block on: its blocks are those of checked.h */
	bool is_vault;          /* where checked blocks lie: in no list that a program gets */
};
#define HEAP_HEADER_BYTES \
	((sizeof(struct heap) + LARGE_HEADER_BYTES - 1) / LARGE_HEADER_BYTES * LARGE_HEADER_BYTES)
static_assert(offsetof(struct heap, signature) == 0x10, "programs look there");
static_assert(offsetof(struct heap, auto_flags) == 0x14, "programs look there");
static_assert(offsetof(struct heap, flags) == 0x70, "programs look there");
static_assert(offsetof(struct heap, force_flags) == 0x74, "programs look there");

extern CORE_HIDDEN struct heap *process_heap;

static ALWAYS_INLINE bool heap_is_held(const struct heap *heap)
{
	bool is_held;

	__asm__ volatile("cmpq $0, %1" : "=@ccne"(is_held) : "m"(heap->hold.holder) : "memory");
	return is_held;
}

static ALWAYS_INLINE bool heap_is_held_by_another(const struct heap *heap)
{
	uintptr_t holder = __atomic_load_n(&heap->hold.holder, __ATOMIC_ACQUIRE);

	return unlikely(holder != 0) && holder != os_thread_token();
}

/* The front that serves the calling thread's calls on `heap`, entered; waits while another thread
 * holds the heap. NULL: no heap. heap_leave ends it. */
struct front *heap_enter(struct heap *heap);
void heap_leave(struct front *front);

/* The heap that has the memory of checked blocks; NULL: no memory. */
struct heap *heap_vault(bool has_code);

/* What a block counts against the maximum of a heap of fixed size. heap_charge counts what it does
 * more than the block whose place it takes, which counts old_bytes (0: no such block); false: there
 * is no room. What it does less, the old block's release discounts. */
struct block_info;
size_t heap_charge_for(const struct block_info *info);
bool heap_charge(struct heap *heap, const struct block_info *info, size_t old_bytes);

/* The page of a block of this heap that is not free; NULL for anything else. Between heap_enter and
 * heap_leave. */
struct page *heap_page_of(const struct heap *heap, const void *block);

#endif
