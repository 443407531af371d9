/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Replaces the streams of a finished trace by compressed ones, and back. */

#ifndef VADTRACE_TOOLS_LIB_COMPRESS_H
#define VADTRACE_TOOLS_LIB_COMPRESS_H

#include <stdbool.h>
#include <stdint.h>

/* What is to be done, and what became of it.
 *  - is_interrupted is asked now and then, NULL: never; when it says so, the rest is left. */
struct compress {
	bool is_decompressing;
	bool (*is_interrupted)(void);
	uint64_t before_bytes, after_bytes; /* of the streams; valid after success */
	bool is_done_already;               /* all streams were so before */
};

/* CLI_EXIT_OK; or CLI_EXIT_FAILURE after a message: the trace is as good as before, and those of
 * its files that were not replaced are the same. One call at a time. */
int compress_trace(const char *folder, struct compress *wish);

#endif
