/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The C library's calls that fork and run the handlers of pthread_atfork: process.c must know when
 * all of those are over. The others (system, popen, posix_spawn, wordexp) run none.
 *
 * A thread that is cancelled in daemon leaves its mark behind, in the parent only. */

#include <errno.h>
#include <pty.h>
#include <unistd.h>

#include "preload/native/real.h"
#include "preload/process.h"
#include "preload/start.h"

/* The C library's other name for it. */
CORE_API pid_t __fork(void);

static int fail(int error)
{
	errno = error;
	return -1;
}

CORE_API pid_t fork(void)
{
	bool outer;
	pid_t child;

	if (serve_now() == SERVE_NONE)
		return fail(EAGAIN);
	outer = process_fork_begin();
	child = real.fork();
	process_fork_end(outer);
	return child;
}

CORE_API pid_t __fork(void)
{
	return fork();
}

CORE_API int forkpty(int *master, char *name, const struct termios *mode,
		     const struct winsize *size)
{
	bool outer;
	int child;

	if (serve_now() == SERVE_NONE)
		return fail(EAGAIN);
	outer = process_fork_begin();
	child = real.forkpty(master, name, mode, size);
	process_fork_end(outer);
	return child;
}

CORE_API int daemon(int keeps_folder, int keeps_files)
{
	bool outer;
	int result;

	if (serve_now() == SERVE_NONE)
		return fail(EAGAIN);
	outer = process_fork_begin();
	result = real.daemon(keeps_folder, keeps_files);
	process_fork_end(outer);
	return result;
}
