/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Which events are recorded, and which with their stack. */

#ifndef VADTRACE_TRACE_FILTER_H
#define VADTRACE_TRACE_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/event.h"

enum filter_answer {
	FILTER_KEEP,
	FILTER_DROP,
	FILTER_EMPTY, /* keep it, without its block */
};

void filter_start(uint64_t min_size_bytes);

extern uint64_t filter_limit_bytes;

/* Blocks below the limit are dropped. Their frees are kept, because nobody knows their size: a
 * reader does not know these blocks and ignores them. The end of a realloc is kept in any case,
 * because it also ends the old block, which may have been recorded. */
static inline enum filter_answer filter_ask(const struct event *event)
{
	if (__builtin_expect(event->size_bytes >= filter_limit_bytes, 1))
		return FILTER_KEEP;
	if (event->kind == EVENT_ALLOCATE)
		return FILTER_DROP;
	return event->kind == EVENT_REALLOC_END ? FILTER_EMPTY : FILTER_KEEP;
}

/* Frees have no stack: nobody asks for it, and they are half of all events. */
static inline bool filter_wants_stack(const struct event *event)
{
	return event->kind != EVENT_FREE && event->kind != EVENT_REALLOC_BEGIN;
}

/* Blocks travel as records; heaps and ranges as events of their own. */
static inline bool filter_is_record(const struct event *event)
{
	return event->kind < EVENT_HEAP_CREATE;
}

#endif
