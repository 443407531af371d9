/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Storms of signals: system calls end with EINTR each time, as the program asked, and each child
 * that ends is told, while threads allocate. */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CALLS 100
#define CHILDREN 40

static atomic_bool ends;
static volatile sig_atomic_t ticks, reaped, wrong_statuses;
static int silent[2]; /* a pipe that nobody writes to */

static void on_tick(int signal_number)
{
	(void)signal_number;
	ticks++;
}

static void on_child(int signal_number)
{
	int error = errno, status;

	(void)signal_number;
	while (waitpid(-1, &status, WNOHANG) > 0) {
		wrong_statuses += !WIFEXITED(status) || WEXITSTATUS(status) != 7;
		reaped++;
	}
	errno = error;
}

static void set_handler(int signal_number, void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler }; /* without SA_RESTART */

	sigaction(signal_number, &action, NULL);
}

static void set_timer(long microseconds)
{
	struct itimerval timer = { { 0, microseconds }, { 0, microseconds } };

	setitimer(ITIMER_REAL, &timer, NULL);
}

/* 1000 allocations; malloc changes errno only when it fails. */
static int work(void)
{
	static __thread void *volatile ring[16];
	int changes = 0;

	for (size_t i = 0; i < 1000; i++) {
		errno = 71;
		free(ring[i % 16]);
		ring[i % 16] = malloc(i * 17 % (i % 100 ? 2000 : 200000) + 1);
		changes += errno != 71;
	}
	return changes;
}

static void *churn(void *argument)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	while (!ends)
		work();
	return argument;
}

static int call_read(void)
{
	char byte;

	return (int)read(silent[0], &byte, 1);
}

static int call_sleep(void)
{
	struct timespec wait = { 100, 0 };

	return nanosleep(&wait, &wait);
}

static int call_poll(void)
{
	struct pollfd entry = { silent[0], POLLIN, 0 };

	return poll(&entry, 1, 100000);
}

static void storm(const char *name, int (*call)(void))
{
	int interrupted = 0, changes = 0;

	for (int i = 0; i < CALLS; i++) {
		changes += work();
		errno = 0;
		interrupted += call() == -1 && errno == EINTR;
	}
	printf("%s: %d of %d interrupted, errno changed %d times\n", name, interrupted, CALLS,
	       changes);
}

static void storm_of_children(void)
{
	set_handler(SIGCHLD, on_child);
	for (int i = 0; i < CHILDREN; i++) {
		pid_t child = fork();

		if (child == 0)
			_exit(7);
		work();
	}
	while (reaped < CHILDREN)
		work();
	printf("children: %d reaped, %d wrong\n", (int)reaped, (int)wrong_statuses);
}

int main(void)
{
	pthread_t thread;

	setvbuf(stdout, NULL, _IONBF, 0);
	if (pipe(silent) != 0)
		return 1;
	pthread_create(&thread, NULL, churn, NULL);
	set_handler(SIGALRM, on_tick);
	set_timer(500);
	storm("read", call_read);
	storm("nanosleep", call_sleep);
	storm("poll", call_poll);
	set_timer(0);
	printf("ticks: %s\n", ticks >= 3 * CALLS ? "enough" : "too few");
	storm_of_children();
	ends = true;
	pthread_join(thread, NULL);
	return 0;
}
