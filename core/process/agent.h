/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The answering side of calls from other processes: off until it is asked for. */

#ifndef VADTRACE_CORE_PROCESS_AGENT_H
#define VADTRACE_CORE_PROCESS_AGENT_H

#include "core/types.h"

/* The name of both threads. */
#define AGENT_THREAD_NAME "vadtrace-remote"

/* Two threads that serve processes of the same user, from now until exit or exec; nothing happens
 * when they run already. Not to be called before the C library is ready. On failure there are
 * none. */
NTSTATUS agent_start(void);
/* A forked child has none of its parent's threads. */
void agent_fork_child(void);

#endif
