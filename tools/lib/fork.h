/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What a fork's child finds in its memory. Part of replay; nothing else includes this.
 *
 * The parent's marker and the child's first event come in any order: the marker's memory waits for
 * the child, or the child for the marker. Nothing is copied (blocks.h, space.h). */

#ifndef VADTRACE_TOOLS_LIB_FORK_H
#define VADTRACE_TOOLS_LIB_FORK_H

#include "tools/lib/replay.h"

/* A child has begun: it takes its parent's memory, or waits for it. */
void fork_begin_child(struct replay *replay, struct replay_process *child);

/* A TRACE_FORK of the parent. */
void fork_mark(struct replay *replay, struct replay_process *parent, uint64_t fork_ns);

/* The child's first happening is due: if it still waits, the marker was lost, and the parent's
 * memory as it is now must do. */
void fork_end_wait(struct replay *replay, struct replay_process *child);

/* Frees what no child came for. */
void fork_free_all(struct replay *replay);

#endif
