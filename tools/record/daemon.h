/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* LTTng's session daemon: the one that runs, or one of our own that ends with the last recording.
 */

#ifndef VADTRACE_TOOLS_RECORD_DAEMON_H
#define VADTRACE_TOOLS_RECORD_DAEMON_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

/* In the environment of a daemon that vadtrace started: how any later vadtrace knows it. */
#define DAEMON_MARK "VADTRACE_STARTED"

/* Begins the name of each session of ours; then PID-TIME. */
#define DAEMON_SESSION_PREFIX "vadtrace-"

enum daemon_state {
	DAEMON_ABSENT,
	DAEMON_ANSWERS,
	DAEMON_SILENT,  /* it listens but does not answer */
	DAEMON_REFUSES, /* it may not be talked to, or answered with an error */
};

/* Asks for the list of sessions, as the shortest real request. */
enum daemon_state daemon_probe(void);

/* Holds off other vadtrace processes of this user between looking for a daemon and using it, or
 * between the end of a session and stopping the daemon. The descriptor, or -1 when it is not to be
 * had for half a minute: then go on without. */
int daemon_lock(void);
void daemon_unlock(int lock);

/* Finds or starts a daemon that answers; *is_started tells which. False after a message. Starting
 * forks: no other thread may be alive. */
bool daemon_ensure(bool *is_started);

/* Stops the daemon if vadtrace started it and no session is left. */
void daemon_release(void);

/* Its process id, 0 when unknown. */
pid_t daemon_pid(void);

/* The process that writes user-space traces for it, 0 when there is none (yet). */
pid_t daemon_consumer_pid(void);

/* Whether one of these two still runs; an unknown one (0) counts as running. */
bool daemon_is_alive(pid_t pid);

/* Where lttng-sessiond is; false when it is not installed. */
bool daemon_find_program(char path[PATH_MAX]);

#endif
