/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Messages, sizes and progress on the terminal. Knows nothing of traces. */

#include "tools/lib/cli.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static bool progress_is_shown;

static void print(const char *prefix, const char *format, va_list arguments)
{
	cli_progress_end();
	fputs(prefix, stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
}

void cli_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print("vadtrace: ", format, arguments);
	va_end(arguments);
}

void cli_warn(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print("vadtrace: warning: ", format, arguments);
	va_end(arguments);
}

void cli_hint(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print("  hint: ", format, arguments);
	va_end(arguments);
}

bool cli_parse_size(const char *text, uint64_t *bytes)
{
	static const char units[] = "KMGT";
	const char *unit;
	char *end;
	unsigned shift = 0;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	uint64_t value = strtoull(text, &end, 10);
	if (errno)
		return false;
	unit = *end ? strchr(units, *end >= 'a' ? *end - 'a' + 'A' : *end) : NULL;
	if (unit) {
		shift = 10 * (unsigned)(unit - units + 1);
		end++;
		end += end[0] == 'i' && end[1] == 'B' ? 2 : end[0] == 'B';
	}
	if (*end || value > UINT64_MAX >> shift)
		return false;
	*bytes = value << shift;
	return true;
}

const char *cli_format_bytes(uint64_t bytes, char buffer[16])
{
	static const char units[] = "KMGTPE";
	double value = (double)bytes;
	int unit = -1;

	while (value >= 1024 && unit < 5) {
		value /= 1024;
		unit++;
	}
	if (unit < 0)
		snprintf(buffer, 16, "%" PRIu64 " B", bytes);
	else
		snprintf(buffer, 16, "%.1f %ciB", value, units[unit]);
	return buffer;
}

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void cli_progress(const char *what, uint64_t done, uint64_t total)
{
	static double first, last;
	double now = seconds_now();

	if (!first)
		first = last = now;
	if (now - first < 0.5 || now - last < 0.1 || !isatty(STDERR_FILENO))
		return;
	last = now;
	progress_is_shown = true;
	fprintf(stderr, "\r\033[K%s %3.0f %%", what,
		total ? 100.0 * (double)done / (double)total : 0.0);
}

void cli_progress_end(void)
{
	if (!progress_is_shown)
		return;
	fputs("\r\033[K", stderr);
	progress_is_shown = false;
}
