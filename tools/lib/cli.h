/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What all commands share on the terminal: messages, exit statuses, progress. */

#ifndef VADTRACE_TOOLS_LIB_CLI_H
#define VADTRACE_TOOLS_LIB_CLI_H

#include <stdbool.h>
#include <stdint.h>

enum cli_exit {
	CLI_EXIT_OK = 0,
	CLI_EXIT_FAILURE = 1, /* the work could not be done; a message says why */
	CLI_EXIT_USAGE = 2,   /* the words of the call are wrong */
};

/* "vadtrace: MESSAGE" on stderr, with a newline. */
void cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "vadtrace: warning: MESSAGE". */
void cli_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "  hint: MESSAGE": what the user can do about the error before. */
void cli_hint(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Reads a size: digits with an optional K, M, G or T (powers of 1024). False when it is none. */
bool cli_parse_size(const char *text, uint64_t *bytes);
/* "1.5 GiB"; the buffer is the caller's, 16 characters suffice. */
const char *cli_format_bytes(uint64_t bytes, char buffer[16]);

/* Progress of long work: shows on stderr when it is a terminal and half a second has passed;
 * erased by cli_progress_end. `done` of `total` in any unit. */
void cli_progress(const char *what, uint64_t done, uint64_t total);
void cli_progress_end(void);

#endif
