/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Where core's events arrive. */

#ifndef VADTRACE_TRACE_SINK_H
#define VADTRACE_TRACE_SINK_H

#include <stdint.h>

#include "core/event.h"
#include "trace/bracket.h"
#include "trace/trace.h"

void sink_start(const struct trace_config *config);

/* The event_sink of core/event.h. Keeps errno. */
void sink_take(const struct event *event);

/* Inside a bracket: the process is announced; false: the thread turned out to be LTTng's. */
bool sink_prepare(const struct bracket *bracket);

/* Inside a bracket: the id of the program's stack, which has been emitted by then. */
uint32_t sink_take_stack(const struct bracket *bracket);

#endif
