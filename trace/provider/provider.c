/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The probes and the tracepoints, linked in statically, and the functions that fire them. */

#include "trace/provider/provider.h"

#include "trace/bracket.h"
#include "trace/system.h"

#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "trace/provider/vadtrace_heap.h"
#include "trace/provider/vadtrace_meta.h"
#include "trace/provider/vadtrace_vm.h"

struct call {
	uint64_t mask;
	uintptr_t before;
};

static struct call begin_call(void)
{
	struct call call = { .mask = system_block_signals() };

	call.before = bracket_call_out((uintptr_t)__builtin_frame_address(0), BRACKET_TO_LTTNG);
	return call;
}

static void end_call(struct call call)
{
	bracket_call_ended(call.before);
	system_restore_signals(call.mask);
}

#define FIRE(...)                                     \
	do {                                          \
		struct call fire_call = begin_call(); \
		lttng_ust_tracepoint(__VA_ARGS__);    \
		end_call(fire_call);                  \
	} while (0)

void provider_start(void)
{
	lttng_ust_tracepoint_registered++;
	lttng_ust_tracepoint_ptrs_registered++;
	lttng_ust__probe_register_refcount___vadtrace_heap++;
	lttng_ust__probe_register_refcount___vadtrace_meta++;
	lttng_ust__probe_register_refcount___vadtrace_vm++;
}

const volatile int *provider_gate(void)
{
	return &lttng_ust_tracepoint_vadtrace_heap___batch.state;
}

void provider_batch(const struct live_slot *slot)
{
	FIRE(vadtrace_heap, batch, slot);
}

void provider_settled(uint64_t until_ns)
{
	FIRE(vadtrace_heap, settled, until_ns);
}

void provider_record(const struct provider_record *record)
{
	FIRE(vadtrace_heap, record, record);
}

static void fire_vm(const struct event *event, uint32_t stack)
{
	switch (event->kind) {
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
	}
}

void provider_event(const struct event *event, uint32_t stack)
{
	struct call call = begin_call();

	if (event->kind == EVENT_HEAP_CREATE)
		lttng_ust_tracepoint(vadtrace_heap, create, event, stack);
	else if (event->kind == EVENT_HEAP_DESTROY)
		lttng_ust_tracepoint(vadtrace_heap, destroy, event, stack);
	else
		fire_vm(event, stack);
	end_call(call);
}

void provider_process(const struct provider_process *process)
{
	FIRE(vadtrace_meta, process, process);
}

void provider_exit(void)
{
	FIRE(vadtrace_meta, exit);
}

void provider_thread(uint32_t tid, const char *name)
{
	FIRE(vadtrace_meta, thread, tid, name);
}

void provider_module(const struct provider_module *module)
{
	FIRE(vadtrace_meta, module, module);
}

void provider_module_gone(uint32_t module)
{
	FIRE(vadtrace_meta, module_gone, module);
}

void provider_stack(uint32_t stack, const uint64_t *frames, uint32_t count)
{
	FIRE(vadtrace_meta, stack, stack, frames, count);
}
