/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Each thread has two slots:
 *
 *   thread -> slots[current]   records .......     its lock: see biased_lock.h
 *             slots[other]     empty, or is_spare_busy: on its way to LTTng
 *
 * Under the lock a record is stamped and written, or the slots change places: nothing that can
 * wait. The slot that left is emitted without the lock by who took it away: the thread when it is
 * full, or the flusher, every 100 ms of activity. No handler interrupts from the exchange to the
 * end of the emission: nobody can jump out of it. A plain event is stamped and emitted under the
 * lock: it has no slot to be taken from.
 *
 * settled(T): T is taken before the flusher visits the first thread. A record is stamped under its
 * thread's lock, so after the visit no record with a time up to T can appear in that slot, and all
 * that were there are out once its spare slot is free. Threads that are idle are not visited: after
 * T there was a barrier, so a lock that looks free is not held by anybody who has stamped a record
 * up to T. Records that go out one by one are counted while they are under way; after the count was
 * 0 once, none up to T is left.
 *
 * A fork at F: all threads' locks are claimed, the list of threads stands still, and single records
 * wait, from before F to after the fork. untold_forks rises before F is taken and falls when the
 * trace knows of F; a flusher takes its T first and looks at it then, so no T later than F is told
 * before F. */

#include "trace/buffer.h"

#include "trace/clock.h"
#include "trace/hold.h"
#include "trace/provider/provider.h"
#include "trace/system.h"

#define PASS_INTERVAL_NS UINT64_C(100000000)
#define PATIENCE_NS UINT64_C(5000000)
#define LAST_PATIENCE_NS UINT64_C(100000000)
#define FORK_PATIENCE_NS UINT64_C(500000000) /* holders may have lost their processors */

static uint64_t next_pass_ns;
static uint32_t is_pass_running;
static uint32_t singles_under_way;
static uint32_t is_process_over;
static uint32_t untold_forks;
static uint32_t frozen_by; /* the forking thread's tid, or 0 */
static uint64_t freeze_mask;

/* Waits a little and says whether to look again. */
static bool wait_until(uint64_t deadline_ns)
{
	system_yield();
	return system_now_ns() < deadline_ns;
}

static void unlock(struct thread *thread)
{
	biased_lock_leave(&thread->lock);
}

void buffer_release_level(struct thread *thread, uint32_t level)
{
	biased_lock_leave_level(&thread->lock, level);
}

static uint32_t used_words(const struct live_slot *slot)
{
	return __atomic_load_n(&slot->header.used_words, __ATOMIC_ACQUIRE);
}

static bool is_spare_busy(const struct thread *thread)
{
	return __atomic_load_n(&thread->is_spare_busy, __ATOMIC_ACQUIRE) != 0;
}

/* The slots change places; the answer is the one to be emitted. The spare slot is free. */
static struct live_slot *exchange_locked(struct thread *thread)
{
	struct live_slot *full = thread->slots[thread->current];

	__atomic_store_n(&thread->is_spare_busy, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&thread->current, thread->current ^ 1, __ATOMIC_RELEASE);
	return full;
}

static void emit_slot(struct thread *thread, struct live_slot *slot)
{
	if (!thread->is_announced) {
		thread->is_announced = true;
		provider_thread(slot->header.tid, thread->name);
	}
	provider_batch(slot);
	__atomic_store_n(&slot->header.used_words, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&thread->is_spare_busy, 0, __ATOMIC_RELEASE);
}

static void encode(uint64_t *words, const struct record *record)
{
	record_encode(record, words);
}

static inline __attribute__((always_inline)) void put_locked(struct thread *thread,
							     struct live_slot *slot,
							     struct record *record, uint64_t heap,
							     uint64_t now_ns)
{
	uint32_t used = slot->header.used_words;

	if (used == 0) {
		slot->header.begin_ns = now_ns;
		thread->heap = 0;
	}
	record->delta_ns = (uint32_t)(now_ns - slot->header.begin_ns);
	if (heap != thread->heap) {
		struct record change = { .kind = RECORD_KIND_HEAP,
					 .address = heap,
					 .delta_ns = record->delta_ns };

		encode(slot->words + used, &change);
		used += RECORD_WORDS;
		thread->heap = heap;
	}
	encode(slot->words + used, record);
	__atomic_store_n(&slot->header.used_words, used + RECORD_WORDS, __ATOMIC_RELEASE);
}

