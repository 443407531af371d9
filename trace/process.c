/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Start, fork, exec and exit, and the event that introduces the process.
 *
 * The introduction is made when the first session listens: at the start if there is one, else
 * before the first event that is recorded. A child of fork is introduced as a process of its own;
 * stacks and modules are told again for it. */

#include "trace/process.h"

#include <limits.h>
#include <signal.h>
#include <string.h>

#include <lttng/ust-fork.h>

#include "core/event.h"
#include "trace/biased_lock.h"
#include "trace/bracket.h"
#include "trace/buffer.h"
#include "trace/clock.h"
#include "trace/filter.h"
#include "trace/hold.h"
#include "trace/live.h"
#include "trace/modules.h"
#include "trace/provider/provider.h"
#include "trace/schema/schema.h"
#include "trace/sink.h"
#include "trace/stack/compare.h"
#include "trace/stack/depot.h"
#include "trace/stack/stack_elf.h"
#include "trace/system.h"
#include "trace/trace.h"

#define FRAME ((uintptr_t)__builtin_frame_address(0))

uint32_t process_is_announced;

static const struct trace_host *host;
static struct provider_process process;
static char mode[16], wine[32], session[256], exe[PATH_MAX], command_line[4096], comm[16];
static sigset_t fork_mask;
static uint64_t fork_signals;
static uint64_t fork_ns;
static uint32_t own_pid;
static uint32_t has_exited;
static bool was_listening;

static void copy(char *to, const char *from, size_t size)
{
	size_t length = from ? strnlen(from, size - 1) : 0;

	if (from)
		memcpy(to, from, length);
	to[length] = 0;
}

/* The arguments, separated by spaces. */
static void read_command_line(void)
{
	long length = system_read_file("/proc/self/cmdline", command_line, sizeof(command_line));

	while (length > 0 && command_line[length - 1] == 0)
		length--;
	for (long i = 0; i < length; i++)
		if (command_line[i] == 0)
			command_line[i] = ' ';
}

/* The static texts have one writer: the first to find the process not announced. */
void process_announce_now(void)
{
	static uint32_t writer_pid;
	uint32_t seen = __atomic_load_n(&writer_pid, __ATOMIC_RELAXED), pid = system_pid();

	if (!*provider_gate() || seen == pid ||
	    !__atomic_compare_exchange_n(&writer_pid, &seen, pid, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_RELAXED))
		return;
	system_read_link("/proc/self/exe", exe, sizeof(exe));
	read_command_line();
	copy(comm, "", sizeof(comm));
	system_thread_name(comm);
	provider_process(&process);
	modules_emit_all();
	__atomic_store_n(&process_is_announced, 1, __ATOMIC_RELEASE);
}

static void describe(const struct trace_config *config)
{
	copy(mode, config->mode, sizeof(mode));
	copy(wine, config->wine, sizeof(wine));
	copy(session, config->session, sizeof(session));
	process = (struct provider_process){
		.session = session,
		.mode = mode,
		.exe = exe,
		.command_line = command_line,
		.comm = comm,
		.reason = "start",
		.wine = wine,
		.parent_pid = (int32_t)system_call4(SYS_getppid, 0, 0, 0, 0),
		.min_size_bytes = config->min_size_bytes,
		.commit_limit_bytes = config->commit_limit_bytes,
		.schema_version = VADTRACE_SCHEMA_VERSION,
		.page_size = 4096,
		.stack_depth = config->stack_depth,
	};
}

void trace_start(const struct trace_config *config)
{
	own_pid = system_pid();
	host = config->host;
	hold_start(config->holds_signals);
	provider_start();
	provider_thread_begin();
	biased_lock_start();
	clock_start(biased_lock_is_plain && !config->is_plain);
	describe(config);
	filter_start(config->min_size_bytes);
	sink_start(config);
	compare_start(config->compares_stacks);
	live_start(config->live_folder);
	stack_start((const void *)host->set_sink);
	modules_start();
	process_announce();
	host->set_sink(sink_take, provider_gate());
}

/* LTTng's part comes last and holds its locks until after the fork. It blocks all signals and would
 * give them back too early: they are blocked around all of it. */
