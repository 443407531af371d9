/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Threads that share heaps: each allocates, resizes and frees blocks of all of them, also blocks
 * that another thread made; contents are checked. Meanwhile one thread locks a heap and looks
 * whether it stands still, heaps come and go, and threads end with blocks alive. */

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "core/base/status.h"
#include "core/heap/checked.h"
#include "core/heap/heap.h"
#include "core/host.h"
#include "core/win32/rtl_heap.h"
#include "tests/lib/tap.h"
#include "tests/unit/core/random.h"

#define HEAPS 4
#define THREADS 4
#define GENERATIONS 3

/* Blocks that are checked are slow. */
#ifdef CHECK
#define STEPS 1000
#else
#define CHECK CHECKED_NOT
#define STEPS 20000
#endif
#define SHARED 256

static HANDLE heaps[HEAPS];

/* A block that whoever takes it out owns. */
struct shared {
	unsigned char *block;
	size_t size_bytes;
	uint32_t heap;
};
static struct shared *shared[SHARED];
static int wrong, is_over;

static void note_at(bool is_right, int line)
{
	if (is_right)
		return;
	__atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
	printf("# line %d: wrong\n", line);
}
#define note(is_right) note_at(is_right, __LINE__)

static unsigned char mark_of(const struct shared *item)
{
	return (unsigned char)(item->size_bytes * 7 + item->heap);
}

static bool is_intact(const struct shared *item)
{
	for (size_t i = 0; i < item->size_bytes; i += 61) {
		if (item->block[i] != mark_of(item))
			return false;
	}
	return rtl_size_heap(heaps[item->heap], 0, item->block, NULL) == item->size_bytes;
}

static void fill(struct shared *item)
{
	if (item->size_bytes)
		memset(item->block, mark_of(item), item->size_bytes);
}

static size_t random_size(uint64_t random)
{
	return random % 64 ? random / 64 % 700 : random / 64 % 150000;
}

static struct shared *make(uint64_t random)
{
	struct shared *item = heap_malloc(sizeof *item);
	NTSTATUS status;

	item->heap = random % HEAPS;
	item->size_bytes = random_size(random >> 8);
	item->block =
		rtl_allocate_heap(API_HeapAlloc, heaps[item->heap], 0, item->size_bytes, &status);
	note(item->block && status == STATUS_SUCCESS);
	fill(item);
	return item;
}

static void resize(struct shared *item, uint64_t random)
{
	NTSTATUS status;

	item->size_bytes = random_size(random >> 8);
	item->block = rtl_reallocate_heap(API_HeapReAlloc, heaps[item->heap], 0, item->block,
					  item->size_bytes, &status);
	note(item->block && status == STATUS_SUCCESS);
	fill(item);
}

static void finish(struct shared *item)
{
	NTSTATUS status;

	note(is_intact(item));
	note(!rtl_free_heap(API_HeapFree, heaps[(item->heap + 1) % HEAPS], 0, item->block,
			    &status));
	note(rtl_free_heap(API_HeapFree, heaps[item->heap], 0, item->block, &status));
	heap_free(item);
}

static void one_step(uint64_t random)
{
	struct shared **place = &shared[(random >> 40) % SHARED];
	struct shared *item = __atomic_exchange_n(place, NULL, __ATOMIC_ACQ_REL);

	if (!item) {
		item = make(random);
	} else if (random >> 60 < 8) {
		finish(item);
		return;
	} else {
		note(is_intact(item));
		resize(item, random);
	}
	item = __atomic_exchange_n(place, item, __ATOMIC_ACQ_REL);
	if (item)
		finish(item);
}

static void *work(void *context)
{
	uint64_t random = (uintptr_t)context;

	for (int step = 0; step < STEPS; step++) {
		random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		one_step(random ^ random >> 33);
	}
	core_thread_exit();
	return NULL;
}

static uint64_t picture(HANDLE heap)
{
	struct rtl_heap_entry entry = { .lpData = NULL };
	uint64_t sum = 0;

	while (rtl_walk_heap(heap, &entry) == STATUS_SUCCESS)
		sum = sum * 31 + (uintptr_t)entry.lpData + entry.cbData + entry.wFlags;
	return sum;
}

