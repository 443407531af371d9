/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* HeapLock.
 *
 *   locker:  holder = me  ->  every processor sees it (membarrier)  ->  waits for each front's call
 *   caller:  marks its front busy  ->  looks for a holder  ->  goes on, or takes the mark away and
 *            waits
 *
 * So the caller's path needs no barrier of its own. Guarded by: the heap's lock. */

#include "core/heap/hold.h"

#include "core/heap/thread.h"
#include "core/os/os.h"

void hold_wait(struct heap *heap)
{
	for (;;) {
		uint32_t word = __atomic_load_n(&heap->hold.word, __ATOMIC_ACQUIRE);

		if (!heap_is_held_by_another(heap))
			return;
		os_futex_wait(&heap->hold.word, word);
	}
}

static bool try_locked(struct heap_hold *hold)
{
	uintptr_t me = os_thread_token();

	if (hold->holder && hold->holder != me)
		return false;
	__atomic_store_n(&hold->holder, me, __ATOMIC_RELAXED);
	hold->depth++;
	return true;
}

void hold_acquire(struct heap *heap)
{
	bool is_mine, is_first;

	do {
		hold_wait(heap);
		lock_acquire(&heap->lock);
		is_mine = try_locked(&heap->hold);
		is_first = heap->hold.depth == 1;
		lock_release(&heap->lock);
	} while (!is_mine);
	if (is_first && heap == heap_process())
		threads_wait_for_calls();
}

bool hold_release(struct heap *heap)
{
	struct heap_hold *hold = &heap->hold;
	bool is_mine, is_last = false;

	lock_acquire(&heap->lock);
	is_mine = hold->holder == os_thread_token();
	if (is_mine && --hold->depth == 0) {
		is_last = true;
		__atomic_store_n(&hold->holder, 0, __ATOMIC_RELAXED);
		__atomic_store_n(&hold->word, hold->word + 1, __ATOMIC_RELEASE);
	}
	lock_release(&heap->lock);
	if (is_last)
		os_futex_wake(&hold->word, /* threads */ INT32_MAX);
	return is_mine;
}

void hold_fork_child(struct heap *heap)
{
	if (!heap_is_held_by_another(heap))
		return;
	heap->hold = (struct heap_hold){ .word = heap->hold.word + 1 };
}
