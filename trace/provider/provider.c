/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The probes and the tracepoints, linked in statically, and the functions that fire them. */

#include "trace/provider/provider.h"

#include "trace/bracket.h"
#include "trace/hold.h"
#include "trace/memory.h"
#include "trace/outside.h"
#include "trace/provider/libc.h"
#include "trace/system.h"

#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "trace/provider/lttng_ust_libc.h"
#include "trace/provider/vadtrace_heap.h"
#include "trace/provider/vadtrace_meta.h"
#include "trace/provider/vadtrace_vm.h"
#include "trace/provider/vadtrace_win.h"

/* An event that carries its stack's id. */
struct event_call {
	const struct event *event;
	uint32_t stack;
};

struct stack_call {
	const uint64_t *frames;
	uint32_t stack, count;
};

struct stacks_call {
	const struct compare_counts *counts;
	uint32_t stack, slow_stack;
};

/* A call, or a difference between its answers, with its stack's id. */
struct windows_call {
	const void *what;
	uint32_t stack;
};

struct thread_call {
	const char *name;
	uint32_t tid;
};

/* One event of the process at a time: LTTng discards events, also in a channel that blocks, when
 * its writers come round the buffer to a place that a writer reserved and has not filled yet,
 * because it lost its processor. Behind this lock they wait for it instead. */
static struct memory_lock emission_lock;

static void emit_blocked(void (*fire)(const void *argument), const void *argument)
{
	memory_enter(&emission_lock);
	outside_call(fire, argument);
	memory_leave(&emission_lock);
}

static void emit(void (*fire)(const void *argument), const void *argument)
{
	uint64_t mask = hold_begin();

	emit_blocked(fire, argument);
	hold_end(mask);
}

void provider_fork_child(void)
{
	emission_lock.word = 0;
}

void provider_start(void)
{
	lttng_ust_tracepoint_registered++;
	lttng_ust_tracepoint_ptrs_registered++;
	lttng_ust__probe_register_refcount___lttng_ust_libc++;
	lttng_ust__probe_register_refcount___vadtrace_heap++;
	lttng_ust__probe_register_refcount___vadtrace_meta++;
	lttng_ust__probe_register_refcount___vadtrace_vm++;
	lttng_ust__probe_register_refcount___vadtrace_win++;
}

/* liblttng-ust exports it for this purpose; no installed header declares it. */
void lttng_ust_init_thread(void);

static void begin_thread(const void *unused)
{
	(void)unused;
	lttng_ust_init_thread();
}

void provider_thread_begin(void)
{
	uint64_t mask = system_block_signals();

	outside_call(begin_thread, NULL);
	system_restore_signals(mask);
}

const volatile int *provider_gate(void)
{
	return &lttng_ust_tracepoint_vadtrace_heap___batch.state;
}

static void fire_batch(const void *slot)
{
	lttng_ust_tracepoint(vadtrace_heap, batch, slot);
}

void provider_batch(const struct live_slot *slot)
{
	emit_blocked(fire_batch, slot);
}

static void fire_settled(const void *until_ns)
{
	lttng_ust_tracepoint(vadtrace_heap, settled, *(const uint64_t *)until_ns);
}

void provider_settled(uint64_t until_ns)
{
	emit_blocked(fire_settled, &until_ns);
}

static void fire_record(const void *record)
{
	lttng_ust_tracepoint(vadtrace_heap, record, record);
}

void provider_record(const struct provider_record *record)
{
	emit_blocked(fire_record, record);
}

static void fire_block(const void *argument)
{
	const struct provider_block *block = argument;

	switch (block->event->kind) {
	case EVENT_ALLOCATE:
		lttng_ust_tracepoint(vadtrace_heap, allocate, block);
		break;
	case EVENT_FREE:
		lttng_ust_tracepoint(vadtrace_heap, free, block);
		break;
	case EVENT_REALLOC_BEGIN:
		lttng_ust_tracepoint(vadtrace_heap, realloc_begin, block);
		break;
	case EVENT_REALLOC_END:
		lttng_ust_tracepoint(vadtrace_heap, realloc_end, block);
		break;
	case EVENT_REALLOC_FAILED:
		lttng_ust_tracepoint(vadtrace_heap, realloc_failed, block);
		break;
	case EVENT_ALLOCATE_FAILED:
		lttng_ust_tracepoint(vadtrace_heap, allocate_failed, block);
		break;
	}
	libc_fire(block);
}

void provider_block(const struct provider_block *block)
{
	memory_enter(&emission_lock);
	outside_call_often(fire_block, block);
	memory_leave(&emission_lock);
}

