/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The recording's folder on disk. Removes only what is a trace: a folder without a manifest is
 * never replaced. Knows nothing of LTTng. */

#include "tools/record/folder.h"

#include "tools/lib/cli.h"
#include "tools/lib/manifest.h"
#include "trace/schema/live.h"
#include "trace/schema/schema.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { NAMES_TRIED_MAX = 1000, OPEN_FOLDERS_MAX = 16 };

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
	(void)status;
	(void)type;
	(void)place;
	remove(path);
	return 0;
}

static int remove_below(const char *path, const struct stat *status, int type, struct FTW *place)
{
	return place->level > 0 ? remove_entry(path, status, type, place) : 0;
}

static void remove_content(const char *path)
{
	nftw(path, remove_below, OPEN_FOLDERS_MAX, FTW_DEPTH | FTW_PHYS);
}

void folder_remove_tree(const char *path)
{
	nftw(path, remove_entry, OPEN_FOLDERS_MAX, FTW_DEPTH | FTW_PHYS);
}

static bool join(char path[PATH_MAX], const char *folder, const char *name)
{
	return (size_t)snprintf(path, PATH_MAX, "%s/%s", folder, name) < PATH_MAX;
}

static bool is_empty_folder(const char *path)
{
	DIR *stream = opendir(path);
	struct dirent *entry;
	int count = 0;

	if (!stream)
		return false;
	while ((entry = readdir(stream)))
		count++;
	closedir(stream);
	return count == 2;
}

static bool is_trace(const char *path)
{
	char manifest[PATH_MAX];

	return join(manifest, path, VADTRACE_MANIFEST_FILE) && access(manifest, F_OK) == 0;
}

static bool fail_create(const char *name)
{
	int error = errno;

	cli_error("cannot create the folder '%s': %s", name, strerror(error));
	if (error == EEXIST)
		cli_hint("choose another name with -o, or replace the older trace with -f");
	else if (error == ENOSPC || error == EDQUOT)
		cli_hint("free some space, or choose a folder on another disk with -o");
	else
		cli_hint("choose a folder that you may write to with -o");
	errno = error;
	return false;
}

/* Moves an older trace out of the way, in the same parent so that it can come back. */
static bool put_aside(struct folder *folder, const char *name)
{
	if (!is_trace(name)) {
		cli_error("'%s' is not a trace, so -f does not replace it", name);
		cli_hint("choose another name with -o");
		return false;
	}
	if ((size_t)snprintf(folder->replaced, sizeof(folder->replaced), "%s.replaced-%d", name,
			     (int)getpid()) >= sizeof(folder->replaced) ||
	    rename(name, folder->replaced) < 0) {
		folder->replaced[0] = '\0';
		return fail_create(name);
	}
	return true;
}

static bool create_named(struct folder *folder, const char *name, bool is_forced)
{
	if (mkdir(name, 0777) == 0)
		return true;
	if (errno != EEXIST)
		return fail_create(name);
	folder->is_users = is_empty_folder(name);
	if (folder->is_users)
		return true;
	errno = EEXIST;
	if (!is_forced)
		return fail_create(name);
	if (!put_aside(folder, name))
		return false;
	if (mkdir(name, 0777) == 0)
		return true;
	fail_create(name);
	rename(folder->replaced, name);
	return false;
}

/* Process ids come back, above all in containers: then a number follows. */
static bool create_default(struct folder *folder, const char *program, int64_t pid)
{
	for (int i = 1; i <= NAMES_TRIED_MAX; i++) {
		char number[16] = "";

		if (i > 1)
			snprintf(number, sizeof(number), "-%d", i);
		snprintf(folder->shown, sizeof(folder->shown),
			 "vadtrace.%.200s.%" PRId64 "%s.trace", program, pid, number);
		if (mkdir(folder->shown, 0777) == 0)
			return true;
		if (errno != EEXIST)
			break;
	}
	return fail_create(folder->shown);
}

static bool fill_paths(struct folder *folder)
{
	if (!realpath(folder->shown, folder->path))
		return false;
	if (!join(folder->ust, folder->path, "ust") ||
	    !join(folder->live, folder->path, VADTRACE_LIVE_FOLDER)) {
		errno = ENAMETOOLONG;
		return false;
	}
	memcpy(folder->session, folder->path, sizeof(folder->session));
	return mkdir(folder->live, 0777) == 0;
}

