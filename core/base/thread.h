/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What core keeps per thread outside the heap: the last error. Initial-exec TLS only. */

#ifndef VADTRACE_CORE_BASE_THREAD_H
#define VADTRACE_CORE_BASE_THREAD_H

#define CORE_TLS _Thread_local __attribute__((tls_model("initial-exec")))

#endif
