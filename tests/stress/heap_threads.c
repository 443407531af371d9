/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Threads that allocate, swap blocks with each other and free what others made; then threads that
 * come and go. Every block carries a pattern that tells whether anybody else got it too. */

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "core/heap/heap.h"
#include "tests/lib/tap.h"

#define THREADS 4
#define STEPS 400000
#define SHARED_SLOTS 512
#define OWN_SLOTS 256
#define SHORT_THREADS 50000

/* The start of every block in this test. */
struct message {
	size_t size_bytes;
	uintptr_t self; /* the block's address, disguised */
};

#define DISGUISE ((uintptr_t)0x5a5a5a5a5a5a5a5a)

static _Atomic(struct message *) shared[SHARED_SLOTS];
static _Atomic(int) failures;

static uint64_t draw(uint64_t *state, uint64_t limit)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state % limit;
}

static size_t draw_size(uint64_t *state)
{
	uint64_t kind = draw(state, 200);

	if (kind == 0)
		return sizeof(struct message) + draw(state, 3u << 20);
	if (kind < 10)
		return sizeof(struct message) + draw(state, 100000);
	return sizeof(struct message) + draw(state, 500);
}

static struct message *make(uint64_t *state)
{
	size_t size_bytes = draw_size(state);
	bool is_sized = draw(state, 4) == 0;
	struct message *message = is_sized ? heap_allocate(heap_process(), 0, size_bytes, NULL)
					   : heap_malloc(size_bytes);

	if (!message) {
		failures++;
		return NULL;
	}
	message->size_bytes = size_bytes;
	message->self = (uintptr_t)message ^ DISGUISE;
	((char *)message)[size_bytes - 1] = ((char *)message)[size_bytes - 1];
	return message;
}

static void consume(struct message *message, uint64_t *state)
{
	if (!message)
		return;
	if (message->self != ((uintptr_t)message ^ DISGUISE))
		failures++;
	message->self = 0;
	if (draw(state, 2))
		heap_free(message);
	else if (!heap_release(heap_process(), 0, message, NULL))
		failures++;
}

static void *trade(void *argument)
{
	uint64_t state = 88172645463325252u + (uintptr_t)argument * 7919;
	struct message *own[OWN_SLOTS] = { NULL };

	for (int step = 0; step < STEPS; step++) {
		size_t slot = draw(&state, OWN_SLOTS);

		consume(own[slot], &state);
		own[slot] = make(&state);
		if (draw(&state, 2))
			own[slot] = atomic_exchange(&shared[draw(&state, SHARED_SLOTS)], own[slot]);
	}
	for (size_t slot = 0; slot < OWN_SLOTS; slot++)
		consume(own[slot], &state);
	heap_thread_exit();
	/* After its exit a thread may still do both. */
	consume(make(&state), &state);
	return NULL;
}

static void test_trade(void)
{
	pthread_t threads[THREADS];
	uint64_t state = 1;

	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, trade, (void *)i);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < SHARED_SLOTS; i++)
		consume(atomic_exchange(&shared[i], NULL), &state);
	ok_equal(failures, 0, "%d threads trade %d blocks each and each block stays whole", THREADS,
		 STEPS);
	heap_trim();
	heap_check();
}

static size_t resident_bytes(void)
{
	unsigned long size = 0, resident = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	if (!file || fscanf(file, "%lu %lu", &size, &resident) != 2)
		resident = 0;
	if (file)
		fclose(file);
	return resident * 4096;
}

/* Leaves one block behind, which the main thread frees. */
static void *live_shortly(void *argument)
{
	void *blocks[20];

	for (size_t i = 0; i < 20; i++)
		blocks[i] = heap_malloc(i * 24);
	for (size_t i = 1; i < 20; i++)
		heap_free(blocks[i]);
	heap_thread_exit();
	return blocks[0];
}

static void run_short_threads(int count)
{
	for (int i = 0; i < count; i++) {
		pthread_t thread;
		void *left = NULL;

		if (pthread_create(&thread, NULL, live_shortly, NULL) != 0 ||
		    pthread_join(thread, &left) != 0 || !left)
			failures++;
		heap_free(left);
	}
}

/* A sanitizer keeps records of its own about each thread. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define RESIDENT_SLACK ((size_t)256 << 20)
#else
#define RESIDENT_SLACK ((size_t)4 << 20)
#endif

static void test_short_threads(void)
{
	struct heap_statistics before, after;
	size_t resident;

	run_short_threads(100);
	heap_get_statistics(&before);
	resident = resident_bytes();
	run_short_threads(SHORT_THREADS);
	heap_get_statistics(&after);
	ok_equal(failures, 0, "%d threads come and go", SHORT_THREADS);
	ok_equal(after.reserved_bytes, before.reserved_bytes, "they leave no segment behind");
	ok(after.used_bytes <= before.used_bytes + 4096, "they leave no block behind");
	ok(resident_bytes() < resident + RESIDENT_SLACK, "they leave no memory behind");
}

int main(void)
{
	test_trade();
	test_short_threads();
	heap_check();
	return tap_done();
}
