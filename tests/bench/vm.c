/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What virtual memory costs natively, each figure beside the system's own, in rounds that
 * alternate:
 *
 *   vm pair 2000         VirtualAlloc + VirtualFree of 64 KiB against mmap + munmap
 *   vm query 100000      VirtualQuery among 100 000 regions
 *   vm commit 2000       commit + decommit of a page in 1 TB, and in 64 KiB
 *   vm threads 2000      the same in one thread, in two and in 64, and the system's own calls so
 *
 * Each line: a name, and nanoseconds per step. It is the median of the rounds, of the thread's
 * processor time, which others on the machine cannot take. Where threads are compared it is time on
 * the wall, of the best round, from when they may begin to when all are done, divided by the steps
 * of all. */

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "core/core.h"

#define PAGE ((size_t)0x1000)
#define GRANULE ((size_t)0x10000)
#define LARGE ((size_t)0x200000)
#define TERABYTE ((size_t)1 << 40)
#define ROUNDS 15
#define REGIONS 100000
#define THREADS_MAX 64
#define THREAD_ROUNDS 401

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif

static double clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double now_ns(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *rounds)
{
	qsort(rounds, ROUNDS, sizeof *rounds, compare);
	return rounds[ROUNDS / 2];
}

/* One step of each kind; `own` is the thread's own memory. */

static void pair(char *own)
{
	void *base = VirtualAlloc(NULL, GRANULE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

	(void)own;
	if (!base || !VirtualFree(base, 0, MEM_RELEASE))
		abort();
}

static void system_pair(char *own)
{
	void *base = mmap(NULL, GRANULE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  /* fd */ -1, /* offset */ 0);

	(void)own;
	if (base == MAP_FAILED || munmap(base, GRANULE) != 0)
		abort();
}

/* What the kernel can do at best for a region that is released and taken again. */
static void system_guard(char *own)
{
	if (madvise(own, GRANULE, MADV_GUARD_INSTALL) != 0 ||
	    madvise(own, GRANULE, MADV_GUARD_REMOVE) != 0)
		abort();
}

static void commit(char *own)
{
	if (!VirtualAlloc(own, PAGE, MEM_COMMIT, PAGE_READWRITE))
		abort();
	*(volatile char *)own = 1;
	if (!VirtualFree(own, PAGE, MEM_DECOMMIT))
		abort();
}

static void system_commit(char *own)
{
	if (mprotect(own, PAGE, PROT_READ | PROT_WRITE) != 0)
		abort();
	*(volatile char *)own = 1;
	if (mmap(own, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, /* fd */ -1,
		 /* offset */ 0) == MAP_FAILED)
		abort();
}

static void query(char *own)
{
	MEMORY_BASIC_INFORMATION info;

	if (!VirtualQuery(own, &info, sizeof info) || info.State != MEM_RESERVE)
		abort();
}

/* One kind of step, and what it is called. */
struct row {
	const char *name;
	void (*step)(char *);
	char *own;
};

static double measure(const struct row *row, int steps)
{
	double start = now_ns();

	for (int i = 0; i < steps; i++)
		row->step(row->own);
	return (now_ns() - start) / steps;
}

static void measure_rows(const struct row *rows, size_t count, int steps)
{
	static double times[8][ROUNDS];

	for (int round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < count; i++)
			times[i][round] = measure(&rows[i], steps);
	}
	for (size_t i = 0; i < count; i++)
		printf("%s %.1f\n", rows[i].name, median(times[i]));
}

static char *reserve(size_t size_bytes)
{
	char *base = VirtualAlloc(NULL, size_bytes, MEM_RESERVE, PAGE_READWRITE);

	if (!base)
		abort();
	return base;
}

static char *system_reserve(size_t size_bytes)
{
	char *base = mmap(NULL, size_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, /* fd */ -1,
			  /* offset */ 0);

	if (base == MAP_FAILED)
		abort();
	return base;
}

static void measure_pair(int steps)
{
	const struct row rows[] = {
		{ "VirtualAlloc+VirtualFree", pair, NULL },
		{ "mmap+munmap", system_pair, NULL },
	};

	measure_rows(rows, 2, steps);
}

static void measure_query(int steps)
{
	static char *regions[REGIONS];
	double times[ROUNDS];

	for (int i = 0; i < REGIONS; i++)
		regions[i] = reserve(GRANULE);
	for (int round = 0; round < ROUNDS; round++) {
		double start = now_ns();

		for (int i = 0; i < steps; i++)
			query(regions[(size_t)i * 7919 % REGIONS]);
		times[round] = (now_ns() - start) / steps;
	}
	printf("VirtualQuery %.1f\n", median(times));
}

