/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The call stack of the calling thread, through ELF code.
 *
 * A walk takes no lock, allocates nothing and never reads memory that is not there: it can run in
 * any signal handler, on the smallest signal stack, over a damaged stack. */

#ifndef VADTRACE_TRACE_STACK_STACK_ELF_H
#define VADTRACE_TRACE_STACK_STACK_ELF_H

#include <stdbool.h>
#include <stdint.h>

/* Stack memory that is known to be there: [low, high), whole pages. Zero: nothing is known.
 * Owned by one thread. */
struct stack_bounds {
	uintptr_t low, high;
};

/* Where a walk begins: the frame address of a function; its caller is the first frame. */
struct stack_start {
	uintptr_t frame;
	struct stack_bounds *bounds;
};

void stack_start(void);

/* Stores return addresses, innermost first, and gives their number. Frames of our own object at the
 * inner end are left out. An instruction that a signal interrupted stands as it is. */
uint32_t stack_walk(const struct stack_start *start, uint64_t *frames, uint32_t capacity);

/* A module is gone: what is known about its instructions is forgotten. */
void stack_forget(uintptr_t start, uintptr_t end);

/* Around fork: waits until no thread is inside libunwind, whose locks would stay locked in the
 * child, and keeps them out until the end. */
void stack_fork_begin(void);
void stack_fork_end(bool is_child);

#endif
