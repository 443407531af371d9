/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Heap events against the table of live blocks.
 *
 * The composition of the peak is exact, in one pass: each new maximum only raises peak_number, and
 * a site copies its live figures aside when it changes for the first time after that. A site that
 * has not changed since still has the peak's figures in its counts.
 *
 *   site's live     5      5   9      9        process: peak 20 (number 7), then below
 *   site's peak     -      -   5 (7)  5 (7)    first change after the peak saves 5 */

#include "tools/lib/replay.h"
#include "tools/lib/fork.h"
#include "tools/lib/process.h"
#include "tools/lib/xalloc.h"

#include <stdlib.h>
#include <string.h>

uint64_t replay_class_floor(unsigned class)
{
	return class ? UINT64_C(1) << (class - 1) : 0;
}

static inline void add_to(struct replay_counts *counts, const struct replay_counts *change)
{
	counts->calls += change->calls;
	counts->bytes += change->bytes;
	counts->temporary += change->temporary;
	counts->live_blocks += change->live_blocks;
	counts->live_bytes += change->live_bytes;
}

/* Call before a site's live figures change. */
static void save_peak(const struct replay_process *process, struct replay_site *site)
{
	if (site->peak_number == process->peak_number)
		return;
	site->peak_number = process->peak_number;
	site->peak_blocks = site->counts.live_blocks;
	site->peak_bytes = site->counts.live_bytes;
}

/* Changes all counters that a block is in. Inlined, so that what does not change costs nothing. */
static inline __attribute__((always_inline)) void count(struct replay_process *process,
							const struct block *block,
							const struct replay_counts *change)
{
	add_to(&process->sites[block->site].counts, change);
	add_to(&process->totals.counts, change);
	add_to(&process->threads[block->thread].counts, change);
	add_to(&process->heaps[block->heap].counts, change);
	add_to(&process->sizes[replay_size_class(block->size_bytes)], change);
}

/* A block that is live now; `calls` is 1 when a call gave it, 0 when it only came back. */
static void count_added(struct replay_process *process, const struct block *block, uint64_t calls)
{
	save_peak(process, &process->sites[block->site]);
	count(process, block,
	      &(struct replay_counts){ .calls = calls,
				       .bytes = calls * block->size_bytes,
				       .live_blocks = 1,
				       .live_bytes = block->size_bytes });
}

static void count_removed(struct replay_process *process, const struct block *block)
{
	save_peak(process, &process->sites[block->site]);
	count(process, block,
	      &(struct replay_counts){ .live_blocks = UINT64_MAX, /* one less */
				       .live_bytes = -(uint64_t)block->size_bytes });
}

static void count_calls(struct replay_process *process, const struct block *block)
{
	count(process, block, &(struct replay_counts){ .calls = 1, .bytes = block->size_bytes });
}

static void count_temporary(struct replay_process *process, const struct block *block)
{
	count(process, block, &(struct replay_counts){ .temporary = 1 });
}

static inline void note_peak(struct replay_process *process, uint64_t time_ns)
{
	struct replay_totals *totals = &process->totals;

	if (totals->counts.live_bytes <= totals->peak_bytes)
		return;
	totals->peak_bytes = totals->counts.live_bytes;
	totals->peak_blocks = totals->counts.live_blocks;
	totals->peak_ns = time_ns;
	process->peak_number++;
}

static inline void leave(struct replay_process *process, const struct block *block)
{
	process->heaps[block->heap].live_blocks--;
	if (block->is_counted)
		count_removed(process, block);
}

/* The C library's heap in a Windows process is Wine's own: its programs do not know of it. */
static bool is_wines(const struct replay_process *process, uint64_t heap)
{
	return process->leaves_wine_out && !heap;
}

/* `calls`: as count_added wants it. */
static inline void enter(struct replay_process *process, const struct block *block, uint64_t calls)
{
	struct block old;

	if (blocks_add(&process->blocks, block, &old)) {
		/* Without the fork's marker, the child is given what the parent had at a moment
		 * near the fork: an inherited block is no evidence then. */
		process->totals.double_live += (!old.is_inherited || process->has_exact_memory) &&
					       !is_wines(process, old.heap);
		leave(process, &old);
	}
	process->heaps[block->heap].live_blocks++;
	if (!block->is_counted)
		return;
	count_added(process, block, calls);
	note_peak(process, block->time_ns);
}

