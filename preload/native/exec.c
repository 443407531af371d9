/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The ways to end this program without the C library's exit: another program takes its place, or
 * the system is asked to end it at once. The tracer empties its buffers before.
 *
 * A child made by vfork comes here with our memory: process_is_own keeps it out. */

#include <alloca.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "preload/config.h"
#include "preload/follow.h"
#include "preload/native/real.h"
#include "preload/process.h"
#include "preload/start.h"
#include "preload/wine/program.h"
#include "preload/recorder.h"

/* Whether the program that this process starts in a child, or becomes, is to be traced. A native
 * one has remembered something for its children only; those of Wine also for their own next exec.
 */
static bool is_followed_by_child(const char *path, char *const argv[])
{
	bool has_followers = config_get()->children || program_is_launcher();

	return program_kind() == PROGRAM_NATIVE ||
	       (program_kind() == PROGRAM_WINDOWS && has_followers &&
		program_is_windows(path, argv));
}

static bool is_followed(const char *path, char *const argv[])
{
	bool is_becoming = program_kind() != PROGRAM_NATIVE && process_is_same();

	return is_becoming || is_followed_by_child(path, argv);
}

/* Empties the tracer's buffers if this process is the tracer's; both before exec and when it came
 * back. Passes `result` on, for the way back. */
static int flush(int result)
{
	if (serve_now() != SERVE_NONE && process_is_own())
		tracer->exec();
	return result;
}

CORE_API int execve(const char *path, char *const argv[], char *const envp[])
{
	(void)flush(0);
	return flush(real.execve(path, argv, FOLLOWED(is_followed(path, argv), envp)));
}

CORE_API int execvpe(const char *file, char *const argv[], char *const envp[])
{
	(void)flush(0);
	return flush(real.execvpe(file, argv, FOLLOWED(is_followed(file, argv), envp)));
}

CORE_API int fexecve(int fd, char *const argv[], char *const envp[])
{
	(void)flush(0);
	return flush(real.fexecve(fd, argv, FOLLOWED(is_followed("", argv), envp)));
}

CORE_API int execveat(int fd, const char *path, char *const argv[], char *const envp[], int flags)
{
	(void)flush(0);
	return flush(real.execveat(fd, path, argv, FOLLOWED(is_followed(path, argv), envp), flags));
}

CORE_API int execv(const char *path, char *const argv[])
{
	return execve(path, argv, environ);
}

CORE_API int execvp(const char *file, char *const argv[])
{
	return execvpe(file, argv, environ);
}

/* The C library's own way to exec from here does not come by above. */
CORE_API int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
			 const posix_spawnattr_t *attributes, char *const argv[],
			 char *const envp[])
{
	return real.posix_spawn(pid, path, actions, attributes, argv,
				FOLLOWED(is_followed_by_child(path, argv), envp));
}

CORE_API int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
			  const posix_spawnattr_t *attributes, char *const argv[],
			  char *const envp[])
{
	return real.posix_spawnp(pid, file, actions, attributes, argv,
				 FOLLOWED(is_followed_by_child(file, argv), envp));
}

/* Arguments up to and without the NULL that ends them. */
static size_t count_arguments(va_list arguments)
{
	size_t count = 0;

	while (va_arg(arguments, char *))
		count++;
	return count;
}

/* Fills argv with `first` and the arguments, NULL included. */
static void collect_arguments(char **argv, const char *first, va_list arguments)
{
	*argv = (char *)first;
	while (*argv)
		*++argv = va_arg(arguments, char *);
}

CORE_API int execl(const char *path, const char *argument, ...)
{
	va_list arguments;
	char **argv;

	va_start(arguments, argument);
	argv = alloca((count_arguments(arguments) + 2) * sizeof(*argv));
	va_end(arguments);
	va_start(arguments, argument);
	collect_arguments(argv, argument, arguments);
	va_end(arguments);
	return execv(path, argv);
}

CORE_API int execlp(const char *file, const char *argument, ...)
{
	va_list arguments;
	char **argv;

	va_start(arguments, argument);
	argv = alloca((count_arguments(arguments) + 2) * sizeof(*argv));
	va_end(arguments);
	va_start(arguments, argument);
	collect_arguments(argv, argument, arguments);
	va_end(arguments);
	return execvp(file, argv);
}

CORE_API int execle(const char *path, const char *argument, ...)
{
	va_list arguments;
	char **argv, **envp;

	va_start(arguments, argument);
	argv = alloca((count_arguments(arguments) + 2) * sizeof(*argv));
	va_end(arguments);
	va_start(arguments, argument);
	collect_arguments(argv, argument, arguments);
	envp = va_arg(arguments, char **);
	va_end(arguments);
	return execve(path, argv, envp);
}

CORE_API _Noreturn void _exit(int status)
{
	if (serve_now() != SERVE_NONE)
		process_leave();
	real._exit(status);
	__builtin_unreachable();
}

CORE_API _Noreturn void _Exit(int status)
{
	_exit(status);
}
