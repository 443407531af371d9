/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* malloc WORKLOAD [SCALE]: one way of using an allocator, for malloc.sh to time. The allocator is
 * the preloaded one. Without a workload: lists them.
 *
 * Where two threads or more work at once, each has a processor of its own, in turn: else the system
 * leaves some runs' threads on one processor, and shares no cache line between two in those. */

#define _GNU_SOURCE

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned scale = 10;

static uint64_t draw(uint64_t *state, uint64_t limit)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state % limit;
}

/* A block of which the first byte is used. */
static void *take(size_t size_bytes)
{
	char *block = malloc(size_bytes);

	if (!block)
		abort();
	*block = 1;
	return block;
}

static void touch_all(char *block, size_t size_bytes)
{
	for (size_t i = 0; i < size_bytes; i += 4096)
		block[i] = 1;
}

/* The n-th of the processors that this process had at its start, from 0, and again from the first.
 */
static int choose_processor(const cpu_set_t *set, unsigned n)
{
	int processor = -1;

	for (n %= (unsigned)CPU_COUNT(set); !CPU_ISSET(++processor, set) || n--;)
		;
	return processor;
}

/* The calling thread stays on that processor from now on, if it may. */
static void stay_on(unsigned n)
{
	static cpu_set_t set;
	cpu_set_t one;

	if (!CPU_COUNT(&set) && sched_getaffinity(0, sizeof(set), &set) != 0)
		return;
	CPU_ZERO(&one);
	CPU_SET(choose_processor(&set, n), &one);
	sched_setaffinity(0, sizeof(one), &one);
}

/* Creates a thread that stays on the n-th processor. Called where stay_on was, by the main thread.
 */
static void begin_thread(pthread_t *thread, unsigned n, void *(*run)(void *), void *argument)
{
	stay_on(n);
	pthread_create(thread, NULL, run, argument);
}

static void pairs(size_t size_bytes)
{
	for (unsigned i = 0; i < 1000000 * scale; i++) {
		void *volatile block = malloc(size_bytes);

		free(block);
	}
}

static void pairs_of_24(void)
{
	pairs(24);
}

static void pairs_of_64(void)
{
	pairs(64);
}

static void batches(void)
{
	enum { COUNT = 100000 };
	static void *blocks[COUNT];

	for (unsigned round = 0; round < 10 * scale; round++) {
		for (int i = 0; i < COUNT; i++)
			blocks[i] = take(32);
		for (int i = 0; i < COUNT; i++)
			free(blocks[i]);
	}
}

/* Blocks are replaced at random; sizes from smallest to smallest + range. */
static void replace(uint64_t seed, unsigned slots, unsigned steps, size_t smallest, size_t range)
{
	void **blocks = calloc(slots, sizeof(*blocks));

	for (unsigned i = 0; i < steps; i++) {
		uint64_t slot = draw(&seed, slots);

		free(blocks[slot]);
		blocks[slot] = take(smallest + draw(&seed, range));
	}
	for (unsigned i = 0; i < slots; i++)
		free(blocks[i]);
	free(blocks);
}

static void random_small(void)
{
	replace(1, 50000, 500000 * scale, 16, 500);
}

static void random_medium(void)
{
	replace(2, 500, 160000 * scale, 1000, 100000);
}

static void *random_in_thread(void *argument)
{
	replace((uintptr_t)argument, 20000, 250000 * scale, 16, 500);
	return NULL;
}

static void random_in_two_threads(void)
{
	pthread_t other;

	begin_thread(&other, 1, random_in_thread, (void *)(uintptr_t)3);
	stay_on(0);
	random_in_thread((void *)(uintptr_t)4);
	pthread_join(other, NULL);
}

/* 256 KiB to 32 MiB, every page touched. */
static void huge(void)
{
	enum { SLOTS = 16 };
	char *blocks[SLOTS] = { NULL };
	uint64_t seed = 5;

	for (unsigned i = 0; i < 20 * scale; i++) {
		uint64_t slot = draw(&seed, SLOTS);
		size_t size_bytes = (256u << 10) + draw(&seed, 32u << 20);

		free(blocks[slot]);
		blocks[slot] = take(size_bytes);
		touch_all(blocks[slot], size_bytes);
	}
	for (int i = 0; i < SLOTS; i++)
		free(blocks[i]);
}

static void growth(void)
{
	for (unsigned round = 0; round < 30 * scale; round++) {
		char *block = NULL;

		for (size_t size = 16; size < 2000000; size += size / 8 + 16) {
			block = realloc(block, size);
			block[size - 1] = 1;
		}
		free(block);
	}
}

static void zeroed(void)
{
	uint64_t seed = 6;

	for (unsigned i = 0; i < 200000 * scale; i++) {
		void *volatile block = calloc(1, 16 + draw(&seed, 2000));

		free(block);
	}
}

static void aligned(void)
{
	uint64_t seed = 7;

	for (unsigned i = 0; i < 200000 * scale; i++) {
		size_t alignment = (size_t)16 << draw(&seed, 6);
		void *volatile block = aligned_alloc(alignment, alignment * (1 + draw(&seed, 4)));

		free(block);
	}
}

