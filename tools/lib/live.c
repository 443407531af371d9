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

static int compare(const void *left, const void *right)
{
	uint64_t left_ns = ((const struct live_slot *)left)->header.begin_ns;
	uint64_t right_ns = ((const struct live_slot *)right)->header.begin_ns;

	return (left_ns > right_ns) - (left_ns < right_ns);
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
	if (live->count)
		qsort(live->slots, live->count, sizeof(*live->slots), compare);
}

/* The first slot that is not older. */
static size_t find(const struct live *live, uint64_t begin_ns)
{
	size_t low = 0, high = live->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (live->slots[middle].header.begin_ns < begin_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void live_drop_batch(struct live *live, uint32_t pid, uint32_t tid, uint64_t begin_ns)
{
	for (size_t i = find(live, begin_ns); i < live->count; i++) {
		struct live_slot_header *header = &live->slots[i].header;

		if (header->begin_ns != begin_ns)
			break;
		if (header->pid == pid && header->tid == tid)
			header->pid = 0;
	}
}

void live_free(struct live *live)
{
	free(live->slots);
	memset(live, 0, sizeof(*live));
}
