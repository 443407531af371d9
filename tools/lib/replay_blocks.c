/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The composition of the peak is exact, in one pass: each new maximum only raises peak_number, and
 * a site copies its live figures aside when it changes for the first time after that. A site that
 * has not changed since still has the peak's figures in its counts.
 *
 *   site's live     5      5   9      9        process: peak 20 (number 7), then below
 *   site's peak     -      -   5 (7)  5 (7)    first change after the peak saves 5 */

#include "tools/lib/replay_blocks.h"
#include "tools/lib/process.h"

#include <string.h>

/* How many records ahead a block is fetched into the processor's cache. */
enum { LOOK_AHEAD = 16 };

/* Call before a site's live figures change. */
static inline void save_peak(const struct replay_process *process, struct replay_site *site)
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
							struct replay_counts change)
{
	replay_add_counts(&process->sites[block->site].counts, &change);
	replay_add_counts(&process->totals.counts, &change);
	replay_add_counts(&process->threads[block->thread].counts, &change);
	replay_add_counts(&process->heaps[block->heap].counts, &change);
	replay_add_counts(&process->sizes[replay_size_class(block->size_bytes)], &change);
}

/* A block that is live now, and that a call gave. */
static inline void count_added(struct replay_process *process, const struct block *block)
{
	uint64_t size_bytes = block->size_bytes;

	save_peak(process, &process->sites[block->site]);
	count(process, block,
	      (struct replay_counts){ .calls = 1,
				      .bytes = size_bytes,
				      .live_blocks = 1,
				      .live_bytes = size_bytes });
}

/* A block that is live again. */
static void count_back(struct replay_process *process, const struct block *block)
{
	save_peak(process, &process->sites[block->site]);
	count(process, block,
	      (struct replay_counts){ .live_blocks = 1, .live_bytes = block->size_bytes });
}

static inline void count_removed(struct replay_process *process, const struct block *block)
{
	save_peak(process, &process->sites[block->site]);
	count(process, block,
	      (struct replay_counts){ .live_blocks = UINT64_MAX, /* one less */
				      .live_bytes = -(uint64_t)block->size_bytes });
}

static void count_calls(struct replay_process *process, const struct block *block)
{
	count(process, block, (struct replay_counts){ .calls = 1, .bytes = block->size_bytes });
}

