/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The tracer's own memory: pages from the kernel, and small pieces that live as long as the
 * process. Never from a heap. */

#ifndef VADTRACE_TRACE_MEMORY_H
#define VADTRACE_TRACE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero-filled pages; NULL when there are none. */
void *memory_map(size_t size_bytes);
/* The same for memory of which most is never touched: no huge page fills it. */
void *memory_map_sparse(size_t size_bytes);
void memory_unmap(void *memory, size_t size_bytes);

/* A zero-filled piece, aligned to 16, that is never given back; NULL when there is no memory.
 * Lock-free: also from a signal handler. */
void *memory_take(size_t size_bytes);

/* A lock, which its waiters sleep on. Its holder's signals are blocked. All zero is the free state:
 * a fork's child, where the holder may be gone, sets word to 0. */
struct memory_lock {
	uint32_t word;
};

/* Returns the signal mask for memory_unlock. */
uint64_t memory_lock(struct memory_lock *lock);
void memory_unlock(struct memory_lock *lock, uint64_t mask);

/* The same for a caller that has all signals blocked. */
void memory_enter(struct memory_lock *lock);
void memory_leave(struct memory_lock *lock);

#endif
