/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What makes `vadtrace record --snapshot` write a snapshot by itself. */

#ifndef VADTRACE_TOOLS_RECORD_TRIGGERS_H
#define VADTRACE_TOOLS_RECORD_TRIGGERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct triggers {
	int signal; /* that asks the recorder for one; 0: none */
	bool at_exit;
	bool at_crash;
	uint64_t commit_bytes, rss_bytes; /* limits; 0: none */
};

/* Reads "exit,signal=USR1,rss=1G" and the like. False after a message. */
bool triggers_parse(struct triggers *triggers, const char *text);

/* Which limits were passed, and not left again since: each passing is told once. */
struct trigger_watch {
	bool is_over_commit, is_over_rss;
};

/* The reason for a snapshot now, or NULL. `live` is the folder of the processes' buffers. */
const char *triggers_look(const struct triggers *triggers, struct trigger_watch *watch, pid_t pid,
			  const char *live);

/* The reason at the program's end, by its wait status, or NULL. */
const char *triggers_at_end(const struct triggers *triggers, int wait_status);

#endif
