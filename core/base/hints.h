/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What we tell the compiler. */

#ifndef VADTRACE_CORE_BASE_HINTS_H
#define VADTRACE_CORE_BASE_HINTS_H

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* A function of a hook's quick way: to call it would mean to save a dozen registers. */
#define ALWAYS_INLINE inline __attribute__((always_inline))

/* Has the cache line at any address, also a wrong one, fetched for writing. What the compiler knows
 * to be on every processor fetches it for reading: a line that another one wrote is asked for twice
 * then. A processor that does not know this instruction does nothing. */
#define prefetch_for_write(address) \
	__asm__ volatile("prefetchw %0" : : "m"(*(const char *)(address)))

/* A function that reads what others write, and throws away what was not of one moment: the race
 * checker is not to look at it. */
#define RACES_ON_PURPOSE __attribute__((no_sanitize("thread")))

/* A fence between what this thread does; the race checker knows atomic words only. */
#ifdef __SANITIZE_THREAD__
#define thread_fence(order) __atomic_signal_fence(order)
#else
#define thread_fence(order) __atomic_thread_fence(order)
#endif

/* What other files of the same object define: read without asking the object's table of addresses,
 * so also before the dynamic loader has filled that in. */
#define CORE_HIDDEN __attribute__((visibility("hidden")))

/* In a library, the functions that its users may call; all others are hidden. */
#define CORE_API __attribute__((visibility("default")))

#endif
