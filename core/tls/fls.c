/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* An index is free, allocated, or being freed: then nobody allocates it, while the values are taken
 * out of all threads and given to the callback, some at a time. A value is taken before
 * its callback is called: by FlsFree or by the thread that ends, never by both. Guarded by:
 * storage_lock. */

#include "core/tls/fls.h"

#define WORDS ((FLS_SLOTS + 63) / 64)
/* What a callback sets again may be set again by its callback, and so on. */
#define ROUNDS_MAX 4
#define BATCH 32u

/* Index 0 is never allocated, and those from FLS_SLOTS on are none. */
static uint64_t used[WORDS] = {
	[0] = 1,
	[WORDS - 1] = ~UINT64_C(0) << FLS_SLOTS % 64,
};
_Static_assert(FLS_SLOTS % 64 != 0 && WORDS > 1, "the last word has bits of no index");

static uint64_t freeing[WORDS];
static PFLS_CALLBACK_FUNCTION callbacks[FLS_SLOTS];

uint32_t fls_allocate(PFLS_CALLBACK_FUNCTION callback)
{
	uint32_t index;

	storage_lock();
	index = index_take_locked(used, WORDS);
	if (index != NO_INDEX) {
		storage_clear_locked(VALUES_FLS, index);
		__atomic_store_n(&callbacks[index], callback, __ATOMIC_RELEASE);
	}
	storage_unlock();
	return index;
}

static bool is_allocated_locked(uint32_t index)
{
	return index > 0 && index < FLS_SLOTS && index_is_used(used, index) &&
	       !index_is_used(freeing, index);
}

/* --- The end of an index --------------------------------------------------------------------- */

static uint32_t take_some_locked(uint32_t index, void *taken[BATCH])
{
	struct thread_values *values = NULL;
	uint32_t count = 0;

	while (count < BATCH && (values = storage_next_locked(values))) {
		void *value = value_get(&values->fls[index]);

		if (value)
			value = value_take(&values->fls[index]);
		if (value)
			taken[count++] = value;
	}
	return count;
}

/* In so many steps that no lock is held while the program's callback runs. */
static void end_values(uint32_t index, PFLS_CALLBACK_FUNCTION callback)
{
	void *taken[BATCH];
	uint32_t count;

	do {
		storage_lock();
		count = take_some_locked(index, taken);
		storage_unlock();
		for (uint32_t i = 0; callback && i < count; i++)
			callback(taken[i]);
	} while (count == BATCH);
}

static bool begin_free(uint32_t index)
{
	bool is_allocated;

	storage_lock();
	is_allocated = is_allocated_locked(index);
	if (is_allocated)
		__atomic_fetch_or(&freeing[index / 64], UINT64_C(1) << index % 64,
				  __ATOMIC_RELEASE);
	storage_unlock();
	return is_allocated;
}

static void end_free(uint32_t index)
{
	storage_lock();
	__atomic_store_n(&callbacks[index], NULL, __ATOMIC_RELEASE);
	index_give_back_locked(used, index);
	index_give_back_locked(freeing, index);
	storage_unlock();
}

bool fls_free(uint32_t index)
{
	if (!begin_free(index))
		return false;
	end_values(index, __atomic_load_n(&callbacks[index], __ATOMIC_ACQUIRE));
	end_free(index);
	return true;
}

/* --- The end of a thread --------------------------------------------------------------------- */

static bool end_thread_values(struct thread_values *values)
{
	bool had_any = false;

	for (uint32_t index = 1; index < values->ends[VALUES_FLS]; index++) {
		PFLS_CALLBACK_FUNCTION callback;
		void *value = value_get(&values->fls[index]);

		if (!value || !(value = value_take(&values->fls[index])))
			continue;
		had_any = true;
		callback = __atomic_load_n(&callbacks[index], __ATOMIC_ACQUIRE);
		if (callback)
			callback(value);
	}
	return had_any;
}

void fls_thread_ends(void)
{
	for (int round = 0; round < ROUNDS_MAX; round++) {
		if (!thread_values || !end_thread_values(thread_values))
			return;
	}
}

void fls_fork_child(void)
{
	storage_lock();
	for (uint32_t word = 0; word < WORDS; word++) {
		used[word] &= ~freeing[word];
		freeing[word] = 0;
	}
	storage_unlock();
}
