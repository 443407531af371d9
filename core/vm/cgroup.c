/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* /proc/self/cgroup names the group of each hierarchy:
 *
 *   4:memory:/user/one      v1: /sys/fs/cgroup/memory/user/one/memory.limit_in_bytes
 *   0::/user/one            v2: /sys/fs/cgroup/user/one/memory.max
 *
 * In a container the path may be one that cannot be seen from inside; the folders above it that can
 * be seen are asked then. No state, no lock. */

#include "core/vm/cgroup.h"

#include <errno.h>

static const struct {
	const char *controller; /* in /proc/self/cgroup */
	const char *root;
	const char *other_root; /* where both versions are there; NULL: there is no other */
	const char *limit;
	const char *use;
	const char *file_pages; /* in memory.stat */
	const char *swap_limit;
	const char *swap_use;
	bool swap_has_memory; /* the figures of swap are those of memory and swap together */
} versions[CGROUP_VERSIONS] = {
	[CGROUP_V1] = { "memory", "/sys/fs/cgroup/memory", NULL, "memory.limit_in_bytes",
			"memory.usage_in_bytes", "total_inactive_file",
			"memory.memsw.limit_in_bytes", "memory.memsw.usage_in_bytes", true },
	[CGROUP_V2] = { "", "/sys/fs/cgroup/unified", "/sys/fs/cgroup", "memory.max",
			"memory.current", "inactive_file", "memory.swap.max", "memory.swap.current",
			false },
};

/* Adds text up to the end of its line; false: no room. */
static bool append(struct cgroup *group, const char *text)
{
	for (; *text && *text != '\n'; text++) {
		if (group->length == sizeof group->path - 1)
			return false;
		group->path[group->length++] = *text;
	}
	group->path[group->length] = '\0';
	return true;
}

/* Whether `controller` is in the list of a line, up to its colon; *path is what follows. */
static bool has_controller(const char *list, const char *controller, const char **path)
{
	bool is_found = false;

	while (*list && *list != '\n') {
		const char *name = controller;

		while (*name && *list == *name)
			name++, list++;
		is_found |= !*name && (*list == ',' || *list == ':');
		while (*list && *list != ',' && *list != ':' && *list != '\n')
			list++;
		if (*list++ == ':')
			break;
	}
	*path = list;
	return is_found;
}

/* The path of the line that is of this controller, or NULL. */
static const char *find_line(const struct text_file *file, const char *controller)
{
	for (const char *line = file->bytes; line; line = text_next_line(line)) {
		const char *at = line, *path;
		uint64_t hierarchy;

		if (text_number(&at, &hierarchy) && *at++ == ':' &&
		    has_controller(at, controller, &path))
			return path;
	}
	return NULL;
}

static bool is_there(const char *root)
{
	struct text_file file;
	struct cgroup group = { .length = 0 };

	return append(&group, root) && cgroup_read(&group, "cgroup.procs", &file) == 0;
}

bool cgroup_find(struct cgroup *group, enum cgroup_version version)
{
	const char *root = versions[version].root, *path;
	struct text_file file;

	if (text_file_read(&file, "/proc/self/cgroup") < 0)
		return false;
	path = find_line(&file, versions[version].controller);
	if (!path)
		return false;
	if (versions[version].other_root && !is_there(root))
		root = versions[version].other_root;
	group->version = version;
	group->length = 0;
	append(group, root);
	group->root_length = group->length;
	if (!append(group, path))
		group->path[group->length = group->root_length] = '\0';
	while (group->length > group->root_length && group->path[group->length - 1] == '/')
		group->path[--group->length] = '\0';
	return true;
}

bool cgroup_up(struct cgroup *group)
{
	if (group->length == group->root_length)
		return false;
	while (group->length > group->root_length && group->path[group->length - 1] != '/')
		group->length--;
	if (group->length > group->root_length)
		group->length--;
	group->path[group->length] = '\0';
	return true;
}

int cgroup_read(const struct cgroup *group, const char *name, struct text_file *file)
{
	struct cgroup named = *group;

	if (!append(&named, "/") || !append(&named, name))
		return -ENAMETOOLONG;
	return text_file_read(file, named.path);
}

/* The only number of a file; `otherwise` where there is no file, or it says "max". */
static uint64_t figure(const struct cgroup *group, const char *name, uint64_t otherwise)
{
	struct text_file file;
	uint64_t number;

	if (cgroup_read(group, name, &file) < 0 || !text_file_number(&file, &number))
		return otherwise;
	return number;
}

static uint64_t less(uint64_t number, uint64_t part)
{
	return number > part ? number - part : 0;
}

static uint64_t file_pages(const struct cgroup *group)
{
	struct text_file file;
	uint64_t number;

	if (cgroup_read(group, "memory.stat", &file) < 0 ||
	    !text_file_find(&file, versions[group->version].file_pages, &number))
		return 0;
	return number;
}

void cgroup_limits(const struct cgroup *group, struct cgroup_limits *limits)
{
	uint64_t used = figure(group, versions[group->version].use, 0);

	limits->memory = figure(group, versions[group->version].limit, UINT64_MAX);
	limits->memory_used = less(used, file_pages(group));
	limits->swap = figure(group, versions[group->version].swap_limit, UINT64_MAX);
	limits->swap_used = figure(group, versions[group->version].swap_use, 0);
	if (versions[group->version].swap_has_memory && limits->swap != UINT64_MAX) {
		limits->swap = less(limits->swap, limits->memory);
		limits->swap_used = less(limits->swap_used, used);
	}
}
