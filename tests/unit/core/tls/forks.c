/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Global memory, TLS and FLS in a process that forks while other threads use them. */

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/core.h"
#include "core/handle/table.h"
#include "core/host.h"
#include "core/tls/storage.h"
#include "tests/lib/tap.h"

#define THREADS 3
#define FORKS 100

static DWORD tls_index, fls_index;
static int own_value, other_value;
static int callback_count;
static bool is_over;
static int started;

static void note(void *value)
{
	(void)value;
	__atomic_fetch_add(&callback_count, 1, __ATOMIC_RELAXED);
}

static void *set_fls_only(void *value)
{
	FlsSetValue(fls_index, value);
	core_thread_ends();
	core_thread_exit();
	return NULL;
}

static void run(void *(*function)(void *), void *value)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, function, value) != 0)
		abort();
	pthread_join(thread, NULL);
}

static void *use_all(void *unused)
{
	(void)unused;
	FlsSetValue(fls_index, &other_value);
	__atomic_fetch_add(&started, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&is_over, __ATOMIC_ACQUIRE)) {
		DWORD tls = TlsAlloc(), fls = FlsAlloc(NULL);
		HGLOBAL handle = GlobalAlloc(GMEM_MOVEABLE, 50);

		TlsSetValue(tls, handle);
		GlobalReAlloc(handle, 5000, GMEM_MOVEABLE);
		GlobalLock(handle);
		FlsFree(fls);
		TlsFree(tls);
		GlobalFree(handle);
	}
	core_thread_ends();
	core_thread_exit();
	return NULL;
}

static bool can_use_handles(HGLOBAL kept)
{
	HGLOBAL handle = GlobalAlloc(GMEM_MOVEABLE, 200);

	if (!handle || !GlobalReAlloc(handle, 20000, GMEM_MOVEABLE) || !GlobalLock(handle) ||
	    GlobalFlags(handle) != 1 || GlobalFree(handle))
		return false;
	return GlobalSize(kept) == 100 && **(char **)kept == 'k' &&
	       GlobalReAlloc(kept, 50, GMEM_MOVEABLE) == kept && !GlobalFree(kept);
}

static bool can_use_values(void)
{
	DWORD tls = TlsAlloc(), fls = FlsAlloc(NULL);

	return !TlsGetValue(tls) && TlsSetValue(tls, &tls) && TlsGetValue(tls) == &tls &&
	       FlsSetValue(fls, &fls) && FlsGetValue(fls) == &fls && TlsFree(tls) && FlsFree(fls);
}

/* The other threads are not there, so nothing is called for their values. */
static int be_child(HGLOBAL kept)
{
	callback_count = 0;
	if (TlsGetValue(tls_index) != &own_value || FlsGetValue(fls_index) != &own_value)
		return 1;
	if (!can_use_handles(kept))
		return 2;
	if (!can_use_values())
		return 3;
	run(set_fls_only, &other_value);
	if (callback_count != 1)
		return 4;
	if (!FlsFree(fls_index) || callback_count != 2)
		return 5;
	handle_check();
	storage_check();
	return 0;
}

static int fork_once(HGLOBAL kept)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0)
		_exit(be_child(kept));
	waitpid(child, &status, 0);
	return status;
}

static void test_forks(void)
{
	pthread_t threads[THREADS];
	HGLOBAL kept = GlobalAlloc(GMEM_MOVEABLE, 100);
	int status = 0, forks = 0;

	**(char **)kept = 'k';
	tls_index = TlsAlloc();
	fls_index = FlsAlloc(note);
	TlsSetValue(tls_index, &own_value);
	FlsSetValue(fls_index, &own_value);
	for (int i = 0; i < THREADS; i++) {
		if (pthread_create(&threads[i], NULL, use_all, NULL) != 0)
			abort();
	}
	while (__atomic_load_n(&started, __ATOMIC_SEQ_CST) < THREADS)
		sched_yield();
	while (forks < FORKS && status == 0) {
		status = fork_once(kept);
		forks++;
	}
	ok_equal(status, 0, "a child of a process with threads can use all (fork %d)", forks);
	callback_count = 0;
	__atomic_store_n(&is_over, true, __ATOMIC_RELEASE);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ok_equal(callback_count, THREADS, "the parent's threads end with their callbacks");
	ok(can_use_handles(kept) && can_use_values(), "and the parent can use all");
}

int main(void)
{
#ifdef __SANITIZE_THREAD__
	tap_skip_all("the thread sanitizer allows no threads after fork");
#endif
	pthread_atfork(core_fork_prepare, core_fork_parent, core_fork_child);
	test_forks();
	return tap_done();
}
