/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The call stack of the calling thread, through ELF code and, under Wine, PE code.
 *
 * A walk takes no lock, allocates nothing and never reads memory that is not there: it can run in
 * any signal handler, on the smallest signal stack, over a damaged stack. */

#ifndef VADTRACE_TRACE_STACK_STACK_ELF_H
#define VADTRACE_TRACE_STACK_STACK_ELF_H

#include <stdbool.h>
#include <stdint.h>

#include "trace/stack/history.h"
#include "trace/stack/trace.h"
#include "trace/trace.h"

/* Where a walk begins: the frame address of a function, whose caller is the first frame; or, unless
 * it is NULL, `caller`. */
struct stack_start {
	uintptr_t frame;
	struct history *history;
	const struct trace_caller *caller;
};

/* `host`: an address in the object of the tracer's host; NULL: it is no object of its own. */
void stack_start(const void *host);

/* Finds at most `capacity` return addresses, no more than VADTRACE_STACK_DEPTH_MAX. Frames of our
 * own objects at the inner end are left out. An instruction that a signal interrupted stands as it
 * is. The result is valid until the next walk with this history. */
struct stack_trace stack_walk(const struct stack_start *start, uint32_t capacity);

/* The first of them only: where our objects were called. 0: not known. */
uint64_t stack_find_caller(const struct stack_start *start);

/* The same frames by the slow way, without anything remembered: by libunwind; from a caller in PE
 * code, with all registers, up to the first frame that is not in PE code. 0: not possible now. */
uint32_t stack_unwind(const struct stack_start *start, uint64_t *frames, uint32_t capacity);

/* A module is gone: what is known about its instructions is forgotten. */
void stack_forget(uintptr_t start, uintptr_t end);

/* Around fork: waits until no thread is inside libunwind, whose locks would stay locked in the
 * child, and keeps them out until the end. */
void stack_fork_begin(void);
void stack_fork_end(bool is_child);

#endif
