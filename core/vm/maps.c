/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Reads lines of the form
 *
 *   7f12a4000000-7f12a4021000 rw-p 00000000 fd:01 1234    /path
 *
 * through a static buffer. Guarded by: vm_lock. */

#include "core/vm/maps.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "core/base/check.h"
#include "core/os/os.h"
#include "core/vm/vad.h"

static char text[4096];

int maps_open(struct maps_reader *reader)
{
	check_debug(lock_is_mine(&vm_lock), "the system's mappings read without the lock");
	reader->fd = os_open("/proc/self/maps", O_RDONLY | O_CLOEXEC, /* mode */ 0);
	reader->next = reader->filled = 0;
	reader->error = 0;
	return reader->fd < 0 ? reader->fd : 0;
}

int maps_close(struct maps_reader *reader)
{
	os_close(reader->fd);
	return reader->error;
}

/* The next character, or -1 at the end. */
static int next_character(struct maps_reader *reader)
{
	ssize_t got;

	if (reader->next == reader->filled) {
		do
			got = os_read(reader->fd, text, sizeof text);
		while (got == -EINTR);
		if (got < 0)
			reader->error = (int)got;
		if (got <= 0)
			return -1;
		reader->next = 0;
		reader->filled = (size_t)got;
	}
	return (unsigned char)text[reader->next++];
}

static int digit_of(int character)
{
	if (character >= '0' && character <= '9')
		return character - '0';
	if (character >= 'a' && character <= 'f')
		return character - 'a' + 10;
	return 16;
}

/* Reads digits and the character after them. */
static uint64_t read_number(struct maps_reader *reader, int base, int *after)
{
	uint64_t number = 0;
	int character = next_character(reader);

	for (; digit_of(character) < base; character = next_character(reader))
		number = number * (unsigned)base + (unsigned)digit_of(character);
	*after = character;
	return number;
}

static void read_permissions(struct maps_reader *reader, struct maps_line *line)
{
	line->prot = next_character(reader) == 'r' ? PROT_READ : 0;
	line->prot |= next_character(reader) == 'w' ? PROT_WRITE : 0;
	line->prot |= next_character(reader) == 'x' ? PROT_EXEC : 0;
	line->is_shared = next_character(reader) == 's';
	next_character(reader);
}

/* Reads the name behind the spaces, to the line's end; whether it is this one. */
static bool read_name(struct maps_reader *reader, const char *name, int *after)
{
	size_t length = strlen(name), matched = 0;

	while (*after == ' ')
		*after = next_character(reader);
	for (; *after != '\n' && *after != -1; *after = next_character(reader))
		matched = matched < length && *after == name[matched] ? matched + 1 : length + 1;
	return matched == length;
}

bool maps_next(struct maps_reader *reader, struct maps_line *line)
{
	int after;

	line->base = read_number(reader, 16, &after);
	if (after != '-')
		return false;
	line->end = read_number(reader, 16, &after);
	read_permissions(reader, line);
	line->file_offset = read_number(reader, 16, &after);
	line->device = read_number(reader, 16, &after) << 32;
	line->device |= read_number(reader, 16, &after);
	line->inode = read_number(reader, 10, &after);
	line->is_stack = read_name(reader, "[stack]", &after);
	/* The kernel's own page for old system calls lies above. */
	return after == '\n' && line->base < line->end && line->end <= OS_USER_END;
}
