/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A program that closes every descriptor it can think of, or puts its own in their place. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOT_OURS 900

static void churn(void)
{
	for (size_t i = 1; i < 20000; i++)
		free(realloc(malloc(i), i * 2));
}

/* The lowest free numbers are as without us. */
static void show_lowest(const char *what)
{
	int first = dup(0), second = dup(0);

	printf("%s: %d %d\n", what, first, second);
	close(first);
	close(second);
}

static void inherited(void)
{
	fflush(stdout);
	if (fork() == 0) {
		execlp("sh", "sh", "-c", "ls /proc/self/fd | wc -l", (char *)NULL);
		_exit(1);
	}
	wait(NULL);
}

int main(void)
{
	int out = fcntl(1, F_DUPFD, NOT_OURS), file;
	pid_t child;

	inherited();
	churn();
	close_range(3, NOT_OURS - 1, 0);
	show_lowest("after close_range");
	churn();
	for (int i = 3; i < 200; i++)
		dup2(out, i);
	churn();
	for (int i = 3; i < 200; i++)
		close(i);
	fflush(stdout);
	close(out);
	child = fork();
	if (child == 0) {
		close_range(0, ~0u, 0);
		churn();
		_exit(errno == EBADF ? 1 : 0);
	}
	waitpid(child, &file, 0);
	printf("all closed: %d\n", file);
	fflush(stdout);
	if (daemon(1, 1) != 0)
		return 1;
	churn();
	show_lowest("daemon");
	return 0;
}
