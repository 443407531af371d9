/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* TLS and FLS values of threads that come and go: what one thread leaves, the next one does not
 * see; callbacks that set values again; the ends of threads and of an index at once. */

#include <pthread.h>

#include "core/core.h"
#include "core/host.h"
#include "core/tls/storage.h"
#include "tests/lib/tap.h"

#define SHORT_THREADS 500
#define THREADS 4
#define ROUNDS 300

static DWORD tls_index, fls_index;
static int marker;

static void *run(void *(*function)(void *), void *argument)
{
	pthread_t thread;
	void *result;

	if (pthread_create(&thread, NULL, function, argument) != 0)
		abort();
	pthread_join(thread, &result);
	return result;
}

static uint32_t count_threads(void)
{
	struct thread_values *values = NULL;
	uint32_t count = 0;

	storage_lock();
	while ((values = storage_next_locked(values)))
		count++;
	storage_unlock();
	return count;
}

/* --- One after the other --------------------------------------------------------------------- */

/* The result is not NULL when the values were. */
static void *leave_values(void *unused)
{
	bool was_empty = !TlsGetValue(tls_index) && !FlsGetValue(fls_index) &&
			 !TlsGetValue(TLS_SLOTS - 1) && !FlsGetValue(FLS_SLOTS - 1);

	(void)unused;
	TlsSetValue(tls_index, &marker);
	FlsSetValue(fls_index, &marker);
	TlsSetValue(TLS_SLOTS - 1, &marker);
	FlsSetValue(FLS_SLOTS - 1, &marker);
	core_thread_ends();
	core_thread_exit();
	return was_empty ? &marker : NULL;
}

static void test_short_threads(void)
{
	uint32_t before = count_threads();
	int seen = 0;

	for (int i = 0; i < SHORT_THREADS; i++)
		seen += run(leave_values, NULL) == NULL;
	ok_equal(seen, 0, "no thread sees what another one left");
	ok(count_threads() <= before + 1, "and they have one place after the other");
	storage_check();
}

static void *use_after_end(void *unused)
{
	(void)unused;
	TlsSetValue(tls_index, &marker);
	core_thread_ends();
	core_thread_exit();
	ok(!TlsGetValue(tls_index) && !FlsGetValue(fls_index), "a thread that ended has no value");
	ok(!TlsSetValue(tls_index, &marker) && !FlsSetValue(fls_index, &marker),
	   "and gets no new one");
	ok_equal(GetLastError(), ERROR_NOT_ENOUGH_MEMORY, "which is an error");
	core_thread_ends();
	core_thread_exit();
	return NULL;
}

/* --- Callbacks that set values --------------------------------------------------------------- */

static int callback_count;

static void set_again(void *value)
{
	callback_count++;
	if (value == &marker)
		FlsSetValue(fls_index, &callback_count);
}

static void set_always(void *value)
{
	callback_count++;
	FlsSetValue(fls_index, value);
}

static void *end_with_value(void *unused)
{
	(void)unused;
	FlsSetValue(fls_index, &marker);
	core_thread_ends();
	core_thread_exit();
	return NULL;
}

static void test_set_again(void)
{
	fls_index = FlsAlloc(set_again);
	callback_count = 0;
	run(end_with_value, NULL);
	ok_equal(callback_count, 2, "a value that a callback sets has its own callback");
	FlsFree(fls_index);
	fls_index = FlsAlloc(set_always);
	callback_count = 0;
	run(end_with_value, NULL);
	ok_equal(callback_count, 4, "but not for ever");
	FlsFree(fls_index);
	storage_check();
}

/* --- All at once ----------------------------------------------------------------------------- */

static int set_count, ended_count;

static void count_end(void *value)
{
	(void)value;
	__atomic_fetch_add(&ended_count, 1, __ATOMIC_RELAXED);
}

/* Each value that is set is given to the callback once: at the thread's end or the index's. */
static void *set_and_end(void *index)
{
	DWORD own = TlsAlloc();

	TlsSetValue(own, &own);
	*(int *)index += TlsGetValue(own) != &own;
	if (FlsSetValue(fls_index, &marker))
		__atomic_fetch_add(&set_count, 1, __ATOMIC_RELAXED);
	TlsFree(own);
	core_thread_ends();
	core_thread_exit();
	return NULL;
}

static void start_all(pthread_t threads[THREADS], int mistakes[THREADS])
{
	for (int i = 0; i < THREADS; i++) {
		if (pthread_create(&threads[i], NULL, set_and_end, &mistakes[i]) != 0)
			abort();
	}
}

/* Values that are set after the index was freed belong to nobody: the index is freed when all are
 * set, or after the threads. */
static void test_all_at_once(void)
{
	int mistakes[THREADS] = { 0 }, total = 0;

	for (int round = 0; round < ROUNDS; round++) {
		pthread_t threads[THREADS];

		fls_index = FlsAlloc(count_end);
		set_count = ended_count = 0;
		start_all(threads, mistakes);
		while (round % 2 && __atomic_load_n(&set_count, __ATOMIC_RELAXED) < THREADS)
			sched_yield();
		if (round % 2)
			FlsFree(fls_index);
		for (int i = 0; i < THREADS; i++)
			pthread_join(threads[i], NULL);
		total += ended_count == THREADS;
		if (round % 2 == 0)
			FlsFree(fls_index);
	}
	ok_equal(total, ROUNDS, "each value is given to the callback once");
	ok_equal(mistakes[0] + mistakes[1] + mistakes[2] + mistakes[3], 0,
		 "each thread has its own values");
	storage_check();
}

int main(void)
{
	tls_index = TlsAlloc();
	fls_index = FlsAlloc(NULL);
	test_short_threads();
	run(use_after_end, NULL);
	FlsFree(fls_index);
	test_set_again();
	test_all_at_once();
	return tap_done();
}
