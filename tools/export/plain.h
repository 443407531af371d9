/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* One ordinary event for each call: what babeltrace2 and Trace Compass understand. */

#ifndef VADTRACE_TOOLS_EXPORT_PLAIN_H
#define VADTRACE_TOOLS_EXPORT_PLAIN_H

#include <stdint.h>

#include "tools/lib/trace_event.h"

struct plain;

/* Events go to files in the folder, one for each process. */
struct plain *plain_create(const char *folder, const unsigned char uuid[16]);
/* Fits reader_run's callback. */
void plain_apply(void *plain, const struct trace_event *event);
/* Writes the rest and frees. 0, or the first -errno. *count: events written. */
int plain_finish(struct plain *plain, uint64_t *count);

#endif
