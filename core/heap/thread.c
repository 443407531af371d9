/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Threads and what they allocate from.
 *
 *   all threads:  thread_heap -> thread_heap -> thread_heap        idle:  thread_heap -> ...
 *
 *   first call: takes an idle one, else a new one; exit: becomes idle; fork: all but ours are idle
 *
 * Guarded by: threads_lock; the shared fronts by shared_lock. */

#include "core/heap/thread.h"

#include "core/base/arena.h"
#include "core/base/check.h"
#include "core/heap/heap.h"
#include "core/os/os.h"

CORE_TLS struct thread_heap *thread_heap;

/* Stands for a thread after heap_thread_exit: always busy, so that all its calls go to the shared
 * fronts. */
static struct thread_heap thread_gone = { .plain.busy = UINTPTR_MAX, .sized.busy = UINTPTR_MAX };

/* How long a call is waited for, in steps of. */
#define WAIT_NS_MAX ((uint64_t)1000000000)
#define NAP_NS ((uint64_t)50000)

static struct lock threads_lock = LOCK_INITIALIZER(LOCK_RANK_HEAPS);
static struct thread_heap *all_threads, *idle_threads;

static struct lock shared_lock = LOCK_INITIALIZER(LOCK_RANK_HEAP);
static struct front shared_plain, shared_sized;

/* Whatever call the front was in, it is over. */
static void settle_front(struct front *front)
{
	front->busy = 0;
	front_recover(front);
}

static struct thread_heap *create_locked(void)
{
	struct thread_heap *thread = arena_pages(sizeof(*thread));

	if (!thread)
		return NULL;
	front_set_up(&thread->plain, heap_native(), NULL, /* sized */ false);
	front_set_up(&thread->sized, NULL, NULL, /* sized */ true);
	thread->next = all_threads;
	__atomic_store_n(&all_threads, thread, __ATOMIC_RELEASE);
	return thread;
}

static struct thread_heap *adopt_locked(void)
{
	struct thread_heap *thread = idle_threads;

	if (!thread)
		return NULL;
	idle_threads = thread->next_idle;
	thread->is_idle = false;
	settle_front(&thread->plain);
	settle_front(&thread->sized);
	return thread;
}

static void make_idle_locked(struct thread_heap *thread)
{
	thread->is_idle = true;
	thread->next_idle = idle_threads;
	idle_threads = thread;
}

/* The check inside is for a handler that came between the caller's look and the lock. */
static struct thread_heap *attach(void)
{
	struct thread_heap *thread;

	lock_acquire(&threads_lock);
	thread = thread_heap;
	if (!thread)
		thread = adopt_locked();
	if (!thread)
		thread = create_locked();
	thread_heap = thread;
	lock_release(&threads_lock);
	if (thread && thread_began)
		thread_began();
	return thread;
}

struct front *thread_enter(bool sized)
{
	struct thread_heap *thread = thread_heap;
	struct front *front;

	if (unlikely(!thread) && !(thread = attach()))
		return NULL;
	front = sized ? &thread->sized : &thread->plain;
	return front_enter(front) ? front : NULL;
}

struct front *shared_enter(bool sized)
{
	struct front *front = sized ? &shared_sized : &shared_plain;

	lock_acquire(&shared_lock);
	if (!front->lock)
		front_set_up(front, sized ? NULL : heap_native(), &shared_lock, sized);
	return front;
}

void shared_leave(struct front *front)
{
	lock_release(front->lock);
}

void heap_thread_exit(void)
{
	struct thread_heap *thread = thread_heap;

	if (thread == &thread_gone)
		return;
	lock_acquire(&threads_lock);
	thread_heap = &thread_gone;
	if (thread) {
		settle_front(&thread->plain);
		settle_front(&thread->sized);
		front_release_empty(&thread->plain, THREAD_KEEP_BYTES);
		front_release_empty(&thread->sized, THREAD_KEEP_BYTES);
		make_idle_locked(thread);
	}
	lock_release(&threads_lock);
}

static bool is_in_call(const struct thread_heap *thread)
{
	uintptr_t busy = __atomic_load_n(&thread->sized.busy, __ATOMIC_ACQUIRE);

	return busy != 0 && thread != thread_heap;
}

/* The list only grows, and a thread that is added to it later sees who holds the heap. No lock is
 * held meanwhile: the call that is waited for may need it. */
void threads_wait_for_calls(void)
{
	uint64_t naps = 0;

	os_barrier_everywhere();
	lock_acquire(&shared_lock);
	lock_release(&shared_lock);
	for (struct thread_heap *thread = __atomic_load_n(&all_threads, __ATOMIC_ACQUIRE); thread;
	     thread = thread->next) {
		while (is_in_call(thread) && naps++ < WAIT_NS_MAX / NAP_NS)
			os_sleep(NAP_NS);
	}
}

static void reap_front(struct front *front, size_t keep_bytes)
{
	settle_front(front);
	if (!keep_bytes || atomic_load_explicit(&front->notified, memory_order_relaxed))
		front_release_empty(front, keep_bytes);
}

void threads_reap(size_t keep_bytes)
{
	lock_acquire(&threads_lock);
	for (struct thread_heap *thread = idle_threads; thread; thread = thread->next_idle) {
		reap_front(&thread->plain, keep_bytes);
		reap_front(&thread->sized, keep_bytes);
	}
	lock_release(&threads_lock);
}

void threads_check(void)
{
	struct thread_heap *own = thread_heap;

	lock_acquire(&threads_lock);
	if (own && own != &thread_gone) {
		front_check(&own->plain);
		front_check(&own->sized);
	}
	for (struct thread_heap *thread = idle_threads; thread; thread = thread->next_idle) {
		check(thread->is_idle, "an idle thread that is not marked so");
		settle_front(&thread->plain);
		settle_front(&thread->sized);
		front_check(&thread->plain);
		front_check(&thread->sized);
	}
	lock_release(&threads_lock);
}

void threads_fork_prepare(void)
{
	lock_acquire(&threads_lock);
	lock_acquire(&shared_lock);
}

void threads_fork_parent(void)
{
	lock_release(&shared_lock);
	lock_release(&threads_lock);
}

/* The other threads stopped somewhere, perhaps inside one of our fast or slow paths. */
void threads_fork_child(void)
{
	lock_fork_adopt(&threads_lock);
	lock_fork_adopt(&shared_lock);
	for (struct thread_heap *thread = all_threads; thread; thread = thread->next) {
		if (thread == thread_heap || thread->is_idle)
			continue;
		thread->plain.busy = thread->sized.busy = 0;
		make_idle_locked(thread);
	}
	lock_release(&shared_lock);
	lock_release(&threads_lock);
}
