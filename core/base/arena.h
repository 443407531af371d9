/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Core's own metadata: nodes of fixed sizes from memory that the traced program never sees.
 * Comes from the system directly, not from vm: it is no VAD of the program's. */

#ifndef VADTRACE_CORE_BASE_ARENA_H
#define VADTRACE_CORE_BASE_ARENA_H

#include <stddef.h>

/* A block of `size_bytes` (up to 4096), zero filled, aligned to 16; NULL when the system has no
 * more. Fit for any thread; takes LOCK_RANK_ARENA. */
void *arena_allocate(size_t size_bytes);
/* Gives a block back; `size_bytes` as it was asked for. NULL is allowed. */
void arena_free(void *block, size_t size_bytes);

/* Whole pages for tables that live long; zero filled, lazily. NULL when the system has no more. */
void *arena_pages(size_t size_bytes);
void arena_pages_free(void *pages, size_t size_bytes);

/* Around fork; the arena's is the last rank. */
void arena_fork_prepare(void);
void arena_fork_parent(void);
void arena_fork_child(void);

#endif
