/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The life of the process: fork, exec, exit, and whether this still is the process that we think.
 */

#ifndef VADTRACE_PRELOAD_PROCESS_H
#define VADTRACE_PRELOAD_PROCESS_H

#include <stdbool.h>

#include "core/base/hints.h"
/* The gate lies in this object: reach it without the global offset table. */
#pragma GCC visibility push(hidden)
#include "core/event.h"
#pragma GCC visibility pop

/* Zero in a child that was made by a bare system call, and in a process that is not started: the
 * kernel wipes the page at fork. */
extern const volatile int *process_mark __attribute__((visibility("hidden")));

/* Registers what must happen at fork and exit. Called once, as early as can be. */
void process_start(void);

/* Starts the tracer and opens the way for process_is_traced. `mode` is for the process event. From
 * the constructor, or where a Windows program begins. */
void process_trace(const char *mode, const char *wine);

/* Whether the tracer was started. */
bool process_is_tracing(void);

/* Whether this still is the process that was started, not a child of it. Costs a system call. */
bool process_is_same(void);

/* Whether the tracer runs, and belongs to this very process: false also in a child made by vfork,
 * which shares our memory. Costs a system call. */
bool process_is_own(void);

/* The process ends in order: tells the tracer, once. */
void process_leave(void);

/* Our handlers of fork get in line, if they have not yet: before anybody else's do, before a fork,
 * and where a recorder is loaded. To register them takes 64 KiB of the C library's constants, which
 * most processes never need. */
void process_handle_forks(void);

/* Around a fork that the calling thread makes through us. In the child, the second starts the
 * tracer if it could not start earlier. `place` is what the first returned. Keep errno. */
unsigned int process_fork_begin(void);
void process_fork_end(unsigned int place);

/* Stops tracing in a child that nobody told us of. */
void process_disown(void);

/* Whether an event must be built now: somebody listens, and to this process. */
static inline bool process_is_traced(void)
{
	if (likely(!event_is_wanted()))
		return false;
	if (unlikely(*process_mark == 0))
		process_disown();
	return event_is_wanted();
}

#endif
