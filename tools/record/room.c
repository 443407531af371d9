/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Sizes and limits only; knows nothing of sessions. A full /dev/shm would end a writer with SIGBUS,
 * and a full disk makes LTTng drop a stream whose writers then wait for ever: both are avoided
 * beforehand. */

#include "tools/record/room.h"

#include "tools/lib/cli.h"
#include "tools/record/folder.h"

#include <unistd.h>

enum { LOOKS_AHEAD = 3 };

static uint64_t on_all_processors(uint64_t bytes)
{
	long processors = sysconf(_SC_NPROCESSORS_CONF);

	return bytes * (uint64_t)(processors > 0 ? processors : 1);
}

uint64_t room_buffers_bytes(uint64_t buffer_bytes)
{
	return on_all_processors(buffer_bytes * OPTIONS_BUFFER_COUNT);
}

/* A window has one more part, for who reads it. */
static uint64_t all_bytes(const struct record_options *options)
{
	return room_buffers_bytes(options->buffer_bytes) +
	       on_all_processors(options->snapshot.bytes +
				 options->snapshot.bytes / OPTIONS_WINDOW_COUNT);
}

/* A little beside the buffers themselves: control pages, and other users of the file system. */
static bool buffers_fit(const struct record_options *options, uint64_t free_bytes)
{
	uint64_t needed = all_bytes(options);

	return needed + needed / 8 <= free_bytes;
}

bool room_fit_buffers(struct record_options *options)
{
	uint64_t free_bytes = folder_free_bytes(ROOM_SHARED_MEMORY);
	char needed[16], available[16];

	while (!options->buffer_is_given && options->buffer_bytes > OPTIONS_BUFFER_BYTES_MIN &&
	       !buffers_fit(options, free_bytes))
		options->buffer_bytes /= 2;
	if (buffers_fit(options, free_bytes))
		return true;
	cli_error("the buffers need %s in " ROOM_SHARED_MEMORY ", which has %s free",
		  cli_format_bytes(all_bytes(options), needed),
		  cli_format_bytes(free_bytes, available));
	cli_hint("make " ROOM_SHARED_MEMORY " larger (mount -o remount,size=1G " ROOM_SHARED_MEMORY
		 "; docker run --shm-size), or choose a smaller %s",
		 options->snapshot.bytes ? "--snapshot" : "--buffer-size");
	return false;
}

bool room_check_disk(const char *folder)
{
	uint64_t free_bytes = folder_free_bytes(folder);
	char available[16], needed[16];

	if (free_bytes >= ROOM_DISK_BYTES_MIN)
		return true;
	cli_error("the disk of '%s' has %s free; recording needs %s at least", folder,
		  cli_format_bytes(free_bytes, available),
		  cli_format_bytes(ROOM_DISK_BYTES_MIN, needed));
	cli_hint("free some space, or choose a folder on another disk with -o");
	return false;
}

bool room_is_short(struct room_watch *watch, const char *folder)
{
	uint64_t free_bytes = folder_free_bytes(folder);
	uint64_t used_bytes =
		watch->last_free_bytes > free_bytes ? watch->last_free_bytes - free_bytes : 0;

	watch->last_free_bytes = free_bytes;
	return free_bytes < ROOM_DISK_BYTES_MIN / 2 + LOOKS_AHEAD * used_bytes;
}
