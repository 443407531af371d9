/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* measure FILE [NAME=VALUE]... COMMAND...: runs the command with these in its environment, writes
 * "wall_ns user_ns system_ns peak_kib" of it and its children that it waited for to FILE, and ends
 * with its status. The peak is the resident memory of the largest of them, and of what was executed
 * on the way: env(1) before a small program would be all of it. */

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static unsigned long long time_ns(struct timeval time)
{
	return (unsigned long long)time.tv_sec * 1000000000u + (unsigned)time.tv_usec * 1000u;
}

static int run(char **command, struct rusage *usage)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		while (command[1] && strchr(*command, '='))
			putenv(*command++);
		execvp(command[0], command);
		fprintf(stderr, "measure: %s: %s\n", command[0], strerror(errno));
		_exit(127);
	}
	while (wait4(pid, &status, 0, usage) != pid)
		if (errno != EINTR)
			return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	struct rusage usage = { 0 };
	uint64_t start = clock_ns();
	FILE *file;
	int status;

	if (argc < 3) {
		fputs("usage: measure FILE [NAME=VALUE]... COMMAND...\n", stderr);
		return 2;
	}
	status = run(argv + 2, &usage);
	start = clock_ns() - start;
	file = fopen(argv[1], "w");
	if (!file ||
	    fprintf(file, "%llu %llu %llu %ld\n", (unsigned long long)start,
		    time_ns(usage.ru_utime), time_ns(usage.ru_stime), usage.ru_maxrss) < 0 ||
	    fclose(file)) {
		perror(argv[1]);
		return 2;
	}
	return status;
}
