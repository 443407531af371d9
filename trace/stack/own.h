/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The way out of our own objects: the inner frames of each walk, which nobody wants to see.
 *
 * They are the same few functions each time, wherever the stack is. So a way is remembered by the
 * distances between its frames:
 *
 *   rsp     offsets[0]      offsets[1]       offsets[2]
 *    | ....  words[0]  .....  words[1]  ....  (the program's pc)  | the program's frame
 *
 * It is taken again when the return addresses of our own in between are what they were. Then the
 * frames are live, and all that is read is there. */

#ifndef VADTRACE_TRACE_STACK_OWN_H
#define VADTRACE_TRACE_STACK_OWN_H

#include <stdbool.h>
#include <stdint.h>

#define OWN_FRAMES_MAX 8
#define OWN_WAYS 4
#define OWN_RBP_KEPT UINT32_MAX

/* One way.
 *  - pc is the first frame's; 0: there is none;
 *  - count is not 0; the last word is not ours, and not looked at;
 *  - rbp_offset is where the last frame that saved rbp has done it, or OWN_RBP_KEPT. */
struct own_way {
	uintptr_t pc;
	uint32_t count;
	uint32_t rbp_offset;
	uint32_t offsets[OWN_FRAMES_MAX];
	uintptr_t words[OWN_FRAMES_MAX];
};

/* All zero: nothing is remembered. Owned as the history that it is part of. */
struct own_ways {
	struct own_way ways[OWN_WAYS];
	uint32_t next; /* to be replaced */
};

/* A frame, as far as the way goes. */
struct own_frame {
	uintptr_t pc, rsp, rbp;
};

/* [low, high); both 0: none. */
struct own_object {
	uintptr_t low, high;
};

/* Learns where our own objects are: this one, and its host's, which has `host` in it. */
void own_start(const void *host);

extern struct own_object own_tracer, own_host;

static inline bool own_has(uintptr_t pc)
{
	return pc - own_tracer.low < own_tracer.high - own_tracer.low ||
	       pc - own_host.low < own_host.high - own_host.low;
}

static inline uintptr_t own_word(uintptr_t rsp, uint32_t offset)
{
	return *(const uintptr_t *)(rsp + offset);
}

/* Whether the way leads from this frame to one that is not ours. */
static inline bool own_is_way(const struct own_way *way, const struct own_frame *frame)
{
	uint32_t last = way->count - 1;

	if (way->pc != frame->pc)
		return false;
	for (uint32_t i = 0; i < last; i++)
		if (own_word(frame->rsp, way->offsets[i]) != way->words[i])
			return false;
	return !own_has(own_word(frame->rsp, way->offsets[last]));
}

static inline struct own_frame own_end(const struct own_way *way, const struct own_frame *frame)
{
	uint32_t offset = way->offsets[way->count - 1];

	return (struct own_frame){
		.pc = own_word(frame->rsp, offset),
		.rsp = frame->rsp + offset + sizeof(uintptr_t),
		.rbp = way->rbp_offset == OWN_RBP_KEPT ? frame->rbp
						       : own_word(frame->rsp, way->rbp_offset),
	};
}

/* Moves a frame of our own to the first that is not; false, and unchanged, when no way is known. */
static inline bool own_leave(const struct own_ways *ways, struct own_frame *frame)
{
	for (uint32_t i = 0; i < OWN_WAYS; i++)
		if (own_is_way(&ways->ways[i], frame)) {
			*frame = own_end(&ways->ways[i], frame);
			return true;
		}
	return false;
}

/* One more frame of a way that is being learnt from `first`, whose count was 0: its registers, and
 * where its rbp was found, 0: nowhere. */
void own_way_add(struct own_way *way, const struct own_frame *first, const struct own_frame *next,
		 uintptr_t rbp_place);

/* The way is complete. */
void own_keep(struct own_ways *ways, const struct own_way *way, uintptr_t pc);

#endif
