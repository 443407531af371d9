/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The table of handles: its entries, by one thread and by many. */

#include <pthread.h>
#include <stddef.h>

#include "core/base/status.h"
#include "core/handle/table.h"
#include "tests/lib/tap.h"

#define THREADS 4
#define ROUNDS 20000
#define HELD 40

static int memory[2];
static bool is_still_locked;

static void give_back(struct handle_entry *entry)
{
	void *was;

	if (handle_retire(entry, &was))
		handle_give_back(entry);
}

static void test_one(void)
{
	struct handle_entry *entry = handle_take(HANDLE_DISCARDABLE);
	HANDLE handle = handle_of(entry);
	uint64_t state;
	void *found;

	ok(entry && handle_find(handle) == entry, "an entry, and its handle");
	ok_equal((uintptr_t)handle % 16, 8, "the handle's low bits");
	ok(!handle_find((char *)handle + 8) && !handle_find((char *)handle - 8),
	   "what is beside it is none");
	ok(handle_read(entry, &state, &found) && !found, "it has no memory");
	ok_equal(state, HANDLE_USED | HANDLE_MOVEABLE | HANDLE_DISCARDABLE | HANDLE_DISCARDED,
		 "its flags");
	ok_equal((DWORD)handle_lock(entry, &found), (DWORD)STATUS_DISCARDED, "nothing to lock");
	handle_set_memory(entry, memory);
	ok(!handle_lock(entry, &found) && found == memory, "its memory is locked");
	ok(!handle_unlock(entry, &is_still_locked) && !is_still_locked, "and unlocked");
	ok_equal((DWORD)handle_unlock(entry, &is_still_locked), (DWORD)STATUS_NOT_LOCKED,
		 "but once");
	handle_check();
	ok(handle_begin_change(entry), "it is changed");
	handle_set_memory(entry, &memory[1]);
	handle_end_change(entry);
	ok(handle_read(entry, &state, &found) && found == &memory[1], "its memory is another");
	ok(handle_retire(entry, &found) && found == &memory[1], "it ends");
	ok(!handle_retire(entry, &found), "but once");
	ok(!handle_find(handle) && !handle_begin_change(entry), "it leads nowhere");
	ok_equal((DWORD)handle_lock(entry, &found), (DWORD)STATUS_INVALID_HANDLE, "nor is locked");
	handle_give_back(entry);
	handle_check();
	ok(handle_take(0) == entry, "the last one that was given back comes first");
	give_back(entry);
	ok_equal(handle_count(), 0, "none is in use");
}

static void test_all(void)
{
	static struct handle_entry *entries[HANDLES_MAX];

	for (uint32_t i = 0; i < HANDLES_MAX; i++)
		entries[i] = handle_take(0);
	ok(entries[HANDLES_MAX - 1] && !handle_take(0), "there are 65536 and no more");
	ok_equal(handle_count(), HANDLES_MAX, "all are in use");
	handle_check();
	for (uint32_t i = 0; i < HANDLES_MAX; i += 2)
		give_back(entries[i]);
	handle_check();
	for (uint32_t i = HANDLES_MAX; i > 0; i -= 2)
		entries[i - 2] = handle_take(0);
	ok(entries[0] && !handle_take(0), "half of them are given again");
	for (uint32_t i = 0; i < HANDLES_MAX; i++)
		give_back(entries[i]);
	handle_check();
	ok_equal(handle_count(), 0, "all are back");
}

/* --- Threads --------------------------------------------------------------------------------- */

/* An entry is one thread's: what that has put there stays. */
static void *take_and_give(void *mistakes)
{
	struct handle_entry *held[HELD] = { NULL };

	for (unsigned int round = 0; round < ROUNDS; round++) {
		struct handle_entry **place = &held[round * 7 % HELD];
		void *found = NULL;

		if (!*place) {
			*place = handle_take(0);
			handle_set_memory(*place, held);
			continue;
		}
		handle_lock(*place, &found);
		*(int *)mistakes += found != held;
		*(int *)mistakes += !handle_retire(*place, &found) || found != held;
		handle_give_back(*place);
		*place = NULL;
	}
	for (unsigned int i = 0; i < HELD; i++) {
		if (held[i])
			give_back(held[i]);
	}
	return NULL;
}

static void run_threads(void *(*function)(void *), int results[THREADS])
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++) {
		results[i] = 0;
		if (pthread_create(&threads[i], NULL, function, &results[i]) != 0)
			abort();
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

static int sum(const int results[THREADS])
{
	int total = 0;

	for (int i = 0; i < THREADS; i++)
		total += results[i];
	return total;
}

static void test_threads(void)
{
	int mistakes[THREADS];

	run_threads(take_and_give, mistakes);
	ok_equal(sum(mistakes), 0, "no entry was two threads' at once");
	handle_check();
	ok_equal(handle_count(), 0, "and all are back");
}

#define SHARED 500
static struct handle_entry *shared[SHARED];

/* All threads lock, unlock and end the same entries. */
static void *end_shared(void *count)
{
	for (int i = 0; i < SHARED; i++) {
		bool is_locked;
		void *found;

		if (!handle_lock(shared[i], &found))
			handle_unlock(shared[i], &is_locked);
		if (handle_begin_change(shared[i])) {
			handle_set_memory(shared[i], &memory[i % 2]);
			handle_end_change(shared[i]);
		}
		*(int *)count += handle_retire(shared[i], &found);
	}
	return NULL;
}

static void test_one_wins(void)
{
	int ended[THREADS];

	for (int i = 0; i < SHARED; i++) {
		shared[i] = handle_take(0);
		handle_set_memory(shared[i], memory);
	}
	run_threads(end_shared, ended);
	ok_equal(sum(ended), SHARED, "each entry was ended by one thread");
	for (int i = 0; i < SHARED; i++)
		handle_give_back(shared[i]);
	handle_check();
}

#define LOCKERS_ROUNDS 1000

static void *lock_shared(void *mistakes)
{
	for (int i = 0; i < LOCKERS_ROUNDS; i++) {
		bool is_locked;
		void *found;

		*(int *)mistakes += handle_lock(shared[0], &found) != STATUS_SUCCESS;
		*(int *)mistakes += handle_unlock(shared[0], &is_locked) != STATUS_SUCCESS;
	}
	return NULL;
}

static void test_lock_counts(void)
{
	int mistakes[THREADS];
	uint64_t state;
	void *found;

	shared[0] = handle_take(0);
	handle_set_memory(shared[0], memory);
	run_threads(lock_shared, mistakes);
	ok_equal(sum(mistakes), 0, "many lock at once");
	ok(handle_read(shared[0], &state, &found) && handle_locks(state) == 0,
	   "and each lock was counted");
	give_back(shared[0]);
}

int main(void)
{
	test_one();
	test_all();
	test_threads();
	test_one_wins();
	test_lock_counts();
	return tap_done();
}
