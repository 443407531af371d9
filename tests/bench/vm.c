/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What virtual memory costs natively, each figure beside the system's own, in rounds that
 * alternate:
 *
 *   vm pair 2000         VirtualAlloc + VirtualFree of 64 KiB against mmap + munmap
 *   vm query 100000      VirtualQuery among 100 000 regions
 *   vm commit 2000       commit + decommit of a page in 1 TB, and in 64 KiB
 *   vm threads 2000      the same in two threads against one, and the system's own calls so
 *
 * Each line: a name, and nanoseconds per step, the median of the rounds: of the thread's processor
 * time, which others on the machine cannot take; where threads are compared, of the time on the
 * wall. */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "core/core.h"

#define PAGE ((size_t)0x1000)
#define GRANULE ((size_t)0x10000)
#define TERABYTE ((size_t)1 << 40)
#define ROUNDS 15
#define REGIONS 100000
#define THREADS_MAX 2

static clockid_t measured_clock = CLOCK_THREAD_CPUTIME_ID;

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(measured_clock, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
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

/* What one thread does in a round. */
struct work {
	void (*step)(char *);
	char *own;
	int steps;
};

static void *run(void *argument)
{
	const struct work *work = argument;

	for (int i = 0; i < work->steps; i++)
		work->step(work->own);
	return NULL;
}

/* Nanoseconds per step of one thread, while so many threads run. */
static double measure(void (*step)(char *), char *const *own, int threads, int steps)
{
	struct work work[THREADS_MAX];
	pthread_t others[THREADS_MAX];
	double start;

	for (int i = 0; i < threads; i++)
		work[i] = (struct work){ step, own[i], steps };
	start = now_ns();
	for (int i = 1; i < threads; i++)
		pthread_create(&others[i], NULL, run, &work[i]);
	run(&work[0]);
	for (int i = 1; i < threads; i++)
		pthread_join(others[i], NULL);
	return (now_ns() - start) / steps;
}

/* One kind of step, and what it is called. */
struct row {
	const char *name;
	void (*step)(char *);
	char *own[THREADS_MAX];
	int threads;
};

static void measure_rows(const struct row *rows, size_t count, int steps)
{
	static double times[8][ROUNDS];

	for (int round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < count; i++)
			times[i][round] =
				measure(rows[i].step, rows[i].own, rows[i].threads, steps);
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
		{ "VirtualAlloc+VirtualFree", pair, { NULL }, 1 },
		{ "mmap+munmap", system_pair, { NULL }, 1 },
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
		{ "commit in 1 TB", commit, { large + TERABYTE / 2 }, 1 },
		{ "commit in 64 KiB", commit, { reserve(GRANULE) + PAGE }, 1 },
		{ "mprotect+mmap", system_commit, { system_reserve(GRANULE) + PAGE }, 1 },
	};

	measure_rows(rows, 3, steps);
}

static void measure_threads(int steps)
{
	const struct row rows[] = {
		{ "pairs, one thread", pair, { NULL, NULL }, 1 },
		{ "pairs, two threads", pair, { NULL, NULL }, 2 },
		{ "commits, one thread", commit, { reserve(GRANULE), NULL }, 1 },
		{ "commits, two threads", commit, { reserve(GRANULE), reserve(GRANULE) }, 2 },
		{ "mmap+munmap, one thread", system_pair, { NULL, NULL }, 1 },
		{ "mmap+munmap, two threads", system_pair, { NULL, NULL }, 2 },
		{ "queries, one thread", query, { reserve(GRANULE), NULL }, 1 },
		{ "queries, two threads", query, { reserve(GRANULE), reserve(GRANULE) }, 2 },
	};

	measured_clock = CLOCK_MONOTONIC;
	measure_rows(rows, 8, steps);
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
