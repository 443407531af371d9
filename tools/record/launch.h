/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The recorded program as our child: born early and held, let go when the session is ready. */

#ifndef VADTRACE_TOOLS_RECORD_LAUNCH_H
#define VADTRACE_TOOLS_RECORD_LAUNCH_H

#include <stdbool.h>
#include <sys/types.h>

/* - pid is our child until launch_step says that it ended;
 * - go is our end of the pipe that holds it, -1 once it was let go;
 * - report is where the child writes errno when it cannot execute the program. */
struct launch {
	pid_t pid;
	int go;
	int report;
	int wait_status; /* of waitpid, once it ended */
	bool has_filter; /* it had forbidden itself system calls (seccomp), once it ended */
};

/* What the child does once it is let go with a word: execute the program, or return errno. */
typedef int launch_execute(const char *word, void *context);

/* Standard streams that we were started without: nothing of ours may take their numbers. The
 * program has them closed as they were. */
void launch_fill_descriptors(void);

/* Blocks the signals that are passed on, SIGCHLD, and those that a failing write raises. The child
 * has them as they were. Call before any thread exists. */
void launch_block_signals(void);

/* Forks the child, which waits. 0 or -errno. No other thread may be alive. */
int launch_hold(struct launch *launch, launch_execute *execute, void *context);

/* Lets the child go with a word shorter than PATH_MAX. 0, or the errno of the child's execute; it
 * has ended then. */
int launch_release(struct launch *launch, const char *word);

/* The child ends without having executed anything. */
void launch_cancel(struct launch *launch);

/* Waits up to `milliseconds` for the program to end, and passes signals on that were sent to us
 * (the terminal sends them to both). True when it ended. */
bool launch_step(struct launch *launch, int milliseconds);

/* This signal (0: none) is for us from now on, not for the program; and whether it came since the
 * last question. */
void launch_keep_signal(int signal_number);
bool launch_is_called(void);

/* Whether somebody asks us to hurry: an interrupt or termination signal came after the program's
 * end. */
bool launch_is_interrupted(void);

#endif
