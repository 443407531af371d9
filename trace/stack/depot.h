/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Each distinct stack once, under a 32-bit id.
 *
 * Lookups are lock-free and may run in any signal handler. Whoever gets an id may write it at once:
 * the stack and its modules have been emitted by then, if need be by the caller itself. */

#ifndef VADTRACE_TRACE_STACK_DEPOT_H
#define VADTRACE_TRACE_STACK_DEPOT_H

#include <stdbool.h>
#include <stdint.h>

#include "trace/stack/trace.h"

/* The stack's id, from 1; 0 for an empty stack, and when there is no memory. */
uint32_t depot_intern(const struct stack_trace *trace);

/* Stacks with a frame in [start, end) get new ids from now on: other code is there. */
void depot_forget(uint64_t start, uint64_t end);

/* All stacks must be emitted again before their next use, under the same ids. */
void depot_restart(void);

/* In a fork's child: the lock may have been held by a thread that is not here. */
void depot_fork_child(void);

uint32_t depot_count(void);

#endif
