/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What core keeps per thread: the last error, the locks held, the heap's front. Initial-exec TLS
 * only, and little of it. */

#ifndef VADTRACE_CORE_BASE_THREAD_H
#define VADTRACE_CORE_BASE_THREAD_H

#include <stdbool.h>
#include <stdint.h>

#define CORE_TLS _Thread_local __attribute__((tls_model("initial-exec")))

extern CORE_TLS uint32_t thread_last_error; /* core/win32/last_error.c */
extern CORE_TLS bool thread_is_past_limit;  /* core/vm/charge.c */

/* Called, when not NULL, in each thread that uses a heap for the first time, and that sets its
 * first value of TLS or FLS, without any lock: a host that cannot see threads begin learns here
 * whose end it has to tell. Set it once, at start. */
extern void (*thread_began)(void);

#endif
