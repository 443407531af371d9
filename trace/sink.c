/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* One event, all the way: bracket, filter, stack, depot, buffer or tracepoint.
 *
 * It may be called under core's vm_lock. Nothing here waits for a thread that could wait for that
 * lock: a flusher holds a buffer only while two slots change places, the locks of depot and modules
 * call nothing foreign, and what LTTng or libunwind allocate is served without core's locks by the
 * host (trace_is_inside). */

#include "trace/sink.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "trace/bracket.h"
#include "trace/buffer.h"
#include "trace/filter.h"
#include "trace/functions_pe.h"
#include "trace/live.h"
#include "trace/process.h"
#include "trace/provider/provider.h"
#include "trace/stack/compare.h"
#include "trace/stack/depot.h"
#include "trace/stack/stack_elf.h"
#include "trace/windows.h"

static uint32_t depth;
static bool is_plain;
static uint64_t (*read_commit)(void); /* or NULL */

void sink_start(const struct trace_config *config)
{
	read_commit = config->commit_charge;
	is_plain = config->is_plain;
	depth = config->stack_depth < VADTRACE_STACK_DEPTH_MAX ? config->stack_depth
							       : VADTRACE_STACK_DEPTH_MAX;
}

/* In a bracket with a thread. A handler that has interrupted the tracer has a stack of its own. */
static inline struct stack_start start_of(const struct bracket *bracket)
{
	return (struct stack_start){
		.frame = bracket->frame,
		.caller = bracket->level == 0 ? windows_caller(bracket->frame) : NULL,
		.history = &bracket->thread->history[bracket->level],
	};
}

static inline struct stack_trace walk(const struct stack_start *start)
{
	const struct stack_trace trace = stack_walk(start, depth);

	if (__builtin_expect(compare_is_on, 0))
		compare_stack(start, depth, &trace);
	return trace;
}

/* The trace is made where it is read: not copied. */
static uint32_t walk_and_intern(const struct stack_start *start)
{
	const struct stack_trace trace = walk(start);

	return depot_intern(&trace);
}

uint32_t sink_take_stack(const struct bracket *bracket)
{
	struct stack_start start;

	if (!bracket->thread || depth == 0)
		return 0;
	start = start_of(bracket);
	return walk_and_intern(&start);
}

static uint32_t copy_stack(const struct bracket *bracket, uint64_t *frames, uint32_t capacity)
{
	const struct stack_start start = start_of(bracket);
	const struct stack_trace trace = stack_walk(&start, capacity);

	memcpy(frames, trace.frames, trace.count * sizeof(*frames));
	return trace.count;
}

uint32_t trace_take_stack(uint64_t *frames, uint32_t capacity)
{
	int saved_errno = errno;
	struct bracket bracket;
	uint32_t count = 0;

	if (bracket_open(&bracket, (uintptr_t)__builtin_frame_address(0))) {
		if (bracket.thread)
			count = copy_stack(&bracket, frames, capacity);
		bracket_close(&bracket);
	}
	errno = saved_errno;
	return count;
}

static bool is_allocation(const struct event *event)
{
	return event->kind == EVENT_ALLOCATE || event->kind == EVENT_ALLOCATE_FAILED;
}

static uint8_t flags_of(const struct event *event)
{
	return is_allocation(event) && event->api != API_calloc
		       ? record_alignment_flags(event->extra)
		       : 0;
}

static void write_record(const struct bracket *bracket, const struct event *event,
			 enum filter_answer answer, uint32_t stack)
{
	struct buffer_entry entry = {
		.record = {
			.kind = (uint8_t)event->kind,
			.api = event->api,
			.stack = stack,
			.flags = flags_of(event),
		},
		.heap = event->heap,
		.is_own = event->is_own,
	};

	if (answer != FILTER_EMPTY) {
		entry.record.address = event->address;
		entry.record.size_bytes = event->size_bytes;
	}
	buffer_write(bracket->thread, bracket->level, &entry);
}

/* What a block's event has of its stack; of a release, which has none, where it was called. */
static void add_stack(const struct bracket *bracket, struct provider_block *block)
{
	struct stack_start start;
	struct stack_trace trace;

	if (!bracket->thread)
		return;
	start = start_of(bracket);
	if (depth == 0 || !filter_wants_stack(block->event)) {
		block->ip = stack_find_caller(&start);
		return;
	}
	trace = walk(&start);
	block->stack = depot_intern(&trace);
	block->frames = trace.frames;
	block->frame_count = trace.count;
	block->ip = trace.count ? trace.frames[0] : 0;
}

