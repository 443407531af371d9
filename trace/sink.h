/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Where core's events arrive. */

#ifndef VADTRACE_TRACE_SINK_H
#define VADTRACE_TRACE_SINK_H

#include <stdint.h>

#include "core/event.h"

/* Walks at most this many frames; 0: no stacks. */
void sink_start(uint32_t stack_depth);

/* The event_sink of core/event.h. Keeps errno. */
void sink_take(const struct event *event);

#endif
