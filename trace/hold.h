/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A stretch of the calling thread's code that no handler of a signal interrupts. Where the host
 * runs all handlers of the process (struct trace_config), it asks before it runs one, and a stretch
 * costs two stores; else all signals are blocked, by two system calls. Stretches nest. */

#ifndef VADTRACE_TRACE_HOLD_H
#define VADTRACE_TRACE_HOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "trace/system.h"

/* The calling thread's.
 *  - depth is the number of open stretches that block no signals themselves;
 *  - is_blocking: a signal came in one of them, and all are blocked since; mask is from before. */
struct hold {
	uint32_t depth;
	bool is_blocking;
	uint64_t mask;
};

extern _Thread_local struct hold hold_own;
extern bool hold_is_by_host;

/* Once, before the first stretch. */
void hold_start(bool is_by_host);

/* In a fork's child, in no stretch. */
void hold_fork_child(void);

/* The last stretch has ended in which a signal came. */
void hold_let_in(void);

/* Returns what hold_end wants. */
static inline uint64_t hold_begin(void)
{
	if (!hold_is_by_host)
		return system_block_signals();
	hold_own.depth++;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return 0;
}

static inline void hold_end(uint64_t mask)
{
	if (!hold_is_by_host) {
		system_restore_signals(mask);
		return;
	}
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	hold_own.depth--;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (__builtin_expect(hold_own.is_blocking, 0) && hold_own.depth == 0)
		hold_let_in();
}

#endif
