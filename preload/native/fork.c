/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The C library's calls that fork and run handlers: process.c must know when all of those are over.
 * The others (system, popen, posix_spawn, wordexp) run none. And the registration of handlers,
 * because ours must be the first: pthread_atfork is a part of each object that calls it, and calls
 * __register_atfork, but the C library has one for old objects, too. Ours come before the first of
 * all these calls.
 *
 * A thread that is cancelled in daemon leaves its mark behind, in the parent only. */

#include <errno.h>
#include <pthread.h>
#include <pty.h>
#include <stddef.h>
#include <unistd.h>

#include "preload/native/real.h"
#include "preload/process.h"
#include "preload/start.h"

/* The C library's, without a header. */
CORE_API pid_t __fork(void);
CORE_API int __register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void),
			       void *object);

static int fail(int error)
{
	errno = error;
	return -1;
}

CORE_API pid_t fork(void)
{
	unsigned int place;
	pid_t child;

	if (serve_now() == SERVE_NONE)
		return fail(EAGAIN);
	process_handle_forks();
	place = process_fork_begin();
	child = real.fork();
	process_fork_end(place);
	return child;
}

CORE_API pid_t __fork(void)
{
	return fork();
}

CORE_API int forkpty(int *master, char *name, const struct termios *mode,
		     const struct winsize *size)
{
	unsigned int place;
	int child;

	if (serve_now() == SERVE_NONE)
		return fail(EAGAIN);
	process_handle_forks();
	place = process_fork_begin();
	child = real.forkpty(master, name, mode, size);
	process_fork_end(place);
	return child;
}

CORE_API int daemon(int keeps_folder, int keeps_files)
{
	unsigned int place;
	int result;

	if (serve_now() == SERVE_NONE)
		return fail(EAGAIN);
	process_handle_forks();
	place = process_fork_begin();
	result = real.daemon(keeps_folder, keeps_files);
	process_fork_end(place);
	return result;
}

CORE_API int __register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void),
			       void *object)
{
	if (serve_now() == SERVE_NONE && !real.__register_atfork)
		return ENOMEM;
	process_handle_forks();
	return real.__register_atfork(prepare, parent, child, object);
}

CORE_API int pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
	return __register_atfork(prepare, parent, child, NULL);
}
