/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The side of the lock that is seldom used, and may wait. It knows nothing of what is locked. */

#include "trace/biased_lock.h"

#include <linux/membarrier.h>

#include "trace/system.h"

#define SPINS 64
#define YIELDS 1000
#define DRAIN_NS 1000000 /* no processor keeps a store to itself for so long */

bool biased_lock_is_plain;

void biased_lock_start(void)
{
	biased_lock_is_plain =
		system_call4(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0, 0) ==
		0;
}

/* Waits a little and says whether to look again. */
static bool wait_until(uint64_t deadline_ns)
{
	system_yield();
	return system_now_ns() < deadline_ns;
}

/* A program may forbid itself the call at any time (seccomp): then time does it. */
void biased_lock_barrier(void)
{
	uint64_t deadline_ns;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!biased_lock_is_plain ||
	    system_call4(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0, 0) == 0)
		return;
	deadline_ns = system_now_ns() + DRAIN_NS;
	while (wait_until(deadline_ns))
		continue;
}

static bool take_claim(struct biased_lock *lock, uint64_t deadline_ns)
{
	while (__atomic_exchange_n(&lock->claim, 1, __ATOMIC_ACQUIRE) != 0)
		if (!wait_until(deadline_ns))
			return false;
	return true;
}

static bool wait_for_owner(const struct biased_lock *lock, uint64_t deadline_ns)
{
	while (!biased_lock_is_free(lock))
		if (!wait_until(deadline_ns))
			return false;
	return true;
}

bool biased_lock_claim(struct biased_lock *lock, uint64_t patience_ns)
{
	uint64_t deadline_ns = system_now_ns() + patience_ns;

	if (!take_claim(lock, deadline_ns))
		return false;
	biased_lock_barrier();
	if (wait_for_owner(lock, deadline_ns))
		return true;
	biased_lock_unclaim(lock);
	return false;
}

void biased_lock_unclaim(struct biased_lock *lock)
{
	__atomic_store_n(&lock->claim, 0, __ATOMIC_RELEASE);
}

bool biased_lock_wait_unclaimed(const struct biased_lock *lock)
{
	for (uint32_t tries = 0; tries < SPINS + YIELDS; tries++) {
		if (__atomic_load_n(&lock->claim, __ATOMIC_RELAXED) == 0)
			return true;
		if (tries > SPINS)
			system_yield();
		__builtin_ia32_pause();
	}
	return false;
}
