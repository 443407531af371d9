/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* HeapLock among threads: one has the heap at a time, and what it sees of it stays as it is while
 * the others allocate and free as much as they can. The same source is a native test of core and a
 * Windows program. */

#include "tests/conformance/threads.h"

#define THREADS 4
#define TURNS 2000
#define WALKS 60
#define LIVE 64

static HANDLE heap;
static int baton;

/* --- Who begins a call waits ----------------------------------------------------------------- */

static void *given;

static void allocate(void)
{
	baton_pass(&baton, 1);
	__atomic_store_n(&given, HeapAlloc(heap, 0, 100), __ATOMIC_SEQ_CST);
	baton_pass(&baton, 2);
}

static void free_given(void)
{
	baton_pass(&baton, 1);
	HeapFree(heap, 0, given);
	baton_pass(&baton, 2);
}

static void resize_given(void)
{
	baton_pass(&baton, 1);
	__atomic_store_n(&given, HeapReAlloc(heap, 0, given, 5000), __ATOMIC_SEQ_CST);
	baton_pass(&baton, 2);
}

static void lock_and_unlock(void)
{
	baton_pass(&baton, 1);
	ok(HeapLock(heap) && HeapUnlock(heap), "another thread locks it in its turn");
	baton_pass(&baton, 2);
}

static void unlock_only(void)
{
	SetLastError(UNTOUCHED);
	ok(!HeapUnlock(heap), "another thread's lock is not unlocked");
	/* HeapUnlock releases the lock of who owns it; "If the function fails, the return value is
	 * zero. To get extended error information, call GetLastError". */
	todo_wine("kernelbase sets none");
	ok_equal(GetLastError(), ERROR_NOT_OWNER, "its error");
}

/* The other thread is about to call; it could have, many times. */
static void check_waits(void (*function)(void), int depth, const char *name)
{
	struct thread other;

	baton_pass(&baton, 0);
	for (int i = 0; i < depth; i++)
		HeapLock(heap);
	thread_start(&other, function);
	while (__atomic_load_n(&baton, __ATOMIC_SEQ_CST) == 0)
		;
	for (int i = 0; i < 100; i++)
		HeapFree(heap, 0, HeapAlloc(heap, 0, 1000));
	for (int i = 1; i < depth; i++)
		HeapUnlock(heap);
	ok_equal(__atomic_load_n(&baton, __ATOMIC_SEQ_CST), 1, "%s, locked %d times: it waits",
		 name, depth);
	HeapUnlock(heap);
	baton_await(&baton, 2);
	thread_join(&other);
}

static void test_waiting(void)
{
	check_waits(allocate, 1, "HeapAlloc");
	ok(given != NULL, "then it has its block");
	check_waits(resize_given, 3, "HeapReAlloc");
	ok_equal(HeapSize(heap, 0, given), 5000, "then it is resized");
	check_waits(lock_and_unlock, 1, "HeapLock");
	check_waits(free_given, 2, "HeapFree");
	ok(!HeapValidate(heap, 0, given), "then it is freed");
}

static void test_owner(void)
{
	HeapLock(heap);
	thread_run(unlock_only);
	ok(HeapUnlock(heap), "who has locked it unlocks it");
}

/* --- One at a time --------------------------------------------------------------------------- */

static volatile int inside, turns, clashes;

static void take_turns(void)
{
	for (int i = 0; i < TURNS; i++) {
		HeapLock(heap);
		clashes += inside++ != 0;
		if (i % 16 == 0)
			HeapFree(heap, 0, HeapAlloc(heap, 0, 100));
		turns++;
		inside--;
		HeapUnlock(heap);
	}
}

static void test_turns(void)
{
	struct thread threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		thread_start(&threads[i], take_turns);
	for (int i = 0; i < THREADS; i++)
		thread_join(&threads[i]);
	ok_equal(turns, THREADS * TURNS, "each turn is counted");
	ok_equal(clashes, 0, "and nobody met anybody");
}

/* --- What is seen ---------------------------------------------------------------------------- */

static int is_over;

static void churn(void)
{
	static const SIZE_T sizes[] = { 1, 24, 100, 1000, 5000, 70000, 1500000 };
	LPVOID blocks[LIVE] = { NULL };
	unsigned int random = 1;

	while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED)) {
		random = random * 1103515245u + 12345u;
		HeapFree(heap, 0, blocks[random >> 8 & (LIVE - 1)]);
		blocks[random >> 8 & (LIVE - 1)] =
			HeapAlloc(heap, 0, sizes[(random >> 16) % COUNT(sizes)]);
	}
	for (int i = 0; i < LIVE; i++)
		HeapFree(heap, 0, blocks[i]);
}

/* Of a whole walk: how many busy entries there are, and a sum of all that they say. */
struct picture {
	SIZE_T count, bytes;
	uint64_t sum;
};

static struct picture look(void)
{
	struct picture picture = { 0, 0, 0 };
	PROCESS_HEAP_ENTRY entry = { 0 };

	while (HeapWalk(heap, &entry)) {
		if (!(entry.wFlags & PROCESS_HEAP_ENTRY_BUSY))
			continue;
		picture.count++;
		picture.bytes += entry.cbData;
		picture.sum = picture.sum * 31 + (uintptr_t)entry.lpData + entry.cbData;
	}
	return picture;
}

static BOOL is_same(struct picture a, struct picture b)
{
	return a.count == b.count && a.bytes == b.bytes && a.sum == b.sum;
}

static void test_walks(void)
{
	struct thread threads[THREADS];
	int same = 0, valid = 0;

	for (int i = 0; i < THREADS; i++)
		thread_start(&threads[i], churn);
	for (int i = 0; i < WALKS; i++) {
		struct picture first;

		HeapLock(heap);
		first = look();
		valid += HeapValidate(heap, 0, NULL);
		same += is_same(first, look());
		HeapUnlock(heap);
	}
	__atomic_store_n(&is_over, TRUE, __ATOMIC_RELAXED);
	for (int i = 0; i < THREADS; i++)
		thread_join(&threads[i]);
	ok_equal(same, WALKS, "a locked heap is the same twice");
	ok_equal(valid, WALKS, "and whole");
	ok_equal(look().count, 0, "in the end nothing is left");
}

static void test_all(void)
{
	inside = turns = clashes = 0;
	is_over = FALSE;
	heap = HeapCreate(0, 0, 0);
	test_waiting();
	/* Wine's lock would be broken. */
	if (IS_CORE)
		test_owner();
	test_turns();
	test_walks();
	ok(HeapDestroy(heap), "the heap is destroyed");
}

int main(void)
{
	test_all();
	return tap_done();
}
