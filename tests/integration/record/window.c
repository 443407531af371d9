/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A program whose every allocation is known by its size: thread T of N allocates, one after the
 * other, 4096 + T, 4096 + T + N, 4096 + T + 2N ... bytes, and frees each block KEPT calls later.
 *
 *   window N COUNT            N threads, COUNT blocks each
 *   window N COUNT killed     the same, then SIGKILL
 *   window N COUNT fork       the same in a child first, then here
 *   window N COUNT gate FILE  the same, then "ready"; once FILE exists, as many blocks again
 *   window N COUNT slow FILE  "ready", then with pauses; not to the end before FILE exists
 *   window N COUNT grow       "ready", then 192 MiB are committed and touched, and kept for long */

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KEPT = 16, THREADS_MAX = 8, SIZE_FIRST = 4096, GROWTH_BYTES = 192 << 20 };

static int thread_count;
static long count, first;
static const char *slow_file; /* NULL: at full speed */

static void wait_for(const char *file)
{
	while (access(file, F_OK))
		usleep(1000);
}

static void slow_down(long i)
{
	if (i % 100 == 0)
		usleep(10000);
	if (i == count * 9 / 10)
		wait_for(slow_file);
}

static void *allocate(void *argument)
{
	long thread = (long)argument;
	void *kept[KEPT] = { NULL };

	for (long i = first; i < first + count; i++) {
		free(kept[i % KEPT]);
		kept[i % KEPT] = malloc((size_t)(SIZE_FIRST + thread + i * thread_count));
		if (slow_file)
			slow_down(i);
	}
	return NULL;
}

static void run_threads(void)
{
	pthread_t threads[THREADS_MAX];

	for (long i = 1; i < thread_count; i++)
		pthread_create(&threads[i], NULL, allocate, (void *)i);
	allocate(NULL);
	for (long i = 1; i < thread_count; i++)
		pthread_join(threads[i], NULL);
}

static void say_ready(void)
{
	(void)!write(STDOUT_FILENO, "ready\n", 6);
}

static void run_gate(const char *file)
{
	run_threads();
	say_ready();
	wait_for(file);
	first = count;
	run_threads();
}

static void run_fork(void)
{
	if (fork() == 0) {
		run_threads();
		exit(0);
	}
	wait(NULL);
	run_threads();
}

static void run_slow(const char *file)
{
	say_ready();
	slow_file = file;
	run_threads();
}

static void run_growth(void)
{
	char *memory;

	run_threads();
	say_ready();
	memory = mmap(NULL, GROWTH_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		      0);
	if (memory != MAP_FAILED)
		memset(memory, 1, GROWTH_BYTES);
	pause();
}

int main(int argc, char **argv)
{
	const char *way = argc > 3 ? argv[3] : "";

	if (argc < 3)
		return 2;
	thread_count = atoi(argv[1]);
	count = atol(argv[2]);
	if (thread_count < 1 || thread_count > THREADS_MAX)
		return 2;
	if (!strcmp(way, "gate") && argc > 4)
		run_gate(argv[4]);
	else if (!strcmp(way, "fork"))
		run_fork();
	else if (!strcmp(way, "slow") && argc > 4)
		run_slow(argv[4]);
	else if (!strcmp(way, "grow"))
		run_growth();
	else
		run_threads();
	if (!strcmp(way, "killed"))
		raise(SIGKILL);
	return 0;
}
