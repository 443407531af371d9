/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/*   pcs      |         ... inner | ... | outermost |      the result of a walk, in one piece
 *   frames   | outermost | ... | inner ...         |      the same frames, as a stack
 *
 * Both are used at the ends that meet: a small stack touches one page or two. A walk changes the
 * inner end only: it pops what it does not find again, and pushes what is new. `count` is 0 until
 * all is complete: a signal handler may jump out of the middle. */

#include "trace/stack/history.h"

#include <stddef.h>
#include <string.h>

#include "trace/stack/rules.h"

/* Without a touch of what was never used. */
static void forget_walks(struct history *history)
{
	for (uint32_t i = 0; i < HISTORY_WALKS; i++)
		if (history->turns[i] != 0)
			history->walks[i].count = 0;
}

void history_clear(struct history *history)
{
	history->bounds = (struct stack_bounds){ 0, 0 };
	forget_walks(history);
}

void history_renew(struct history *history, uint64_t epoch)
{
	forget_walks(history);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	history->epoch = epoch;
}

/* Whether the words that lead from the frame to its caller are what they were. */
static inline bool is_linked(const struct history_frame *frame, const struct history_frame *caller,
			     uint64_t caller_pc, struct stack_bounds *bounds)
{
	uintptr_t word;

	if (frame->link != LINK_WORDS || !bounds_load(bounds, caller->rsp - 8, &word) ||
	    word != caller_pc)
		return false;
	return !caller->needs_rbp || frame->rbp_place == 0 ||
	       (bounds_load(bounds, frame->rbp_place, &word) && word == caller->rbp);
}

static inline bool is_word(uintptr_t address, uintptr_t value, struct stack_bounds known)
{
	return address - known.low < known.high - known.low && *(const uintptr_t *)address == value;
}

/* The same for a frame whose words are known to be there; false also where they are not. */
static inline bool is_linked_in(const struct history_frame *frame, uint64_t caller_pc,
				struct stack_bounds known)
{
	const struct history_frame *caller = frame - 1;

	return frame->link == LINK_WORDS && is_word(caller->rsp - 8, caller_pc, known) &&
	       (!caller->needs_rbp || frame->rbp_place == 0 ||
		is_word(frame->rbp_place, caller->rbp, known));
}

static uint32_t follow_in(struct history_walk *walk, uint32_t position, struct stack_bounds known)
{
	const struct history_frame *frame = &walk->frames[position];
	const uint64_t *caller_pc = history_pc(walk, position) + 1;

	while (frame > walk->frames && is_linked_in(frame, *caller_pc, known)) {
		frame--;
		caller_pc++;
	}
	return (uint32_t)(frame - walk->frames);
}

uint32_t history_follow(struct history_walk *walk, uint32_t position, struct stack_bounds *bounds)
{
	position = follow_in(walk, position, *bounds);
	while (__builtin_expect(position > 0, 0) &&
	       is_linked(&walk->frames[position], &walk->frames[position - 1],
			 *history_pc(walk, position - 1), bounds))
		position = follow_in(walk, position - 1, *bounds);
	return position;
}

uint32_t history_hash(const struct history_walk *walk, uint32_t kept, struct history_fresh *fresh,
		      uint32_t fresh_count)
{
	uint32_t hash = kept > 0 ? walk->frames[kept - 1].hash : 0;

	for (uint32_t i = fresh_count; i > 0; i--) {
		hash = stack_hash_inner(hash, fresh[i - 1].pc);
		fresh[i - 1].frame.hash = hash;
	}
	return hash;
}

static void copy_outer(struct history_walk *walk, const struct history_walk *old, uint32_t kept)
{
	const uint64_t *pcs = old->pcs + HISTORY_FRAMES_MAX - kept;

	memcpy(walk->pcs + HISTORY_FRAMES_MAX - kept, pcs, kept * sizeof(*pcs));
	memcpy(walk->frames, old->frames, kept * sizeof(*old->frames));
}

void history_replace(struct history_walk *walk, const struct history_walk *old, uint32_t kept,
		     const struct history_fresh *fresh, uint32_t fresh_count)
{
	bool needs_rbp = kept > 0 && old->frames[kept - 1].needs_rbp;

	walk->known = NULL;
	walk->count = 0;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (walk != old)
		copy_outer(walk, old, kept);
	for (uint32_t i = fresh_count; i > 0; i--, kept++) {
		*history_pc(walk, kept) = fresh[i - 1].pc;
		walk->frames[kept] = fresh[i - 1].frame;
		needs_rbp = history_needs_rbp(&fresh[i - 1].frame, needs_rbp);
		walk->frames[kept].needs_rbp = needs_rbp;
	}
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	walk->count = kept;
}

/* The frame and its caller: its place in the stack, and the rbp that comes to a caller in need. */
static bool is_linked_well(const struct history_frame *frame)
{
	const struct history_frame *caller = frame - 1;

	if (frame->link == LINK_STEP)
		return true;
	return frame->link == LINK_WORDS && frame->rsp < caller->rsp &&
	       (!caller->needs_rbp || frame->rbp_place != 0 || frame->rbp == caller->rbp);
}

bool history_is_valid(const struct history_walk *walk)
{
	const uint64_t *pc = walk->pcs + HISTORY_FRAMES_MAX;
	uint32_t hash = 0;
	bool needs_rbp = false;

	if (walk->count > HISTORY_FRAMES_MAX)
		return false;
	for (uint32_t i = 0; i < walk->count; i++) {
		const struct history_frame *frame = &walk->frames[i];

		hash = stack_hash_inner(hash, *--pc);
		needs_rbp = history_needs_rbp(frame, needs_rbp);
		if (frame->hash != hash || frame->needs_rbp != needs_rbp ||
		    (i > 0 && !is_linked_well(frame)))
			return false;
	}
	return true;
}