/* Phases of other sizes over what an earlier phase left. */
static void phases(void)
{
	enum { COUNT = 20000 };
	static void *blocks[COUNT];

	for (unsigned round = 0; round < 20 * scale; round++) {
		size_t size_bytes = 24u << round % 6;

		for (int i = round % 7 ? 1 : 0; i < COUNT; i += round % 7 ? 2 : 1) {
			free(blocks[i]);
			blocks[i] = take(size_bytes);
		}
	}
	for (int i = 0; i < COUNT; i++)
		free(blocks[i]);
}

static void *live_shortly(void *argument)
{
	void *left = take(64);

	for (int i = 0; i < 50; i++)
		free(take((size_t)i * 8 + 8));
	(void)argument;
	return left;
}

static void short_threads(void)
{
	enum { LEFT = 100 };
	void *left[LEFT] = { NULL };

	for (unsigned i = 0; i < 500 * scale; i++) {
		pthread_t thread;

		free(left[i % LEFT]);
		pthread_create(&thread, NULL, live_shortly, NULL);
		pthread_join(thread, &left[i % LEFT]);
	}
	for (int i = 0; i < LEFT; i++)
		free(left[i]);
}

/* Blocks that outlive the thread that took them, and are replaced by the next one. */
struct lane {
	void *blocks[1000];
	uint64_t seed;
};

static void *replace_in_lane(void *argument)
{
	struct lane *lane = argument;

	for (int i = 0; i < 5000; i++) {
		void **block = &lane->blocks[draw(&lane->seed, 1000)];

		free(*block);
		*block = take(8 + draw(&lane->seed, 1000));
	}
	return NULL;
}

static void larson(void)
{
	static struct lane lanes[2] = { { .seed = 8 }, { .seed = 9 } };
	pthread_t threads[2];

	for (unsigned generation = 0; generation < 40 * scale; generation++) {
		for (unsigned i = 0; i < 2; i++)
			begin_thread(&threads[i], i, replace_in_lane, &lanes[i]);
		for (int i = 0; i < 2; i++)
			pthread_join(threads[i], NULL);
	}
	for (int i = 0; i < 1000; i++) {
		free(lanes[0].blocks[i]);
		free(lanes[1].blocks[i]);
	}
}

enum { LEFT_BLOCKS = 500 };

/* Takes blocks and leaves every fourth behind. */
static void *leave_blocks(void *argument)
{
	void **blocks = argument;
	uint64_t seed = (uintptr_t)argument | 1;

	for (int i = 0; i < LEFT_BLOCKS; i++)
		blocks[i] = take(16 + draw(&seed, 1000));
	for (int i = 0; i < LEFT_BLOCKS; i++) {
		if (i % 4 == 0)
			continue;
		free(blocks[i]);
		blocks[i] = NULL;
	}
	return NULL;
}

/* Four threads at a time come, and go; what they left is freed eight waves later. */
static void leaving_threads(void)
{
	enum { WAVES = 8, THREADS = 4 };
	static void *left[WAVES][THREADS][LEFT_BLOCKS];
	pthread_t threads[THREADS];

	for (unsigned wave = 0; wave < 50 * scale; wave++) {
		for (unsigned i = 0; i < THREADS; i++) {
			for (int j = 0; j < LEFT_BLOCKS; j++)
				free(left[wave % WAVES][i][j]);
			begin_thread(&threads[i], i, leave_blocks, left[wave % WAVES][i]);
		}
		for (int i = 0; i < THREADS; i++)
			pthread_join(threads[i], NULL);
	}
}

enum { RING = 1024 };
static _Atomic(void *) ring[RING];

static void *consume(void *argument)
{
	for (unsigned i = 0; i < 200000 * scale; i++) {
		void *block;

		while (!(block = atomic_exchange(&ring[i % RING], NULL)))
			sched_yield();
		free(block);
	}
	return argument;
}

static void other_frees(void)
{
	pthread_t consumer;

	begin_thread(&consumer, 1, consume, NULL);
	stay_on(0);
	for (unsigned i = 0; i < 200000 * scale; i++) {
		void *block = take(16 + i % 200);

		while (atomic_load(&ring[i % RING]))
			sched_yield();
		atomic_store(&ring[i % RING], block);
	}
	pthread_join(consumer, NULL);
}

static const struct {
	const char *name;
	void (*run)(void);
} workloads[] = {
	{ "pairs-24", pairs_of_24 },
	{ "pairs-64", pairs_of_64 },
	{ "batches", batches },
	{ "random-small", random_small },
	{ "random-medium", random_medium },
	{ "two-threads", random_in_two_threads },
	{ "other-frees", other_frees },
	{ "short-threads", short_threads },
	{ "leaving-threads", leaving_threads },
	{ "larson", larson },
	{ "growth", growth },
	{ "huge", huge },
	{ "zeroed", zeroed },
	{ "aligned", aligned },
	{ "phases", phases },
};

int main(int argc, char **argv)
{
	if (argc > 2)
		scale = (unsigned)atoi(argv[2]);
	for (size_t i = 0; i < sizeof(workloads) / sizeof(workloads[0]); i++) {
		if (argc < 2) {
			puts(workloads[i].name);
		} else if (strcmp(argv[1], workloads[i].name) == 0) {
			workloads[i].run();
			return 0;
		}
	}
	return argc < 2 ? 0 : 2;
}
