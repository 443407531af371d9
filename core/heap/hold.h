/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* One thread keeps a heap for itself. */

#ifndef VADTRACE_CORE_HEAP_HOLD_H
#define VADTRACE_CORE_HEAP_HOLD_H

#include "core/heap/descriptor.h"

/* Waits until no other thread holds the heap; somebody may hold it again on return. */
void hold_wait(struct heap *heap);
/* Until hold_release, no other thread is in a call that changes the heap; nests. */
void hold_acquire(struct heap *heap);
/* False: the calling thread does not hold it. */
bool hold_release(struct heap *heap);
/* The same, whoever holds it: for a heap that is about to end. */
void hold_seize(struct heap *heap);
/* Around a call on a checked heap, which marks no front: the first waits while another thread holds
 * the heap, and hold_acquire waits for the second, for a second at most. */
void hold_call_begins(struct heap *heap);
void hold_call_ends(struct heap *heap);
/* In a forked child: the other threads are gone, and what they held is free. */
void hold_fork_child(struct heap *heap);

#endif
