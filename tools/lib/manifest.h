/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* DIR/vadtrace.json: what was recorded, where, how, and how it ended. Written when the recording
 * begins (complete: false) and again when it is finished, so that an interrupted one is known. */

#ifndef VADTRACE_TOOLS_LIB_MANIFEST_H
#define VADTRACE_TOOLS_LIB_MANIFEST_H

#include <stdbool.h>
#include <stdint.h>

/* Rises when a reader of the older version would misunderstand the file; new keys do not count. */
#define MANIFEST_FORMAT_VERSION 1

struct manifest_host {
	char *node; /* uname(2) */
	char *system;
	char *release;
	char *machine;
};

/* The clock of the events, CLOCK_MONOTONIC, on the machine that recorded.
 *  - realtime_offset_ns is what CLOCK_REALTIME was ahead of it when the recording began, give or
 * take uncertainty_ns. */
struct manifest_clock {
	char *source;           /* what the kernel reads, "tsc" for one; "": it does not tell */
	uint64_t resolution_ns; /* 0: not known; nothing here is */
	uint64_t reading_ns;    /* what a reading costs at least */
	uint64_t realtime_offset_ns;
	uint64_t uncertainty_ns;
};

struct manifest_options {
	bool children;
	bool discard; /* LTTng may drop events rather than hold the program up */
	bool plain;   /* each call is an event */
	uint32_t stack_depth;
	uint64_t min_size_bytes;
	uint64_t buffer_bytes;       /* of one sub-buffer */
	uint32_t buffer_count;       /* sub-buffers on each CPU */
	char *relay_url;             /* NULL: the trace is in DIR/ust */
	uint64_t commit_limit_bytes; /* 0: none */
	uint64_t snapshot_bytes;     /* of each CPU's window; 0: everything was written */
};

/* Which of a recording's snapshots this folder is, and what of the blocks it holds: all that
 * happened to them from begin_ns to end_ns, and nothing else.
 *  - number is 0 when it is none: with options.snapshot_bytes the folder of all snapshots then. */
struct manifest_snapshot {
	uint32_t number;
	char *reason; /* exit, crash, signal, commit, rss or request */
	uint64_t begin_ns, end_ns;
};

/* How the program ended, as waitpid(2) tells it. */
struct manifest_end {
	bool known;
	int exit_status; /* -1 when a signal ended it */
	int signal;      /* 0 when it exited */
};

/* What LTTng says it did not write.
 *  - blocked_buffers are those of CPUs that a killed process left in the middle of an event, and
 * that filled up behind it: what the others wrote there later is not counted by anybody. */
struct manifest_loss {
	uint64_t events_discarded;
	uint64_t packets_lost;
	uint64_t blocked_buffers;
	bool known; /* false: LTTng could not be asked, any number may be missing */
};

/* One recording, or one of its snapshots.
 *  - Strings are allocated and never NULL after manifest_read, except options.relay_url;
 *  - command ends with NULL and has at least one word;
 *  - end, loss, stopped and duration_ns mean something only when complete. */
struct manifest {
	uint32_t format_version;
	uint32_t schema_version;
	char *vadtrace_version;
	char *session; /* the same as in every vadtrace_meta:process event */
	char *mode;    /* route, observe or verify */
	char **command;
	char *executable; /* resolved path of command[0] */
	char *cwd;
	struct manifest_host host;
	int64_t pid; /* the first process */
	uint64_t start_realtime_ns;
	uint64_t start_monotonic_ns; /* the clock of the events */
	uint64_t duration_ns;
	struct manifest_clock clock;
	struct manifest_options options;
	struct manifest_end end;
	struct manifest_loss loss;
	struct manifest_snapshot snapshot;
	char *stopped; /* why recording ended before the program did; "" when it did not */
	bool complete;
};

/* Replaces FOLDER/vadtrace.json in one step. 0 or -errno. */
int manifest_write(const char *folder, const struct manifest *manifest);

/* Reads FOLDER/vadtrace.json. -ENOENT when there is none, -EBADMSG when it is damaged, -ENOTSUP
 * when a later version wrote it (format_version is set, nothing else); else 0 and the caller frees.
 * A missing key reads as "", 0 or false. */
int manifest_read(const char *folder, struct manifest *manifest);

/* The clock as the manifest has it, and the reports do; the caller's. */
struct json_object;
struct json_object *manifest_clock_json(const struct manifest_clock *clock);

/* Frees what manifest_read allocated. */
void manifest_free(struct manifest *manifest);

#endif
