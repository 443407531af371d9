/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* HeapLock.
 *
 *   locker:  holder = me  ->  goes on
 *   walker:  holds it  ->  every processor sees it (membarrier)  ->  waits for each front's call
 *   caller:  marks its front busy  ->  looks for a holder  ->  goes on, or takes the mark away and
 *            waits
 *
 * So the caller's path needs no barrier of its own. A call that had begun when the heap was locked
 * ends as if it had been before; whoever looks at the heap's blocks waits for it (hold_settle).
 * Most who lock do not look, as Wine's own Global and Local functions.
 *
 *   unlocker:  holder = 0  ->  looks for waiters  ->  wakes them
 *   waiter:    waiters++  ->  every processor sees it  ->  looks for a holder  ->  sleeps
 *
 * A thread that is stopped from outside while it holds a heap keeps others waiting,
 * as on Windows. No lock. */

#include "core/heap/hold.h"

#include "core/heap/thread.h"
#include "core/os/os.h"

#define CALL_NS_MAX UINT64_C(1000000000)
#define WAIT_NS 20000

void hold_wait(struct heap *heap)
{
	struct heap_hold *hold = &heap->hold;

	__atomic_fetch_add(&hold->waiters, 1, __ATOMIC_SEQ_CST);
	os_barrier_everywhere();
	for (;;) {
		uint32_t word = __atomic_load_n(&hold->word, __ATOMIC_SEQ_CST);
		uintptr_t holder = __atomic_load_n(&hold->holder, __ATOMIC_SEQ_CST);

		if (!holder || holder == os_thread_token())
			break;
		os_futex_wait(&hold->word, word);
	}
	__atomic_fetch_sub(&hold->waiters, 1, __ATOMIC_SEQ_CST);
}

void hold_wake(struct heap_hold *hold)
{
	__atomic_fetch_add(&hold->word, 1, __ATOMIC_SEQ_CST);
	os_futex_wake(&hold->word, /* threads */ INT32_MAX);
}

void hold_call_begins(struct heap *heap)
{
	for (;;) {
		__atomic_fetch_add(&heap->checked_calls, 1, __ATOMIC_SEQ_CST);
		if (!heap_is_held_by_another(heap))
			return;
		hold_call_ends(heap);
		hold_wait(heap);
	}
}

void hold_call_ends(struct heap *heap)
{
	__atomic_fetch_sub(&heap->checked_calls, 1, __ATOMIC_SEQ_CST);
}

static void wait_for_calls(struct heap *heap)
{
	uint64_t end_ns = os_clock_ns() + CALL_NS_MAX;

	threads_wait_for_calls(heap);
	while (__atomic_load_n(&heap->checked_calls, __ATOMIC_SEQ_CST) && os_clock_ns() < end_ns)
		os_sleep(WAIT_NS);
}

void hold_acquire(struct heap *heap)
{
	while (!hold_try(heap))
		hold_wait(heap);
}

void hold_settle(struct heap *heap)
{
	if (!heap_is_held(heap) || heap_is_held_by_another(heap) || heap->hold.is_alone)
		return;
	wait_for_calls(heap);
	heap->hold.is_alone = true;
}

void hold_seize(struct heap *heap)
{
	__atomic_store_n(&heap->hold.holder, os_thread_token(), __ATOMIC_SEQ_CST);
	wait_for_calls(heap);
}

bool hold_release(struct heap *heap)
{
	if (!heap_is_held(heap) || heap_is_held_by_another(heap))
		return false;
	if (hold_let_go(heap))
		hold_wake(&heap->hold);
	return true;
}

void hold_fork_child(struct heap *heap)
{
	heap->hold.waiters = 0;
	heap->checked_calls = 0;
	if (!heap_is_held_by_another(heap))
		return;
	heap->hold.is_alone = false;
	heap->hold.depth = 0;
	heap->hold.holder = 0;
}
