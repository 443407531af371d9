/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* libvadcore.so as its own host: tells core about fork and about threads that end. Only in that
 * library; the preload is a host of its own. */

/* RTLD_NEXT. */
#define _GNU_SOURCE
#include "core/library.h"

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>

#include "core/base/thread.h"
#include "core/host.h"

/* The thread sanitizer takes its own state of the thread away in the last round. */
#ifdef __SANITIZE_THREAD__
#define LAST_ROUND (PTHREAD_DESTRUCTOR_ITERATIONS - 1)
#else
#define LAST_ROUND PTHREAD_DESTRUCTOR_ITERATIONS
#endif

static pthread_key_t exit_key;

void *library_next(void **known, const char *name)
{
	void *function = __atomic_load_n(known, __ATOMIC_RELAXED);

	if (!function) {
		function = dlsym(RTLD_NEXT, name);
		__atomic_store_n(known, function, __ATOMIC_RELAXED);
	}
	return function;
}

/* The value counts the rounds in which a thread's destructors run: other destructors may still
 * allocate, so the last round is ours. A callback of FLS may end the thread itself: then the rounds
 * begin anew, and the value has to be there. */
static void thread_ends(void *value)
{
	uintptr_t round = (uintptr_t)value;

	if (round < LAST_ROUND) {
		(void)pthread_setspecific(exit_key, (void *)(round + 1));
		return;
	}
	(void)pthread_setspecific(exit_key, value);
	core_thread_ends();
	(void)pthread_setspecific(exit_key, NULL);
	core_thread_exit();
}

/* Once, however many parts of core tell. */
static void thread_begins(void)
{
	if (!pthread_getspecific(exit_key))
		(void)pthread_setspecific(exit_key, (void *)(uintptr_t)1);
}

__attribute__((constructor)) static void start(void)
{
	core_start();
	(void)pthread_atfork(core_fork_prepare, core_fork_parent, core_fork_child);
	if (pthread_key_create(&exit_key, thread_ends) == 0)
		thread_began = thread_begins;
}

/* The thread that ends the process ends. */
__attribute__((destructor)) static void finish(void)
{
	core_thread_ends();
}
