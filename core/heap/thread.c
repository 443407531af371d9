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

/* Stands for a thread after heap_thread_exit: always busy, so that all its calls go to the shared
 * fronts. */
static struct thread_heap thread_gone = { .plain.busy = UINTPTR_MAX, .sized.busy = UINTPTR_MAX };

CORE_TLS struct thread_heap *thread_heap;
CORE_TLS struct front *thread_sized = &thread_gone.sized;

/* How long a call is waited for, in steps of. */
#define WAIT_NS_MAX ((uint64_t)1000000000)
#define NAP_NS ((uint64_t)50000)

static struct lock threads_lock = LOCK_INITIALIZER(LOCK_RANK_HEAPS);
static struct thread_heap *all_threads, *idle_threads;
/* Threads that have a heap of theirs and have not ended. Written under threads_lock. */
static uint32_t users;

/* Every other thread takes pages from the end of a segment: processors fetch what lies behind the
 * description of a page, and would take it from the thread beside. */
static bool is_next_from_above;

/* Whether no thread may use its plain front: it stays marked. */
static bool is_plain_closed;

static struct lock shared_lock = LOCK_INITIALIZER(LOCK_RANK_HEAP);
static struct front shared_plain, shared_sized;

static struct thread_heap *first_thread(void)
{
	return __atomic_load_n(&all_threads, __ATOMIC_ACQUIRE);
}

/* Whatever call the front was in, it is over. */
static void settle_front(struct front *front)
{
	__atomic_store_n(&front->busy, 0, __ATOMIC_RELEASE);
	front_recover(front);
}

static void each_front(struct thread_heap *thread, void (*act)(struct front *front))
{
	act(&thread->plain);
	act(&thread->sized);
	for (uint32_t i = 0; i < THREAD_HEAPS; i++) {
		if (thread->others[i])
			act(thread->others[i]);
	}
}

static struct thread_heap *create_locked(void)
{
	struct thread_heap *thread = arena_pages(sizeof(*thread));

	if (!thread)
		return NULL;
	front_set_up(&thread->plain, heap_native(), NULL, /* sized */ false);
	front_set_up(&thread->sized, NULL, NULL, /* sized */ true);
	thread->plain.thread = thread->sized.thread = thread;
	thread->plain.from_above = thread->sized.from_above = is_next_from_above;
	is_next_from_above = !is_next_from_above;
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
	each_front(thread, settle_front);
	return thread;
}

static void make_idle_locked(struct thread_heap *thread)
{
	thread->is_idle = true;
	thread->next_idle = idle_threads;
	idle_threads = thread;
}

static void begin_use_locked(struct thread_heap *thread)
{
	if (is_plain_closed)
		thread->plain.busy = UINTPTR_MAX;
	__atomic_fetch_add(&users, 1, __ATOMIC_SEQ_CST);
}

