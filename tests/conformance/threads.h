/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Threads for tests that are native programs and Windows programs alike, and the baton that two of
 * them pass to each other.
 *
 *   struct thread thread = thread_start(function);
 *   baton_pass(&baton, 1);  baton_await(&baton, 2);
 *   thread_join(&thread);
 */

#ifndef VADTRACE_TESTS_CONFORMANCE_THREADS_H
#define VADTRACE_TESTS_CONFORMANCE_THREADS_H

#include "tests/conformance/common.h"

#ifndef _WIN32
#include <pthread.h>
#include <sched.h>
#define CALLBACK
#endif

struct thread {
	void (*function)(void);
#ifdef _WIN32
	HANDLE handle;
#else
	pthread_t handle;
#endif
};

#ifdef _WIN32
static DWORD WINAPI thread_main(PVOID thread)
#else
static void *thread_main(void *thread)
#endif
{
	((struct thread *)thread)->function();
	return 0;
}

/* `thread` stays until it is joined. */
__attribute__((unused)) static void thread_start(struct thread *thread, void (*function)(void))
{
	thread->function = function;
#ifdef _WIN32
	thread->handle = CreateThread(NULL, 0, thread_main, thread, 0, NULL);
#else
	if (pthread_create(&thread->handle, NULL, thread_main, thread) != 0)
		abort();
#endif
}

__attribute__((unused)) static void thread_join(struct thread *thread)
{
#ifdef _WIN32
	WaitForSingleObject(thread->handle, INFINITE);
	CloseHandle(thread->handle);
#else
	pthread_join(thread->handle, NULL);
#endif
}

__attribute__((unused)) static void thread_run(void (*function)(void))
{
	struct thread thread;

	thread_start(&thread, function);
	thread_join(&thread);
}

__attribute__((unused)) static void baton_pass(int *baton, int turn)
{
	__atomic_store_n(baton, turn, __ATOMIC_SEQ_CST);
}

__attribute__((unused)) static void baton_await(const int *baton, int turn)
{
	while (__atomic_load_n(baton, __ATOMIC_SEQ_CST) != turn) {
#ifdef _WIN32
		Sleep(1);
#else
		sched_yield();
#endif
	}
}

#endif
