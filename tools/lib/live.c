/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Files of slots as trace/schema/live.h describes them. They are read, never mapped: their writer
 * may still be at work, or the file be cut short. */

#include "tools/lib/live.h"
#include "tools/lib/xalloc.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/schema/record.h"
#include "trace/schema/schema.h"

static bool is_empty(const struct live_slot *slot)
{
	return !slot->header.tid || !slot->header.used_words;
}

static bool is_whole(const struct live_slot *slot)
{
	return slot->header.magic == LIVE_MAGIC && slot->header.used_words <= LIVE_SLOT_WORDS &&
	       slot->header.used_words % RECORD_WORDS == 0 && slot->header.pid;
}

static bool is_zero(const struct live_slot *slot)
{
	static const struct live_slot zero;

	return !memcmp(slot, &zero, sizeof(zero));
}

static void take_slot(struct live *live, const struct live_slot *slot)
{
	if (is_zero(slot) || (slot->header.magic == LIVE_MAGIC && is_empty(slot)))
		return;
	if (!is_whole(slot)) {
		live->damaged_count++;
		return;
	}
	live->slots = xgrow(live->slots, live->count, &live->capacity, sizeof(*live->slots));
	live->slots[live->count++] = *slot;
}

static void read_file(struct live *live, const char *path)
{
	FILE *file = fopen(path, "re");
	struct live_slot slot;
	size_t got;

	if (!file) {
		live->damaged_count++;
		return;
	}
	while ((got = fread(&slot, 1, sizeof(slot), file)) == sizeof(slot))
		take_slot(live, &slot);
	live->damaged_count += got != 0;
	fclose(file);
}

void live_read(struct live *live, const char *folder)
{
	char *path = xasprintf("%s/%s", folder, VADTRACE_LIVE_FOLDER);
	DIR *list = opendir(path);
	struct dirent *entry;

	memset(live, 0, sizeof(*live));
	while (list && (entry = readdir(list))) {
		char *file = xasprintf("%s/%s", path, entry->d_name);

		if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9')
			read_file(live, file);
		free(file);
	}
	if (list)
		closedir(list);
	free(path);
}

void live_free(struct live *live)
{
	free(live->slots);
	memset(live, 0, sizeof(*live));
}