static void fire_event(const void *argument)
{
	const struct event_call *call = argument;
	const struct event *event = call->event;
	uint32_t stack = call->stack;

	switch (event->kind) {
	case EVENT_HEAP_CREATE:
		lttng_ust_tracepoint(vadtrace_heap, create, event, stack);
		break;
	case EVENT_HEAP_DESTROY:
		lttng_ust_tracepoint(vadtrace_heap, destroy, event, stack);
		break;
	case EVENT_VAD_RESERVE:
		lttng_ust_tracepoint(vadtrace_vm, reserve, event, stack);
		break;
	case EVENT_VAD_COMMIT:
		lttng_ust_tracepoint(vadtrace_vm, commit, event, stack);
		break;
	case EVENT_VAD_DECOMMIT:
		lttng_ust_tracepoint(vadtrace_vm, decommit, event, stack);
		break;
	case EVENT_VAD_PROTECT:
		lttng_ust_tracepoint(vadtrace_vm, protect, event, stack);
		break;
	case EVENT_VAD_RELEASE:
		lttng_ust_tracepoint(vadtrace_vm, release, event, stack);
		break;
	case EVENT_VAD_RESET:
		lttng_ust_tracepoint(vadtrace_vm, reset, event, stack);
		break;
	case EVENT_VAD_MAP:
		lttng_ust_tracepoint(vadtrace_vm, map, event, stack);
		break;
	case EVENT_VAD_UNMAP:
		lttng_ust_tracepoint(vadtrace_vm, unmap, event, stack);
		break;
	case EVENT_VAD_OFFER:
		lttng_ust_tracepoint(vadtrace_vm, offer, event, stack);
		break;
	case EVENT_VAD_RECLAIM:
		lttng_ust_tracepoint(vadtrace_vm, reclaim, event, stack);
		break;
	}
}

void provider_event(const struct event *event, uint32_t stack)
{
	struct event_call call = { event, stack };

	emit(fire_event, &call);
}

static void fire_error(const void *error)
{
	lttng_ust_tracepoint(vadtrace_heap, error, error);
}

void provider_error(const struct provider_error *error)
{
	emit(fire_error, error);
}

static void fire_process(const void *process)
{
	lttng_ust_tracepoint(vadtrace_meta, process, process);
}

void provider_process(const struct provider_process *process)
{
	emit(fire_process, process);
}

static void fire_fork(const void *fork_ns)
{
	lttng_ust_tracepoint(vadtrace_meta, fork, *(const uint64_t *)fork_ns);
}

void provider_fork(uint64_t fork_ns)
{
	emit(fire_fork, &fork_ns);
}

static void fire_exit(const void *unused)
{
	lttng_ust_tracepoint(vadtrace_meta, exit);
}

void provider_exit(void)
{
	emit(fire_exit, NULL);
}

static void fire_thread(const void *argument)
{
	const struct thread_call *call = argument;

	lttng_ust_tracepoint(vadtrace_meta, thread, call->tid, call->name);
}

void provider_thread(uint32_t tid, const char *name)
{
	struct thread_call call = { name, tid };

	emit(fire_thread, &call);
}

static void fire_module(const void *module)
{
	lttng_ust_tracepoint(vadtrace_meta, module, module);
}

void provider_module(const struct provider_module *module)
{
	emit(fire_module, module);
}

static void fire_pe_module(const void *module)
{
	lttng_ust_tracepoint(vadtrace_meta, pe_module, module);
}

void provider_pe_module(const struct provider_pe_module *module)
{
	emit(fire_pe_module, module);
}

static void fire_module_gone(const void *module)
{
	lttng_ust_tracepoint(vadtrace_meta, module_gone, *(const uint32_t *)module);
}

void provider_module_gone(uint32_t module)
{
	emit(fire_module_gone, &module);
}

static void fire_stack(const void *argument)
{
	const struct stack_call *call = argument;

	lttng_ust_tracepoint(vadtrace_meta, stack, call->stack, call->frames, call->count);
}

void provider_stack(uint32_t stack, const uint64_t *frames, uint32_t count)
{
	struct stack_call call = { frames, stack, count };

	memory_enter(&emission_lock);
	outside_call_often(fire_stack, &call);
	memory_leave(&emission_lock);
}

static void fire_stacks(const void *argument)
{
	const struct stacks_call *call = argument;

	lttng_ust_tracepoint(vadtrace_meta, stacks, call->counts, call->stack, call->slow_stack);
}

void provider_stacks(const struct compare_counts *counts, uint32_t stack, uint32_t slow_stack)
{
	struct stacks_call call = { counts, stack, slow_stack };

	emit(fire_stacks, &call);
}

static void fire_call(const void *argument)
{
	const struct windows_call *call = argument;

	lttng_ust_tracepoint(vadtrace_win, call, call->what, call->stack);
}

void provider_call(const struct trace_call *call, uint32_t stack)
{
	struct windows_call argument = { call, stack };

	emit(fire_call, &argument);
}

static void fire_hook(const void *hook)
{
	lttng_ust_tracepoint(vadtrace_win, hook, hook);
}

void provider_hook(const struct trace_hook *hook)
{
	emit(fire_hook, hook);
}

static void fire_difference(const void *argument)
{
	const struct windows_call *call = argument;

	lttng_ust_tracepoint(vadtrace_win, difference, call->what, call->stack);
}

void provider_difference(const struct trace_difference *difference, uint32_t stack)
{
	struct windows_call argument = { difference, stack };

	emit(fire_difference, &argument);
}
