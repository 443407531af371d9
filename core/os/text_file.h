/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Small text files of the system's (/proc, /sys), without stdio or heap. */

#ifndef VADTRACE_CORE_OS_TEXT_FILE_H
#define VADTRACE_CORE_OS_TEXT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The beginning of a file; what is longer is cut. `bytes` ends with a zero. */
struct text_file {
	size_t length;
	char bytes[8192];
};

/* 0 or -errno. */
int text_file_read(struct text_file *file, const char *path);
/* The number behind `key`, which begins a line and is followed by one of ":= \t"; what follows the
 * number is not looked at. False: there is none. */
bool text_file_find(const struct text_file *file, const char *key, uint64_t *number);
/* The same in bytes, where the file says kB. */
bool text_file_find_kib(const struct text_file *file, const char *key, uint64_t *size_bytes);
/* The number that the file begins with; false: it begins with none ("max"). */
bool text_file_number(const struct text_file *file, uint64_t *number);
/* Reads digits at *at and moves behind them; false: there are none. */
bool text_number(const char **at, uint64_t *number);
/* The beginning of the next line; NULL: there is none. */
const char *text_next_line(const char *at);

#endif