/* Holds each heap in turn. */
static void *look(void *context)
{
	uint64_t *rounds = context;

	do {
		HANDLE heap = heaps[*rounds % HEAPS];
		uint64_t before;

		note(rtl_lock_heap(heap) == STATUS_SUCCESS);
		before = picture(heap);
		note(rtl_validate_heap(API_HeapValidate, heap, 0, NULL));
		note(picture(heap) == before);
		note(rtl_unlock_heap(heap) == STATUS_SUCCESS);
		usleep(2000);
		++*rounds;
	} while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED));
	core_thread_exit();
	return NULL;
}

/* Heaps that live for a moment, with blocks when they end. */
static void *come_and_go(void *context)
{
	uint64_t *rounds = context;
	NTSTATUS status;

	do {
		HANDLE heap = rtl_create_heap(API_HeapCreate, 0, 0, 0, &status);

		for (size_t i = 0; i < 50; i++)
			note(rtl_allocate_heap(API_HeapAlloc, heap, 0, i * i, &status) != NULL);
		note(rtl_destroy_heap(API_HeapDestroy, heap) == STATUS_SUCCESS);
		usleep(500);
		++*rounds;
	} while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED));
	core_thread_exit();
	return NULL;
}

/* Without fronts of its own a thread is served by the two shared ones, which have one lock: a block
 * of the one goes back through the other. */
static void *cross_shared_fronts(void *unused)
{
	NTSTATUS status;
	void *plain, *sized;

	core_thread_exit();
	plain = heap_malloc(40);
	sized = heap_allocate(heap_process(), 0, 40, &status);
	ok(plain && heap_release(heap_process(), 0, plain, &status),
	   "after a thread's end, HeapFree takes a block of malloc");
	heap_free(sized);
	ok(sized, "and free takes one of HeapAlloc");
	return unused;
}

int main(void)
{
	pthread_t looker, goer, threads[THREADS];
	uint64_t looks = 0, heaps_gone = 0;
	NTSTATUS status;

	/* Nobody wants to read a report of each refused block. */
	const struct misuse_host host = { .log_path = "/dev/null" };

	random_start();
	misuse_set_host(&host);
	checked_start(CHECK, /* quarantine */ 1 << 20);
	heaps[0] = heap_process();
	heaps[1] = rtl_create_heap(API_HeapCreate, 0, 0, 0, &status);
	heaps[2] = rtl_create_heap(API_HeapCreate, 0, 0, 64 << 20, &status);
	heaps[3] = rtl_create_heap(API_HeapCreate, HEAP_CREATE_ENABLE_EXECUTE, 0, 0, &status);
	pthread_create(&looker, NULL, look, &looks);
	pthread_create(&goer, NULL, come_and_go, &heaps_gone);
	for (int generation = 0; generation < GENERATIONS; generation++) {
		for (int i = 0; i < THREADS; i++)
			pthread_create(&threads[i], NULL, work, (void *)random_next());
		for (int i = 0; i < THREADS; i++)
			pthread_join(threads[i], NULL);
	}
	__atomic_store_n(&is_over, 1, __ATOMIC_RELAXED);
	pthread_join(looker, NULL);
	pthread_join(goer, NULL);
	heap_check();
	for (int i = 0; i < SHARED; i++) {
		if (shared[i])
			finish(shared[i]);
	}
	heap_check();
	pthread_create(&looker, NULL, cross_shared_fronts, NULL);
	pthread_join(looker, NULL);
	heap_check();
	ok(looks > 0 && heaps_gone > 0, "heaps were looked at %d times, and %d went", (int)looks,
	   (int)heaps_gone);
	ok_equal(wrong, 0, "every block and every answer was right");
	for (int i = 1; i < HEAPS; i++)
		ok_equal((unsigned)rtl_destroy_heap(API_HeapDestroy, heaps[i]), STATUS_SUCCESS,
			 "heap %d is destroyed", i);
	heap_check();
	return tap_done();
}
