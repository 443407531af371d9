/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Suppressions of leaks in LeakSanitizer's form: lines `leak:PATTERN`, `#` begins a comment.
 *
 * A pattern matches a function, a source file or a module anywhere in the text; `*` stands for any
 * characters, a first `^` and a last `$` tie it to the text's ends. */

#ifndef VADTRACE_TOOLS_LIB_SUPPRESS_H
#define VADTRACE_TOOLS_LIB_SUPPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct suppression {
	char *pattern;
	uint64_t blocks, bytes; /* that it has hidden */
};

struct suppressions {
	struct suppression *list;
	size_t count, capacity;
};

/* Adds the lines of a file. False: it cannot be read or a line is wrong; a message was printed. */
bool suppressions_read(struct suppressions *suppressions, const char *path);
void suppressions_free(struct suppressions *suppressions);

bool suppression_matches(const char *pattern, const char *text);

/* The first suppression that matches one of the texts (NULL ones are skipped), or NULL. */
struct suppression *suppressions_find(const struct suppressions *suppressions,
				      const char *const texts[], size_t count);

#endif
