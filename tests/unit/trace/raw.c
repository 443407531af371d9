/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Events of known number, order and stacks, for raw.sh to find again in the trace. Prints what the
 * trace must contain. Usage: raw MODE [COUNT [THREADS]], with VADTRACE_LIVE as in a recording. */

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/event.h"
#include "tests/unit/trace/pe_image.h"
#include "trace/schema/schema.h"
#include "trace/trace.h"

#define THREADS_MAX 16

static uint64_t count = 1000;
static unsigned thread_count = 1, depth;
static volatile sig_atomic_t handled;
static sigjmp_buf escape;
static bool is_late;

static void emit(uint16_t kind, uint16_t api, uint64_t address, uint64_t size_bytes)
{
	struct event event = {
		.kind = kind,
		.api = api,
		.address = address,
		.size_bytes = size_bytes,
	};

	errno = 77;
	if (event_is_wanted())
		event_emit(&event);
	if (errno != 77)
		abort();
}

__attribute__((noinline)) static void allocate(uint64_t address, uint64_t size_bytes)
{
	emit(EVENT_ALLOCATE, API_malloc, address, size_bytes);
	__asm__ volatile("");
}

__attribute__((noinline)) static void release(uint64_t address)
{
	emit(EVENT_FREE, API_free, address, 0);
	__asm__ volatile("");
}

/* Blocks of 16 bytes at addresses that only this thread uses. */
static void emit_pairs(uint64_t base)
{
	for (uint64_t i = 0; i < count; i++) {
		allocate(base + 16 * i, 16);
		release(base + 16 * i);
	}
}

__attribute__((noinline)) static void emit_at_depth(unsigned levels, uint64_t base)
{
	if (levels > 0)
		emit_at_depth(levels - 1, base);
	else
		emit_pairs(base);
	__asm__ volatile("");
}

static void *run_thread(void *base)
{
	emit_at_depth(depth, (uint64_t)(uintptr_t)base);
	trace_thread_exit();
	return NULL;
}

static void run_threads(void)
{
	pthread_t threads[THREADS_MAX];
	struct timespec begin, end;
	double ns;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
	for (unsigned i = 0; i < thread_count; i++)
		pthread_create(&threads[i], NULL, run_thread,
			       (void *)(uintptr_t)((i + UINT64_C(1)) << 36));
	for (unsigned i = 0; i < thread_count; i++)
		pthread_join(threads[i], NULL);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	ns = (double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec);
	printf("cpu_ns_per_event %.1f\n", ns / (2.0 * (double)count * thread_count));
}

static void handle_alarm(int number)
{
	handled++;
	allocate(UINT64_C(0x700000000000) + 16 * (uint64_t)handled, 48);
}

static void start_alarms(void (*handler)(int))
{
	struct itimerval interval = { { 0, 300 }, { 0, 300 } };
	struct sigaction action = { .sa_handler = handler };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &interval, NULL);
}

static void stop_alarms(void)
{
	struct itimerval never = { { 0, 0 }, { 0, 0 } };

	setitimer(ITIMER_REAL, &never, NULL);
}

static void run_signals(void)
{
	start_alarms(handle_alarm);
	emit_pairs(UINT64_C(1) << 36);
	stop_alarms();
	printf("handled %d\n", (int)handled);
}

static void handle_and_leave(int number)
{
	handled++;
	siglongjmp(escape, 1);
}

/* Jumps out of the tracer wherever the alarm finds it; the events after the last jump are counted.
 */
static void run_jumps(void)
{
	if (sigsetjmp(escape, 1) == 0)
		start_alarms(handle_and_leave);
	if (handled < 2000)
		for (;;)
			emit_pairs(UINT64_C(1) << 36);
	stop_alarms();
	for (uint64_t i = 0; i < count; i++)
		emit(EVENT_REALLOC_BEGIN, API_realloc, 16, 0);
	printf("handled %d\n", (int)handled);
}

/* What the tracer needs of a signal stack, with new stacks, full buffers and ranges. */
static void handle_on_small_stack(int number)
{
	struct event event = { .kind = EVENT_VAD_MAP, .address = 0x10000, .size_bytes = 0x1000 };

	event_emit(&event);
	emit_at_depth(3, UINT64_C(3) << 36);
}

static void run_small(void)
{
	static const size_t size = 65536;
	struct sigaction action = { .sa_handler = handle_on_small_stack, .sa_flags = SA_ONSTACK };
	unsigned char *memory = malloc(size);
	stack_t stack = { .ss_sp = memory, .ss_size = size };
	size_t unused = 0;

	memset(memory, 0x5a, size);
	sigaltstack(&stack, NULL);
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	while (memory[unused] == 0x5a)
		unused++;
	printf("stack_bytes %zu\nsignal_frame_bytes %ld\n", size - unused,
	       sysconf(_SC_MINSIGSTKSZ));
}

static void run_fork(void)
{
	int status = 0;
	pid_t child;

	emit_pairs(UINT64_C(1) << 36);
	fflush(stdout);
	trace_fork_prepare();
	trace_fork_freeze();
	child = fork();
	if (child != 0) {
		trace_fork_parent();
		waitpid(child, &status, 0);
		printf("child %d\nstatus %d\n", child, status);
		return;
	}
	trace_fork_child();
	emit_pairs(UINT64_C(2) << 36);
	trace_exit();
	_exit(0);
}