static void measure_commit(int steps)
{
	char *large = reserve(TERABYTE);
	const struct row rows[] = {
		{ "commit in 1 TB", commit, large + TERABYTE / 2 },
		{ "commit in 64 KiB", commit, reserve(GRANULE) + PAGE },
		{ "mprotect+mmap", system_commit, system_reserve(GRANULE) + PAGE },
	};

	measure_rows(rows, 3, steps);
}

/* --- Threads ---------------------------------------------------------------------------------- */

/* What many threads do, in rounds; each has memory of its own. */
struct crowd {
	void (*step)(char *);
	char *own[THREADS_MAX];
	int threads;
	int rounds;
	int steps; /* of each thread in each round */
	int round; /* that runs, from 1 */
	int done;  /* threads that are through with their rounds, of all rounds */
};

static struct crowd crowd;

/* Two threads have a processor each. */
static void wait_for(const int *counter, int value)
{
	while (__atomic_load_n(counter, __ATOMIC_ACQUIRE) < value)
		if (crowd.threads > 2)
			sched_yield();
}

static void run_round(char *own)
{
	for (int i = 0; i < crowd.steps; i++)
		crowd.step(own);
	__atomic_add_fetch(&crowd.done, 1, __ATOMIC_ACQ_REL);
}

static void *run(void *own)
{
	for (int round = 1; round <= crowd.rounds; round++) {
		wait_for(&crowd.round, round);
		run_round(own);
	}
	return NULL;
}

/* Nanoseconds of one round. */
static double time_round(int round)
{
	double start = clock_ns(CLOCK_MONOTONIC);

	__atomic_store_n(&crowd.round, round, __ATOMIC_RELEASE);
	run_round(crowd.own[0]);
	wait_for(&crowd.done, round * crowd.threads);
	return clock_ns(CLOCK_MONOTONIC) - start;
}

/* The best of the rounds, per step of all. Two threads share the steps of one; of many, each has
 * enough for the switches between them not to count. */
static double measure_crowd(int threads, int steps)
{
	pthread_t others[THREADS_MAX];
	double best = 0;

	crowd.threads = threads;
	crowd.steps = threads > 2 ? steps : steps / threads;
	crowd.rounds = threads > 2 ? ROUNDS : THREAD_ROUNDS;
	crowd.round = crowd.done = 0;
	for (int i = 1; i < threads; i++)
		pthread_create(&others[i], NULL, run, crowd.own[i]);
	for (int round = 1; round <= crowd.rounds; round++) {
		double time = time_round(round) / ((double)crowd.steps * threads);

		best = round > 1 && best < time ? best : time;
	}
	for (int i = 1; i < threads; i++)
		pthread_join(others[i], NULL);
	return best;
}

static char *make_reserved(void)
{
	return reserve(GRANULE);
}

/* Far from all others: in page tables, and a mapping, of its own. */
static char *make_system_region(void)
{
	char *base = system_reserve(4 * LARGE);
	char *middle = base + (2 * LARGE - (uintptr_t)base % LARGE);

	if (mprotect(middle, LARGE, PROT_READ | PROT_WRITE) != 0)
		abort();
	*(volatile char *)middle = 1;
	return middle;
}

static bool has_guards(void)
{
	char *region = make_system_region();

	return madvise(region, GRANULE, MADV_GUARD_INSTALL) == 0;
}

static void measure_kind(const char *name, void (*step)(char *), char *(*make)(void), int steps)
{
	static const int counts[] = { 1, 2, THREADS_MAX };

	crowd.step = step;
	for (int i = 0; i < THREADS_MAX; i++)
		crowd.own[i] = make ? make() : NULL;
	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
		printf("%s, %d threads %.1f\n", name, counts[i], measure_crowd(counts[i], steps));
}

/* Rounds are short, so that there is one that nobody has disturbed; queries need more of them for
 * the beginning of a round not to count. */
static void measure_threads(int steps)
{
	int few = steps / 10;

	measure_kind("pairs", pair, NULL, few);
	measure_kind("commits", commit, make_reserved, few);
	measure_kind("queries", query, make_reserved, 50 * few);
	measure_kind("mmap+munmap", system_pair, NULL, few);
	if (has_guards())
		measure_kind("bare guards", system_guard, make_system_region, few);
}

static const struct {
	const char *name;
	void (*measure)(int steps);
} kinds[] = {
	{ "pair", measure_pair },
	{ "query", measure_query },
	{ "commit", measure_commit },
	{ "threads", measure_threads },
};

int main(int count, char **arguments)
{
	for (size_t i = 0; count == 3 && i < sizeof kinds / sizeof kinds[0]; i++) {
		if (strcmp(arguments[1], kinds[i].name) == 0) {
			kinds[i].measure(atoi(arguments[2]));
			return 0;
		}
	}
	fputs("usage: vm pair|query|commit|threads STEPS\n", stderr);
	return 2;
}
