/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Children that are to be traced, although the program gives them an environment of its own making:
 * our variables are put in again.
 *
 * Works between vfork and exec: allocates nothing, and writes only where the caller says. */

#ifndef VADTRACE_PRELOAD_FOLLOW_H
#define VADTRACE_PRELOAD_FOLLOW_H

#include <alloca.h>
#include <stddef.h>

/* Keeps copies of our variables, as they are now. Until then, and if there are none, nothing is
 * ever put in. */
void follow_remember(void);

/* Bytes that follow_extend needs for `envp`; 0: nothing is missing there. NULL counts as empty. */
size_t follow_measure(char *const envp[]);

/* `envp` with what is missing, built in `room` of follow_measure(envp) bytes, aligned to 8. What
 * `envp` has stays, and comes first, but for LD_PRELOAD, which gets our entry in front. */
char *const *follow_extend(char *const envp[], void *room);

/* The environment to hand on in place of `envp`, if the program is to be traced; lives as long as
 * the calling function. */
#define FOLLOWED(is_traced, envp)                                                                \
	((is_traced) && follow_measure(envp) ? follow_extend(envp, alloca(follow_measure(envp))) \
					     : (envp))

#endif
