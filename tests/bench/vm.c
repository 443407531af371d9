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
 * the wall, from when they may begin to when all are done, divided by the steps of all; rounds of
 * one thread and of all alternate, and each thread keeps to its processor. */

#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
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
#define MEGABYTE ((size_t)0x100000)
#define LARGE ((size_t)0x200000)
#define TERABYTE ((size_t)1 << 40)
#define ROUNDS 15
#define REGIONS 100000
#define THREADS_MAX 64
#define THREAD_ROUNDS 201

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

static double median(double *rounds, int count)
{
	qsort(rounds, (size_t)count, sizeof *rounds, compare);
	return rounds[count / 2];
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

/* One step of each kind; `own` is the thread's own memory. */

static void pair_of(size_t size_bytes)
{
	void *base = VirtualAlloc(NULL, size_bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

	if (!base || !VirtualFree(base, 0, MEM_RELEASE))
		abort();
}

static void pair(char *own)
{
	(void)own;
	pair_of(GRANULE);
}

static void large_pair(char *own)
{
	(void)own;
	pair_of(MEGABYTE);
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
static void guard(char *own, size_t size_bytes)
{
	if (madvise(own, size_bytes, MADV_GUARD_INSTALL) != 0 ||
	    madvise(own, size_bytes, MADV_GUARD_REMOVE) != 0)
		abort();
}

static void system_guard(char *own)
{
	guard(own, GRANULE);
}

static void large_system_guard(char *own)
{
	guard(own, MEGABYTE);
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

static void write_pages(char *base)
{
	for (size_t at = 0; at < GRANULE; at += PAGE)
		*(volatile char *)(base + at) = 1;
}

/* All that becomes of a region. */
static void live(char *own)
{
	char *base = VirtualAlloc(NULL, GRANULE, MEM_RESERVE, PAGE_READWRITE);
	MEMORY_BASIC_INFORMATION info;
	DWORD old;

	(void)own;
	if (!base || !VirtualAlloc(base, GRANULE, MEM_COMMIT, PAGE_READWRITE))
		abort();
	write_pages(base);
	if (!VirtualQuery(base, &info, sizeof info) || info.State != MEM_COMMIT ||
	    !VirtualProtect(base, GRANULE, PAGE_READONLY, &old) ||
	    !VirtualFree(base, GRANULE, MEM_DECOMMIT) || !VirtualFree(base, 0, MEM_RELEASE))
		abort();
}

/* The same, by who needs to ask nobody what is there. */
static void system_live(char *own)
{
	char *base = system_reserve(GRANULE);

	(void)own;
	if (mprotect(base, GRANULE, PROT_READ | PROT_WRITE) != 0)
		abort();
	write_pages(base);
	if (mprotect(base, GRANULE, PROT_READ) != 0 ||
	    mmap(base, GRANULE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, /* fd */ -1,
		 /* offset */ 0) == MAP_FAILED ||
	    munmap(base, GRANULE) != 0)
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
		printf("%s %.1f\n", rows[i].name, median(times[i], ROUNDS));
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
	printf("VirtualQuery %.1f\n", median(times, ROUNDS));
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

/* What many threads do, in rounds; each has memory of its own. Who does not work in a round sleeps,
 * so that the system has no second processor to tell of a change. */
struct crowd {
	void (*step)(char *);
	char *own[THREADS_MAX];
	sem_t calls[THREADS_MAX]; /* to each thread: a round is coming, or the end */
	int threads;
	bool is_crowded; /* not each has a processor of its own */
	int steps;       /* of each thread in each round; 0: the end */
	int round;       /* that runs, from 1 */
	int ready;       /* threads that wait for it, of all rounds */
	int done;        /* threads that are through with theirs, of all rounds */
};

static struct crowd crowd;

static void wait_for(const int *counter, int value)
{
	while (__atomic_load_n(counter, __ATOMIC_ACQUIRE) < value)
		if (crowd.is_crowded)
			sched_yield();
}

static void run_round(int thread)
{
	for (int i = 0; i < crowd.steps; i++)
		crowd.step(crowd.own[thread]);
	__atomic_add_fetch(&crowd.done, 1, __ATOMIC_ACQ_REL);
}

/* The thread keeps to one processor, and each of two to another. */
static void stay(int thread)
{
	cpu_set_t allowed, one;
	int seen = 0;

	if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
		return;
	CPU_ZERO(&one);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET(cpu, &allowed) && seen++ == thread % CPU_COUNT(&allowed))
			CPU_SET(cpu, &one);
	}
	sched_setaffinity(0, sizeof one, &one);
}

/* Whether there is another round. */
static bool is_called(int thread)
{
	while (sem_wait(&crowd.calls[thread]) != 0)
		continue;
	return crowd.steps != 0;
}

static void *run(void *index)
{
	int thread = (int)(intptr_t)index;

	stay(thread);
	while (is_called(thread)) {
		int next = crowd.round + 1;

		__atomic_add_fetch(&crowd.ready, 1, __ATOMIC_ACQ_REL);
		wait_for(&crowd.round, next);
		run_round(thread);
	}
	return NULL;
}

static void call_others(int working)
{
	crowd.ready = crowd.done = 0;
	for (int i = 1; i < working; i++)
		sem_post(&crowd.calls[i]);
}

/* Nanoseconds for each step of all, of one round of the first `working` threads. */
static double time_round(int working)
{
	double start;

	call_others(working);
	wait_for(&crowd.ready, working - 1);
	start = clock_ns(CLOCK_MONOTONIC);
	__atomic_add_fetch(&crowd.round, 1, __ATOMIC_ACQ_REL);
	run_round(/* thread */ 0);
	wait_for(&crowd.done, working);
	return (clock_ns(CLOCK_MONOTONIC) - start) / ((double)crowd.steps * working);
}

/* What one round in ten is below: others on the machine only make rounds longer. */
static double undisturbed(double *rounds, int count)
{
	median(rounds, count);
	return rounds[count / 10];
}

/* Rounds of one thread and of all by turns. */
static void time_rounds(const char *name, int rounds)
{
	static double alone[THREAD_ROUNDS], together[THREAD_ROUNDS];
	int threads = crowd.threads;

	time_round(threads);
	for (int i = 0; i < rounds; i++) {
		alone[i] = time_round(/* working */ 1);
		together[i] = time_round(threads);
	}
	printf("%s, 1 beside %d %.1f\n", name, threads, undisturbed(alone, rounds));
	printf("%s, %d threads %.1f\n", name, threads, undisturbed(together, rounds));
}

static void measure_crowd(const char *name, int threads, int steps)
{
	pthread_t others[THREADS_MAX];
	cpu_set_t allowed;

	sched_getaffinity(0, sizeof allowed, &allowed);
	crowd.threads = threads;
	crowd.is_crowded = threads > CPU_COUNT(&allowed);
	crowd.steps = steps;
	for (int i = 1; i < threads; i++)
		pthread_create(&others[i], NULL, run, (void *)(intptr_t)i);
	stay(/* thread */ 0);
	time_rounds(name, threads > 2 ? ROUNDS : THREAD_ROUNDS);
	crowd.steps = 0;
	call_others(threads);
	for (int i = 1; i < threads; i++)
		pthread_join(others[i], NULL);
	sched_setaffinity(0, sizeof allowed, &allowed);
}

static char *make_reserved(void)
{
	return reserve(GRANULE);
}

static char *make_system_reserved(void)
{
	return system_reserve(GRANULE);
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

/* What is measured in threads: what core does, and what the system does of it. */
static const struct {
	const char *name;
	void (*step)(char *);
	char *(*make)(void);
	int per_mille; /* of the steps: rounds are short, so that many are not disturbed */
	bool has_markers;
	bool is_of_many; /* in 64 threads, too */
} crowds[] = {
	{ "pairs", pair, NULL, 100, false, true },
	{ "bare markers", system_guard, make_system_region, 100, true, false },
	{ "mmap+munmap", system_pair, NULL, 100, false, true },
	{ "pairs of 1 MiB", large_pair, NULL, 25, false, false },
	{ "bare markers of 1 MiB", large_system_guard, make_system_region, 25, true, false },
	{ "commits", commit, make_reserved, 10, false, true },
	{ "mprotect+mmap", system_commit, make_system_reserved, 10, false, true },
	{ "lives", live, NULL, 2, false, false },
	{ "lives by bare calls", system_live, NULL, 2, false, false },
	{ "queries", query, make_reserved, 2000, false, true },
};

static void measure_threads(int steps)
{
	bool has_markers = has_guards();

	for (int i = 0; i < THREADS_MAX; i++)
		sem_init(&crowd.calls[i], /* shared */ 0, /* value */ 0);
	for (size_t kind = 0; kind < sizeof crowds / sizeof crowds[0]; kind++) {
		int few = steps * crowds[kind].per_mille / 1000 + 1;

		if (crowds[kind].has_markers && !has_markers)
			continue;
		crowd.step = crowds[kind].step;
		for (int i = 0; i < THREADS_MAX; i++)
			crowd.own[i] = crowds[kind].make ? crowds[kind].make() : NULL;
		measure_crowd(crowds[kind].name, /* threads */ 2, few);
		if (crowds[kind].is_of_many)
			measure_crowd(crowds[kind].name, THREADS_MAX, few);
	}
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
