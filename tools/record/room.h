/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Room for LTTng's buffers in memory and for the trace on disk. */

#ifndef VADTRACE_TOOLS_RECORD_ROOM_H
#define VADTRACE_TOOLS_RECORD_ROOM_H

#include "tools/record/options.h"

#include <stdbool.h>
#include <stdint.h>

/* LTTng's buffers are files there. */
#define ROOM_SHARED_MEMORY "/dev/shm"

/* A recording does not begin with less on its disk, and ends before it is full. */
#define ROOM_DISK_BYTES_MIN (UINT64_C(32) << 20)

/* With less, something could not be written. */
#define ROOM_DISK_BYTES_FULL (UINT64_C(1) << 20)

/* What one user's buffers take on this machine. */
uint64_t room_buffers_bytes(uint64_t buffer_bytes);

/* Makes buffer_bytes smaller until all buffers fit, unless the user chose it. False after a
 * message. */
bool room_fit_buffers(struct record_options *options);

/* False after a message. */
bool room_check_disk(const char *folder);

/* Looks at the disk again and again.
 *  - last_free_bytes is what was free at the look before, 0 at first. */
struct room_watch {
	uint64_t last_free_bytes;
};

/* Whether the disk would be full before a few more looks, should the trace go on growing so. */
bool room_is_short(struct room_watch *watch, const char *folder);

#endif
