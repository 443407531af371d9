/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A lock that its owner takes all the time and another thread now and then.
 *
 *   owner    stores `level`, then looks at `claim`       a plain store and a plain load
 *   other    stores `claim`, then looks at `level`       with a barrier on all processors between
 *
 * One of the two sees the other. The kernel makes the barrier (membarrier); where it has none, the
 * owner's store is an atomic exchange. */

#ifndef VADTRACE_TRACE_BIASED_LOCK_H
#define VADTRACE_TRACE_BIASED_LOCK_H

#include <stdbool.h>
#include <stdint.h>

/* All zero is the free state.
 *  - level is 0 or one more than the bracket's level that holds the lock; only the owner stores it;
 *  - claim is 1 while another thread (or the owner in its place) waits for the lock or holds it. */
struct biased_lock {
	uint32_t level;
	uint32_t claim;
};

/* Asks the kernel for barriers. Once per process, also in a fork's child. */
void biased_lock_start(void);

/* What every thread of the process did before this call is visible after it, and the other way
 * round. */
void biased_lock_barrier(void);

/* For another thread than the owner. False: the owner has not let go in time. */
bool biased_lock_claim(struct biased_lock *lock, uint64_t patience_ns);
void biased_lock_unclaim(struct biased_lock *lock);

/* For another thread: whether the owner does not hold it. It may take it at any time; but then it
 * does what it does after the last barrier. */
static inline bool biased_lock_is_free(const struct biased_lock *lock)
{
	return __atomic_load_n(&lock->level, __ATOMIC_ACQUIRE) == 0;
}

/* The owner has met a claim. False: it lasts too long. */
bool biased_lock_wait_unclaimed(const struct biased_lock *lock);

extern bool biased_lock_is_plain;

static inline void biased_lock_set_level(struct biased_lock *lock, uint32_t level)
{
	if (__builtin_expect(biased_lock_is_plain, 1))
		__atomic_store_n(&lock->level, level, __ATOMIC_RELAXED);
	else
		(void)__atomic_exchange_n(&lock->level, level, __ATOMIC_SEQ_CST);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static inline void biased_lock_leave(struct biased_lock *lock)
{
	__atomic_store_n(&lock->level, 0, __ATOMIC_RELEASE);
}

/* For the owner, in a bracket of this level. False: the owner itself holds it, in the code that
 * this level's handler interrupted, or a claim lasts too long. */
static inline bool biased_lock_enter(struct biased_lock *lock, uint32_t level)
{
	do {
		if (__atomic_load_n(&lock->level, __ATOMIC_RELAXED) != 0)
			return false;
		biased_lock_set_level(lock, level + 1);
		if (__builtin_expect(__atomic_load_n(&lock->claim, __ATOMIC_ACQUIRE) == 0, 1))
			return true;
		biased_lock_leave(lock);
	} while (biased_lock_wait_unclaimed(lock));
	return false;
}

/* The bracket of this level was left without its end: what it held is released. */
static inline void biased_lock_leave_level(struct biased_lock *lock, uint32_t level)
{
	if (__atomic_load_n(&lock->level, __ATOMIC_RELAXED) == level + 1)
		biased_lock_leave(lock);
}

#endif
