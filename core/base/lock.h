/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Locks of known rank. A thread takes them in rising order only (checked with --enable-checks);
 * several of one rank only under a lock of lower rank that gives them an order.
 *
 * While a thread holds one, none of its handlers runs: one that allocates can never meet a lock of
 * its own thread. So a lock guards slow paths; fast paths are lock-free.
 * Between core_fork_prepare and its counterpart, the locks pass for the forking thread. */

#ifndef VADTRACE_CORE_BASE_LOCK_H
#define VADTRACE_CORE_BASE_LOCK_H

#include <stdbool.h>
#include <stdint.h>

enum lock_rank {
	LOCK_RANK_OBJECTS = 1, /* the handles of kernel objects */
	LOCK_RANK_TLS,         /* indexes of thread local storage, and whose values there are */
	LOCK_RANK_HEAPS,       /* the list of heaps */
	LOCK_RANK_HEAP,        /* one heap's shared part */
	LOCK_RANK_SEGMENTS,    /* the pool of segments */
	LOCK_RANK_CHECKED,     /* the table of checked blocks */
	LOCK_RANK_VM,          /* vm_lock: the tree of VADs and all page state */
	LOCK_RANK_FAULT,       /* who is told of a fault */
	LOCK_RANK_ARENA,       /* the metadata arena */
	LOCK_RANK_COUNT,
};

/* One lock. All zero apart from the rank is the free state.
 *  - word is 0 free, 1 held, 2 held and awaited (futex);
 *  - owner is the holder's thread token (os.h) while word != 0, else 0;
 *  - depth counts re-entries by the forking thread.
 * The signal mask from before the first lock is kept per thread, not here. */
struct lock {
	uint32_t word;
	uint32_t rank;
	uintptr_t owner;
	uint32_t depth;
};

#define LOCK_INITIALIZER(lock_rank)  \
	{                            \
		0, (lock_rank), 0, 0 \
	}

void lock_acquire(struct lock *lock);
void lock_release(struct lock *lock);
/* Whether the calling thread holds it; for the first line of *_locked functions. */
bool lock_is_mine(const struct lock *lock);

/* Whether the calling thread holds any, and will give it back before it returns to its caller: not
 * between lock_fork_begin and lock_fork_end. */
bool lock_is_any_held(void);

/* A host that runs each handler of the process's signals saves core the two system calls that
 * block and restore them. From then on no signal is blocked while a thread holds a lock; the host's
 * handler asks before it runs the program's, with the mask of what it interrupted. True: not now.
 * The mask, which the thread goes on with, blocks all then, until the last lock is given back; the
 * host sends the signal again before it returns. */
void lock_leave_signals_to_host(void);
bool lock_hold_signal_back(uint64_t *mask);

/* The fork protocol: prepare takes all locks, then calls begin; parent and child call end, then
 * give the locks back. A lock taken before fork belongs to the same thread in the child. */
void lock_fork_begin(void); /* the calling thread is the forking one */
void lock_fork_end(void);
/* In the child, where this thread is alone: makes a lock that the parent's forking thread held an
 * uncontended one of the calling thread, so that it can be released. */
void lock_fork_adopt(struct lock *lock);

#endif
