/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The last words about a misused block. Allocates nothing, takes no lock, uses no stdio. */

#include "core/heap/misuse.h"

#include <stddef.h>
#include <stdint.h>

#include "core/os/os.h"

#define STDERR_FD 2

/* A line in the making; what does not fit is cut off. */
struct line {
	char text[192];
	size_t length;
};

static void add_text(struct line *line, const char *text)
{
	while (*text && line->length < sizeof(line->text))
		line->text[line->length++] = *text++;
}

static void add_hex(struct line *line, uintptr_t value)
{
	char digits[2 * sizeof(value) + 1];
	size_t position = sizeof(digits) - 1;

	digits[position] = '\0';
	do {
		digits[--position] = "0123456789abcdef"[value & 15];
		value >>= 4;
	} while (value);
	add_text(line, "0x");
	add_text(line, digits + position);
}

static _Noreturn void say_and_abort(struct line *line, const void *address)
{
	add_hex(line, (uintptr_t)address);
	add_text(line, "\n");
	os_write(STDERR_FD, line->text, line->length);
	os_abort();
}

void misuse_abort(const char *text, const void *address)
{
	struct line line = { .length = 0 };

	add_text(&line, "vadtrace: ");
	add_text(&line, text);
	say_and_abort(&line, address);
}

static const char *const descriptions[] = {
	[MISUSE_NONE] = "no misuse of ",
	[MISUSE_FOREIGN] = "no block starts at ",
	[MISUSE_INTERIOR] = "inside a block, not at its start: ",
	[MISUSE_DOUBLE_FREE] = "the block was freed already: ",
	[MISUSE_OVERRUN] = "the program wrote past the end of the block at ",
};

void misuse_abort_in(const char *function, enum misuse misuse, const void *address)
{
	struct line line = { .length = 0 };

	add_text(&line, "vadtrace: ");
	add_text(&line, function);
	add_text(&line, "(): ");
	add_text(&line, descriptions[misuse]);
	say_and_abort(&line, address);
}
