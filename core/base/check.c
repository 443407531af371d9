/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The end of a process whose memory manager can no longer be trusted. */

#include "core/base/check.h"

#include "core/os/os.h"

#define PREFIX "vadtrace: broken invariant: "

/* Puts as much of `text` as fits at `end` of the buffer; returns the new end. */
static size_t append(char *buffer, size_t end, size_t capacity, const char *text)
{
	while (*text && end < capacity)
		buffer[end++] = *text++;
	return end;
}

_Noreturn void check_fail(const char *text)
{
	char line[256];
	size_t length = append(line, 0, sizeof line - 1, PREFIX);

	length = append(line, length, sizeof line - 1, text);
	line[length++] = '\n';
	os_write(2, line, length);
	os_abort();
}
