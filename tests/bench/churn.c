/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* churn THREADS PAIRS [LEVELS]: each thread does PAIRS times malloc and free, from 64 call stacks
 * of 6 + 2 * LEVELS frames (LEVELS is 5 to 64, or 6), with 64 blocks alive. Prints on one line what
 * it knows of itself:
 *
 *   events wall_ns cpu_ns      of the loops alone: no start, no end of the process */

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { LIVE_BLOCKS = 64, LEVELS_MIN = 5, LEVELS_MAX = 64, PATHS = 64 };

static unsigned levels = 6;

/* One thread's work.
 *  - blocks[i] is NULL or a block of its own. */
struct work {
	void *blocks[LIVE_BLOCKS];
	uint64_t pairs;
	uint64_t next;
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The empty assembly keeps the frame: the call before it is no tail call. */
#define KEEP_FRAME() __asm__ volatile("" ::: "memory")

static __attribute__((noinline)) void churn_block(struct work *work)
{
	uint64_t slot = work->next++ % LIVE_BLOCKS;

	free(work->blocks[slot]);
	work->blocks[slot] = malloc(16 + (work->next * 37) % 500);
	KEEP_FRAME();
}

static void descend(struct work *work, unsigned path, unsigned level);

static __attribute__((noinline)) void go_left(struct work *work, unsigned path, unsigned level)
{
	descend(work, path, level);
	KEEP_FRAME();
}

static __attribute__((noinline)) void go_right(struct work *work, unsigned path, unsigned level)
{
	descend(work, path, level);
	KEEP_FRAME();
}

/* Bit `level` of the path chooses the way: call stacks of one depth. */
static __attribute__((noinline)) void descend(struct work *work, unsigned path, unsigned level)
{
	if (level == levels) {
		for (int i = 0; i < 16; i++)
			churn_block(work);
	} else if (path >> level % 6 & 1) {
		go_right(work, path, level + 1);
	} else {
		go_left(work, path, level + 1);
	}
	KEEP_FRAME();
}

static void *churn(void *argument)
{
	struct work *work = argument;

	for (unsigned path = 0; work->next < work->pairs; path++)
		descend(work, path % PATHS, 0);
	for (int i = 0; i < LIVE_BLOCKS; i++)
		free(work->blocks[i]);
	return NULL;
}

int main(int argc, char **argv)
{
	int threads = argc >= 3 ? atoi(argv[1]) : 0;
	uint64_t pairs = argc >= 3 ? strtoull(argv[2], NULL, 10) : 0, wall, cpu;
	pthread_t ids[64];

	if (argc == 4)
		levels = (unsigned)atoi(argv[3]);
	if (threads < 1 || threads > 64 || !pairs || levels < LEVELS_MIN || levels > LEVELS_MAX) {
		fputs("usage: churn THREADS PAIRS [LEVELS]\n", stderr);
		return 2;
	}
	pairs = (pairs + 15) / 16 * 16;
	struct work *work = calloc((size_t)threads, sizeof(*work));

	wall = clock_ns(CLOCK_MONOTONIC);
	cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	for (int i = 0; i < threads; i++) {
		work[i].pairs = pairs;
		pthread_create(&ids[i], NULL, churn, &work[i]);
	}
	for (int i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	wall = clock_ns(CLOCK_MONOTONIC) - wall;
	cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	printf("%llu %llu %llu\n", 2ull * pairs * (unsigned)threads, (unsigned long long)wall,
	       (unsigned long long)cpu);
	free(work);
	return 0;
}
