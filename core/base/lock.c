/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Locks on one futex word each:
 *
 *   0 free --acquire--> 1 held --a second thread waits--> 2 held and awaited --release--> 0, wake
 * one
 *
 * What a thread holds is counted in its own storage: the first lock blocks its signals, the last
 * one restores them, those between cost no system call. With a host that holds signals back, they
 * are blocked by the first signal that comes meanwhile. Knows nothing of what a lock guards. */

#include "core/base/lock.h"

#include "core/base/check.h"
#include "core/base/hints.h"
#include "core/base/thread.h"
#include "core/os/os.h"

enum { FREE = 0, HELD = 1, AWAITED = 2 };

/* Guarded by: the thread itself, which no handler interrupts while held_count != 0. */
static CORE_TLS uint64_t saved_mask; /* the mask from before the first lock, when is_blocking */
static CORE_TLS uint32_t held_count;
static CORE_TLS bool is_blocking; /* all signals are blocked since */
#ifdef VADTRACE_CHECKS
static CORE_TLS uint8_t held_of_rank[LOCK_RANK_COUNT];
#endif

/* The token of the thread between lock_fork_begin and lock_fork_end; 0: nobody forks. */
static uintptr_t forking_thread;

static bool are_signals_the_hosts;

static void check_rank(const struct lock *lock)
{
#ifdef VADTRACE_CHECKS
	check(lock->rank > 0 && lock->rank < LOCK_RANK_COUNT, "a lock without a rank");
	for (uint32_t rank = lock->rank + 1; rank < LOCK_RANK_COUNT; rank++)
		check(held_of_rank[rank] == 0, "locks taken in falling order");
#endif
}

static void count_rank(const struct lock *lock, int change)
{
#ifdef VADTRACE_CHECKS
	held_of_rank[lock->rank] = (uint8_t)(held_of_rank[lock->rank] + change);
#else
	(void)lock;
	(void)change;
#endif
}

/* Counted first, uncounted last: what is in between, a handler does not see. */
static void count_held(const struct lock *lock)
{
	held_count++;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	count_rank(lock, 1);
}

static void uncount_held(const struct lock *lock)
{
	count_rank(lock, -1);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	held_count--;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/* Before the thread's first lock is taken. */
static void keep_signals_out(void)
{
	uint64_t mask;

	if (are_signals_the_hosts)
		return;
	os_signals_block(&mask);
	saved_mask = mask;
	is_blocking = true;
}

/* After the thread's last lock was given back. */
static void let_signals_in(void)
{
	if (!is_blocking)
		return;
	is_blocking = false;
	os_signals_restore(saved_mask);
}

void lock_leave_signals_to_host(void)
{
	are_signals_the_hosts = true;
}

bool lock_hold_signal_back(uint64_t *mask)
{
	if (held_count == 0)
		return false;
	if (!is_blocking)
		saved_mask = *mask;
	is_blocking = true;
	*mask = ~UINT64_C(0);
	return true;
}

static void wait_and_take(struct lock *lock)
{
	while (__atomic_exchange_n(&lock->word, AWAITED, __ATOMIC_ACQUIRE) != FREE)
		os_futex_wait(&lock->word, AWAITED);
}

static bool passes_for_forking_thread(const struct lock *lock)
{
	return __atomic_load_n(&forking_thread, __ATOMIC_RELAXED) == os_thread_token() &&
	       lock_is_mine(lock);
}

void lock_acquire(struct lock *lock)
{
	uint32_t expected = FREE;

	if (unlikely(passes_for_forking_thread(lock))) {
		lock->depth++;
		return;
	}
	check_debug(!lock_is_mine(lock), "a lock taken twice by one thread");
	if (held_count == 0)
		keep_signals_out();
	check_rank(lock);
	count_held(lock);
	if (!__atomic_compare_exchange_n(&lock->word, &expected, HELD, /* weak */ false,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		wait_and_take(lock);
	__atomic_store_n(&lock->owner, os_thread_token(), __ATOMIC_RELAXED);
}

void lock_release(struct lock *lock)
{
	check_debug(lock_is_mine(lock), "a lock given back by a thread that does not hold it");
	if (unlikely(lock->depth)) {
		lock->depth--;
		return;
	}
	__atomic_store_n(&lock->owner, 0, __ATOMIC_RELAXED);
	if (__atomic_exchange_n(&lock->word, FREE, __ATOMIC_RELEASE) == AWAITED)
		os_futex_wake(&lock->word, /* threads */ 1);
	uncount_held(lock);
	if (held_count == 0)
		let_signals_in();
}

bool lock_is_mine(const struct lock *lock)
{
	return __atomic_load_n(&lock->owner, __ATOMIC_RELAXED) == os_thread_token();
}

bool lock_is_any_held(void)
{
	return held_count != 0 &&
	       __atomic_load_n(&forking_thread, __ATOMIC_RELAXED) != os_thread_token();
}

void lock_fork_begin(void)
{
	__atomic_store_n(&forking_thread, os_thread_token(), __ATOMIC_RELAXED);
}

void lock_fork_end(void)
{
	__atomic_store_n(&forking_thread, 0, __ATOMIC_RELAXED);
}

void lock_fork_adopt(struct lock *lock)
{
	__atomic_store_n(&lock->owner, os_thread_token(), __ATOMIC_RELAXED);
	__atomic_store_n(&lock->word, HELD, __ATOMIC_RELAXED);
}
