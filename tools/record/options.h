/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The words of `vadtrace record`. */

#ifndef VADTRACE_TOOLS_RECORD_OPTIONS_H
#define VADTRACE_TOOLS_RECORD_OPTIONS_H

#include "tools/record/triggers.h"

#include <stdbool.h>
#include <stdint.h>

/* When all buffers are full, LTTng lets a writer sleep for 100 ms: what fits into the buffers of
 * one CPU is what it can write in that time. Larger ones cost memory, and time before main. */
#define OPTIONS_BUFFER_BYTES_MIN (UINT64_C(64) << 10)
#define OPTIONS_BUFFER_BYTES_DEFAULT (UINT64_C(4) << 20)
#define OPTIONS_BUFFER_BYTES_WINDOW (UINT64_C(256) << 10)
#define OPTIONS_BUFFER_BYTES_MAX (UINT64_C(64) << 20)
#define OPTIONS_BUFFER_COUNT 8
#define OPTIONS_QUARANTINE_DEFAULT (UINT64_C(64) << 20)

/* A window's buffer on each CPU, cut into OPTIONS_WINDOW_COUNT parts, the oldest of which goes when
 * a new one is needed. */
#define OPTIONS_WINDOW_COUNT 16
#define OPTIONS_WINDOW_BYTES_MIN (UINT64_C(256) << 10)
#define OPTIONS_WINDOW_BYTES_DEFAULT (UINT64_C(32) << 20)
#define OPTIONS_WINDOW_BYTES_MAX (UINT64_C(1) << 30)

/* How long a writer waits for room: longer than a busy disk takes, and not until the user gives up.
 */
#define OPTIONS_BLOCK_FOR_EVER (-1)
#define OPTIONS_BLOCK_US_DEFAULT 60000000
#define OPTIONS_BLOCK_US_MAX 1800000000

/* What is kept in memory until somebody wants to see it.
 *  - bytes of each CPU's buffer: 0, or a power of two between the limits above. */
struct snapshot_options {
	uint64_t bytes;
	bool has_triggers; /* the user named them */
	struct triggers triggers;
};

/* - command has at least one word and ends with NULL;
 * - buffer_bytes is a power of two between the limits above. */
struct record_options {
	const char *folder; /* -o, NULL: a name made of the program's */
	const char *mode;
	const char *check; /* NULL: blocks are not checked; "pattern", "page" */
	uint64_t quarantine_bytes;
	const char *library; /* NULL: found by environment_find_library */
	const char *relay_url;
	uint64_t min_size_bytes;
	uint64_t commit_limit_bytes; /* 0: none */
	uint64_t buffer_bytes;
	int32_t block_us; /* 0: not at all; OPTIONS_BLOCK_FOR_EVER: nothing is lost */
	struct snapshot_options snapshot;
	uint32_t stack_depth;
	bool buffer_is_given; /* false: buffer_bytes may shrink to what the machine has */
	bool is_forced;       /* -f: an older trace of that name is replaced */
	bool with_children;
	bool is_plain;            /* each call is an event */
	bool is_frames_only;      /* plain, and not once more as LTTng's wrapper tells it */
	bool is_to_be_compressed; /* when it is finished */
	/* Set by who has examined the command. */
	bool is_wine_script;
	bool is_moving; /* the program runs in a child of the process that is started */
	bool is_quiet;
	bool is_verbose;
	char **command;
};

/* False: *exit_status says how to leave; the message or the help is out already. */
bool options_parse(struct record_options *options, int argc, char **argv, int *exit_status);

#endif
