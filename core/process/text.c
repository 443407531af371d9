/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Texts without stdio. What does not fit is left out: all are short by what they are made of. */

#include "core/process/text.h"

#include <string.h>
#include <sys/types.h>

#include "core/os/os_process.h"
#include "core/process/protocol.h"

#define DIGITS_MAX 10

static void append(char *text, const char *more)
{
	size_t length = strlen(text), size_bytes = strlen(more) + 1;

	if (length + size_bytes <= TEXT_BYTES_MAX)
		memcpy(text + length, more, size_bytes);
}

static void append_number(char *text, uint32_t number)
{
	char digits[DIGITS_MAX + 1] = "";
	char *digit = digits + DIGITS_MAX;

	*digit = '\0';
	do {
		*--digit = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	append(text, digit);
}

void text_path(char *text, uint32_t id, const char *name)
{
	*text = '\0';
	append(text, "/proc/");
	append_number(text, id);
	append(text, "/");
	append(text, name);
}

void text_serving_name(char *text, uint32_t id)
{
	char view[TEXT_BYTES_MAX];
	ssize_t length = os_read_link("/proc/self/ns/pid", view, sizeof view - 1);

	*text = '\0';
	if (length <= 0)
		return;
	view[length] = '\0';
	append(text, PROTOCOL_NAME_PREFIX);
	append(text, view);
	append(text, "/");
	append_number(text, id);
}

uint64_t text_read_number(const char **text)
{
	const char *next = *text;
	uint64_t number = 0;

	while (*next == ' ' || *next == '\t')
		next++;
	while (*next >= '0' && *next <= '9')
		number = number * 10 + (uint64_t)(*next++ - '0');
	*text = next;
	return number;
}