static void run_ranges(void)
{
	static const uint16_t kinds[] = {
		EVENT_HEAP_CREATE, EVENT_VAD_RESERVE,  EVENT_VAD_COMMIT,  EVENT_VAD_PROTECT,
		EVENT_VAD_RESET,   EVENT_VAD_DECOMMIT, EVENT_VAD_RELEASE, EVENT_VAD_MAP,
		EVENT_VAD_UNMAP,   EVENT_VAD_OFFER,    EVENT_VAD_RECLAIM, EVENT_HEAP_DESTROY
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct event event = {
			.kind = kinds[i],
			.api = API_VirtualAlloc,
			.owner = EVENT_OWNER_HEAP,
			.address = 0x10000 * (i + 1),
			.size_bytes = 0x1000 * (i + 1),
			.heap = 0x5550000,
			.type = 0x3000,
			.protect = 4,
			.extra = i,
		};

		event_emit(&event);
	}
}

/* Two heaps in one thread, a realloc, and a block below and above the limit of min_size. */
static void run_kinds(void)
{
	struct event event = { .kind = EVENT_ALLOCATE,
			       .api = API_HeapAlloc,
			       .address = 0x1000,
			       .size_bytes = 100,
			       .heap = 0xabc0000 };

	allocate(0x2000, 100);
	event_emit(&event);
	allocate(0x3000, 10);
	emit(EVENT_REALLOC_BEGIN, API_realloc, 0x2000, 0);
	emit(EVENT_REALLOC_END, API_realloc, 0x4000, 10);
	emit(EVENT_ALLOCATE_FAILED, API_malloc, 0, UINT64_MAX);
}

#define PAINTED (32 * 1024)

/* Fills the stack up to 1 KiB below `frame`, which is the caller's. */
static void paint_stack(uintptr_t frame)
{
	for (uintptr_t at = frame - PAINTED; at < frame - 1024; at++)
		*(volatile uint8_t *)at = 0xa5;
}

/* How much of it has been used since. */
static size_t measure_stack(uintptr_t frame)
{
	uintptr_t at = frame - PAINTED;

	while (at < frame && *(const volatile uint8_t *)at == 0xa5)
		at++;
	return frame - at;
}

/* Two calls, a hook and a difference of a Windows thread whose stack is nearly full. */
static void run_windows(void)
{
	static const uint64_t arguments[] = { 0, 0x10000, 0x3000, 4 };
	static uint64_t stack[24];
	uint64_t environment[4] = { 0 };
	uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
	struct trace_caller caller = { .rip = 0x5a0001010, .rsp = (uintptr_t)stack };
	struct trace_call call = { API_VirtualAlloc, 4, arguments, 0x7f0000, 5 };
	struct trace_hook hook = { "VirtualAlloc", "kernelbase",    "hooked", "",
				   0x7b001230,     API_VirtualAlloc };
	struct trace_difference difference = { API_VirtualFree, "status", 0xc0000045, 0, 3,
					       arguments };

	pe_image_map(0x5a0000000, 0x1234);
	stack[5] = 0x5a0001020;
	environment[1] = frame + 4096;
	environment[2] = frame - 16 * 1024;
	syscall(SYS_arch_prctl, /* ARCH_SET_GS */ 0x1001, environment);
	trace_start_windows();
	trace_hook(&hook);
	trace_set_caller(&caller);
	paint_stack(frame);
	trace_call(&call);
	printf("used %zu\n", measure_stack(frame));
	call.api = API_VirtualFree;
	call.argument_count = 0;
	trace_call(&call);
	trace_difference(&difference);
	if (trace_set_caller(NULL) != &caller)
		abort();
}

static void run_killed(void)
{
	emit_pairs(UINT64_C(1) << 36);
	fflush(stdout);
	raise(SIGKILL);
}

/* trace_exit comes from a destructor, as in the preload, and events after it. */
static void run_late(void)
{
	is_late = true;
	emit_pairs(UINT64_C(1) << 36);
	exit(0);
}

__attribute__((destructor)) static void finish(void)
{
	if (!is_late)
		return;
	trace_exit();
	allocate(0x5000, 16);
}

static void run_idle(void)
{
	for (int i = 0; i < 5; i++) {
		emit_pairs(UINT64_C(1) << 36);
		usleep(120000);
	}
}

static uint64_t number_from(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : otherwise;
}

static void start(void)
{
	static const struct trace_host host = { .set_sink = event_set_sink, .gate = &event_gate };
	struct trace_config config = {
		.host = &host,
		.mode = "route",
		.session = getenv(VADTRACE_ENV_SESSION),
		.live_folder = getenv(VADTRACE_ENV_LIVE),
		.stack_depth = (uint32_t)number_from(VADTRACE_ENV_STACK_DEPTH, 64),
		.min_size_bytes = number_from(VADTRACE_ENV_MIN_SIZE, 0),
	};

	trace_start(&config);
	if (!event_is_wanted())
		printf("not wanted\n");
}

int main(int argument_count, char **arguments)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} modes[] = { { "threads", run_threads }, { "signals", run_signals },
		      { "jumps", run_jumps },     { "fork", run_fork },
		      { "ranges", run_ranges },   { "kinds", run_kinds },
		      { "killed", run_killed },   { "idle", run_idle },
		      { "late", run_late },       { "small", run_small },
		      { "windows", run_windows } };

	if (argument_count > 2)
		count = strtoull(arguments[2], NULL, 10);
	if (argument_count > 3)
		thread_count = (unsigned)strtoul(arguments[3], NULL, 10) % (THREADS_MAX + 1);
	if (argument_count > 4)
		depth = (unsigned)strtoul(arguments[4], NULL, 10);
	start();
	for (size_t i = 0; argument_count > 1 && i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(modes[i].name, arguments[1]) == 0)
			modes[i].run();
	trace_exit();
	return 0;
}
