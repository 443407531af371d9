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

#define ALWAYS_INLINE inline __attribute__((always_inline))

/* Records in a row are mostly of one thread, and their blocks of one heap and one thread that
 * allocated them. What such a row changes is kept here, and told when another's turn comes.
 *  - tid, number, thread and counts are of the thread that calls;
 *  - owner_thread and owner_heap are those of the blocks; called is calls and bytes;
 *  - live is blocks and bytes of the whole process, live_before when this turn began. */
struct run {
	struct replay_process *process;
	uint32_t tid, number;
	struct replay_thread *thread; /* NULL: none yet */
	bool counts;
	bool is_numbered; /* the blocks' numbers are known */
	uint32_t owner_thread;
	uint16_t owner_heap;
	uint64_t called[2], temporary;
	uint64_t live[2], live_before[2];
	uint64_t entered; /* less those that left, counted or not */
};

static struct run begin_run(struct replay_process *process)
{
	const struct replay_counts *counts = &process->totals.counts;

	return (struct run){ .process = process,
			     .live = { counts->live_blocks, counts->live_bytes },
			     .live_before = { counts->live_blocks, counts->live_bytes } };
}

/* Tells what the turn has changed. */
static void end_turn(struct run *run)
{
	struct replay_process *process = run->process;
	struct replay_counts change = { run->called[0], run->called[1], run->temporary,
					run->live[0] - run->live_before[0],
					run->live[1] - run->live_before[1] };

	replay_add_counts(&process->totals.counts, &change);
	if (run->owner_thread < process->thread_count)
		replay_add_counts(&process->threads[run->owner_thread].counts, &change);
	replay_add_counts(&process->heaps[run->owner_heap].counts, &change);
	process->heaps[run->owner_heap].live_blocks += run->entered;
	run->entered = 0;
	run->called[0] = run->called[1] = run->temporary = 0;
	memcpy(run->live_before, run->live, sizeof(run->live));
}

static ALWAYS_INLINE void take_turn(struct run *run, const struct block *block)
{
	if (block->thread == run->owner_thread && block->heap == run->owner_heap)
		return;
	end_turn(run);
	run->owner_thread = block->thread;
	run->owner_heap = block->heap;
}

/* Call before a site's live figures change. */
static inline void save_peak(const struct replay_process *process, struct replay_site *site)
{
	if (site->peak_number == process->peak_number)
		return;
	site->peak_number = process->peak_number;
	site->peak_blocks = site->counts.live_blocks;
	site->peak_bytes = site->counts.live_bytes;
}

static inline struct replay_counts *size_counts(struct replay_process *process,
						const struct block *block)
{
	return &process->sizes[replay_size_class(block->size_bytes)];
}

/* Changes the live figures that a block is in by so many blocks and bytes, in its turn. All
 * pointers are there before the first figure changes: the compiler cannot know that no figure is a
 * pointer. */
static ALWAYS_INLINE void count_live(struct run *run, const struct block *block, replay_pair change)
{
	struct replay_site *site = &run->process->sites[block->site];
	struct replay_counts *size = size_counts(run->process, block);

	save_peak(run->process, site);
	replay_add_pair(run->live, change);
	replay_add_pair(&site->counts.live_blocks, change);
	replay_add_pair(&size->live_blocks, change);
}

/* The same of the figures of calls; the turn may be another's. */
static ALWAYS_INLINE void count_call(struct run *run, const struct block *block, replay_pair change)
{
	struct replay_site *site = &run->process->sites[block->site];
	struct replay_counts *size = size_counts(run->process, block);

	take_turn(run, block);
	replay_add_pair(run->called, change);
	replay_add_pair(&site->counts.calls, change);
	replay_add_pair(&size->calls, change);
}

/* The same of both. */
static ALWAYS_INLINE void count_new(struct run *run, const struct block *block, replay_pair change)
{
	struct replay_site *site = &run->process->sites[block->site];
	struct replay_counts *size = size_counts(run->process, block);

	save_peak(run->process, site);
	replay_add_pair(run->called, change);
	replay_add_pair(run->live, change);
	replay_add_pair(&site->counts.calls, change);
	replay_add_pair(&site->counts.live_blocks, change);
	replay_add_pair(&size->calls, change);
	replay_add_pair(&size->live_blocks, change);
}

static ALWAYS_INLINE void count_removed(struct run *run, const struct block *block)
{
	count_live(run, block,
		   (replay_pair){ UINT64_MAX /* one less */, -(uint64_t)block->size_bytes });
}

static void count_temporary(struct run *run, const struct block *block)
{
	struct replay_process *process = run->process;

	take_turn(run, block);
	run->temporary++;
	process->sites[block->site].counts.temporary++;
	process->sizes[replay_size_class(block->size_bytes)].temporary++;
}