void trace_fork_prepare(void)
{
	uint64_t signals;
	uintptr_t before;
	sigset_t mask;

	buffer_flush();
	stack_fork_begin();
	signals = system_block_signals();
	before = bracket_call_out(FRAME, BRACKET_TO_LTTNG);
	lttng_ust_before_fork(&mask);
	bracket_call_ended(before);
	fork_mask = mask;
	fork_signals = signals;
}

void trace_fork_freeze(void)
{
	fork_ns = buffer_freeze();
}

/* The flush tells a reader that nothing older than the fork will come: it need not make the child
 * wait. */
void trace_fork_parent(void)
{
	uint64_t signals = fork_signals, time_ns = fork_ns;
	sigset_t mask = fork_mask;
	uintptr_t before;

	buffer_thaw();
	stack_fork_end(/* is_child */ false);
	before = bracket_call_out(FRAME, BRACKET_TO_LTTNG);
	lttng_ust_after_fork_parent(&mask);
	bracket_call_ended(before);
	process_announce();
	provider_fork(time_ns);
	buffer_fork_told();
	buffer_flush();
	system_restore_signals(signals);
}

/* A copy of another process's memory becomes the state of a tracer that has seen nothing. */
static void forget_parent(void)
{
	/* Whose memory this is a copy of: that process may be gone by now. */
	process.parent_pid = (int32_t)own_pid;
	process.fork_ns = fork_ns;
	has_exited = 0;
	hold_fork_child();
	provider_fork_child();
	bracket_fork_child();
	live_fork_child();
	buffer_fork_child();
	depot_fork_child();
	compare_fork_child();
	modules_fork_child();
	stack_fork_end(/* is_child */ true);
	process.reason = "fork";
	process_is_announced = 0;
}

/* Signals are blocked. */
static void restart_lttng(void)
{
	sigset_t mask = fork_mask;
	uintptr_t before = bracket_call_out(FRAME, BRACKET_TO_LTTNG);

	own_pid = system_pid();
	lttng_ust_after_fork_child(&mask);
	bracket_call_ended(before);
	process_announce();
}

void trace_fork_child(void)
{
	uint64_t signals = fork_signals;

	forget_parent();
	restart_lttng();
	system_restore_signals(signals);
}

/* own_pid stays the parent's: exec and exit in between find nothing to do. No module counts as told
 * to this process: what vanishes in between is not told. */
void trace_fork_child_wait(void)
{
	was_listening = *host->gate == provider_gate();
	host->set_sink(NULL, NULL);
	forget_parent();
	system_restore_signals(fork_signals);
}

void trace_fork_child_resume(void)
{
	uint64_t signals = system_block_signals();

	restart_lttng();
	if (was_listening)
		host->set_sink(sink_take, provider_gate());
	system_restore_signals(signals);
}

void trace_exec(void)
{
	/* A child of vfork has our memory; it is not us who goes. */
	if (own_pid != system_pid())
		return;
	buffer_flush();
	compare_tell();
	live_remove();
}

void trace_thread_begin(void)
{
	if (__atomic_load_n(&own_pid, __ATOMIC_RELAXED) != 0)
		provider_thread_begin();
}

/* A signal handler between the two would write to what has been emptied. */
void trace_thread_exit(void)
{
	uint64_t mask = system_block_signals();
	struct thread *thread = bracket_own_thread();

	if (thread)
		buffer_flush_own(thread);
	bracket_thread_exit();
	system_restore_signals(mask);
}

void trace_exit(void)
{
	if (own_pid != system_pid() || __atomic_exchange_n(&has_exited, 1, __ATOMIC_ACQ_REL))
		return;
	buffer_flush_last();
	compare_tell();
	provider_exit();
	live_remove();
}

void trace_unload(void)
{
	if (host && host->leave)
		host->leave();
}

void trace_modules_changed(void)
{
	modules_refresh();
}

bool trace_is_inside(void)
{
	return bracket_is_calling_out();
}

bool trace_is_unwinding(void)
{
	return bracket_is_unwinding();
}

int trace_iterate_modules(int (*callback)(struct dl_phdr_info *, size_t, void *), void *data)
{
	return modules_iterate(callback, data);
}
