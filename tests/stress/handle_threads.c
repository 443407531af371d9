/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Global memory in many threads: handles that move between them, handles that all of them lock,
 * resize and free at once, and one thread that keeps the process heap for itself now and then. */

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "core/core.h"
#include "core/handle/table.h"
#include "core/heap/heap.h"
#include "core/host.h"
#include "tests/lib/tap.h"

#define THREADS 4
#define SLOTS 64
#define SHARED 8
#define ROUNDS 20000

static HGLOBAL passed[SLOTS];
static HGLOBAL shared[SHARED];
static pthread_barrier_t all_have_worked;
static int mistakes, freed;

static uint32_t draw(uint32_t *state)
{
	*state = *state * 1103515245 + 12345;
	return *state >> 16;
}

static void expect(bool is_true)
{
	if (!is_true)
		__atomic_fetch_add(&mistakes, 1, __ATOMIC_RELAXED);
}

/* The first word of the memory is its size. */
static HGLOBAL make(SIZE_T size)
{
	HGLOBAL handle = GlobalAlloc(GMEM_MOVEABLE, size);
	SIZE_T *memory = GlobalLock(handle);

	*memory = size;
	expect(!GlobalUnlock(handle));
	return handle;
}

static void check_and_free(HGLOBAL handle)
{
	SIZE_T *memory = GlobalLock(handle);

	expect(memory && GlobalHandle(memory) == handle && *memory == GlobalSize(handle));
	expect(!GlobalFree(handle));
}

static HGLOBAL resize(HGLOBAL handle, SIZE_T size)
{
	expect(GlobalReAlloc(handle, size, GMEM_MOVEABLE) == handle);
	*(SIZE_T *)GlobalLock(handle) = size;
	expect(!GlobalUnlock(handle));
	return handle;
}

/* A handle is one thread's between two exchanges. */
static void pass_on(uint32_t *state)
{
	SIZE_T size = 8 + draw(state) % 3000;
	HGLOBAL handle = make(size);

	if (draw(state) % 2)
		handle = resize(handle, 8 + draw(state) % 9000);
	handle = __atomic_exchange_n(&passed[draw(state) % SLOTS], handle, __ATOMIC_ACQ_REL);
	if (handle)
		check_and_free(handle);
}

/* Whoever comes first: all of them may be refused, none may break anything. */
static void misuse(uint32_t *state)
{
	HGLOBAL handle = shared[draw(state) % SHARED];

	switch (draw(state) % 4) {
	case 0:
		if (GlobalLock(handle))
			GlobalUnlock(handle);
		break;
	case 1:
		GlobalReAlloc(handle, 1 + draw(state) % 500, GMEM_MOVEABLE);
		break;
	case 2:
		GlobalDiscard(handle);
		break;
	default:
		expect(GlobalFlags(handle) != GMEM_INVALID_HANDLE && GlobalSize(handle) < 1000);
	}
}

static void *work(void *seed)
{
	uint32_t state = (uint32_t)(uintptr_t)seed;

	for (int round = 0; round < ROUNDS; round++) {
		pass_on(&state);
		misuse(&state);
		if (seed == (void *)1 && round % 100 == 0) {
			HeapLock(GetProcessHeap());
			pass_on(&state);
			misuse(&state);
			HeapUnlock(GetProcessHeap());
		}
	}
	/* From here on a freed handle is nobody else's. */
	pthread_barrier_wait(&all_have_worked);
	for (int i = 0; i < SHARED; i++)
		__atomic_fetch_add(&freed, !GlobalFree(shared[i]), __ATOMIC_RELAXED);
	core_thread_ends();
	core_thread_exit();
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < SHARED; i++)
		shared[i] = GlobalAlloc(GMEM_MOVEABLE, 100);
	pthread_barrier_init(&all_have_worked, NULL, THREADS);
	for (int i = 0; i < THREADS; i++) {
		if (pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)(i + 1)) != 0)
			abort();
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < SLOTS; i++) {
		if (passed[i])
			check_and_free(passed[i]);
	}
	ok_equal(mistakes, 0, "handles are what they should be");
	ok_equal(freed, SHARED, "of threads that free the same handle, one does");
	ok_equal(handle_count(), 0, "none is left");
	handle_check();
	heap_check();
	return tap_done();
}
