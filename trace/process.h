/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The process as the trace introduces it. */

#ifndef VADTRACE_TRACE_PROCESS_H
#define VADTRACE_TRACE_PROCESS_H

#include <stdint.h>

/* Set once the process and its modules have been told to the session. */
extern uint32_t process_is_announced;

void process_announce_now(void);

/* Cheap when it is done. */
static inline void process_announce(void)
{
	if (__builtin_expect(!__atomic_load_n(&process_is_announced, __ATOMIC_RELAXED), 0))
		process_announce_now();
}

#endif
