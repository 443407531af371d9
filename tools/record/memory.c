/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* An event is reserved in a buffer, written, and committed:
 *
 *   consumed | whole | whole, whole, reserved but never committed | ... | produced
 *                      `------ the sub-buffer is never complete -----'
 *
 * A writer that is killed between the first step and the last leaves a sub-buffer that LTTng waits
 * for: it and all behind it would be lost, and the session never ends. When the writers of other
 * processes come round to it, they can go no further, and what they write is lost. Each buffer's
 * file begins with a description for lttng-crash(1), by which this reads and sets the two
 * positions, too. */

#include "tools/record/memory.h"

#include "tools/record/folder.h"
#include "tools/record/room.h"
#include "tools/record/session.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { OPEN_FOLDERS_MAX = 16, WORD_BYTES = 8 };

/* Most events are smaller: with less room than this, the next one does not fit. */
enum { EVENT_BYTES_MAX = 8192 };

/* The beginning of a buffer's file, version 0.0 of LTTng's layout. */
struct head {
	uint8_t magic[16];
	uint64_t size_bytes;
	uint16_t endian, major, minor;
	uint8_t word_bytes, type;
	uint32_t produced_at, consumed_at; /* offsets in the file */
	uint8_t unused[72];
	uint64_t buffer_bytes, subbuffer_bytes, subbuffers;
} __attribute__((packed));

_Static_assert(sizeof(struct head) == 136, "LTTng's layout");

static const uint8_t magic[16] = { 0x17, 0x7b, 0xf1, 0x77, 0xbf, 0x17, 0x7b, 0xf1,
				   0x77, 0xbf, 0x17, 0x7b, 0xf1, 0x77, 0xbf, 0x17 };

/* What nftw's visits share. */
static bool rest_is_found, is_passing;
static uint64_t blocked_count, consumed_bytes;
static const char *counted_stream; /* NULL: packets are not counted */
static uint64_t counted_packets;

void memory_path(const char *session, char path[MEMORY_PATH_MAX])
{
	snprintf(path, MEMORY_PATH_MAX, ROOM_SHARED_MEMORY "/%s", session);
}

static bool is_known(const struct head *head)
{
	return !memcmp(head->magic, magic, sizeof(magic)) && head->endian == 0x1234 &&
	       head->major == 0 && head->minor == 0 && head->word_bytes == WORD_BYTES &&
	       head->type == 0 && head->subbuffer_bytes != 0 &&
	       head->produced_at % WORD_BYTES == 0 && head->consumed_at % WORD_BYTES == 0;
}

static void count_packets(const struct head *head, char *memory)
{
	uint64_t *produced = (uint64_t *)(void *)(memory + head->produced_at);
	uint64_t end = __atomic_load_n(produced, __ATOMIC_ACQUIRE);
	uint64_t packets = (end + head->subbuffer_bytes - 1) / head->subbuffer_bytes;

	if (packets > counted_packets)
		counted_packets = packets;
}

static void look_at(const struct head *head, char *memory)
{
	uint64_t *produced = (uint64_t *)(void *)(memory + head->produced_at);
	uint64_t *consumed = (uint64_t *)(void *)(memory + head->consumed_at);
	uint64_t last = __atomic_load_n(produced, __ATOMIC_ACQUIRE);
	uint64_t first = __atomic_load_n(consumed, __ATOMIC_ACQUIRE);
	uint64_t end = last & ~(head->subbuffer_bytes - 1);

	consumed_bytes += first;
	if (first >= end)
		return;
	rest_is_found = true;
	if (last - first + EVENT_BYTES_MAX > head->buffer_bytes)
		blocked_count++;
	if (is_passing)
		__atomic_store_n(consumed, end, __ATOMIC_RELEASE);
}

/* The pages that the two positions are in, from the beginning of the file. */
static void map_and_look(const struct head *head, int file, uint64_t file_bytes)
{
	uint32_t last =
		head->produced_at > head->consumed_at ? head->produced_at : head->consumed_at;
	size_t size_bytes = last + WORD_BYTES;
	void *memory;

	if (size_bytes > file_bytes)
		return;
	memory = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (memory == MAP_FAILED)
		return;
	if (counted_stream)
		count_packets(head, memory);
	else
		look_at(head, memory);
	munmap(memory, size_bytes);
}

static int look_at_file(const char *path, const struct stat *status, int type, struct FTW *place)
{
	int file = type == FTW_F ? open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW) : -1;
	struct head head;
	bool is_meant = !counted_stream || !strcmp(path + place->base, counted_stream);

	if (file < 0)
		return 0;
	if (is_meant && pread(file, &head, sizeof(head), 0) == (ssize_t)sizeof(head) &&
	    is_known(&head))
		map_and_look(&head, file, (uint64_t)status->st_size);
	close(file);
	return 0;
}

static void look(const char *session, bool pass)
{
	char path[MEMORY_PATH_MAX];

	memory_path(session, path);
	rest_is_found = false;
	blocked_count = 0;
	consumed_bytes = 0;
	is_passing = pass;
	nftw(path, look_at_file, OPEN_FOLDERS_MAX, FTW_PHYS);
}

bool memory_has_rest(const char *session)
{
	look(session, /* pass */ false);
	return rest_is_found;
}

uint64_t memory_count_blocked(const char *session)
{
	look(session, /* pass */ false);
	return blocked_count;
}

uint64_t memory_count_consumed(const char *session)
{
	look(session, /* pass */ false);
	return consumed_bytes;
}

uint64_t memory_count_packets(const char *session, const char *stream)
{
	counted_packets = 0;
	counted_stream = stream;
	look(session, /* pass */ false);
	counted_stream = NULL;
	return counted_packets;
}

void memory_pass(const char *session)
{
	look(session, /* pass */ true);
}

static bool run_silently(char *const words[])
{
	posix_spawn_file_actions_t actions;
	int error, status = -1;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	error = posix_spawnp(&pid, words[0], &actions, NULL, words, environ);
	posix_spawn_file_actions_destroy(&actions);
	return !error && waitpid(pid, &status, 0) == pid && status == 0;
}

bool memory_rescue(const char *session, const char *to)
{
	char path[MEMORY_PATH_MAX];
	char *words[] = { (char *)"lttng-crash", (char *)"--extract", (char *)to, path, NULL };

	memory_path(session, path);
	return run_silently(words);
}

void memory_remove(const char *session)
{
	char path[MEMORY_PATH_MAX];

	memory_path(session, path);
	folder_remove_tree(path);
}

void memory_remove_stale(bool (*is_gone)(const char *session))
{
	DIR *list = opendir(ROOM_SHARED_MEMORY);
	struct dirent *entry;

	while (list && (entry = readdir(list)))
		if (entry->d_type == DT_DIR && strlen(entry->d_name) < SESSION_NAME_MAX &&
		    is_gone(entry->d_name))
			memory_remove(entry->d_name);
	if (list)
		closedir(list);
}
