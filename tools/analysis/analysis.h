/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A trace, read and replayed: what all three commands start from. */

#ifndef VADTRACE_TOOLS_ANALYSIS_ANALYSIS_H
#define VADTRACE_TOOLS_ANALYSIS_ANALYSIS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "tools/analysis/arguments.h"
#include "tools/analysis/tree.h"
#include "tools/lib/manifest.h"
#include "tools/lib/reader.h"
#include "tools/lib/replay.h"
#include "tools/lib/suppress.h"
#include "tools/lib/symbols.h"

struct analysis {
	struct arguments options;
	char *folder; /* options.folder: the newest snapshot's, where there are several */
	struct manifest manifest;
	bool has_manifest;
	struct reader_summary summary;
	struct replay replay;
	struct symbols *symbols;
	struct suppressions suppressions;
	const struct replay_process *target; /* the image that is reported */
	bool is_damaged;
	bool is_lossy; /* totals are lower bounds */
};

/* A command, from its words to its exit status: reads the trace that argv names and has `print`
 * show it, which answers the exit status. */
int analysis_run(const struct arguments_command *command, int argc, char **argv,
		 int (*print)(struct analysis *analysis));

/* Reads the trace that the options name. 0, or the exit status after a message. The caller closes
 * the analysis in either case. */
int analysis_open(struct analysis *analysis, const struct arguments *options);
void analysis_close(struct analysis *analysis);

/* The exit status of a command that has printed all it had to. */
int analysis_status(const struct analysis *analysis);

/* The tree of one metric of the target. */
struct tree *analysis_tree(struct analysis *analysis, const struct tree_metric *metric);

/* The metrics that the options ask for: false for those that are left out. */
bool analysis_shows(const struct analysis *analysis, const struct tree_metric *metric);

/* Bytes of the trace per happening that it tells of. */
double analysis_bytes_per_event(const struct analysis *analysis);
uint64_t analysis_event_count(const struct analysis *analysis);

/* CPUs' buffers that a killed process left full, where the trace has other processes that may have
 * written there. What itself wrote last is in its thread buffers. */
uint64_t analysis_blocked_buffers(const struct analysis *analysis);

/* Calls of one function that were told, and the bytes of blocks that they gave. */
struct analysis_function {
	uint64_t calls, bytes, failed;
};
struct analysis_function analysis_function(const struct replay_process *process, uint16_t api);
/* One more than the largest number of a function that has any. */
size_t analysis_function_count(const struct replay_process *process);

/* Words for numbers of the schema; "?" and the number for those this version does not know. */
const char *analysis_api_name(uint16_t api, char buffer[16]);
const char *analysis_kind_name(unsigned kind);
const char *analysis_reason_name(uint32_t reason);
const char *analysis_owner_name(unsigned owner);
/* "READWRITE", "EXECUTE_READ|GUARD"; the buffer is the caller's, 64 characters suffice. */
const char *analysis_protect_name(uint32_t protect, char buffer[64]);

/* What the system makes of one PAGE_*: "rw-". */
const char *analysis_system_protection(uint32_t protect);

/* The regions that recorded calls reserved and that are left, the largest commit first. The caller
 * frees the list. */
struct space_region *analysis_regions(const struct replay_process *process, size_t *count);

/* The function whose call this stack is, as sites are named. */
const char *analysis_site_name(struct analysis *analysis, uint32_t site);

#endif