static bool is_counted(const struct replay_process *process, const struct replay_thread *thread)
{
	return process->is_in_window && thread->is_wanted;
}

/* At exit LTTng's library runs in the program's own threads. */
static void count_tracer(struct replay_process *process, const struct trace_event *event)
{
	process->totals.tracer_calls++;
	process->totals.tracer_bytes += event->size_bytes;
}

static void count_wine(struct replay_process *process, const struct trace_event *event)
{
	process->totals.wine_calls++;
	process->totals.wine_bytes += event->size_bytes;
}

/* The thread's new block, from an allocation or a reallocation. Whether it is counted. */
static inline bool give_block(struct replay_process *process, const struct trace_event *event,
			      uint32_t thread_number)
{
	struct replay_thread *thread = &process->threads[thread_number];
	struct block block;

	block_describe(&block, event->address, process_heap(process, event->heap),
		       event->size_bytes, event->api);
	block.time_ns = event->time_ns;
	block.words[3] = process_site(process, event->stack);
	block.thread = thread_number;
	block.is_counted = is_counted(process, thread);
	if (block.is_counted && process->sites[block.site].is_tracer) {
		count_tracer(process, event);
		block.is_counted = false;
	} else if (block.is_counted && is_wines(process, event->heap)) {
		count_wine(process, event);
		block.is_counted = false;
	}
	if (block.is_counted) {
		struct replay_api *api = process_api(process, event->api);

		api->calls++;
		api->bytes += event->size_bytes;
	}
	thread->last_address = event->address;
	if (event->address)
		enter(process, &block, /* calls */ 1);
	else if (block.is_counted)
		count_calls(process, &block);
	return block.is_counted;
}

static inline void allocate(struct replay_process *process, const struct trace_event *event,
			    uint32_t thread_number)
{
	process->totals.allocate_calls += give_block(process, event, thread_number);
}

/* After its exit event the process runs what libraries do last: LTTng releases there what it had
 * allocated unseen. */
static void count_unknown(struct replay_process *process, const struct replay_thread *thread,
			  uint64_t heap)
{
	if (is_counted(process, thread) && !process->has_exited && !is_wines(process, heap))
		process->totals.unknown_frees++;
}

static inline void release(struct replay_process *process, const struct trace_event *event,
			   struct replay_thread *thread)
{
	struct block old;
	bool was_last = thread->last_address == event->address;

	thread->last_address = 0;
	if (!event->address)
		return;
	if (!blocks_remove(&process->blocks, event->address, &old)) {
		count_unknown(process, thread, event->heap);
		return;
	}
	errors_note_release(&process->errors, &old);
	leave(process, &old);
	process->totals.inherited_frees += old.is_inherited;
	if (!old.is_counted)
		return;
	process->totals.free_calls++;
	thread->free_calls++;
	process_api(process, event->api)->calls++;
	if (was_last)
		count_temporary(process, &old);
}

/* The old block leaves now: its address may come back before the end is told. */
static void begin_realloc(struct replay_process *process, const struct trace_event *event,
			  struct replay_thread *thread)
{
	memset(&thread->realloc_old, 0, sizeof(thread->realloc_old));
	thread->is_reallocating = true;
	thread->realloc_was_last = event->address && thread->last_address == event->address;
	thread->last_address = 0;
	if (!event->address)
		return;
	if (blocks_remove(&process->blocks, event->address, &thread->realloc_old))
		leave(process, &thread->realloc_old);
	else
		count_unknown(process, thread, event->heap);
}

static void end_realloc(struct replay_process *process, const struct trace_event *event,
			uint32_t thread_number)
{
	struct replay_thread *thread = &process->threads[thread_number];

	if (thread->realloc_was_last && thread->realloc_old.is_counted)
		count_temporary(process, &thread->realloc_old);
	thread->is_reallocating = thread->realloc_was_last = false;
	/* The new block is too small to be recorded. */
	if (!event->address)
		return;
	process->totals.realloc_calls += give_block(process, event, thread_number);
}

