/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Who serves the calling thread. Everything that the program can call first asks here.
 *
 * A call may come before any constructor, from inside the dynamic loader, and even before this
 * object is relocated (from an IFUNC resolver). So the process is made ready by whatever comes
 * first, and each thread by its first call. */

#ifndef VADTRACE_PRELOAD_START_H
#define VADTRACE_PRELOAD_START_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/hints.h"

enum serve {
	SERVE_NONE = 0,    /* not decided on this thread: ask serve_decide */
	SERVE_ROUTE = 1,   /* by core */
	SERVE_OBSERVE = 2, /* by the next implementation in line */
};

/* The calling thread's enum serve. Before relocation it reads as something that is neither ROUTE
 * nor OBSERVE: compare it with these two only. */
extern _Thread_local uint32_t serve_thread __attribute__((visibility("hidden")));

/* Whether the calling thread is past its end: destructors run. A thread of Windows cannot ask Wine
 * for anything any more. */
extern _Thread_local bool thread_has_ended __attribute__((visibility("hidden")));

/* Makes the process and the thread ready and returns who serves. SERVE_NONE when that cannot be
 * decided yet: then the bootstrap arena serves allocations, and the system everything else. */
enum serve serve_decide(void);

/* As serve_decide, at the cost of two comparisons when it is decided already. */
static inline enum serve serve_now(void)
{
	uint32_t serve = serve_thread;

	return likely(serve == SERVE_ROUTE || serve == SERVE_OBSERVE) ? serve : serve_decide();
}

#endif
