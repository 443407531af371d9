/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* One thread keeps a heap for itself. */

#ifndef VADTRACE_CORE_HEAP_HOLD_H
#define VADTRACE_CORE_HEAP_HOLD_H

#include "core/heap/descriptor.h"

/* Waits until no other thread holds the heap; somebody may hold it again on return. */
void hold_wait(struct heap *heap);
/* Until hold_release, no other thread begins a call that changes the heap; nests. */
void hold_acquire(struct heap *heap);
/* By who may hold it: if he does, those calls that had begun are over, too. */
void hold_settle(struct heap *heap);
/* False: the calling thread does not hold it. */
bool hold_release(struct heap *heap);
/* The same, whoever holds it: for a heap that is about to end. */
void hold_seize(struct heap *heap);
/* Around a call on a checked heap, which marks no front: the first waits while another thread holds
 * the heap, and hold_acquire waits for the second, for a second at most. */
void hold_call_begins(struct heap *heap);
void hold_call_ends(struct heap *heap);
/* hold_acquire, unless another thread holds the heap: false. */
static ALWAYS_INLINE bool hold_try(struct heap *heap)
{
	struct heap_hold *hold = &heap->hold;
	uintptr_t holder = 0, me = os_thread_token();

	if (__atomic_compare_exchange_n(&hold->holder, &holder, me, /* weak */ false,
					__ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		return true;
	if (holder != me)
		return false;
	hold->depth++;
	return true;
}

/* Wakes those who wait for a heap that has become free. */
void hold_wake(struct heap_hold *hold);

/* Whether hold_wake has to be called, after the heap has become free by a plain store: those who
 * wait make sure that either they see it or they are seen. The calling thread holds the heap. */
static ALWAYS_INLINE bool hold_let_go(struct heap *heap)
{
	struct heap_hold *hold = &heap->hold;

	/* Also when the heap stays locked: a handler's calls may come between any two of these. */
	if (unlikely(hold->is_alone))
		hold->is_alone = false;
	if (unlikely(hold->depth)) {
		hold->depth--;
		return false;
	}
	__atomic_store_n(&hold->holder, 0, __ATOMIC_RELEASE);
	atomic_signal_fence(memory_order_seq_cst);
	return unlikely(__atomic_load_n(&hold->waiters, __ATOMIC_RELAXED));
}

/* In a forked child: the other threads are gone, and what they held is free. */
void hold_fork_child(struct heap *heap);

#endif
