/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The first call of a process and of each thread.
 *
 *   stage    IDLE ---- first caller ----> BUSY ------------> DONE
 *                                         next symbols, fork and exit hooks
 *
 * Callers that meet BUSY (the first one itself, through dlsym, or another thread) do not wait: they
 * are served by the bootstrap arena. In route mode core could serve them, but a mode that is known
 * only half is not worth a second path.
 *
 * Each thread is armed once: a value under thread_key makes the C library call thread_end when the
 * thread ends. The value counts the rounds of destructors; the last round is ours, because
 * destructors of the program may allocate until then. A callback of FLS may end the thread itself:
 * then the rounds begin anew, and the value has to be there. */

#include "preload/start.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/base/thread.h"
#include "core/heap/thread.h"
#include "core/host.h"
#include "core/os/os.h"
#include "preload/check.h"
#include "preload/config.h"
#include "preload/environment.h"
#include "preload/linger.h"
#include "preload/native/handlers.h"
#include "preload/native/operators.h"
#include "preload/native/real.h"
#include "preload/process.h"
#include "preload/wine/program.h"
#include "preload/recorder.h"

enum stage { STAGE_IDLE = 0, STAGE_BUSY, STAGE_DONE };

_Thread_local uint32_t serve_thread;
_Thread_local bool thread_has_ended;

static _Atomic uint32_t stage;
static pthread_key_t thread_key;
static bool thread_key_exists;

/* Holds its own address once the dynamic loader has relocated this object. */
static const void *const volatile self = (const void *)&self;

/* Wine's handler of SIGQUIT, by which its server ends threads, finds the thread by a value that the
 * C library takes away now, behind ours. The thread ends anyway. */
static void hold_signals_in_wine(void)
{
	uint64_t mask;

	if (handlers_are_held())
		os_signals_block(&mask);
}

static void thread_end(void *value)
{
	uintptr_t round = (uintptr_t)value;

	hold_signals_in_wine();
	if (round < PTHREAD_DESTRUCTOR_ITERATIONS &&
	    pthread_setspecific(thread_key, (void *)(round + 1)) == 0)
		return;
	(void)pthread_setspecific(thread_key, value);
	core_thread_ends();
	(void)pthread_setspecific(thread_key, NULL);
	thread_has_ended = true;
	tracer->thread_exit();
	core_thread_exit();
	if (program_kind() == PROGRAM_NATIVE && os_thread_id() == os_process_id())
		linger_main_ends();
}

static void arm_thread(void)
{
	/* First the mode: pthread_setspecific may allocate when its key is a high one. */
	serve_thread = config_get()->observe ? SERVE_OBSERVE : SERVE_ROUTE;
	if (thread_key_exists)
		(void)pthread_setspecific(thread_key, (void *)(uintptr_t)1);
	tracer->thread_begin();
}

/* A thread that reaches core by another way than malloc: its malloc will not ask. */
static void thread_begins(void)
{
	(void)serve_now();
}

static void start_process(void)
{
	real_resolve_first();
	program_find();
	config_read(program_kind() == PROGRAM_NATIVE);
	core_start();
	core_set_commit_limit(config_get()->commit_limit_bytes);
	thread_began = thread_begins;
	if (config_get()->observe)
		threads_close_plain();
	if (program_kind() == PROGRAM_NATIVE)
		check_start();
	real_resolve();
	operators_resolve();
	thread_key_exists = pthread_key_create(&thread_key, thread_end) == 0;
	process_start();
}

enum serve serve_decide(void)
{
	uint32_t expected = STAGE_IDLE;

	if (self != (const void *)&self)
		return SERVE_NONE;
	if (unlikely(atomic_load_explicit(&stage, memory_order_acquire) != STAGE_DONE)) {
		if (!atomic_compare_exchange_strong(&stage, &expected, STAGE_BUSY))
			return SERVE_NONE;
		start_process();
		atomic_store_explicit(&stage, STAGE_DONE, memory_order_release);
	}
	if (serve_thread == SERVE_NONE)
		arm_thread();
	return serve_thread;
}
