/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Reads streams with libbabeltrace2: slow, and understands every CTF trace. */

#ifndef VADTRACE_TOOLS_LIB_GRAPH_H
#define VADTRACE_TOOLS_LIB_GRAPH_H

#include <stdbool.h>

#include "tools/lib/images.h"
#include "tools/lib/reader.h"
#include "tools/lib/streams.h"

/* Applies all events to the images; counts, and what went wrong, go into the summary. False, with a
 * message: libbabeltrace2 cannot work. */
bool graph_read(const struct streams *streams, struct images *images,
		struct reader_summary *summary);

#endif
