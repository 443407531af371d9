/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* forks THREADS CHILDREN: forks that many times while threads exchange the blocks of a table, as
 * fast as they can. Each child has a child of its own first; both release every block that they
 * find in the table, leak three, and print what a report of them must say:
 *
 *   pid inherited_frees live_blocks live_bytes table_blocks table_bytes
 *
 * The last two are what was in the table at the fork; THREADS 0: the forking thread exchanges
 * blocks itself, and the table is all that changes between two forks. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PLACES = 2000, THREADS_MAX = 16, LEAKS = 3, LEAK_BYTES = 77, EXCHANGES = 500 };

static _Atomic(uint64_t *) table[PLACES];
static _Atomic int started;
static _Atomic bool is_over;
static void *volatile leaks[LEAKS];

static uint64_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return *state >> 33;
}

/* A block of the table says its own size. */
static void exchange(uint64_t *state)
{
	size_t size = 16 + next_random(state) % 300;
	uint64_t *block = malloc(size);

	if (!block)
		abort();
	*block = size;
	free(atomic_exchange(&table[next_random(state) % PLACES], block));
}

static void *work(void *argument)
{
	uint64_t state = (uintptr_t)argument;

	atomic_fetch_add(&started, 1);
	while (!atomic_load(&is_over))
		exchange(&state);
	return NULL;
}

static void print_truth(unsigned blocks, uint64_t bytes)
{
	char line[200];
	int length = snprintf(line, sizeof(line), "%d %u %d %d %u %lu\n", (int)getpid(), blocks,
			      LEAKS, LEAKS * LEAK_BYTES, blocks, (unsigned long)bytes);

	if (write(STDOUT_FILENO, line, (size_t)length) != length)
		abort();
}

static void release_all(void)
{
	unsigned blocks = 0;
	uint64_t bytes = 0;

	for (int i = 0; i < PLACES; i++) {
		uint64_t *block = atomic_exchange(&table[i], NULL);

		if (!block)
			continue;
		blocks++;
		bytes += *block;
		free(block);
	}
	for (int i = 0; i < LEAKS; i++)
		leaks[i] = malloc(LEAK_BYTES);
	print_truth(blocks, bytes);
}

static void wait_for(pid_t child)
{
	int status;

	if (child < 0 || waitpid(child, &status, 0) != child || status)
		abort();
}

_Noreturn static void run_child(void)
{
	pid_t child = fork();

	if (child)
		wait_for(child);
	release_all();
	_exit(0);
}

static void run_children(int count, int thread_count)
{
	uint64_t state = 1;

	for (int i = 0; i < count; i++) {
		for (int n = 0; !thread_count && n < EXCHANGES; n++)
			exchange(&state);
		pid_t child = fork();
		if (!child)
			run_child();
		wait_for(child);
	}
}

int main(int argc, char **argv)
{
	int thread_count = argc > 2 ? atoi(argv[1]) : -1;
	pthread_t threads[THREADS_MAX];

	if (thread_count < 0 || thread_count > THREADS_MAX)
		return 2;
	for (intptr_t i = 0; i < thread_count; i++)
		if (pthread_create(&threads[i], NULL, work, (void *)(i + 2)))
			abort();
	while (atomic_load(&started) < thread_count)
		usleep(1000);
	run_children(atoi(argv[2]), thread_count);
	atomic_store(&is_over, true);
	for (int i = 0; i < thread_count; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
