/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Blocks for calls that come before anybody can serve them: while the next symbols are looked up,
 * and before this object is relocated; and for what LTTng and libunwind ask for while they serve
 * the tracer, when the thread may hold a lock of core's. Without limit; what is given back is used
 * again for the same size only: such blocks are few, and a thread's are like the last thread's.
 * Takes no lock, uses no relocated pointer, no TLS and no function outside this object. */

#ifndef VADTRACE_PRELOAD_NATIVE_BOOTSTRAP_H
#define VADTRACE_PRELOAD_NATIVE_BOOTSTRAP_H

#include <stdbool.h>
#include <stddef.h>

/* A zero filled block; alignment_bytes is a power of two, 16 at least counts. NULL when the system
 * has no memory or size_bytes exceeds PTRDIFF_MAX. */
void *bootstrap_allocate(size_t alignment_bytes, size_t size_bytes);

/* Takes back a block that is one of here. */
void bootstrap_release(void *block);

/* Whether `block` came from here; for any value. */
bool bootstrap_owns(const void *block);

/* The size that was asked for. */
size_t bootstrap_size(const void *block);

/* Copies the contents of `block`, up to size_bytes. */
void bootstrap_copy(void *to, const void *block, size_t size_bytes);

#endif
