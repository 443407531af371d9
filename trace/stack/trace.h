/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A call stack on its way from the walk to the depot, and its hash. */

#ifndef VADTRACE_TRACE_STACK_TRACE_H
#define VADTRACE_TRACE_STACK_TRACE_H

#include <stdint.h>

struct depot_stack;

/* Return addresses, innermost first.
 *  - hash is stack_hash(frames, count);
 *  - known is NULL, or where the depot may keep what it found for exactly these frames. */
struct stack_trace {
	const uint64_t *frames;
	uint32_t count;
	uint32_t hash;
	struct depot_stack **known;
};

/* The hash of a stack, from the hash of the frames further out, which is 0 for none: an outer part
 * that stays has not to be hashed again. */
static inline uint32_t stack_hash_inner(uint32_t outer_hash, uint64_t frame)
{
	uint64_t product = (outer_hash ^ frame) * UINT64_C(0x9e3779b97f4a7c15);

	return (uint32_t)(product ^ (product >> 32));
}

static inline uint32_t stack_hash(const uint64_t *frames, uint32_t count)
{
	uint32_t hash = 0;

	while (count > 0)
		hash = stack_hash_inner(hash, frames[--count]);
	return hash;
}

#endif
