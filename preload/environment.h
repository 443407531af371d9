/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The environment: ours to read early, and to leave as if we had never been there. */

#ifndef VADTRACE_PRELOAD_ENVIRONMENT_H
#define VADTRACE_PRELOAD_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>

/* The value of `name` as the process was started with it; NULL when it is absent, or when the
 * process has more rights than its user (as secure_getenv). Callable before the C library is ready.
 */
const char *environment_get(const char *name);

/* The process's arguments, as it was started with them. Callable before the C library is ready. */
char **environment_arguments(void);

/* The value in "NAME=value" when NAME is the `length` characters at `name`, else NULL. */
char *environment_match(char *variable, const char *name, size_t length);

/* The length of the first entry of a list as of LD_PRELOAD. `path` may be several entries, as one:
 * says whether it is that. */
size_t environment_entry(const char *list, const char *path, bool *is_path);

/* Whether the recorder put `variable` there: one of the schema's, or one that `unset`, the value of
 * VADTRACE_UNSET, lists. LD_PRELOAD is not among them: a part of it is the user's. */
bool environment_is_ours(char *variable, const char *unset);

/* Takes out of `environ` all that the recorder put in: our entry of LD_PRELOAD and all variables
 * that are ours. Moves pointers in place and allocates nothing.
 * Does nothing when no recorder started us (VADTRACE_PRELOAD is absent): then they are the user's.
 */
void environment_withdraw(void);

#endif
