/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Reads lines such as
 *
 *   MemTotal:       24684092 kB
 *   inactive_file 4096
 *   some avg10=0.00 avg60=0.00 avg300=0.00 total=0
 *
 * No state, no lock. */

#include "core/os/text_file.h"

#include <errno.h>
#include <fcntl.h>

#include "core/os/os.h"

static int fill(struct text_file *file, int fd)
{
	while (file->length < sizeof file->bytes - 1) {
		ssize_t got = os_read(fd, file->bytes + file->length,
				      sizeof file->bytes - 1 - file->length);

		if (got == -EINTR)
			continue;
		if (got < 0)
			return (int)got;
		if (got == 0)
			break;
		file->length += (size_t)got;
	}
	return 0;
}

int text_file_read(struct text_file *file, const char *path)
{
	int fd = os_open(path, O_RDONLY | O_CLOEXEC, /* mode */ 0), error;

	file->length = 0;
	file->bytes[0] = '\0';
	if (fd < 0)
		return fd;
	error = fill(file, fd);
	os_close(fd);
	file->bytes[file->length] = '\0';
	return error;
}

bool text_number(const char **at, uint64_t *number)
{
	const char *text = *at;
	uint64_t value = 0;

	if (*text < '0' || *text > '9')
		return false;
	for (; *text >= '0' && *text <= '9'; text++)
		value = value * 10 + (uint64_t)(*text - '0');
	*at = text;
	*number = value;
	return true;
}

const char *text_next_line(const char *at)
{
	while (*at && *at != '\n')
		at++;
	return *at && at[1] ? at + 1 : NULL;
}

/* What follows `key` at the beginning of this line, or NULL. */
static const char *behind_key(const char *line, const char *key)
{
	for (; *key; key++, line++) {
		if (*line != *key)
			return NULL;
	}
	return *line == ':' || *line == '=' || *line == ' ' || *line == '\t' ? line + 1 : NULL;
}

bool text_file_find(const struct text_file *file, const char *key, uint64_t *number)
{
	const char *line = file->bytes, *at = NULL;

	while (line && !(at = behind_key(line, key)))
		line = text_next_line(line);
	if (!at)
		return false;
	while (*at == ' ' || *at == '\t')
		at++;
	return text_number(&at, number);
}

bool text_file_find_kib(const struct text_file *file, const char *key, uint64_t *size_bytes)
{
	uint64_t number;

	if (!text_file_find(file, key, &number))
		return false;
	*size_bytes = number * 1024;
	return true;
}

bool text_file_number(const struct text_file *file, uint64_t *number)
{
	const char *at = file->bytes;

	return text_number(&at, number);
}
