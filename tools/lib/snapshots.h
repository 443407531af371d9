/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The folder of a recording with snapshots: DIR/snapshot-1, DIR/snapshot-2 ... each a trace. */

#ifndef VADTRACE_TOOLS_LIB_SNAPSHOTS_H
#define VADTRACE_TOOLS_LIB_SNAPSHOTS_H

#include <stdint.h>

#define SNAPSHOTS_PREFIX "snapshot-"

/* A file in DIR: as long as it is there, its maker waits for a snapshot. */
#define SNAPSHOTS_REQUEST ".snapshot.request"

/* The number of the newest snapshot in the folder; 0: there is none. */
uint32_t snapshots_newest(const char *folder);

/* What a command reads that was given `folder`: the newest snapshot in it where it holds
 * snapshots, else itself. NULL after a message: none was taken. The caller frees it. */
char *snapshots_resolve(const char *folder);

#endif