/* Whether a record and a change of heap still go into the slot. */
static bool has_room(const struct live_slot *slot, uint64_t now_ns)
{
	uint32_t used = slot->header.used_words;

	return used == 0 || (used + 2 * RECORD_WORDS <= LIVE_SLOT_WORDS &&
			     now_ns - slot->header.begin_ns <= RECORD_DELTA_MAX);
}

/* Counted before the look: a fork either sees the count, or is seen. Returns what end_single
 * wants. */
static uint64_t begin_single(uint32_t tid)
{
	uint64_t mask = hold_begin();

	for (;;) {
		uint32_t forking;

		__atomic_fetch_add(&singles_under_way, 1, __ATOMIC_SEQ_CST);
		forking = __atomic_load_n(&frozen_by, __ATOMIC_SEQ_CST);
		if (__builtin_expect(forking == 0 || forking == tid, 1))
			return mask;
		__atomic_fetch_sub(&singles_under_way, 1, __ATOMIC_RELEASE);
		system_yield();
	}
}

static void end_single(uint64_t mask)
{
	__atomic_fetch_sub(&singles_under_way, 1, __ATOMIC_RELEASE);
	hold_end(mask);
}

/* A record on its own. */
static __attribute__((noinline)) void write_single(const struct record *record, uint64_t heap)
{
	struct provider_record event = { .heap = heap, .tid = system_tid() };
	uint64_t mask = begin_single(event.tid);

	event.time_ns = clock_now();
	encode(event.words, record);
	provider_record(&event);
	end_single(mask);
}

/* The current slot is full, and the lock is held: its successor takes the record. False, without
 * the lock: both slots are in use. */
static __attribute__((noinline)) bool write_next(struct thread *thread, struct record *record,
						 uint64_t heap, uint64_t now_ns)
{
	uint64_t mask = hold_begin();
	struct live_slot *full;

	if (is_spare_busy(thread)) {
		unlock(thread);
		hold_end(mask);
		return false;
	}
	full = exchange_locked(thread);
	put_locked(thread, thread->slots[thread->current], record, heap, now_ns);
	unlock(thread);
	emit_slot(thread, full);
	hold_end(mask);
	return true;
}

