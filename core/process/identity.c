/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Read from /proc:
 *
 *   /proc/ID/stat     "ID (name) state parent ... start ..."   the 22nd word is the start
 *   /proc/ID/status   "... Uid: real effective saved files ..."
 *   /proc/ID/ns/user  "user:[number]"                          who may trace it may read that
 *
 * A name may hold spaces and parentheses; words are counted from the last ')'. Holds no state. */

#include "core/process/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>

#include "core/base/status.h"
#include "core/os/os.h"
#include "core/os/os_process.h"
#include "core/process/text.h"

/* Far more than the lines that are read here are long. */
#define FILE_BYTES_MAX 1024
#define ID_MAX 0x7fffffffu
/* Words of stat behind the name. */
#define WORD_STATE 1
#define WORD_THREADS 18
#define WORD_START 20
#define USERS 4

/* The beginning of /proc/ID/NAME, ended by 0; its length, or -errno. */
static ssize_t read_file(uint32_t id, const char *name, char *text)
{
	char path[TEXT_BYTES_MAX];
	ssize_t length;
	int fd;

	text_path(path, id, name);
	fd = os_open(path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	length = os_read(fd, text, FILE_BYTES_MAX - 1);
	os_close(fd);
	text[length > 0 ? length : 0] = '\0';
	return length;
}

/* The `number`-th word behind the name, the first being 1; NULL when there are fewer. */
static const char *find_word(const char *stat, int number)
{
	const char *word = strrchr(stat, ')');

	for (; word && number > 0; number--) {
		word = strchr(word, ' ');
		word = word ? word + 1 : NULL;
	}
	return word;
}

/* 0: it is not there, or has ended and waits for its parent to notice. */
static uint64_t read_start(uint32_t id)
{
	char stat[FILE_BYTES_MAX];
	const char *state, *start;

	if (read_file(id, "stat", stat) <= 0)
		return 0;
	state = find_word(stat, WORD_STATE);
	start = find_word(stat, WORD_START);
	if (!state || !start || *state == 'Z' || *state == 'X')
		return 0;
	return text_read_number(&start);
}

/* Processes of before the first tick do not exist, but a start of 0 could be read. */
bool identity_is_alive(const struct identity *identity)
{
	return read_start(identity->id) == identity->start_ticks;
}

/* The first thread may have ended before the others. */
static bool tells_end(const char *stat, const struct identity *identity)
{
	const char *state = find_word(stat, WORD_STATE);
	const char *threads = find_word(stat, WORD_THREADS);
	const char *start = find_word(stat, WORD_START);

	if (!state || !threads || !start)
		return false;
	if (text_read_number(&start) != identity->start_ticks || *state == 'X')
		return true;
	return *state == 'Z' && text_read_number(&threads) <= 1;
}

bool identity_has_ended(const struct identity *identity)
{
	char stat[FILE_BYTES_MAX];
	ssize_t length = read_file(identity->id, "stat", stat);

	if (length == -ENOENT || length == -ESRCH)
		return true;
	return length > 0 && tells_end(stat, identity);
}

static bool has_our_users(uint32_t id)
{
	char status[FILE_BYTES_MAX];
	const char *line;

	if (read_file(id, "status", status) <= 0)
		return false;
	line = strstr(status, "\nUid:");
	if (!line)
		return false;
	line += strlen("\nUid:");
	for (int i = 0; i < USERS; i++)
		if (text_read_number(&line) != os_user_id())
			return false;
	return true;
}

static bool has_our_namespace(uint32_t id)
{
	char path[TEXT_BYTES_MAX], ours[TEXT_BYTES_MAX], other[TEXT_BYTES_MAX];
	ssize_t length = os_read_link("/proc/self/ns/user", ours, sizeof ours);

	text_path(path, id, "ns/user");
	return length > 0 && os_read_link(path, other, sizeof other) == length &&
	       memcmp(ours, other, (size_t)length) == 0;
}

bool identity_is_same_user(uint32_t id)
{
	return has_our_users(id) && has_our_namespace(id);
}

void identity_of_own(struct identity *identity)
{
	identity->id = os_process_id();
	identity->start_ticks = read_start(identity->id);
}

NTSTATUS identity_find(uint32_t id, struct identity *identity)
{
	uint64_t start_ticks;
	int error;

	if (id == 0 || id > ID_MAX)
		return STATUS_INVALID_CID;
	error = os_process_find(id);
	if (error == -EPERM)
		return STATUS_ACCESS_DENIED;
	if (error < 0)
		return STATUS_INVALID_CID;
	start_ticks = read_start(id);
	if (!start_ticks)
		return STATUS_INVALID_CID;
	if (!identity_is_same_user(id))
		return STATUS_ACCESS_DENIED;
	*identity = (struct identity){ .id = id, .start_ticks = start_ticks };
	return STATUS_SUCCESS;
}
