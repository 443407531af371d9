/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A process whose main thread has left by pthread_exit. It ought to end with its last thread; the
 * tracer's helper threads, which never end, must not keep it. */

#ifndef VADTRACE_PRELOAD_LINGER_H
#define VADTRACE_PRELOAD_LINGER_H

/* Called by the main thread as the last thing it does before it ends on its own. Ends the process
 * with status 0, as the C library would, now or when the program's last thread has ended. */
void linger_main_ends(void);

#endif