static __attribute__((noinline)) void start_pass(uint64_t now_ns)
{
	uint64_t due_ns = __atomic_load_n(&next_pass_ns, __ATOMIC_RELAXED);

	if (now_ns < due_ns ||
	    !__atomic_compare_exchange_n(&next_pass_ns, &due_ns, now_ns + PASS_INTERVAL_NS, false,
					 __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return;
	if (due_ns != 0)
		buffer_flush();
}

/* Whether the record may go into a slot. The end of the process is looked at under the lock: after
 * it, the last flush has been there. */
static bool lock_slots(struct thread *thread, uint32_t level)
{
	if (!thread || !biased_lock_enter(&thread->lock, level))
		return false;
	if (!__atomic_load_n(&is_process_over, __ATOMIC_RELAXED))
		return true;
	unlock(thread);
	return false;
}

/* The lock is held. A thread's readings without a fence need not be in order. */
static inline uint64_t now_locked(struct thread *thread, bool is_own)
{
	uint64_t now_ns = clock_read(&thread->stretch, /* is_fenced */ !is_own);

	if (__builtin_expect(now_ns < thread->latest_ns, 0))
		now_ns = thread->latest_ns;
	thread->latest_ns = now_ns;
	return now_ns;
}

void buffer_write(struct thread *thread, uint32_t level, struct buffer_entry *entry)
{
	struct record *record = &entry->record;
	uint64_t heap = entry->heap;
	struct live_slot *slot;
	uint64_t now_ns;
	bool is_written = true;

	if (!lock_slots(thread, level)) {
		write_single(record, heap);
		return;
	}
	now_ns = now_locked(thread, entry->is_own);
	slot = thread->slots[thread->current];
	if (__builtin_expect(has_room(slot, now_ns), 1)) {
		put_locked(thread, slot, record, heap, now_ns);
		unlock(thread);
	} else {
		is_written = write_next(thread, record, heap, now_ns);
	}
	if (!is_written)
		write_single(record, heap);
	if (__builtin_expect(now_ns >= __atomic_load_n(&next_pass_ns, __ATOMIC_RELAXED), 0))
		start_pass(now_ns);
}

static void emit_plain(struct provider_block *block, uint64_t now_ns)
{
	block->time_ns = now_ns;
	provider_block(block);
}

static __attribute__((noinline)) void write_plain_single(struct provider_block *block)
{
	uint64_t mask = begin_single(system_tid());

	emit_plain(block, clock_now());
	end_single(mask);
}

void buffer_write_plain(struct thread *thread, uint32_t level, struct provider_block *block)
{
	uint64_t mask = hold_begin();
	bool is_locked = lock_slots(thread, level);

	if (is_locked) {
		emit_plain(block, now_locked(thread, /* is_own */ false));
		unlock(thread);
	}
	hold_end(mask);
	if (!is_locked)
		write_plain_single(block);
	if (block->time_ns >= __atomic_load_n(&next_pass_ns, __ATOMIC_RELAXED))
		start_pass(block->time_ns);
}

static bool wait_for_spare(const struct thread *thread, uint64_t patience_ns)
{
	uint64_t deadline_ns = system_now_ns() + patience_ns;

	while (is_spare_busy(thread))
		if (!wait_until(deadline_ns))
			return false;
	return true;
}

/* Takes the current slot away for emission; false: its owner has just done so. */
static bool take_current(struct thread *thread, struct live_slot **full)
{
	bool is_free = !is_spare_busy(thread);

	*full = NULL;
	if (is_free && used_words(thread->slots[thread->current]) != 0)
		*full = exchange_locked(thread);
	return is_free;
}

/* One visit under the lock. A record that was stamped before it is in the slot that left, or,
 * where the owner stamped it, then found its slot full, in the one that took its place. */
static bool visit(struct thread *thread, uint64_t patience_ns, bool *is_taken)
{
	struct live_slot *full;

	if (!wait_for_spare(thread, patience_ns) || !biased_lock_claim(&thread->lock, patience_ns))
		return false;
	*is_taken = take_current(thread, &full);
	biased_lock_unclaim(&thread->lock);
	if (full)
		emit_slot(thread, full);
	return true;
}

/* Signals are blocked. False: something may be left. After a first visit that came in the middle
 * of an exchange, the second takes the successor, or its owner is emitting that one too. */
static bool flush_thread(struct thread *thread, uint64_t patience_ns)
{
	bool is_taken = false;

	if (__atomic_load_n(&thread->tid, __ATOMIC_ACQUIRE) == 0)
		return wait_for_spare(thread, patience_ns);
	for (int visits = 0; visits < 2 && !is_taken; visits++)
		if (!visit(thread, patience_ns, &is_taken))
			return false;
	return is_taken || wait_for_spare(thread, patience_ns);
}

/* Whether all that the thread had stamped before the last barrier is out. The order of the looks
 * counts: an exchange marks the spare slot before it changes `current`. */
static bool is_idle(const struct thread *thread)
{
	uint32_t current;

	if (__atomic_load_n(&thread->tid, __ATOMIC_ACQUIRE) == 0 ||
	    !biased_lock_is_free(&thread->lock))
		return false;
	current = __atomic_load_n(&thread->current, __ATOMIC_ACQUIRE);
	return used_words(thread->slots[current]) == 0 && !is_spare_busy(thread);
}

static bool wait_for_singles(uint64_t patience_ns)
{
	uint64_t deadline_ns = system_now_ns() + patience_ns;

	while (__atomic_load_n(&singles_under_way, __ATOMIC_SEQ_CST) != 0)
		if (!wait_until(deadline_ns))
			return false;
	return true;
}

/* Signals are blocked. */
static bool flush_threads(void)
{
	bool is_complete = true;

	biased_lock_barrier();
	for (struct thread *thread = bracket_threads(); thread; thread = thread->next)
		if (!is_idle(thread))
			is_complete &= flush_thread(thread, PATIENCE_NS);
	return is_complete;
}

static bool begin_pass(void)
{
	uint64_t deadline_ns = system_now_ns() + 20 * PATIENCE_NS;

	while (__atomic_exchange_n(&is_pass_running, 1, __ATOMIC_ACQUIRE) != 0)
		if (!wait_until(deadline_ns))
			return false;
	return true;
}

static void end_pass(void)
{
	__atomic_store_n(&is_pass_running, 0, __ATOMIC_RELEASE);
}

static bool is_fork_untold(void)
{
	return __atomic_load_n(&untold_forks, __ATOMIC_SEQ_CST) != 0;
}

void buffer_flush(void)
{
	uint64_t mask = system_block_signals();
	uint64_t until_ns;

	if (begin_pass()) {
		until_ns = clock_now();
		if (!is_fork_untold() && flush_threads() && wait_for_singles(PATIENCE_NS))
			provider_settled(until_ns);
		end_pass();
	}
	system_restore_signals(mask);
}

/* What its owner does not let go of. The records up to used_words are whole. */
static void read_slot(const struct thread *thread)
{
	const struct live_slot *slot = thread->slots[thread->current];

	if (thread->tid != 0 && slot && used_words(slot) != 0)
		provider_batch(slot);
}

/* Waits longer than a pass: a thread that lost its processor with its lock held is no reason to
 * read what it may emit again. */
static bool flush_threads_last(void)
{
	bool is_complete = true;

	for (struct thread *thread = bracket_threads(); thread; thread = thread->next)
		if (!flush_thread(thread, LAST_PATIENCE_NS)) {
			read_slot(thread);
			is_complete = false;
		}
	return is_complete;
}

/* No older bracket of the calling thread can come back. */
static void release_all_levels(struct thread *thread)
{
	for (uint32_t level = 0; level < BRACKET_LEVELS; level++)
		buffer_release_level(thread, level);
}

/* Another thread's, which this process may not outlive. */
static void wait_for_fork(void)
{
	uint64_t deadline_ns = system_now_ns() + LAST_PATIENCE_NS;

	while (is_fork_untold() && wait_until(deadline_ns))
		;
}

void buffer_flush_last(void)
{
	uint64_t mask = system_block_signals();
	bool has_pass = begin_pass();
	struct thread *own = bracket_own_thread();
	uint64_t until_ns;

	__atomic_store_n(&is_process_over, 1, __ATOMIC_SEQ_CST);
	if (own)
		release_all_levels(own);
	wait_for_fork();
	until_ns = clock_now();
	if (flush_threads_last() && wait_for_singles(PATIENCE_NS))
		provider_settled(until_ns);
	if (has_pass)
		end_pass();
	system_restore_signals(mask);
}

void buffer_flush_own(struct thread *thread)
{
	uint64_t mask = system_block_signals();

	release_all_levels(thread);
	while (!flush_thread(thread, PATIENCE_NS))
		system_yield();
	system_restore_signals(mask);
}

void buffer_drop(struct thread *thread)
{
	uint64_t mask = system_block_signals();

	if (biased_lock_claim(&thread->lock, PATIENCE_NS)) {
		thread->slots[thread->current]->header.used_words = 0;
		biased_lock_unclaim(&thread->lock);
	}
	system_restore_signals(mask);
}

/* Claims all other threads' locks; all together are waited for as long as one may be. */
static void freeze_others(void)
{
	uint64_t deadline_ns = system_now_ns() + FORK_PATIENCE_NS, now_ns;
	const struct thread *own = bracket_own_thread();

	for (struct thread *thread = bracket_threads(); thread; thread = thread->next) {
		if (thread == own || thread->tid == 0)
			continue;
		now_ns = system_now_ns();
		thread->is_frozen = biased_lock_claim(
			&thread->lock, now_ns < deadline_ns ? deadline_ns - now_ns : 0);
	}
}

uint64_t buffer_freeze(void)
{

	__atomic_fetch_add(&untold_forks, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&frozen_by, system_tid(), __ATOMIC_SEQ_CST);
	freeze_mask = bracket_freeze();
	freeze_others();
	wait_for_singles(FORK_PATIENCE_NS);
	return clock_now() + 1;
}

void buffer_thaw(void)
{
	for (struct thread *thread = bracket_threads(); thread; thread = thread->next)
		if (thread->is_frozen) {
			thread->is_frozen = false;
			biased_lock_unclaim(&thread->lock);
		}
	bracket_thaw(freeze_mask);
	__atomic_store_n(&frozen_by, 0, __ATOMIC_RELEASE);
}

void buffer_fork_told(void)
{
	__atomic_fetch_sub(&untold_forks, 1, __ATOMIC_RELEASE);
}

void buffer_fork_child(void)
{
	untold_forks = 0;
	frozen_by = 0;
	is_pass_running = 0;
	singles_under_way = 0;
	next_pass_ns = 0;
	is_process_over = 0;
	clock_fork_child();
	biased_lock_start();
}
