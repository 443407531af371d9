/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A folder holds snapshots when its manifest says so and is not a snapshot's own. */

#include "tools/lib/snapshots.h"

#include "tools/lib/cli.h"
#include "tools/lib/manifest.h"
#include "tools/lib/xalloc.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* 0: the name is no snapshot's. */
static uint32_t number_of(const char *name)
{
	size_t prefix = strlen(SNAPSHOTS_PREFIX);
	unsigned long number;
	char *end;

	if (strncmp(name, SNAPSHOTS_PREFIX, prefix) != 0)
		return 0;
	number = strtoul(name + prefix, &end, 10);
	return *end || number > UINT32_MAX ? 0 : (uint32_t)number;
}

uint32_t snapshots_newest(const char *folder)
{
	DIR *list = opendir(folder);
	struct dirent *entry;
	uint32_t newest = 0;

	while (list && (entry = readdir(list)))
		if (number_of(entry->d_name) > newest)
			newest = number_of(entry->d_name);
	if (list)
		closedir(list);
	return newest;
}

static bool holds_snapshots(const char *folder, bool *is_running)
{
	struct manifest manifest;
	bool holds;

	if (manifest_read(folder, &manifest))
		return false;
	holds = manifest.options.snapshot_bytes && !manifest.snapshot.number;
	*is_running = !manifest.complete;
	manifest_free(&manifest);
	return holds;
}

char *snapshots_resolve(const char *folder)
{
	bool is_running;
	uint32_t newest;

	if (!holds_snapshots(folder, &is_running))
		return xstrdup(folder);
	newest = snapshots_newest(folder);
	if (newest)
		return xasprintf("%s/" SNAPSHOTS_PREFIX "%" PRIu32, folder, newest);
	cli_error("%s: no snapshot was taken", folder);
	cli_hint(is_running ? "vadtrace snapshot asks for one"
			    : "vadtrace record --snapshot-on says when to take them");
	return NULL;
}