static inline void note_peak(const struct run *run, uint64_t time_ns)
{
	struct replay_totals *totals = &run->process->totals;

	if (run->live[1] <= totals->peak_bytes)
		return;
	totals->peak_blocks = run->live[0];
	totals->peak_bytes = run->live[1];
	totals->peak_ns = time_ns;
	run->process->peak_number++;
}

static ALWAYS_INLINE void leave(struct run *run, const struct block *block)
{
	take_turn(run, block);
	run->entered--;
	if (block->is_counted)
		count_removed(run, block);
}

/* The C library's heap in a Windows process is Wine's own: its programs do not know of it. */
static inline bool is_wines(const struct replay_process *process, uint64_t heap)
{
	return process->leaves_wine_out && !heap;
}

/* `old` is gone without a release: its address was given out again. */
static __attribute__((noinline)) void replace(struct run *run, const struct block *old)
{
	const struct replay_process *process = run->process;

	/* Without the fork's marker, the child is given what the parent had at a moment near the
	 * fork: an inherited block is no evidence then. */
	run->process->totals.double_live +=
		(!old->is_inherited || process->has_exact_memory) && !is_wines(process, old->heap);
	leave(run, old);
}

/* is_numbered: run->is_numbered, which a compiler knows where it is a constant. */
static ALWAYS_INLINE void enter(struct run *run, const struct trace_record *record,
				const struct block *block, bool is_numbered)
{
	struct replay_process *process = run->process;
	struct block old;
	bool was_there =
		is_numbered ? blocks_add_numbered(&process->blocks, record->number, block, &old)
			    : blocks_add(&process->blocks, block, &old);

	if (was_there)
		replace(run, &old);
	take_turn(run, block);
	run->entered++;
}

/* Takes the block out that the record is about; false: there is none. */
static ALWAYS_INLINE bool take_out(struct run *run, const struct trace_record *record,
				   struct block *old, bool is_numbered)
{
	struct blocks *blocks = &run->process->blocks;

