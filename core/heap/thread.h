/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Whose front serves a call: the thread's own, or the shared ones. */

#ifndef VADTRACE_CORE_HEAP_THREAD_H
#define VADTRACE_CORE_HEAP_THREAD_H

#include "core/base/thread.h"
#include "core/heap/descriptor.h"
#include "core/heap/front.h"

/* Heaps besides the process heap of which a thread has a front; each has one place in the table,
 * and where two have the same the later one goes without. */
#define THREAD_HEAPS 64u

/* What one thread allocates from. When the thread ends, it stays as it is and waits for a new
 * thread: blocks that live on keep their owner, and no thread leaves anything behind.
 *  - others[i]: NULL, or the front for a heap whose place this is; `heap` in it tells which;
 *  - is_idle: in the idle list, used by nobody.
 * Guarded by: threads_lock; others: heaps_lock, but the thread itself may read it; the fronts: see
 * front.h. Never given back to the system. */
struct thread_heap {
	struct front plain; /* for malloc */
	struct thread_heap *next;
	struct thread_heap *next_idle;
	struct front *spare; /* of heaps that are gone; linked by `next` */
	bool is_idle;
	struct front sized; /* for the process heap's Win32 face */
	struct front *others[THREAD_HEAPS];
};
static_assert(sizeof(struct thread_heap) <= 8192, "a thread costs two pages");

/* NULL: this thread has not allocated yet. */
extern CORE_TLS struct thread_heap *thread_heap;
/* Its front for the process heap; while it has none, one that is always busy. */
extern CORE_TLS struct front *thread_sized;

/* From now on no thread has a front for malloc: another allocator serves the program, and the few
 * calls that come here nevertheless share one. Called before there is a thread that has. */
void threads_close_plain(void);

/* The calling thread's front, entered (front_leave ends it); NULL when it cannot be had now: in a
 * handler that interrupted it, after heap_thread_exit, or when there is no memory for one. */
struct front *thread_enter(bool sized);
/* The thread's front for a heap, where `process` is the process heap. */
static ALWAYS_INLINE struct front *thread_front_beside(struct thread_heap *thread,
						       const struct heap *heap,
						       const struct heap *process)
{
	uint32_t place = (uint32_t)((uintptr_t)heap >> 16) % THREAD_HEAPS;
	struct front *front;

	if (likely(heap == process))
		return &thread->sized;
	front = __atomic_load_n(&thread->others[place], __ATOMIC_ACQUIRE);
	return front && __atomic_load_n(&front->heap, __ATOMIC_RELAXED) == heap ? front : NULL;
}

/* The thread's front for a heap, or NULL. It may be gone by the time it is entered: then it is no
 * longer this heap's. */
static inline struct front *thread_front_of(struct thread_heap *thread, const struct heap *heap)
{
	return thread_front_beside(thread, heap, process_heap);
}

/* The same, entered; NULL when the thread has none or it cannot be had now. */
struct front *thread_enter_heap(const struct heap *heap);
/* Makes a front of the calling thread for a heap other than the process heap. Called with
 * heaps_lock held, so the heap exists. False: no room, no memory, or the thread is at its end. */
bool thread_add_front(struct heap *heap);
/* The heap is about to end; nobody is in a call on it. */
void threads_forget_heap(const struct heap *heap);

/* Whether `front` is one of the calling thread's. */
static inline bool thread_owns(const struct front *front)
{
	const struct thread_heap *thread = thread_heap;

	return thread && front->thread == thread;
}

/* The front that serves when thread_enter gives NULL; waits for other threads. */
struct front *shared_enter(bool sized);
void shared_leave(struct front *front);

/* Of a page without blocks, what a thread may leave to the next one instead of giving it back. */
#define THREAD_KEEP_BYTES ((size_t)8192)

/* The calling thread has just become the heap's holder: returns when no other thread is in a call
 * on the heap that it entered before. A thread that is stopped in the middle of one is waited for
 * no longer than a second: what it leaves half done loses a block at most (front.h). */
void threads_wait_for_calls(struct heap *heap);

/* Takes in the blocks that were freed to the calling thread's pages, and gives empty pages back. */
void thread_release_own(void);
/* Takes in the blocks that were freed to idle threads' pages, and gives empty pages back; all of
 * them, or what is worth it. */
void threads_reap(bool wholly);
void threads_check(void);

void threads_fork_prepare(void);
void threads_fork_parent(void);
void threads_fork_child(void);

#endif
