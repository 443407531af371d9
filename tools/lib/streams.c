/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* LTTng writes a stream as packets of a fixed head:
 *
 *   0 magic   4 trace uuid   20 stream id   24 stream instance   32 first time   40 last time
 *   48 content bits   56 packet bits   ...
 *
 * and its metadata as packets too (magic, uuid, ..., 28 packet bits). libbabeltrace2 refuses a file
 * whose last packet is not whole, so the packets are walked first: one small read each; for our own
 * decoder, which stops there, nothing has to be copied. Streams of another writer (metadata in
 * plain text) are left to libbabeltrace2. */

#include "tools/lib/streams.h"
#include "tools/lib/interrupt.h"
#include "tools/lib/packets.h"
#include "tools/lib/xalloc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define METADATA_MAGIC 0x75d11d57u

enum { METADATA_CONTENT_AT = 24, METADATA_PACKET_AT = 28, METADATA_HEAD_BYTES = 37 };

/* What the walk over one file found. */
struct extent {
	uint64_t file_bytes;
	uint64_t whole_bytes;  /* the packets before the first that is not whole */
	uint64_t text_bytes;   /* what the packets hold besides a metadata packet's head */
	uint64_t padded_bytes; /* with the padding that the last one lacks; 0: it lacks none */
	uint64_t packet_count;
};

/* The packet at `offset`: how many bytes it holds and how long it is. False: none that is sane. */
static bool read_head(int fd, uint64_t offset, bool is_metadata, uint64_t *content_bytes,
		      uint64_t *packet_bytes)
{
	unsigned char head[PACKET_HEAD_BYTES];
	ssize_t wanted = is_metadata ? METADATA_HEAD_BYTES : PACKET_HEAD_BYTES;

	if (pread(fd, head, (size_t)wanted, (off_t)offset) != wanted)
		return false;
	if (packet_u32(head) != (is_metadata ? METADATA_MAGIC : PACKET_MAGIC))
		return false;
	*content_bytes = (is_metadata ? packet_u32(head + METADATA_CONTENT_AT)
				      : packet_u64(head + PACKET_CONTENT_BITS_AT) + 7) /
			 8;
	*packet_bytes = (is_metadata ? packet_u32(head + METADATA_PACKET_AT)
				     : packet_u64(head + PACKET_BITS_AT)) /
			8;
	return *packet_bytes >= (uint64_t)wanted && *content_bytes <= *packet_bytes &&
	       *content_bytes >= (uint64_t)wanted;
}

static void walk_packets(int fd, bool is_metadata, struct extent *extent)
{
	uint64_t content, packet, at = 0;

	while (at < extent->file_bytes && read_head(fd, at, is_metadata, &content, &packet)) {
		uint64_t left = extent->file_bytes - at;

		if (left < content)
			break;
		extent->packet_count++;
		extent->text_bytes += content - METADATA_HEAD_BYTES;
		if (left < packet) {
			extent->padded_bytes = at + packet;
			at = extent->file_bytes;
			break;
		}
		at += packet;
	}
	extent->whole_bytes = at;
}

/* Of a stream that vadtrace compressed. */
static void measure_compressed(const char *path, struct extent *extent)
{
	struct packets_extent found = packets_measure_compressed(path);

	extent->whole_bytes = found.whole_bytes;
	extent->packet_count = found.packet_count;
}

static bool measure(const char *path, bool is_metadata, struct extent *extent)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;

	memset(extent, 0, sizeof(*extent));
	if (fd < 0)
		return false;
	if (fstat(fd, &status) == 0) {
		extent->file_bytes = (uint64_t)status.st_size;
		if (packets_is_compressed_name(path))
			measure_compressed(path, extent);
		else
			walk_packets(fd, is_metadata, extent);
	}
	close(fd);
	return true;
}

static bool is_whole(const struct extent *extent)
{
	return extent->whole_bytes == extent->file_bytes && !extent->padded_bytes;
}