	return is_numbered ? blocks_remove_numbered(blocks, record->number, old)
			   : blocks_remove(blocks, trace_record_address(record), old);
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

/* The thread's new block, from an allocation or a reallocation. Whether it is counted. */
static ALWAYS_INLINE bool give_block(struct run *run, const struct trace_record *record,
				     bool is_numbered)
{
	struct replay_process *process = run->process;
	uint64_t address = trace_record_address(record);
	uint32_t site = process_site(process, record->stack);
	bool counts = run->counts && !is_left_out(process, record, site);
	replay_pair called = { 1, trace_record_size(record) };
	struct block block;

	block_describe(&block, address, process_heap(process, record->heap),
		       trace_record_size(record), trace_record_api(record));
	block.time_ns = record->time_ns;
	block_attribute(&block, site, run->number, counts);
	run->thread->last_address = address;
	if (address)
		enter(run, record, &block, is_numbered);
	if (!counts)
		return false;
	replay_add_pair(&process_api(process, trace_record_api(record))->calls, called);
	if (!address) {
		count_call(run, &block, called);
		return true;
	}
	count_new(run, &block, called);
	note_peak(run, record->time_ns);
	return true;
}

/* After its exit event the process runs what libraries do last: LTTng releases there what it had
 * allocated unseen. Before a window, the trace knows of no block. */
static void count_unknown(const struct run *run, uint64_t heap)
{
	struct replay_process *process = run->process;

	if (!run->counts || process->has_exited || is_wines(process, heap))
		return;
	if (process->has_older_blocks)
		process->totals.older_frees++;
	else
		process->totals.unknown_frees++;
}

static ALWAYS_INLINE void release(struct run *run, const struct trace_record *record,
				  bool is_numbered)
{
	struct replay_process *process = run->process;
	struct replay_thread *thread = run->thread;
	uint64_t address = trace_record_address(record);
	bool was_last = thread->last_address == address;
	struct block old;

	thread->last_address = 0;
	if (!address)
		return;
	if (!take_out(run, record, &old, is_numbered)) {
		count_unknown(run, record->heap);
		return;
	}
	errors_note_release(&process->errors, &old);
	leave(run, &old);
	if (!old.is_counted) {
		process->totals.inherited_frees += old.is_inherited;
		return;
	}
	process->totals.free_calls++;
	thread->free_calls++;
	process_api(process, trace_record_api(record))->calls++;
	if (was_last)
		count_temporary(run, &old);
}

/* The old block leaves now: its address may come back before the end is told. */
static __attribute__((noinline)) void begin_realloc(struct run *run,
						    const struct trace_record *record)
{
	struct replay_thread *thread = run->thread;
	uint64_t address = trace_record_address(record);

	memset(&thread->realloc_old, 0, sizeof(thread->realloc_old));
	thread->is_reallocating = true;
	thread->realloc_was_last = address && thread->last_address == address;
	thread->last_address = 0;
	if (!address)
		return;
	if (take_out(run, record, &thread->realloc_old, run->is_numbered))
		leave(run, &thread->realloc_old);
	else
		count_unknown(run, record->heap);
}

static __attribute__((noinline)) void end_realloc(struct run *run,
						  const struct trace_record *record)
{
	struct replay_thread *thread = run->thread;

	if (thread->realloc_was_last && thread->realloc_old.is_counted)
		count_temporary(run, &thread->realloc_old);
	thread->is_reallocating = thread->realloc_was_last = false;
	/* The new block is too small to be recorded. */
	if (!trace_record_address(record))
		return;
	run->process->totals.realloc_calls += give_block(run, record, run->is_numbered);
}

static void count_failure(struct run *run, const struct trace_record *record)
{
	struct replay_process *process = run->process;

	run->thread->last_address = 0;
	if (!run->counts || is_wines(process, record->heap))
		return;
	process->totals.failed_calls++;
	process_api(process, trace_record_api(record))->failed++;
}

/* The old block is back as it was. */
static __attribute__((noinline)) void fail_realloc(struct run *run,
						   const struct trace_record *record)
{
	struct replay_thread *thread = run->thread;
	const struct block *old = &thread->realloc_old;

	if (thread->is_reallocating && old->address) {
		enter(run, record, old, run->is_numbered);
		if (old->is_counted) {
			count_live(run, old, (replay_pair){ 1, old->size_bytes });
			note_peak(run, old->time_ns);
		}
	}
	thread->is_reallocating = thread->realloc_was_last = false;
	count_failure(run, record);
}

static void change_thread(struct run *run, uint32_t tid)
{
	struct replay_process *process = run->process;

	run->tid = tid;
	run->number = process_thread(process, tid);
	run->thread = &process->threads[run->number];
	run->counts = process->is_in_window && run->thread->is_wanted;
}

static ALWAYS_INLINE void apply(struct run *run, const struct trace_record *record,
				bool is_numbered)
{
	uint8_t kind = trace_record_kind(record);

	if (record->tid != run->tid || !run->thread)
		change_thread(run, record->tid);
	if (kind == EVENT_ALLOCATE)
		run->process->totals.allocate_calls += give_block(run, record, is_numbered);
	else if (kind == EVENT_FREE)
		release(run, record, is_numbered);
	else if (kind == EVENT_REALLOC_BEGIN)
		begin_realloc(run, record);
	else if (kind == EVENT_REALLOC_END)
		end_realloc(run, record);
	else if (kind == EVENT_REALLOC_FAILED)
		fail_realloc(run, record);
	else
		count_failure(run, record);
}

static ALWAYS_INLINE void expect(const struct run *run, const struct trace_record *record,
				 bool is_numbered)
{
	const struct blocks *blocks = &run->process->blocks;

	if (is_numbered)
		blocks_expect_numbered(blocks, record->number);
	else
		blocks_expect(blocks, trace_record_address(record));
}

static ALWAYS_INLINE void apply_all(struct run *run, const struct trace_record *records,
				    size_t count, bool is_numbered)
{
	for (size_t i = 0; i < count && i < LOOK_AHEAD; i++)
		expect(run, &records[i], is_numbered);
	for (size_t i = 0; i < count; i++) {
		if (i + LOOK_AHEAD < count)
			expect(run, &records[i + LOOK_AHEAD], is_numbered);
		apply(run, &records[i], is_numbered);
	}
}

/* All records have numbers, or none. */
static bool begin_numbers(struct blocks *blocks, const struct trace_record *records, size_t count)
{
	if (count && records[0].number != RECORD_UNNUMBERED && blocks_use_numbers(blocks))
		return true;
	blocks_end_numbers(blocks);
	return false;
}

void replay_blocks_apply(struct replay_process *process, const struct trace_record *records,
			 size_t count)
{
	struct run run = begin_run(process);

	run.is_numbered = begin_numbers(&process->blocks, records, count);
	if (run.is_numbered)
		apply_all(&run, records, count, /* is_numbered */ true);
	else
		apply_all(&run, records, count, /* is_numbered */ false);
	end_turn(&run);
}

static void leave_destroyed(void *context, const struct block *block)
{
	struct run *run = context;

	leave(run, block);
	run->process->totals.destroyed_blocks += block->is_counted;
}

void replay_blocks_destroy_heap(struct replay_process *process, const struct trace_event *event)
{
	uint32_t number = process_heap(process, event->heap);
	struct replay_heap *heap = &process->heaps[number];
	struct run run = begin_run(process);

	heap->destroy_ns = event->time_ns;
	blocks_remove_heap(&process->blocks, (uint16_t)number, heap->live_blocks, leave_destroyed,
			   &run);
	end_turn(&run);
}

void replay_blocks_finish(struct replay_process *process)
{
	for (size_t site = 0; site < process->site_count; site++)
		save_peak(process, &process->sites[site]);
}
