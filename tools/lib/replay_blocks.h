/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Blocks' happenings against the table of live blocks, and every figure that they change. Part of
 * replay; nothing else includes this. */

#ifndef VADTRACE_TOOLS_LIB_REPLAY_BLOCKS_H
#define VADTRACE_TOOLS_LIB_REPLAY_BLOCKS_H

#include "tools/lib/replay.h"

/* Applies the records, which are in order. The process is one that has its memory. */
void replay_blocks_apply(struct replay_process *process, const struct trace_record *records,
			 size_t count);
/* A heap's end takes its blocks with it. */
void replay_blocks_destroy_heap(struct replay_process *process, const struct trace_event *event);
/* After the last event: the sites' peaks are valid. */
void replay_blocks_finish(struct replay_process *process);

#endif
