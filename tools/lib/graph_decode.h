/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Decodes libbabeltrace2's events: finds the fields by name once per event class, by number then.
 */

#ifndef VADTRACE_TOOLS_LIB_GRAPH_DECODE_H
#define VADTRACE_TOOLS_LIB_GRAPH_DECODE_H

#include <babeltrace2/babeltrace.h>
#include <stdbool.h>

#include "tools/lib/decode.h"

struct graph_decoder;

struct graph_decoder *graph_decoder_create(void);
void graph_decoder_destroy(struct graph_decoder *decoder);

/* False: the event is none of ours. Its time is left to the caller. */
bool graph_decode(struct graph_decoder *decoder, const bt_event *event, struct decoded *decoded);

#endif