/* The user's name for it, without slashes at the end. */
static void set_shown(struct folder *folder, const char *name)
{
	size_t length;

	snprintf(folder->shown, sizeof(folder->shown), "%s", name);
	length = strlen(folder->shown);
	while (length > 1 && folder->shown[length - 1] == '/')
		folder->shown[--length] = '\0';
}

static bool create(struct folder *folder, const char *name, const char *program, int64_t pid,
		   bool is_forced)
{
	if (!name)
		return create_default(folder, program, pid);
	set_shown(folder, name);
	return create_named(folder, folder->shown, is_forced);
}

bool folder_create(struct folder *folder, const char *name, const char *program, int64_t pid,
		   bool is_forced)
{
	memset(folder, 0, sizeof(*folder));
	if (!create(folder, name, program, pid, is_forced))
		return false;
	if (fill_paths(folder))
		return true;
	fail_create(folder->shown);
	snprintf(folder->path, sizeof(folder->path), "%s", folder->shown);
	folder_take_back(folder);
	return false;
}

/* As long as the name of the folder of buffers, which fitted. */
void folder_expect_snapshots(struct folder *folder)
{
	if (join(folder->session, folder->path, "base"))
		memcpy(folder->ust, folder->session, sizeof(folder->ust));
}

void folder_drop_base(const struct folder *folder)
{
	folder_remove_tree(folder->session);
	folder_remove_tree(folder->live);
}

void folder_keep(struct folder *folder)
{
	if (*folder->replaced)
		folder_remove_tree(folder->replaced);
	folder->replaced[0] = '\0';
}

void folder_take_back(struct folder *folder)
{
	int error = errno;

	if (folder->is_users)
		remove_content(folder->path);
	else
		folder_remove_tree(folder->path);
	if (*folder->replaced)
		rename(folder->replaced, folder->path);
	folder->replaced[0] = '\0';
	errno = error;
}

static bool has_records(const struct live_slot_header *header)
{
	return header->magic == LIVE_MAGIC && header->tid && header->used_words;
}

/* A file that cannot be read or is no slot file is not ours to judge: it stays. */
static bool is_spent(int file)
{
	struct live_slot_header header;
	ssize_t length;

	for (off_t at = 0;; at += LIVE_SLOT_SIZE) {
		length = pread(file, &header, sizeof(header), at);
		if (length == 0)
			return true;
		if (length != (ssize_t)sizeof(header) || has_records(&header))
			return false;
	}
}

static void tidy_file(int live, const char *name)
{
	int file = openat(live, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (file < 0)
		return;
	if (is_spent(file))
		unlinkat(live, name, 0);
	close(file);
}

unsigned folder_count_live(const struct folder *folder)
{
	DIR *stream = opendir(folder->live);
	struct dirent *entry;
	unsigned count = 0;

	while (stream && (entry = readdir(stream)))
		count += entry->d_name[0] != '.';
	if (stream)
		closedir(stream);
	return count;
}

void folder_tidy_live(const struct folder *folder)
{
	DIR *stream = opendir(folder->live);
	struct dirent *entry;

	if (!stream)
		return;
	while ((entry = readdir(stream)))
		if (entry->d_name[0] != '.')
			tidy_file(dirfd(stream), entry->d_name);
	closedir(stream);
	rmdir(folder->live);
}

static uint64_t counted_bytes;

static int count_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
	(void)path;
	(void)place;
	if (type == FTW_F)
		counted_bytes += (uint64_t)status->st_size;
	return 0;
}

uint64_t folder_size_bytes(const char *path)
{
	counted_bytes = 0;
	nftw(path, count_entry, OPEN_FOLDERS_MAX, FTW_PHYS);
	return counted_bytes;
}

uint64_t folder_free_bytes(const char *path)
{
	struct statvfs disk;

	if (statvfs(path, &disk) < 0)
		return UINT64_MAX;
	return (uint64_t)disk.f_bavail * disk.f_frsize;
}