/* The end of a reallocation takes the address that its begin has left in the same bracket level. */
static uint64_t exchange_moving(const struct bracket *bracket, const struct event *event)
{
	uint64_t *moving, before;

	if (!bracket->thread)
		return 0;
	moving = &bracket->thread->moving[bracket->level];
	before = *moving;
	if (event->kind == EVENT_REALLOC_BEGIN)
		*moving = event->address;
	else if (event->kind == EVENT_REALLOC_END || event->kind == EVENT_REALLOC_FAILED)
		*moving = 0;
	return before;
}

/* A young thread may still be given its name. */
static void tell_name(struct thread *thread)
{
	if (!memcmp(thread->told_name, thread->name, sizeof(thread->name)))
		return;
	memcpy(thread->told_name, thread->name, sizeof(thread->name));
	provider_thread(thread->tid, thread->name);
}

static __attribute__((noinline)) void write_plain(const struct bracket *bracket,
						  const struct event *event,
						  enum filter_answer answer)
{
	struct event told = *event;
	struct provider_block block = { .event = &told };

	if (event->api == API_calloc && is_allocation(event)) {
		block.element_count = event->extra;
		told.extra = 0;
	}
	if (answer == FILTER_EMPTY)
		told.address = told.size_bytes = 0;
	if (bracket->thread)
		tell_name(bracket->thread);
	add_stack(bracket, &block);
	block.old_address = exchange_moving(bracket, event);
	buffer_write_plain(bracket->thread, bracket->level, &block);
}

static inline bool prepare(const struct bracket *bracket)
{
	struct thread *thread = bracket->thread;

	if (thread && __builtin_expect(thread->young != 0, 0) && bracket->level == 0 &&
	    bracket_check_name(thread))
		return false;
	process_announce();
	return true;
}

bool sink_prepare(const struct bracket *bracket)
{
	return prepare(bracket);
}

static void tell_commit(const struct event *event)
{
	if (read_commit && event->kind >= EVENT_VAD_RESERVE)
		live_tell_commit(read_commit());
}

/* Generated code that was there is gone, too. */
static void note_release(const struct event *event)
{
	if (event->kind == EVENT_VAD_RELEASE || event->kind == EVENT_VAD_DECOMMIT ||
	    event->kind == EVENT_VAD_UNMAP)
		functions_pe_forget(event->address, event->address + event->size_bytes);
}

static uint32_t intern(const struct event_trace *trace)
{
	const struct stack_trace stack = { .frames = trace->frames,
					   .count = trace->count,
					   .hash = stack_hash(trace->frames, trace->count) };

	return depot_intern(&stack);
}

static void write_error(const struct event *event, uint32_t stack)
{
	const struct event_error *error = (const struct event_error *)(uintptr_t)event->extra;
	const struct provider_error told = {
		.event = event,
		.block = error->block,
		.stack = stack,
		.allocated_stack = intern(&error->allocated),
		.allocated_tid = error->allocated.tid,
		.freed_stack = intern(&error->freed),
		.freed_tid = error->freed.tid,
	};

	provider_error(&told);
}

static void take(const struct bracket *bracket, const struct event *event)
{
	enum filter_answer answer = filter_ask(event);
	uint32_t stack;

	if (answer == FILTER_DROP || !prepare(bracket))
		return;
	if (__builtin_expect(is_plain, 0) && filter_is_record(event)) {
		write_plain(bracket, event, answer);
		return;
	}
	stack = filter_wants_stack(event) ? sink_take_stack(bracket) : 0;
	if (filter_is_record(event)) {
		write_record(bracket, event, answer, stack);
	} else if (event->kind == EVENT_HEAP_ERROR) {
		write_error(event, stack);
	} else {
		note_release(event);
		provider_event(event, stack);
		tell_commit(event);
	}
}

void sink_take(const struct event *event)
{
	int saved_errno = errno;
	struct bracket bracket;

	if (bracket_open(&bracket, (uintptr_t)__builtin_frame_address(0))) {
		take(&bracket, event);
		bracket_close(&bracket);
	}
	errno = saved_errno;
}
