/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* One limit, set once before the first event. */

#include "trace/filter.h"

static uint64_t limit_bytes;

void filter_start(uint64_t min_size_bytes)
{
	limit_bytes = min_size_bytes;
}

enum filter_answer filter_ask(const struct event *event)
{
	if (event->size_bytes >= limit_bytes)
		return FILTER_KEEP;
	if (event->kind == EVENT_ALLOCATE)
		return FILTER_DROP;
	return event->kind == EVENT_REALLOC_END ? FILTER_EMPTY : FILTER_KEEP;
}

bool filter_wants_stack(const struct event *event)
{
	return event->kind != EVENT_FREE && event->kind != EVENT_REALLOC_BEGIN;
}