/* Metadata that is gone was LTTng's: its files are written from the beginning on. */
static bool has_lttng_layout(const char *metadata)
{
	unsigned char magic[4] = { 0 };
	int fd = open(metadata, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return true;
	ssize_t got = read(fd, magic, sizeof(magic));
	close(fd);
	return got == 0 || (got == sizeof(magic) && packet_u32(magic) == METADATA_MAGIC);
}

static int copy_bytes(int to, int from, uint64_t size_bytes)
{
	char buffer[65536];

	while (size_bytes) {
		if (interrupt_came())
			return -EINTR;
		size_t wanted = size_bytes < sizeof(buffer) ? (size_t)size_bytes : sizeof(buffer);
		ssize_t got = read(from, buffer, wanted);

		if (got <= 0)
			return got < 0 ? -errno : -EIO;
		if (write(to, buffer, (size_t)got) != got)
			return errno ? -errno : -ENOSPC;
		size_bytes -= (uint64_t)got;
	}
	return 0;
}

static int copy_trimmed(const char *to_path, const char *from_path, const struct extent *extent)
{
	int from = open(from_path, O_RDONLY | O_CLOEXEC);
	int to = open(to_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int error = from < 0 || to < 0 ? -errno : 0;

	errno = 0;
	if (!error)
		error = copy_bytes(to, from, extent->whole_bytes);
	if (!error && extent->padded_bytes && ftruncate(to, (off_t)extent->padded_bytes))
		error = -errno;
	if (from >= 0)
		close(from);
	if (to >= 0 && close(to) && !error)
		error = -errno;
	return error;
}

/* One file of a trace: linked when it is whole, trimmed when not, left out when nothing is left. */
static int repair_file(const char *to, const char *from, bool is_metadata)
{
	struct extent extent;

	if (!measure(from, is_metadata, &extent) || !extent.whole_bytes)
		return 0;
	if (!is_whole(&extent))
		return copy_trimmed(to, from, &extent);
	char *target = realpath(from, NULL);
	int error = target && symlink(target, to) == 0 ? 0 : -errno;
	free(target);
	return error;
}

typedef int (*visit_file)(void *context, const char *folder, const char *name);

/* Calls `visit` for each regular file of the folder, until one returns an error. */
static int for_each_file(const char *folder, visit_file visit, void *context)
{
	DIR *list = opendir(folder);
	struct dirent *entry;
	int error = 0;

	while (list && !error && (entry = readdir(list))) {
		char *path = xasprintf("%s/%s", folder, entry->d_name);
		struct stat status;

		if (entry->d_name[0] != '.' && stat(path, &status) == 0 &&
		    S_ISREG(status.st_mode) && !packets_is_stale(folder, entry->d_name))
			error = visit(context, folder, entry->d_name);
		free(path);
	}
	if (list)
		closedir(list);
	return error;
}

/* Where a repaired copy goes, and whose metadata it gets. */
struct repair {
	const char *to;
	const char *lender; /* NULL: its own */
	bool is_plain;      /* compressed streams are decompressed */
};

/* The trace's number, in all of its packets and in the text of its metadata. */
struct trace_uuid {
	unsigned char bytes[16];
	char text[37];
};

static bool read_stream_uuid(const char *path, struct trace_uuid *uuid)
{
	struct packets *packets = packets_open(path);
	struct packet packet;
	bool has_packet = packets && packets_next(packets, &packet);

	if (has_packet)
		memcpy(uuid->bytes, packet.bytes + 4, sizeof(uuid->bytes));
	packets_close(packets);
	return has_packet;
}

static bool read_file_uuid(const char *path, struct trace_uuid *uuid)
{
	unsigned char head[4 + sizeof(uuid->bytes)];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	ssize_t got = read(fd, head, sizeof(head));
	close(fd);
	if (got != sizeof(head))
		return false;
	memcpy(uuid->bytes, head + 4, sizeof(uuid->bytes));
	return true;
}

static bool read_uuid(const char *path, struct trace_uuid *uuid)
{
	char *text = uuid->text;

	if (!(packets_is_compressed_name(path) ? read_stream_uuid(path, uuid)
					       : read_file_uuid(path, uuid)))
		return false;
	for (size_t i = 0; i < sizeof(uuid->bytes); i++)
		text += sprintf(text, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x",
				uuid->bytes[i]);
	return true;
}

/* Replaces bytes by as many others, wherever they are. */
static void replace(unsigned char *where, size_t where_bytes, const void *from, const void *to,
		    size_t size_bytes)
{
	unsigned char *at = where, *end = where + where_bytes;

	while ((at = memmem(at, (size_t)(end - at), from, size_bytes))) {
		memcpy(at, to, size_bytes);
		at += size_bytes;
	}
}

enum { METADATA_BYTES_MAX = 1 << 24 };

static int write_file(const char *path, const void *bytes, size_t size_bytes)
{
	FILE *file = fopen(path, "wxe");
	int error = 0;

	if (!file)
		return -errno;
	errno = ENOSPC;
	if (fwrite(bytes, 1, size_bytes, file) != size_bytes)
		error = -errno;
	if (fclose(file) && !error)
		error = -errno;
	return error;
}

/* The lender's metadata, with the number of the stream's trace. */
static int lend_metadata(const struct repair *repair, const char *stream)
{
	struct trace_uuid theirs, ours;
	unsigned char *text = xmalloc(METADATA_BYTES_MAX);
	FILE *file = fopen(repair->lender, "re");
	size_t size_bytes = file ? fread(text, 1, METADATA_BYTES_MAX, file) : 0;
	char *to = xasprintf("%s/metadata", repair->to);
	int error = 0;

	if (file)
		fclose(file);
	if (access(to, F_OK) && read_uuid(repair->lender, &theirs) && read_uuid(stream, &ours)) {
		replace(text, size_bytes, theirs.bytes, ours.bytes, sizeof(ours.bytes));
		replace(text, size_bytes, theirs.text, ours.text, sizeof(ours.text) - 1);
		error = write_file(to, text, size_bytes);
	}
	free(to);
	free(text);
	return error;
}

/* Up to the first packet that is not whole. */
static int write_packets(int to, const char *from)
{
	struct packets *packets = packets_open(from);
	struct packet packet;
	int error = packets ? 0 : -EIO;

	errno = 0;
	while (!error && packets_next(packets, &packet))
		if (interrupt_came())
			error = -EINTR;
		else if (write(to, packet.bytes, packet.size_bytes) != (ssize_t)packet.size_bytes)
			error = errno ? -errno : -ENOSPC;
	packets_close(packets);
	return error;
}

static int decompress_file(const char *to_path, const char *from)
{
	int to = open(to_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int error = to < 0 ? -errno : write_packets(to, from);

	if (to >= 0 && close(to) && !error)
		error = -errno;
	return error;
}

static int repair_stream(const struct repair *repair, const char *from, const char *name)
{
	bool is_to_be_plain = repair->is_plain && packets_is_compressed_name(name);
	size_t length = strlen(name) - (is_to_be_plain ? strlen(PACKETS_SUFFIX) : 0);
	char *to = xasprintf("%s/%.*s", repair->to, (int)length, name);
	int error = is_to_be_plain ? decompress_file(to, from)
				   : repair_file(to, from, !strcmp(name, "metadata"));

	free(to);
	return error;
}

static int repair_visit(void *context, const char *folder, const char *name)
{
	const struct repair *repair = context;
	bool is_metadata = !strcmp(name, "metadata");
	char *from = xasprintf("%s/%s", folder, name);
	int error = 0;

	if (!is_metadata || !repair->lender)
		error = repair_stream(repair, from, name);
	if (!error && !is_metadata && repair->lender)
		error = lend_metadata(repair, from);

	free(from);
	return error;
}

/* What the check of one folder adds up. */
struct survey {
	uint64_t size_bytes, packet_count, cut_bytes, cut_streams, compressed_streams;
	bool has_metadata;
	bool needs_repair; /* whoever reads it */
};

static int survey_visit(void *context, const char *folder, const char *name)
{
	struct survey *survey = context;
	bool is_metadata = !strcmp(name, "metadata");
	char *path = xasprintf("%s/%s", folder, name);
	struct extent extent;

	if (measure(path, is_metadata, &extent)) {
		survey->size_bytes += extent.file_bytes;
		survey->packet_count += is_metadata ? 0 : extent.packet_count;
		survey->cut_streams += !is_whole(&extent);
		survey->compressed_streams += packets_is_compressed_name(name);
		survey->cut_bytes += extent.file_bytes - extent.whole_bytes;
		survey->needs_repair |= is_metadata ? !is_whole(&extent) : extent.padded_bytes != 0;
	}
	if (is_metadata)
		survey->has_metadata = extent.text_bytes != 0;
	free(path);
	return 0;
}

static int size_visit(void *context, const char *folder, const char *name)
{
	struct survey *survey = context;
	char *path = xasprintf("%s/%s", folder, name);
	struct stat status;

	if (stat(path, &status) == 0)
		survey->size_bytes += (uint64_t)status.st_size;
	free(path);
	return 0;
}

static int make_temporary(struct streams *streams)
{
	const char *parent = getenv("TMPDIR");

	if (streams->temporary)
		return 0;
	streams->temporary = xasprintf("%s/vadtrace-XXXXXX", parent && *parent ? parent : "/tmp");
	if (mkdtemp(streams->temporary))
		return 0;
	int error = -errno;
	free(streams->temporary);
	streams->temporary = NULL;
	return error;
}

static int repair_folder(struct streams *streams, const char *folder, char **repaired)
{
	struct repair repair = { .lender = streams->lender, .is_plain = streams->is_plain };
	int error = make_temporary(streams);

	if (error)
		return error;
	*repaired = xasprintf("%s/%zu", streams->temporary, streams->count);
	repair.to = *repaired;
	if (mkdir(*repaired, 0700))
		error = -errno;
	if (!error)
		error = for_each_file(folder, repair_visit, &repair);
	if (error)
		free(*repaired);
	return error;
}

static void push_folder(struct streams *streams, char *folder)
{
	streams->folders = xgrow(streams->folders, streams->count, &streams->capacity,
				 sizeof(*streams->folders));
	streams->folders[streams->count++] = folder;
}

static int add_lttng_folder(struct streams *streams, const char *folder)
{
	struct survey survey = { 0 };
	char *readable = NULL;
	int error = for_each_file(folder, survey_visit, &survey);

	streams->size_bytes += survey.size_bytes;
	streams->packet_count += survey.packet_count;
	streams->cut_bytes += survey.cut_bytes;
	streams->cut_streams += survey.cut_streams;
	streams->compressed_streams += survey.compressed_streams;
	if (!survey.has_metadata && !streams->lender) {
		streams->lost_folders++;
		return error;
	}
	streams->lent_folders += streams->lender != NULL;
	if (!survey.needs_repair && !streams->lender &&
	    !(streams->is_plain && (survey.cut_streams || survey.compressed_streams)))
		readable = xstrdup(folder);
	else
		error = repair_folder(streams, folder, &readable);
	if (!error)
		push_folder(streams, readable);
	return error;
}

static int add_folder(struct streams *streams, const char *folder, const char *metadata)
{
	struct survey survey = { 0 };
	struct stat status;

	if (has_lttng_layout(metadata))
		return add_lttng_folder(streams, folder);
	for_each_file(folder, size_visit, &survey);
	streams->size_bytes += survey.size_bytes;
	if (stat(metadata, &status) == 0 && status.st_size)
		push_folder(streams, xstrdup(folder));
	else
		streams->lost_folders++;
	return 0;
}

enum { DEPTH_MAX = 8 };

/* LTTng makes an index beside its streams. */
static bool has_index(const char *folder)
{
	char *index = xasprintf("%s/index", folder);
	bool is_there = access(index, F_OK) == 0;

	free(index);
	return is_there;
}

static int search(struct streams *streams, const char *folder, int depth)
{
	char *metadata = xasprintf("%s/metadata", folder);
	struct dirent *entry;
	int error = 0;

	if (access(metadata, F_OK) == 0 || has_index(folder))
		error = add_folder(streams, folder, metadata);
	free(metadata);
	DIR *list = depth < DEPTH_MAX ? opendir(folder) : NULL;
	streams->closed_folders += !list && depth < DEPTH_MAX && errno == EACCES;
	while (list && !error && (entry = readdir(list))) {
		char *path = xasprintf("%s/%s", folder, entry->d_name);
		struct stat status;

		if (entry->d_name[0] != '.' && lstat(path, &status) == 0 && S_ISDIR(status.st_mode))
			error = search(streams, path, depth + 1);
		free(path);
	}
	if (list)
		closedir(list);
	return error;
}

/* The metadata of a whole trace: the first that is found. */
static char *find_metadata(const char *folder)
{
	struct streams streams = { 0 };
	char *metadata = NULL;
	int error = search(&streams, folder, 0);

	if (!error && streams.count)
		metadata = xasprintf("%s/metadata", streams.folders[0]);
	if (metadata && streams.cut_streams) {
		free(metadata);
		metadata = NULL;
	}
	streams_close(&streams);
	return metadata;
}

int streams_open(struct streams *streams, const char *folder, const char *lender, bool is_plain)
{
	memset(streams, 0, sizeof(*streams));
	streams->is_plain = is_plain;
	if (lender && !(streams->lender = find_metadata(lender)))
		return -ENODATA;
	int error = search(streams, folder, 0);
	if (error)
		streams_close(streams);
	return error;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(path);
}

void streams_close(struct streams *streams)
{
	if (streams->temporary)
		nftw(streams->temporary, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	for (size_t i = 0; i < streams->count; i++)
		free(streams->folders[i]);
	free(streams->folders);
	free(streams->temporary);
	free(streams->lender);
	memset(streams, 0, sizeof(*streams));
}
