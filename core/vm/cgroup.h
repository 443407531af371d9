/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The control group that limits this process's memory: where its files are. */

#ifndef VADTRACE_CORE_VM_CGROUP_H
#define VADTRACE_CORE_VM_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/os/text_file.h"

enum cgroup_version {
	CGROUP_V1,
	CGROUP_V2,
	CGROUP_VERSIONS,
};

/* A folder of the hierarchy that counts memory.
 *  - path[0, root_length) is the hierarchy's root, path[0, length) the group;
 *  - it ends with a zero, and without a slash. */
struct cgroup {
	enum cgroup_version version;
	size_t root_length;
	size_t length;
	char path[768];
};

/* Limits and use of one group, bytes; what it does not say is UINT64_MAX, use 0. */
struct cgroup_limits {
	uint64_t memory;
	uint64_t memory_used; /* without file pages that can go at once */
	uint64_t swap;        /* besides memory */
	uint64_t swap_used;
};

/* The group of this process in the hierarchy of that version; false: the system has none. */
bool cgroup_find(struct cgroup *group, enum cgroup_version version);
/* The group above; false: this is the root. */
bool cgroup_up(struct cgroup *group);
/* Reads the group's file; 0 or -errno. */
int cgroup_read(const struct cgroup *group, const char *name, struct text_file *file);
void cgroup_limits(const struct cgroup *group, struct cgroup_limits *limits);

#endif
