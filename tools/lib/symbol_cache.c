/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* One file for each module, see symbol_store.h. A file's time is that of its last use. Two commands
 * may trim at once: what is gone already is not missed. */

#include "tools/lib/symbol_cache.h"
#include "tools/lib/symbol_store.h"
#include "tools/lib/xalloc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { DRAFT_SECONDS_MAX = 3600 };

char *symbol_cache_folder(void)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

	if (cache && *cache == '/')
		return xasprintf("%s/vadtrace/symbols", cache);
	return home && *home == '/' ? xasprintf("%s/.cache/vadtrace/symbols", home) : NULL;
}

int symbol_cache_make(const char *folder)
{
	char *path = xstrdup(folder);
	int error = 0;

	for (char *slash = path; slash && !error;) {
		slash = strchr(slash + 1, '/');
		if (slash)
			*slash = '\0';
		if (mkdir(path, 0700) && errno != EEXIST)
			error = access(path, X_OK) ? -errno : 0;
		if (slash)
			*slash = '/';
	}
	free(path);
	return error;
}

struct entry {
	char *name;
	uint64_t size_bytes;
	struct timespec used;
};

struct entries {
	struct entry *list;
	size_t count, capacity;
	uint64_t size_bytes;
};

static int compare(const void *left, const void *right)
{
	const struct timespec *a = &((const struct entry *)left)->used;
	const struct timespec *b = &((const struct entry *)right)->used;

	if (a->tv_sec != b->tv_sec)
		return a->tv_sec < b->tv_sec ? -1 : 1;
	return (a->tv_nsec > b->tv_nsec) - (a->tv_nsec < b->tv_nsec);
}

static bool is_left_behind(const char *name, const struct stat *status)
{
	return !strncmp(name, SYMBOL_STORE_DRAFT, strlen(SYMBOL_STORE_DRAFT)) &&
	       time(NULL) - status->st_mtim.tv_sec > DRAFT_SECONDS_MAX;
}

/* Nothing that is not ours is touched. */
static void take_entry(struct entries *entries, int folder, const char *name)
{
	struct stat status;

	if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) || !S_ISREG(status.st_mode))
		return;
	if (is_left_behind(name, &status))
		unlinkat(folder, name, 0);
	if (!symbol_store_is_name(name))
		return;
	entries->list =
		xgrow(entries->list, entries->count, &entries->capacity, sizeof(*entries->list));
	entries->list[entries->count++] =
		(struct entry){ xstrdup(name), (uint64_t)status.st_size, status.st_mtim };
	entries->size_bytes += (uint64_t)status.st_size;
}

void symbol_cache_trim(const char *folder, uint64_t limit_bytes)
{
	struct entries entries = { 0 };
	DIR *list = opendir(folder);
	struct dirent *entry;

	while (list && (entry = readdir(list)))
		take_entry(&entries, dirfd(list), entry->d_name);
	if (entries.count)
		qsort(entries.list, entries.count, sizeof(*entries.list), compare);
	for (size_t i = 0; i < entries.count; i++) {
		if (entries.size_bytes > limit_bytes &&
		    unlinkat(dirfd(list), entries.list[i].name, 0) == 0)
			entries.size_bytes -= entries.list[i].size_bytes;
		free(entries.list[i].name);
	}
	free(entries.list);
	if (list)
		closedir(list);
}

static bool is_there(char *path)
{
	bool found = access(path, F_OK) == 0;

	free(path);
	return found;
}

bool symbol_cache_has_debug_file(const char *path, const char *build_id)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	int length = slash ? (int)(slash - path) : 0;

	return is_there(xasprintf("/usr/lib/debug/.build-id/%.2s/%s.debug", build_id,
				  build_id + 2)) ||
	       is_there(xasprintf("%.*s/%s.debug", length, path, name)) ||
	       is_there(xasprintf("%.*s/.debug/%s.debug", length, path, name)) ||
	       is_there(xasprintf("/usr/lib/debug%.*s/%s.debug", length, path, name));
}