static void count_temporary(struct replay_process *process, const struct block *block)
{
	count(process, block, (struct replay_counts){ .temporary = 1 });
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
static inline bool is_wines(const struct replay_process *process, uint64_t heap)
{
	return process->leaves_wine_out && !heap;
}

/* `old` is gone without a release: its address was given out again. */
static void replace(struct replay_process *process, const struct block *old)
{
	/* Without the fork's marker, the child is given what the parent had at a moment near the
	 * fork: an inherited block is no evidence then. */
	process->totals.double_live +=
		(!old->is_inherited || process->has_exact_memory) && !is_wines(process, old->heap);
	leave(process, old);
}

static inline void enter(struct replay_process *process, const struct block *block)
{
	struct block old;

	if (blocks_add(&process->blocks, block, &old))
		replace(process, &old);
	process->heaps[block->heap].live_blocks++;
}

static inline bool is_counted(const struct replay_process *process,
			      const struct replay_thread *thread)
{
	return process->is_in_window && thread->is_wanted;
}

/* At exit LTTng's library runs in the program's own threads. */
static void count_tracer(struct replay_process *process, const struct trace_record *record)
{
	process->totals.tracer_calls++;
	process->totals.tracer_bytes += trace_record_size(record);
}

static void count_wine(struct replay_process *process, const struct trace_record *record)
{
	process->totals.wine_calls++;
	process->totals.wine_bytes += trace_record_size(record);
}

/* Whether a wanted thread's block is none of the program's: then it is in no figure but its own. */
static inline bool is_left_out(struct replay_process *process, const struct trace_record *record,
			       uint32_t site)
{
	if (process->sites[site].is_tracer)
		count_tracer(process, record);
	else if (is_wines(process, record->heap))
		count_wine(process, record);
	else
		return false;
	return true;
}

static inline void count_call(struct replay_process *process, const struct trace_record *record)
{
	struct replay_api *api = process_api(process, trace_record_api(record));

	api->calls++;
	api->bytes += trace_record_size(record);
}

/* The thread's new block, from an allocation or a reallocation. Whether it is counted. */
static inline bool give_block(struct replay_process *process, const struct trace_record *record,
			      uint32_t thread_number)
{
	struct replay_thread *thread = &process->threads[thread_number];
	uint64_t address = trace_record_address(record);
	uint32_t site = process_site(process, record->stack);
	bool counts = is_counted(process, thread) && !is_left_out(process, record, site);
	struct block block;

	block_describe(&block, address, process_heap(process, record->heap),
		       trace_record_size(record), trace_record_api(record));
	block.time_ns = record->time_ns;
	block_attribute(&block, site, thread_number, counts);
	thread->last_address = address;
	if (address)
		enter(process, &block);
	if (!counts)
		return false;
	count_call(process, record);
	if (!address) {
		count_calls(process, &block);
		return true;
	}
	count_added(process, &block);
	note_peak(process, record->time_ns);
	return true;
}

static inline void allocate(struct replay_process *process, const struct trace_record *record,
			    uint32_t thread_number)
{
	process->totals.allocate_calls += give_block(process, record, thread_number);
}

/* After its exit event the process runs what libraries do last: LTTng releases there what it had
 * allocated unseen. Before a window, the trace knows of no block. */
static void count_unknown(struct replay_process *process, const struct replay_thread *thread,
			  uint64_t heap)
{
	if (!is_counted(process, thread) || process->has_exited || is_wines(process, heap))
		return;
	if (process->has_older_blocks)
		process->totals.older_frees++;
	else
		process->totals.unknown_frees++;
}

static inline void release(struct replay_process *process, const struct trace_record *record,
			   struct replay_thread *thread)
{
	struct block old;
	bool was_last = thread->last_address == trace_record_address(record);

	thread->last_address = 0;
	if (!trace_record_address(record))
		return;
	if (!blocks_remove(&process->blocks, trace_record_address(record), &old)) {
		count_unknown(process, thread, record->heap);
		return;
	}
	errors_note_release(&process->errors, &old);
	leave(process, &old);
	process->totals.inherited_frees += old.is_inherited;
	if (!old.is_counted)
		return;
	process->totals.free_calls++;
	thread->free_calls++;
	process_api(process, trace_record_api(record))->calls++;
	if (was_last)
		count_temporary(process, &old);
}

/* The old block leaves now: its address may come back before the end is told. */
static void begin_realloc(struct replay_process *process, const struct trace_record *record,
			  struct replay_thread *thread)
{
	memset(&thread->realloc_old, 0, sizeof(thread->realloc_old));
	thread->is_reallocating = true;
	thread->realloc_was_last = trace_record_address(record) &&
				   thread->last_address == trace_record_address(record);
	thread->last_address = 0;
	if (!trace_record_address(record))
		return;
	if (blocks_remove(&process->blocks, trace_record_address(record), &thread->realloc_old))
		leave(process, &thread->realloc_old);
	else
		count_unknown(process, thread, record->heap);
}

static void end_realloc(struct replay_process *process, const struct trace_record *record,
			uint32_t thread_number)
{
	struct replay_thread *thread = &process->threads[thread_number];

	if (thread->realloc_was_last && thread->realloc_old.is_counted)
		count_temporary(process, &thread->realloc_old);
	thread->is_reallocating = thread->realloc_was_last = false;
	/* The new block is too small to be recorded. */
	if (!trace_record_address(record))
		return;
	process->totals.realloc_calls += give_block(process, record, thread_number);
}

static void count_failure(struct replay_process *process, const struct trace_record *record,
			  struct replay_thread *thread)
{
	thread->last_address = 0;
	if (!is_counted(process, thread) || is_wines(process, record->heap))
		return;
	process->totals.failed_calls++;
	process_api(process, trace_record_api(record))->failed++;
}

/* The old block is back as it was. */
static void fail_realloc(struct replay_process *process, const struct trace_record *record,
			 struct replay_thread *thread)
{
	const struct block *old = &thread->realloc_old;

	if (thread->is_reallocating && old->address) {
		enter(process, old);
		if (old->is_counted) {
			count_back(process, old);
			note_peak(process, old->time_ns);
		}
	}
	thread->is_reallocating = thread->realloc_was_last = false;
	count_failure(process, record, thread);
}

static inline void apply(struct replay_process *process, const struct trace_record *record)
{
	uint32_t number = process_thread(process, record->tid);
	struct replay_thread *thread = &process->threads[number];

	switch (trace_record_kind(record)) {
	case EVENT_ALLOCATE:
		allocate(process, record, number);
		break;
	case EVENT_FREE:
		release(process, record, thread);
		break;
	case EVENT_REALLOC_BEGIN:
		begin_realloc(process, record, thread);
		break;
	case EVENT_REALLOC_END:
		end_realloc(process, record, number);
		break;
	case EVENT_REALLOC_FAILED:
		fail_realloc(process, record, thread);
		break;
	default:
		count_failure(process, record, thread);
		break;
	}
}

void replay_blocks_apply(struct replay_process *process, const struct trace_record *records,
			 size_t count)
{
	for (size_t i = 0; i < count && i < LOOK_AHEAD; i++)
		blocks_expect(&process->blocks, trace_record_address(&records[i]));
	for (size_t i = 0; i < count; i++) {
		if (i + LOOK_AHEAD < count)
			blocks_expect(&process->blocks,
				      trace_record_address(&records[i + LOOK_AHEAD]));
		apply(process, &records[i]);
	}
}

static void leave_destroyed(void *context, const struct block *block)
{
	struct replay_process *process = context;

	leave(process, block);
	process->totals.destroyed_blocks += block->is_counted;
}

void replay_blocks_destroy_heap(struct replay_process *process, const struct trace_event *event)
{
	uint32_t number = process_heap(process, event->heap);
	struct replay_heap *heap = &process->heaps[number];

	heap->destroy_ns = event->time_ns;
	blocks_remove_heap(&process->blocks, (uint16_t)number, heap->live_blocks, leave_destroyed,
			   process);
}

void replay_blocks_finish(struct replay_process *process)
{
	for (size_t site = 0; site < process->site_count; site++)
		save_peak(process, &process->sites[site]);
}
