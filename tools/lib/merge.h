/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Puts the happenings of one process into order of time.
 *
 * Records arrive in batches, later than they happened; other events arrive when they happen. Both
 * wait here until the recorder says that nothing older will come (`settled`). */

#ifndef VADTRACE_TOOLS_LIB_MERGE_H
#define VADTRACE_TOOLS_LIB_MERGE_H

#include <stdint.h>

#include "tools/lib/trace_event.h"

typedef void (*merge_deliver)(void *context, const struct trace_event *event);
/* An event of this address will be delivered soon. */
typedef void (*merge_expect)(void *context, uint32_t process, uint64_t address);

struct merge;

/* `expect` may be NULL. */
struct merge *merge_create(uint32_t process, merge_expect expect);
void merge_destroy(struct merge *merge);

/* A batch of thread `tid`: `count` words of trace/schema/record.h, the times counted from begin_ns.
 * Words that are no whole record are left out; so are records of an unknown kind. Returns how many
 * records were taken. */
size_t merge_add_batch(struct merge *merge, uint32_t tid, uint64_t begin_ns, const uint64_t *words,
		       size_t count);

/* Any other event, by its own time. */
void merge_add_event(struct merge *merge, const struct trace_event *event);

/* Delivers all that happened up to until_ns (UINT64_MAX: everything). */
void merge_release(struct merge *merge, uint64_t until_ns, merge_deliver deliver, void *context);

/* How many came too late, after something younger had been delivered: a recorder's fault. */
uint64_t merge_late_count(const struct merge *merge);

#endif
