/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The unwinding rules of the instructions that were met, for all threads. */

#ifndef VADTRACE_TRACE_STACK_RULES_H
#define VADTRACE_TRACE_STACK_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "trace/stack/cfi.h"

/* False: there is no memory. */
bool rules_start(void);

/* As mixed_find. No lock, unless a new pc makes the table grow. */
struct cfi_rule rules_find(uintptr_t pc, bool is_exact);

/* The code in [start, end) is gone. */
void rules_forget(uintptr_t start, uintptr_t end);

extern uint64_t rules_current_epoch;

/* Changes when rules are forgotten. What was derived from rules is right as long as the number that
 * was read before them stays. */
static inline uint64_t rules_epoch(void)
{
	return __atomic_load_n(&rules_current_epoch, __ATOMIC_ACQUIRE);
}

/* In a fork's child: no other thread is at work here. */
void rules_fork_child(void);

#endif
