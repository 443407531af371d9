/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What killed processes left in DIR/live: records that never reached LTTng. */

#ifndef VADTRACE_TOOLS_LIB_LIVE_H
#define VADTRACE_TOOLS_LIB_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/schema/live.h"

/* The used slots of all files, in the order of begin_ns. */
struct live {
	struct live_slot *slots;
	size_t count, capacity;
	size_t damaged_count; /* pages that are neither a slot nor free */
};

/* Reads all files of FOLDER/live. A folder that is not there holds nothing. */
void live_read(struct live *live, const char *folder);
void live_free(struct live *live);

/* The trace has this batch: its slot, which a process that was killed while it emitted it left as
 * well, has pid 0 from now on. */
void live_drop_batch(struct live *live, uint32_t pid, uint32_t tid, uint64_t begin_ns);

#endif
