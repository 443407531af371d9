/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Puts the happenings of one process into order of time.
 *
 * Records arrive in batches, later than they happened; other events arrive when they happen. Both
 * wait here until the recorder says that nothing older will come (`settled`). */

#ifndef VADTRACE_TOOLS_LIB_MERGE_H
#define VADTRACE_TOOLS_LIB_MERGE_H

#include <stddef.h>
#include <stdint.h>

#include "tools/lib/trace_event.h"

/* Who is told. Both are called in the order of time.
 *  - `records` gets the blocks' happenings, many at once; `event` all others, and those that came
 *    as events. */
struct merge_sink {
	void (*records)(void *context, uint32_t process, const struct trace_record *records,
			size_t count);
	void (*event)(void *context, const struct trace_event *event);
	void *context;
};

struct merge;

struct merge *merge_create(uint32_t process);
void merge_destroy(struct merge *merge);

/* A batch of thread `tid`: words of trace/schema/record.h, the times counted from begin_ns.
 * Words that are no whole record are left out; so are records of an unknown kind. */
void merge_add_batch(struct merge *merge, uint32_t tid, uint64_t begin_ns,
		     struct batch_words words);
/* How many records such a batch holds. */
size_t merge_count_records(struct batch_words words);

/* Any other event, by its own time. */
void merge_add_event(struct merge *merge, const struct trace_event *event);

/* Delivers all that happened up to until_ns (UINT64_MAX: everything). */
void merge_release(struct merge *merge, uint64_t until_ns, const struct merge_sink *sink);

/* How many came too late, after something younger had been delivered: a recorder's fault. */
uint64_t merge_late_count(const struct merge *merge);

#endif
