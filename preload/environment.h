/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The environment: ours to read early, and to leave as if we had never been there. */

#ifndef VADTRACE_PRELOAD_ENVIRONMENT_H
#define VADTRACE_PRELOAD_ENVIRONMENT_H

/* The value of `name` as the process was started with it; NULL when it is absent, or when the
 * process has more rights than its user (as secure_getenv). Callable before the C library is ready.
 */
const char *environment_get(const char *name);

/* Takes out of `environ` all that the recorder put in: our entry of LD_PRELOAD, the VADTRACE_
 * variables and those that VADTRACE_UNSET lists. Moves pointers in place and allocates nothing.
 * Does nothing when no recorder started us (VADTRACE_PRELOAD is absent): then they are the user's.
 */
void environment_withdraw(void);

#endif
