/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A program to record: says "ready", allocates and frees, and ends as it is told.
 *
 *   allocate COUNT            COUNT pairs of malloc and free
 *   allocate gate FILE COUNT  the same once the file exists
 *   allocate forever          until a signal comes; tells SIGTERM by status 3
 *   allocate fork COUNT       COUNT pairs in a child, none in the first process
 *   allocate orphan           leaves a child behind that waits for a signal
 *   allocate kept COUNT       COUNT blocks that stay, then SIGKILL */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void on_term(int signal_number)
{
	(void)signal_number;
	_exit(3);
}

static void say_ready(void)
{
	(void)!write(STDOUT_FILENO, "ready\n", 6);
}

static void *volatile block;

static void churn(long count)
{
	for (long i = 0; i < count; i++) {
		block = malloc(100);
		free(block);
	}
}

_Noreturn static void run_forever(void)
{
	signal(SIGTERM, on_term);
	say_ready();
	for (;;)
		churn(1000);
}

static int run_gate(const char *file, long count)
{
	say_ready();
	while (access(file, F_OK))
		usleep(10000);
	churn(count);
	return 0;
}

static int run_fork(long count)
{
	int status;

	say_ready();
	if (fork() == 0) {
		churn(count);
		exit(0);
	}
	wait(&status);
	return WEXITSTATUS(status);
}

static int run_orphan(void)
{
	say_ready();
	if (fork() == 0) {
		for (;;)
			pause();
	}
	return 0;
}

static int run_kept(long count)
{
	for (long i = 0; i < count; i++)
		block = malloc(100);
	say_ready();
	raise(SIGKILL);
	return 1;
}

int main(int argc, char **argv)
{
	long count = argc > 2 ? atol(argv[2]) : 0;

	if (argc > 1 && !strcmp(argv[1], "forever"))
		run_forever();
	if (argc > 3 && !strcmp(argv[1], "gate"))
		return run_gate(argv[2], atol(argv[3]));
	if (argc > 2 && !strcmp(argv[1], "fork"))
		return run_fork(count);
	if (argc > 1 && !strcmp(argv[1], "orphan"))
		return run_orphan();
	if (argc > 2 && !strcmp(argv[1], "kept"))
		return run_kept(count);
	say_ready();
	churn(argc > 1 ? atol(argv[1]) : 0);
	return 0;
}
