/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* One stream for each file, and a binary heap of those that are not at their end, ordered by the
 * time of the event that each has found:
 *
 *   folder ust/uid/0/64-bit   metadata <-- vadtrace_0  [event at 17] ...
 *                                      <-- vadtrace_1  [event at 12] ...     heap: vadtrace_1, _0
 *
 * At the first damage reading stops: what follows might refer to what is gone. */

#include "tools/lib/ctf.h"
#include "tools/lib/binary_heap.h"
#include "tools/lib/cli.h"
#include "tools/lib/interrupt.h"
#include "tools/lib/ctf_stream.h"
#include "tools/lib/xalloc.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { KEPT_BYTES = 32 << 20 };

/* - [0, heap_count) of heap are streams with an event; a stream is not before its parent. */
struct ctf {
	uint64_t packet_count;
	struct ctf_metadata *metadata; /* one for each folder */
	size_t folder_count;
	struct ctf_stream *streams;
	size_t stream_count, stream_capacity;
	void **heap;
	size_t heap_count;
	uint64_t packets_read;
	bool is_damaged;
};

static char *add_stream(struct ctf *ctf, const char *path, const char *name,
			const struct ctf_metadata *metadata)
{
	ctf->streams = xgrow(ctf->streams, ctf->stream_count, &ctf->stream_capacity,
			     sizeof(*ctf->streams));
	if (!ctf_stream_open(&ctf->streams[ctf->stream_count], path, name, metadata))
		return xasprintf("%s cannot be mapped", path);
	ctf->stream_count++;
	return NULL;
}

static bool is_stream_file(const char *folder, const char *path, const char *name)
{
	struct stat status;

	return name[0] != '.' && strcmp(name, "metadata") && stat(path, &status) == 0 &&
	       S_ISREG(status.st_mode) && !packets_is_stale(folder, name);
}

static char *add_streams(struct ctf *ctf, const char *folder, const struct ctf_metadata *metadata)
{
	DIR *list = opendir(folder);
	struct dirent *entry;
	char *why = list ? NULL : xasprintf("%s cannot be read", folder);

	while (list && !why && (entry = readdir(list))) {
		char *path = xasprintf("%s/%s", folder, entry->d_name);

		if (is_stream_file(folder, path, entry->d_name))
			why = add_stream(ctf, path, entry->d_name, metadata);
		free(path);
	}
	if (list)
		closedir(list);
	return why;
}

static char *add_folder(struct ctf *ctf, const char *folder)
{
	struct ctf_metadata *metadata = &ctf->metadata[ctf->folder_count];
	char *path = xasprintf("%s/metadata", folder);
	char *why = ctf_metadata_read(metadata, path);

	ctf->folder_count++;
	free(path);
	return why ? why : add_streams(ctf, folder, metadata);
}

/* By the number that LTTng gave the stream, of one folder: the order of events at one time. */
static int compare_streams(const void *left, const void *right)
{
	const struct ctf_stream *a = left, *b = right;

	if (a->metadata != b->metadata)
		return a->metadata < b->metadata ? -1 : 1;
	if (a->instance != b->instance)
		return a->instance < b->instance ? -1 : 1;
	return strcmp(a->name, b->name);
}

static bool is_before(const void *a, const void *b)
{
	const struct ctf_stream *left = a, *right = b;

	return left->time_ns != right->time_ns ? left->time_ns < right->time_ns : left < right;
}

static void sift_down(struct ctf *ctf, size_t place)
{
	binary_heap_sift_down(ctf->heap, ctf->heap_count, place, is_before);
}

/* A stream in several files is not ours to put together. */
static char *check_parts(const struct ctf *ctf)
{
	for (size_t i = 1; i < ctf->stream_count; i++) {
		const struct ctf_stream *a = &ctf->streams[i - 1], *b = &ctf->streams[i];

		if (a->packet_count && b->packet_count && a->metadata == b->metadata &&
		    a->class == b->class && a->instance == b->instance)
			return xasprintf("%s and %s are parts of one stream", a->name, b->name);
	}
	return NULL;
}

