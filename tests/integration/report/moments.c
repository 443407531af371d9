/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Signals in the middle of recorded calls, by a program that counts.
 *
 *   moments handle SIGNALS   so many are handled, by an allocation of SIZE bytes each, and every
 *                            fifth handler leaves by siglongjmp; prints their number
 *   moments end FILE MS      a signal without handler ends it after so many milliseconds; the
 *                            number of allocations of SIZE bytes is in the file
 *   moments block FILE       the same by a signal that was blocked during 100 of them */

#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <fcntl.h>
#include <unistd.h>

enum { SIZE = 7777, STEP_US = 300 };

static volatile sig_atomic_t handled;
static sigjmp_buf back;

/* The block is used: no call is left out. */
#define USE(pointer) __asm__ volatile("" : : "r"(pointer) : "memory")

static void allocate(size_t size)
{
	void *block = malloc(size);

	USE(block);
	free(block);
}

static void set_timer(long microseconds)
{
	struct itimerval timer = { { 0, microseconds },
				   { microseconds / 1000000, microseconds % 1000000 } };

	setitimer(ITIMER_REAL, &timer, NULL);
}

static void handle(int number)
{
	(void)number;
	allocate(SIZE);
	handled++;
	if (handled % 5 == 0)
		siglongjmp(back, 1);
}

static int handle_all(int wanted)
{
	struct sigaction action = { .sa_handler = handle };

	sigaction(SIGALRM, &action, NULL);
	/* No signal before there is where to jump to. */
	if (sigsetjmp(back, 1) == 0)
		set_timer(STEP_US);
	while (handled < wanted)
		allocate(100);
	action.sa_handler = SIG_IGN;
	sigaction(SIGALRM, &action, NULL);
	printf("%d\n", (int)handled);
	return 0;
}

static volatile uint64_t *map_counter(const char *path)
{
	int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0666);

	if (file < 0 || ftruncate(file, 4096))
		return NULL;
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
}

static int end(const char *path, long milliseconds)
{
	volatile uint64_t *counter = map_counter(path);

	if (!counter)
		return 1;
	set_timer(milliseconds * 1000);
	for (;;) {
		allocate(SIZE);
		(*counter)++;
	}
}

static int block(const char *path)
{
	volatile uint64_t *counter = map_counter(path);
	sigset_t set;

	if (!counter)
		return 1;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGTERM);
	for (int i = 0; i < 100; i++) {
		allocate(SIZE);
		(*counter)++;
	}
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "handle"))
		return handle_all(atoi(argv[2]));
	if (argc == 4 && !strcmp(argv[1], "end"))
		return end(argv[2], atol(argv[3]));
	if (argc == 3 && !strcmp(argv[1], "block"))
		return block(argv[2]);
	return 2;
}
