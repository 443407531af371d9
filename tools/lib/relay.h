/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Carries events from the thread that reads them to the thread that they are told in, in their
 * order, in little memory: who is too fast waits for the other. */

#ifndef VADTRACE_TOOLS_LIB_RELAY_H
#define VADTRACE_TOOLS_LIB_RELAY_H

#include "tools/lib/reader.h"

struct relay;

struct relay *relay_create(void);
/* Both threads are done with it. */
void relay_destroy(struct relay *relay);

/* For the thread that reads; strings and arrays are copied. After relay_end nothing follows. */
void relay_put_event(struct relay *relay, const struct trace_event *event);
/* Room for records, one at least, which are filled in before the next call. */
struct trace_record *relay_room(struct relay *relay, uint32_t process, size_t count);
void relay_end(struct relay *relay);

/* For the other thread: tells all, until the end has come. `records` may be NULL if none are put.
 */
void relay_tell(struct relay *relay, reader_deliver deliver, reader_records records, void *context);

#endif
