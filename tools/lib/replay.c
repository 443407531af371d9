/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Events against the model of their process. Most are blocks' records, many at once: see
 * replay_blocks.c. */

#include "tools/lib/replay.h"
#include "tools/lib/fork.h"
#include "tools/lib/process.h"
#include "tools/lib/replay_blocks.h"

#include <stdlib.h>
#include <string.h>

uint64_t replay_class_floor(unsigned class)
{
	return class ? UINT64_C(1) << (class - 1) : 0;
}

static void create_heap(struct replay_process *process, const struct trace_event *event)
{
	uint16_t index = process_heap(process, event->heap);
	struct replay_heap *heap = &process->heaps[index];

	heap->create_ns = event->time_ns;
	heap->maximum_bytes = event->size_bytes;
}

static void add_error(struct replay_process *process, const struct trace_event *event)
{
	struct error error = {
		.time_ns = event->time_ns,
		.tid = event->tid,
		.misuse = event->type,
		.api = event->api,
		.address = event->address,
		.block = event->extra,
		.size_bytes = event->size_bytes,
		.heap = event->heap,
		.site = process_site(process, event->stack),
		.allocated_site = process_site(process, event->protect),
		.freed_site = process_site(process, event->owner),
	};

	blocks_end_numbers(&process->blocks);
	errors_add(&process->errors, &error, &process->blocks);
}

/* A block's happening that came as an event. */
static void apply_block(struct replay_process *process, const struct trace_event *event)
{
	struct record words = { .address = event->address,
				.size_bytes = event->size_bytes,
				.api = event->api,
				.kind = (uint8_t)event->kind };
	struct trace_record record = { .time_ns = event->time_ns,
				       .heap = event->heap,
				       .stack = event->stack,
				       .tid = event->tid };
	uint64_t encoded[RECORD_WORDS];

	record_encode(&words, encoded);
	record.address_api = encoded[0];
	record.size_kind = encoded[1];
	replay_blocks_apply(process, &record, 1);
}

static void apply_happening(struct replay_process *process, const struct trace_event *event)
{
	if (event->kind == EVENT_HEAP_CREATE)
		create_heap(process, event);
	else if (event->kind == EVENT_HEAP_DESTROY)
		replay_blocks_destroy_heap(process, event);
	else if (event->kind == EVENT_HEAP_ERROR)
		add_error(process, event);
	else if (event->kind >= EVENT_VAD_RESERVE)
		space_apply(&process->space, event, process_find_range_site(process, event));
	else
		apply_block(process, event);
}

/* False when the event lies behind the window. */
static bool enter_window(const struct replay *replay, struct replay_process *process,
			 uint64_t time_ns)
{
	uint64_t since_ns = time_ns > replay->start_ns ? time_ns - replay->start_ns : 0;

	if (replay->filter.to_ns && since_ns > replay->filter.to_ns)
		return false;
	if (!process->is_in_window && since_ns >= replay->filter.from_ns &&
	    time_ns >= replay->filter.begin_ns) {
		process->is_in_window = true;
		space_restart_peaks(&process->space, time_ns);
	}
	return true;
}

/* Calls come as soon as they are met: they do not wait, as happenings do, until all that is older
 * is there. So they must not open the window. */
static void count_hooked_call(const struct replay *replay, struct replay_process *process,
			      const struct trace_event *event)
{
	uint64_t since_ns =
		event->time_ns > replay->start_ns ? event->time_ns - replay->start_ns : 0;
	uint32_t thread = process_thread(process, event->tid);

	if (since_ns >= replay->filter.from_ns &&
	    (!replay->filter.to_ns || since_ns <= replay->filter.to_ns) &&
	    process->threads[thread].is_wanted)
		windows_add_call(&process->windows, event);
}

/* Whether blocks' happenings change nothing but the blocks' own figures: nearly always. */
static bool is_simple(const struct replay *replay, const struct replay_process *process)
{
	return process->is_in_window && !process->awaits_memory && !replay->filter.to_ns;
}

static void note_time(struct replay *replay, struct replay_process *process, uint64_t time_ns)
{
	if (time_ns > process->end_ns)
		process->end_ns = time_ns;
	if (time_ns > replay->end_ns)
		replay->end_ns = time_ns;
}

static void apply_to(struct replay *replay, struct replay_process *process,
		     const struct trace_event *event)
{
	note_time(replay, process, event->time_ns);
	if (process->awaits_memory &&
	    (event->kind < TRACE_PROCESS || event->kind == TRACE_FORK || event->kind == TRACE_END))
		fork_end_wait(replay, process);
	if (event->kind == TRACE_CALL)
		count_hooked_call(replay, process, event);
	else if (event->kind >= TRACE_PROCESS)
		process_define(replay, process, event);
	else if (enter_window(replay, process, event->time_ns))
		apply_happening(process, event);
}

void replay_apply(void *context, const struct trace_event *event)
{
	struct replay *replay = context;

	if (event->kind == TRACE_PROCESS)
		process_begin(replay, event);
	if (event->process < replay->process_count)
		apply_to(replay, replay->processes[event->process], event);
}

static void apply_singly(struct replay *replay, struct replay_process *process,
			 const struct trace_record *records, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct trace_event event = trace_record_event(&records[i], process->number);

		apply_to(replay, process, &event);
	}
}

void replay_apply_records(void *context, uint32_t number, const struct trace_record *records,
			  size_t count)
{
	struct replay *replay = context;
	struct replay_process *process;

	if (number >= replay->process_count || !count)
		return;
	process = replay->processes[number];
	if (!process->awaits_memory)
		enter_window(replay, process, records[0].time_ns);
	if (!is_simple(replay, process)) {
		apply_singly(replay, process, records, count);
		return;
	}
	note_time(replay, process, records[count - 1].time_ns);
	replay_blocks_apply(process, records, count);
}

void replay_init(struct replay *replay, const struct replay_filter *filter)
{
	memset(replay, 0, sizeof(*replay));
	replay->filter = *filter;
	stacks_init(&replay->stacks);
}

void replay_free(struct replay *replay)
{
	for (size_t i = 0; i < replay->process_count; i++)
		process_free(replay->processes[i]);
	free(replay->processes);
	fork_free_all(replay);
	stacks_free(&replay->stacks);
}

void replay_finish(struct replay *replay)
{
	for (size_t i = 0; i < replay->process_count; i++) {
		struct replay_process *process = replay->processes[i];

		replay_blocks_finish(process);
		space_finish(&process->space);
	}
}

static bool add_up(const struct replay_counts *total, const struct replay_counts *sum)
{
	return !memcmp(total, sum, sizeof(*total));
}

bool replay_check(const struct replay_process *process)
{
	struct replay_counts sites = { 0 }, threads = { 0 }, heaps = { 0 }, sizes = { 0 };
	const struct replay_counts *total = &process->totals.counts;

	for (size_t i = 0; i < process->site_count; i++)
		replay_add_counts(&sites, &process->sites[i].counts);
	for (size_t i = 0; i < process->thread_count; i++)
		replay_add_counts(&threads, &process->threads[i].counts);
	for (size_t i = 0; i < process->heap_count; i++)
		replay_add_counts(&heaps, &process->heaps[i].counts);
	for (size_t i = 0; i < REPLAY_SIZE_CLASSES; i++)
		replay_add_counts(&sizes, &process->sizes[i]);
	return add_up(total, &sites) && add_up(total, &threads) && add_up(total, &heaps) &&
	       add_up(total, &sizes) && blocks_check(&process->blocks) &&
	       space_check(&process->space);
}