static void count_failure(struct replay_process *process, const struct trace_event *event,
			  struct replay_thread *thread)
{
	thread->last_address = 0;
	if (!is_counted(process, thread) || is_wines(process, event->heap))
		return;
	process->totals.failed_calls++;
	process_api(process, event->api)->failed++;
}

/* The old block is back as it was. */
static void fail_realloc(struct replay_process *process, const struct trace_event *event,
			 struct replay_thread *thread)
{
	if (thread->is_reallocating && thread->realloc_old.address)
		enter(process, &thread->realloc_old, /* calls */ 0);
	thread->is_reallocating = thread->realloc_was_last = false;
	count_failure(process, event, thread);
}

static void leave_destroyed(void *context, const struct block *block)
{
	struct replay_process *process = context;

	leave(process, block);
	process->totals.destroyed_blocks += block->is_counted;
}

static void destroy_heap(struct replay_process *process, const struct trace_event *event)
{
	uint32_t number = process_heap(process, event->heap);
	struct replay_heap *heap = &process->heaps[number];

	heap->destroy_ns = event->time_ns;
	blocks_remove_heap(&process->blocks, (uint16_t)number, heap->live_blocks, leave_destroyed,
			   process);
}

static void create_heap(struct replay_process *process, const struct trace_event *event)
{
	uint16_t index = process_heap(process, event->heap);
	struct replay_heap *heap = &process->heaps[index];

	heap->create_ns = event->time_ns;
	heap->maximum_bytes = event->size_bytes;
}

static inline void apply_block(struct replay_process *process, const struct trace_event *event)
{
	uint32_t number = process_thread(process, event->tid);
	struct replay_thread *thread = &process->threads[number];

	switch (event->kind) {
	case EVENT_ALLOCATE:
		allocate(process, event, number);
		break;
	case EVENT_FREE:
		release(process, event, thread);
		break;
	case EVENT_REALLOC_BEGIN:
		begin_realloc(process, event, thread);
		break;
	case EVENT_REALLOC_END:
		end_realloc(process, event, number);
		break;
	case EVENT_REALLOC_FAILED:
		fail_realloc(process, event, thread);
		break;
	default:
		count_failure(process, event, thread);
		break;
	}
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

	errors_add(&process->errors, &error, &process->blocks);
}

static void apply_happening(struct replay_process *process, const struct trace_event *event)
{
	if (event->kind == EVENT_HEAP_CREATE)
		create_heap(process, event);
	else if (event->kind == EVENT_HEAP_DESTROY)
		destroy_heap(process, event);
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
	if (!process->is_in_window && since_ns >= replay->filter.from_ns) {
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

/* Whether nothing but the block's own figures depends on the event: nearly always. */
static inline bool is_simple(const struct replay *replay, const struct replay_process *process,
			     const struct trace_event *event)
{
	return event->kind <= EVENT_ALLOCATE_FAILED && process->is_in_window &&
	       !process->awaits_memory && !replay->filter.to_ns;
}

static void apply_to(struct replay *replay, struct replay_process *process,
		     const struct trace_event *event)
{
	if (event->time_ns > process->end_ns)
		process->end_ns = event->time_ns;
	if (event->time_ns > replay->end_ns)
		replay->end_ns = event->time_ns;
	if (is_simple(replay, process, event)) {
		apply_block(process, event);
		return;
	}
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

void replay_expect(void *context, uint32_t process, uint64_t address)
{
	const struct replay *replay = context;

	if (process < replay->process_count)
		blocks_expect(&replay->processes[process]->blocks, address);
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

		for (size_t site = 0; site < process->site_count; site++)
			save_peak(process, &process->sites[site]);
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
		add_to(&sites, &process->sites[i].counts);
	for (size_t i = 0; i < process->thread_count; i++)
		add_to(&threads, &process->threads[i].counts);
	for (size_t i = 0; i < process->heap_count; i++)
		add_to(&heaps, &process->heaps[i].counts);
	for (size_t i = 0; i < REPLAY_SIZE_CLASSES; i++)
		add_to(&sizes, &process->sizes[i]);
	return add_up(total, &sites) && add_up(total, &threads) && add_up(total, &heaps) &&
	       add_up(total, &sizes) && blocks_check(&process->blocks) &&
	       space_check(&process->space);
}