/* Finds the stream's next event: false at its end, and when it is damaged. */
static bool step(struct ctf *ctf, struct ctf_stream *stream)
{
	uint64_t packets = stream->packet_count;
	enum ctf_status status = ctf_stream_next(stream);

	ctf->packets_read += stream->packet_count - packets;
	if (stream->packet_count != packets)
		cli_progress("reading", ctf->packets_read, ctf->packet_count);
	ctf->is_damaged |= status == CTF_DAMAGED;
	return status == CTF_EVENT;
}

/* Batches wait in the streams until they are told: each stream keeps its part of KEPT_BYTES. */
static void keep_behind(struct ctf *ctf)
{
	double all_bytes = 0;

	for (size_t i = 0; i < ctf->stream_count; i++)
		all_bytes += (double)packets_size(ctf->streams[i].packets);
	for (size_t i = 0; i < ctf->stream_count; i++) {
		struct packets *packets = ctf->streams[i].packets;

		if (packets_are_lasting(packets) && all_bytes)
			packets_keep(packets, (size_t)((double)packets_size(packets) / all_bytes *
						       KEPT_BYTES));
	}
}

/* The first events: only then the streams know which they are. */
static char *begin(struct ctf *ctf)
{
	char *why;

	keep_behind(ctf);
	for (size_t i = 0; i < ctf->stream_count; i++)
		ctf->streams[i].has_event = step(ctf, &ctf->streams[i]);
	if (ctf->stream_count)
		qsort(ctf->streams, ctf->stream_count, sizeof(*ctf->streams), compare_streams);
	why = check_parts(ctf);
	ctf->heap = xcalloc(ctf->stream_count + 1, sizeof(*ctf->heap));
	for (size_t i = 0; i < ctf->stream_count; i++)
		if (ctf->streams[i].has_event)
			ctf->heap[ctf->heap_count++] = &ctf->streams[i];
	for (size_t i = ctf->heap_count / 2; i-- > 0;)
		sift_down(ctf, i);
	return why;
}

struct ctf *ctf_open(const struct streams *streams, char **why)
{
	struct ctf *ctf = xcalloc(1, sizeof(*ctf));

	*why = NULL;
	ctf->packet_count = streams->packet_count;
	ctf->metadata = xcalloc(streams->count + 1, sizeof(*ctf->metadata));
	for (size_t i = 0; i < streams->count && !*why; i++)
		*why = add_folder(ctf, streams->folders[i]);
	if (!*why)
		*why = begin(ctf);
	if (!*why)
		return ctf;
	ctf_close(ctf);
	return NULL;
}

void ctf_close(struct ctf *ctf)
{
	for (size_t i = 0; i < ctf->stream_count; i++)
		ctf_stream_close(&ctf->streams[i]);
	for (size_t i = 0; i < ctf->folder_count; i++)
		ctf_metadata_free(&ctf->metadata[i]);
	free(ctf->streams);
	free(ctf->metadata);
	free(ctf->heap);
	free(ctf);
}

static void apply(struct ctf_stream *stream, struct images *images, struct reader_summary *summary)
{
	struct decoded decoded;

	if (ctf_stream_decode(stream, &decoded) != CTF_EVENT)
		return;
	if (decoded.what == DECODE_FOREIGN) {
		summary->foreign_events++;
		return;
	}
	summary->lttng_events += decoded.what != DECODE_AGAIN;
	images_apply(images, &decoded);
}

static void sum_up(const struct ctf *ctf, struct reader_summary *summary)
{
	for (size_t i = 0; i < ctf->stream_count; i++) {
		const struct ctf_stream *stream = &ctf->streams[i];

		summary->discarded_events += stream->discarded_events;
		summary->discarded_packets += stream->discarded_packets;
		if (stream->damage && !summary->damage)
			summary->damage = xstrdup(stream->damage);
	}
}

void ctf_read(struct ctf *ctf, struct images *images, struct reader_summary *summary)
{
	while (ctf->heap_count && !ctf->is_damaged && !interrupt_came()) {
		struct ctf_stream *stream = ctf->heap[0];

		apply(stream, images, summary);
		if (stream->damage)
			break;
		if (!step(ctf, stream))
			ctf->heap[0] = ctf->heap[--ctf->heap_count];
		if (ctf->heap_count)
			sift_down(ctf, 0);
	}
	sum_up(ctf, summary);
}
