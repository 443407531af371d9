/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Slots for records in a file that outlives the process (schema/live.h). */

#ifndef VADTRACE_TRACE_LIVE_H
#define VADTRACE_TRACE_LIVE_H

#include <stdbool.h>

#include "trace/schema/live.h"

/* `folder` NULL: slots lie in private memory. */
void live_start(const char *folder);

/* Two slots, zero but for their magic and pid, for good; false when there is no memory. When the
 * folder cannot be written to, they lie in private memory. The caller holds a lock. */
bool live_take_pair_locked(struct live_slot *pair[2]);

/* For who watches the process: its commit charge now. Nowhere to be seen before the first slot is
 * taken. */
void live_tell_commit(uint64_t commit_bytes);

/* Removes the file. Slots that were taken stay usable; new ones get a new file. */
void live_remove(void);

/* In a fork's child: the parent's slots are unmapped. */
void live_fork_child(void);

#endif
