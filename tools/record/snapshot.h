/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Snapshots of a recording that keeps a window of the newest events: each a whole trace of its own.
 *
 *   DIR/base/         what the main session writes, while the recording lasts
 *   DIR/snapshot-N/   vadtrace.json   base/ (hard links)   window/ (LTTng's)   live/ (copies)
 *
 * What a snapshot holds of blocks is exact between two times: from when on nothing of any CPU's
 * buffer was overwritten, to when it was asked for. */

#ifndef VADTRACE_TOOLS_RECORD_SNAPSHOT_H
#define VADTRACE_TOOLS_RECORD_SNAPSHOT_H

#include "tools/lib/manifest.h"
#include "tools/record/folder.h"

#include <limits.h>
#include <stdbool.h>

/* - number is that of the newest, 0 before the first;
 * - is_open: it was begun and not finished; it has a hidden name until then. */
struct snapshot {
	uint32_t number;
	bool is_open;
	const char *reason;
	uint64_t begin_ns, end_ns;
	char part[PATH_MAX]; /* where it is written */
};

/* Copies what is in memory. `is_dead`: none of the traced processes is left, so LTTng's buffers may
 * be read as they are, with what a killed writer has not finished. False after a message: there is
 * none, and the recording goes on. */
bool snapshot_begin(struct snapshot *snapshot, const struct folder *folder, const char *reason,
		    bool is_dead);

/* Adds what the main session has written so far (all of it, when it has stopped; the rotated part
 * before), and gives the snapshot its name. `manifest` is the recording's. */
bool snapshot_finish(struct snapshot *snapshot, const struct folder *folder,
		     const struct manifest *manifest);

/* Takes back what snapshot_begin made. */
void snapshot_cancel(struct snapshot *snapshot);

/* Whether `vadtrace snapshot` asks for one; its request stays until snapshot_answer. */
bool snapshot_is_requested(const struct folder *folder);
void snapshot_answer(const struct folder *folder);

#endif
