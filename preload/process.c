/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Fork, exit, and children that nobody told us of.
 *
 * fork(2) through the C library runs our three handlers. They are registered before those of
 * anybody else, or at the first fork: who registers or forks comes by us. So prepare runs after all
 * others (which may wait for threads that are in one of our calls), and parent and child before:
 *
 *   fork ... program's prepare, ours ... | child: ours, program's ... process_fork_end
 *                                        | parent: ours, program's ...
 *
 * LTTng allocates when it starts again in the child. Where that ends at another allocator than ours
 * or the C library's, this must wait: jemalloc's locks are held until its own handler has run. Then
 * process_fork_end does it, if the program's fork came by us.
 * A child made by a bare clone or by _Fork runs none. It is not traced: its only trace of our state
 * is a page that the kernel wipes at fork, which closes the event gate at the next event.
 * A vfork child shares our memory: its blocks are its parent's, and its events true. Only what ends
 * a process must not be believed from it; process_is_own asks the kernel who we are. */

#include "preload/process.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "core/heap/checked.h"
#include "core/host.h"
#include "core/os/os.h"
#include "core/vm/posix.h"
#include "preload/config.h"
#include "preload/native/handlers.h"
#include "preload/native/real.h"
#include "preload/wine/program.h"
#include "preload/recorder.h"

static const int not_ours;
const volatile int *process_mark = &not_ours;

static int *mark;
static uint32_t own_pid;
static bool is_tracing;
static _Atomic bool has_left, has_handlers;
static bool is_child_waiting;

/* The tokens of the threads that are in a fork made through us; 0: free. */
static _Atomic uintptr_t forking[16];
#define FORKING_MAX (sizeof(forking) / sizeof(forking[0]))

bool process_is_tracing(void)
{
	return is_tracing;
}

bool process_is_same(void)
{
	return own_pid == os_process_id();
}

bool process_is_own(void)
{
	return is_tracing && process_is_same();
}

void process_disown(void)
{
	event_set_sink(NULL, NULL);
}

static void own_process(void)
{
	own_pid = os_process_id();
	if (mark)
		*mark = 1;
}

/* A child waits no longer: tracing begins. */
static void resume_child(void)
{
	is_child_waiting = false;
	tracer->fork_child_resume();
}

static void fork_prepare(void)
{
	if (is_child_waiting)
		resume_child();
	if (is_tracing)
		tracer->fork_prepare();
	core_fork_prepare();
	if (is_tracing)
		tracer->fork_freeze();
}

static void fork_parent(void)
{
	core_fork_parent();
	if (is_tracing)
		tracer->fork_parent();
}

/* A child of Wine's is there to exec: it is not traced, and not the process that was started. */
static void abandon_child(void)
{
	core_fork_child();
	if (is_tracing)
		tracer->fork_child_wait();
	is_tracing = false;
}

/* When more threads fork at once than have a place, the last ones' children do not wait. */
static bool is_forking(void)
{
	for (unsigned int place = 0; place < FORKING_MAX; place++)
		if (atomic_load(&forking[place]) == os_thread_token())
			return true;
	return false;
}

static void fork_child(void)
{
	if (program_kind() != PROGRAM_NATIVE) {
		abandon_child();
		return;
	}
	own_process();
	has_left = false;
	core_fork_child();
	is_child_waiting = is_forking() && real_is_malloc_foreign(config_get()->observe);
	if (is_child_waiting)
		tracer->fork_child_wait();
	else
		tracer->fork_child();
}

static void register_handlers(void)
{
	(void)real.__register_atfork(fork_prepare, fork_parent, fork_child, NULL);
	atomic_store(&has_handlers, true);
}

/* A handler of a signal that forks must not wait for the thread that it interrupts. */
void process_handle_forks(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	uint64_t mask;

	if (atomic_load(&has_handlers))
		return;
	os_signals_block(&mask);
	(void)pthread_once(&once, register_handlers);
	os_signals_restore(mask);
}

unsigned int process_fork_begin(void)
{
	for (unsigned int place = 0; place < FORKING_MAX; place++) {
		uintptr_t nobody = 0;

		if (atomic_compare_exchange_strong(&forking[place], &nobody, os_thread_token()))
			return place;
	}
	return FORKING_MAX;
}

void process_fork_end(unsigned int place)
{
	int saved_errno = errno;

	if (place < FORKING_MAX)
		atomic_store(&forking[place], 0);
	if (is_child_waiting)
		resume_child();
	errno = saved_errno;
}

void process_leave(void)
{
	if (!process_is_own() || atomic_exchange(&has_left, true))
		return;
	checked_finish();
	tracer->exit();
}

/* A page that is zero in each child. A kernel that cannot do this makes all children count as ours.
 */
static void make_mark(void)
{
	static int unwiped;
	intptr_t page =
		os_map(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mark = &unwiped;
	if (page > 0 && os_advise((void *)page, 4096, MADV_WIPEONFORK) == 0)
		mark = (int *)page;
	process_mark = mark;
}

void process_start(void)
{
	make_mark();
	own_process();
	(void)at_quick_exit(process_leave);
}

void process_trace(const char *mode, const char *wine)
{
	static const struct trace_host host = {
		.set_sink = event_set_sink,
		.gate = &event_gate,
		.leave = process_leave,
	};
	const struct config *config = config_get();
	struct trace_config trace = {
		.host = &host,
		.mode = mode,
		.wine = wine,
		.session = config->session,
		.live_folder = config->live_folder[0] ? config->live_folder : NULL,
		.stack_depth = config->stack_depth,
		.compares_stacks = config->compares_stacks,
		.is_plain = config->is_plain,
		.holds_signals = handlers_are_taken(),
		.min_size_bytes = config->min_size_bytes,
		.commit_limit_bytes = config->commit_limit_bytes,
		.commit_charge = core_commit_charge,
	};

	is_tracing = true;
	tracer->start(&trace);
	if (event_is_wanted() && program_kind() == PROGRAM_NATIVE)
		(void)posix_take_in_maps();
}
