/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What a thread remembers of its last walks, so that the next one need not do the outer part again.
 *
 * One step outward depends on the frame's registers, on the rule of its pc, and on the words of the
 * stack that it loads. Where a walk comes to the registers of a remembered frame, and the words
 * that were loaded from there on are still the same, the frames further out are the same too. The
 * words are read again at every walk: a remembered frame is never taken on trust. */

#ifndef VADTRACE_TRACE_STACK_HISTORY_H
#define VADTRACE_TRACE_STACK_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "trace/schema/schema.h"
#include "trace/stack/bounds.h"
#include "trace/stack/own.h"
#include "trace/stack/rules.h"
#include "trace/stack/trace.h"

#define HISTORY_WALKS 64
#define HISTORY_GUESSES 1024
#define HISTORY_FRAMES_MAX VADTRACE_STACK_DEPTH_MAX

/* How a frame's caller is found. */
enum frame_link {
	LINK_STEP = 0, /* by a step: it depends on more than two words, or there is none */
	LINK_WORDS,    /* pc is at the caller's rsp - 8, its rbp at rbp_place or still in rbp;
			  the caller's rsp depends on rsp alone, or on rbp: RBP_USED */
	LINK_END,      /* the rule says that there is none */
	LINK_ZERO,     /* the return address at rbp_place is 0: there is none */
};

/* What the way to the caller does with rbp: most code uses it as any other register. */
enum frame_rbp {
	RBP_USED = 0, /* the way depends on its value */
	RBP_KEPT,     /* it is the caller's too */
	RBP_RELOADED, /* the caller's is at rbp_place, or there is no caller */
};

/* One frame: its registers, but for the pc, and the way to its caller.
 *  - hash is that of the frames from here outward;
 *  - needs_rbp: a frame from here outward uses this rbp. Else rbp may be out of date, and where it
 *    comes from is not looked at. */
struct history_frame {
	uintptr_t rsp, rbp;
	uintptr_t rbp_place; /* 0: the caller's rbp is rbp. Of LINK_ZERO, the return address's */
	uint32_t hash;
	uint8_t link;
	uint8_t rbp_use;
	bool needs_rbp;
	bool is_exact; /* pc is not a return address */
};

_Static_assert(sizeof(struct history_frame) == 32, "two frames share a cache line");

/* One remembered walk. Position 0 is the outermost frame.
 *  - frames[p] and the pc at pcs[HISTORY_FRAMES_MAX - 1 - p] describe the frame p < count;
 *  - each frame was reached from the one inside it in the history's epoch;
 *  - known is the depot's, and NULL after each change.
 * What comes before the frames shares a cache line with the outermost one.
 * A walk that is left by a jump while it changes this leaves nothing, never wrong frames. */
struct history_walk {
	_Alignas(64) uint64_t pcs[HISTORY_FRAMES_MAX];
	struct depot_stack *known;
	uint32_t count;
	_Alignas(32) struct history_frame frames[HISTORY_FRAMES_MAX];
};

/* A frame that a walk has found and that is not remembered yet. */
struct history_fresh {
	uint64_t pc;
	struct history_frame frame;
};

_Static_assert(HISTORY_WALKS <= UINT8_MAX + 1, "a byte names one");

/* All zero: nothing is remembered. Owned by one thread, and by one walk at a time.
 *  - walks[i] is where its hash and its first frame select two places;
 *  - last names the walk of the last time; guesses[i] is the one that came next when a call from
 *    the place of the stack came after the walk which together select i;
 *  - turns[i] is the `turn` in which walks[i] was made or found again; 0: never used, it takes no
 *    memory;
 *  - hashes[i] is what walks[i] had when it was made; it decides nothing by itself;
 *  - all of them were made in the rules' epoch `epoch`;
 *  - fresh and unwound belong to the walk that is under way. */
struct history {
	struct stack_bounds bounds;
	uint64_t epoch;
	uint32_t turn;
	uint8_t last;
	struct own_ways own_ways;
	uint8_t guesses[HISTORY_GUESSES];
	uint32_t hashes[HISTORY_WALKS];
	uint32_t turns[HISTORY_WALKS];
	struct history_walk walks[HISTORY_WALKS];
	struct history_fresh fresh[HISTORY_FRAMES_MAX];
	uint64_t unwound[VADTRACE_STACK_DEPTH_MAX];
};

static inline uint64_t *history_pc(struct history_walk *walk, uint32_t position)
{
	return &walk->pcs[HISTORY_FRAMES_MAX - 1 - position];
}

/* What the name says of the frame, if it is so of its caller. */
static inline bool history_needs_rbp(const struct history_frame *frame, bool caller_needs)
{
	return frame->rbp_use == RBP_USED || (frame->rbp_use == RBP_KEPT && caller_needs);
}

/* For another thread. */
void history_clear(struct history *history);

/* Whether the invariants hold that do not ask the stack. */
bool history_is_valid(const struct history_walk *walk);

/* Forgets all walks: they are of another epoch. */
void history_renew(struct history *history, uint64_t epoch);

static inline uint64_t history_mix(uint64_t key)
{
	return key * UINT64_C(0x9e3779b97f4a7c15);
}

/* Which walk is likely to come now: programs do the same again. */
static inline uint8_t *history_guess(struct history *history, uintptr_t place, uintptr_t pc)
{
	uint64_t key = history_mix(place >> 4) ^ (pc << 8 | history->last);

	return &history->guesses[history_mix(key) >> 40 & (HISTORY_GUESSES - 1)];
}

/* Whether a walk that has come to these registers is at the remembered frame. */
static inline bool history_is_at(const struct history_frame *frame, uintptr_t rsp, uintptr_t rbp,
				 bool is_exact)
{
	return frame->rsp == rsp && frame->is_exact == is_exact &&
	       (!frame->needs_rbp || frame->rbp == rbp);
}

/* The outermost position that can be reached from `position` over words that have not changed. */
uint32_t history_follow(struct history_walk *walk, uint32_t position, struct stack_bounds *bounds);

/* Whether the walk's outermost frame is still the end of the stack. */
static inline bool history_has_end(const struct history_walk *walk, struct stack_bounds *bounds)
{
	const struct history_frame *outermost = &walk->frames[0];
	uintptr_t word;

	if (outermost->link == LINK_ZERO)
		return bounds_load(bounds, outermost->rbp_place, &word) && word == 0;
	return outermost->link == LINK_END;
}

/* Where the walk of this hash and this first frame may be. */
struct history_pair {
	uint8_t one, other;
};

static inline struct history_pair history_places(uint32_t hash, uintptr_t rsp)
{
	uint64_t key = history_mix(history_mix(rsp >> 4) + hash);

	return (struct history_pair){ (uint8_t)((key >> 40) % HISTORY_WALKS),
				      (uint8_t)((key >> 48) % HISTORY_WALKS) };
}

/* Gives the fresh frames, innermost first, their hashes; the answer is the whole stack's, with
 * `kept` of the walk's outermost frames further out. */
uint32_t history_hash(const struct history_walk *walk, uint32_t kept, struct history_fresh *fresh,
		      uint32_t fresh_count);

/* The walk consists of the `kept` outermost frames of `old`, which may be the walk itself, and of
 * `fresh`, which have their hashes, from now on. Together they are no more than HISTORY_FRAMES_MAX.
 */
void history_replace(struct history_walk *walk, const struct history_walk *old, uint32_t kept,
		     const struct history_fresh *fresh, uint32_t fresh_count);

#endif