void threads_close_plain(void)
{
	is_plain_closed = true;
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
	if (thread && thread != thread_heap)
		begin_use_locked(thread);
	thread_heap = thread;
	if (thread)
		thread_sized = &thread->sized;
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

struct front *thread_enter_heap(const struct heap *heap)
{
	struct thread_heap *thread = thread_heap;
	struct front *front;

	if (unlikely(!thread) && !(thread = attach()))
		return NULL;
	front = thread_front_of(thread, heap);
	if (!front || !front_enter(front))
		return NULL;
	if (likely(thread_front_of(thread, heap) == front))
		return front;
	front_leave(front);
	return NULL;
}

static struct front *take_spare(struct thread_heap *thread)
{
	struct front *front = thread->spare;

	if (front)
		thread->spare = front->next;
	return front ? front : arena_pages(sizeof *front);
}

bool thread_add_front(struct heap *heap)
{
	uint32_t place = (uint32_t)((uintptr_t)heap >> 16) % THREAD_HEAPS;
	struct thread_heap *thread = thread_heap;
	struct front *front;

	if (!thread || thread == &thread_gone || thread->others[place])
		return false;
	front = take_spare(thread);
	if (!front)
		return false;
	*front = (struct front){ .thread = thread };
	front_set_up(front, heap, /* lock */ NULL, /* sized */ true);
	front->from_above = thread->plain.from_above;
	__atomic_store_n(&thread->others[place], front, __ATOMIC_RELEASE);
	return true;
}

/* A front stays its thread's, who may be looking at it at this moment. */
void threads_forget_heap(const struct heap *heap)
{
	uint32_t place = (uint32_t)((uintptr_t)heap >> 16) % THREAD_HEAPS;

	lock_acquire(&threads_lock);
	for (struct thread_heap *thread = first_thread(); thread; thread = thread->next) {
		struct front *front = thread->others[place];

		if (!front || front->heap != heap)
			continue;
		__atomic_store_n(&thread->others[place], NULL, __ATOMIC_RELAXED);
		__atomic_store_n(&front->heap, NULL, __ATOMIC_RELAXED);
		front->next = thread->spare;
		thread->spare = front;
	}
	lock_release(&threads_lock);
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

/* Who holds a heap finds it unchanged, also by those whom he does not wait for. */
static bool may_change(const struct front *front)
{
	return !heap_is_held_by_another(front->heap ? front->heap : process_heap);
}

/* Gives empty pages of a settled front back that nobody else can enter now. The mark is for who
 * becomes the heap's holder meanwhile: it waits. */
static void release_marked(struct front *front, size_t keep_bytes)
{
	__atomic_store_n(&front->busy, UINTPTR_MAX, __ATOMIC_RELAXED);
	atomic_signal_fence(memory_order_seq_cst);
	if (may_change(front))
		front_release_empty(front, keep_bytes);
	front_leave(front);
}

static void leave_for_good(struct front *front)
{
	settle_front(front);
	release_marked(front, THREAD_KEEP_BYTES);
}

void heap_thread_exit(void)
{
	struct thread_heap *thread = thread_heap;

	if (thread == &thread_gone)
		return;
	lock_acquire(&threads_lock);
	thread_sized = &thread_gone.sized;
	thread_heap = &thread_gone;
	if (thread) {
		each_front(thread, leave_for_good);
		make_idle_locked(thread);
		__atomic_fetch_sub(&users, 1, __ATOMIC_SEQ_CST);
	}
	lock_release(&threads_lock);
}

static bool is_in_call(struct thread_heap *thread, const struct heap *heap)
{
	const struct front *front = thread_front_of(thread, heap);

	return front && thread != thread_heap && __atomic_load_n(&front->busy, __ATOMIC_ACQUIRE);
}

static uint32_t is_user(void)
{
	return thread_heap && thread_heap != &thread_gone;
}

/* Who takes this lock later sees who holds the heap. */
static void wait_for_lock(struct lock *lock)
{
	if (!__atomic_load_n(&lock->word, __ATOMIC_SEQ_CST))
		return;
	lock_acquire(lock);
	lock_release(lock);
}

/* The list only grows, and a thread that is added to it later sees who holds the heap. No lock is
 * held meanwhile: the call that is waited for may need it. */
void threads_wait_for_calls(struct heap *heap)
{
	uint64_t naps = 0;

	wait_for_lock(heap == process_heap ? &shared_lock : &heap->lock);
	if (__atomic_load_n(&users, __ATOMIC_SEQ_CST) == is_user())
		return;
	os_barrier_everywhere();
	for (struct thread_heap *thread = first_thread(); thread; thread = thread->next) {
		while (is_in_call(thread, heap) && naps++ < WAIT_NS_MAX / NAP_NS)
			os_sleep(NAP_NS);
	}
}

static void release_entered(struct front *front)
{
	if (!front_enter(front))
		return;
	if (may_change(front))
		front_release_empty(front, /* keep_bytes */ 0);
	front_leave(front);
}

void thread_release_own(void)
{
	if (is_user())
		each_front(thread_heap, release_entered);
}

static void reap_some(struct front *front)
{
	settle_front(front);
	if (atomic_load_explicit(&front->notified, memory_order_relaxed))
		release_marked(front, THREAD_KEEP_BYTES);
}

static void reap_all(struct front *front)
{
	settle_front(front);
	release_marked(front, /* keep_bytes */ 0);
}

void threads_reap(bool wholly)
{
	lock_acquire(&threads_lock);
	for (struct thread_heap *thread = idle_threads; thread; thread = thread->next_idle)
		each_front(thread, wholly ? reap_all : reap_some);
	lock_release(&threads_lock);
}

static void check_front(struct front *front)
{
	front_check(front);
}

void threads_check(void)
{
	struct thread_heap *own = thread_heap;

	lock_acquire(&threads_lock);
	if (own && own != &thread_gone)
		each_front(own, check_front);
	for (struct thread_heap *thread = idle_threads; thread; thread = thread->next_idle) {
		check(thread->is_idle, "an idle thread that is not marked so");
		each_front(thread, settle_front);
		each_front(thread, check_front);
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

/* A call that stopped between two steps may have a block in a list that still counts as live: all
 * is counted anew before the front is used again. */
static void forget_call(struct front *front)
{
	front->dirty |= __atomic_load_n(&front->busy, __ATOMIC_RELAXED) != 0;
	__atomic_store_n(&front->busy, 0, __ATOMIC_RELEASE);
}

/* The other threads stopped somewhere, perhaps inside one of our fast or slow paths. */
void threads_fork_child(void)
{
	lock_fork_adopt(&threads_lock);
	lock_fork_adopt(&shared_lock);
	for (struct thread_heap *thread = all_threads; thread; thread = thread->next) {
		if (thread == thread_heap || thread->is_idle)
			continue;
		each_front(thread, forget_call);
		make_idle_locked(thread);
	}
	users = is_user();
	lock_release(&shared_lock);
	lock_release(&threads_lock);
}
