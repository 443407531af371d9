/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Whose front serves a call: the thread's own, or the shared ones. */

#ifndef VADTRACE_CORE_HEAP_THREAD_H
#define VADTRACE_CORE_HEAP_THREAD_H

#include "core/base/thread.h"
#include "core/heap/front.h"

/* What one thread allocates from. When the thread ends, it stays as it is and waits for a new
 * thread: blocks that live on keep their owner, and no thread leaves anything behind.
 *  - is_idle: in the idle list, used by nobody.
 * Guarded by: threads_lock; the fronts: see front.h. Never given back to the system. */
struct thread_heap {
	struct front plain; /* for malloc */
	struct front sized; /* for the Win32 face */
	struct thread_heap *next;
	struct thread_heap *next_idle;
	bool is_idle;
};
static_assert(sizeof(struct thread_heap) <= 8192, "a thread costs two pages");

/* NULL: this thread has not allocated yet. */
extern CORE_TLS struct thread_heap *thread_heap;

/* The calling thread's front, entered (front_leave ends it); NULL when it cannot be had now: in a
 * handler that interrupted it, after heap_thread_exit, or when there is no memory for one. */
struct front *thread_enter(bool sized);
/* Whether `front` is one of the calling thread's. */
static inline bool thread_owns(const struct front *front)
{
	const struct thread_heap *thread = thread_heap;

	return thread && (front == &thread->plain || front == &thread->sized);
}

/* The front that serves when thread_enter gives NULL; waits for other threads. */
struct front *shared_enter(bool sized);
void shared_leave(struct front *front);

/* Of a page without blocks, what a thread may leave to the next one instead of giving it back. */
#define THREAD_KEEP_BYTES ((size_t)8192)

/* Returns when no other thread is in a call on the process heap that it entered before. A thread
 * that is stopped in the middle of one is waited for no longer than a second: what it leaves half
 * done loses a block at most (front.h). */
void threads_wait_for_calls(void);

/* Takes in the blocks that were freed to idle threads' pages, and gives empty pages back. */
void threads_reap(size_t keep_bytes);
void threads_check(void);

void threads_fork_prepare(void);
void threads_fork_parent(void);
void threads_fork_child(void);

#endif
