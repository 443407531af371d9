/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* One file after the other:
 *
 *   vadtrace_0  --written, compared--> .vadtrace_0.part.zst  --renamed--> vadtrace_0.zst
 *
 * Then the first goes. At each moment one of the two is whole; where both are, the one without the
 * suffix counts. */

#include "tools/lib/compress.h"
#include "tools/lib/cli.h"
#include "tools/lib/manifest.h"
#include "tools/lib/packets.h"
#include "tools/lib/xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

/* The fastest level that still finds the repetitions in records; higher ones gain little. */
enum { LEVEL = 1 };

/* The files that are to be changed, and what became of them. */
struct work {
	struct compress *wish;
	bool is_decompressing;
	char **paths;
	size_t count, capacity;
	uint64_t total_bytes, done_bytes; /* of the files as they are */
	uint64_t new_bytes;
	ZSTD_CCtx *compressor;
	unsigned char *buffer;
	size_t buffer_bytes;
};

static struct work *work; /* for nftw, which has no argument of ours */

static bool is_beside_metadata(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *metadata = xasprintf("%.*s/metadata", (int)(slash - path), path);
	bool is_there = access(metadata, F_OK) == 0;

	free(metadata);
	return is_there;
}

static bool has_magic(const char *path)
{
	unsigned char magic[4] = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? 0 : read(fd, magic, sizeof(magic));

	if (fd >= 0)
		close(fd);
	return got == sizeof(magic) &&
	       packet_u32(magic) == (work->is_decompressing ? ZSTD_MAGICNUMBER : PACKET_MAGIC);
}

static int find_stream(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	const char *name = path + ftw->base;

	if (type != FTW_F || name[0] == '.' || !strcmp(name, "metadata") ||
	    packets_is_compressed_name(name) != work->is_decompressing ||
	    !is_beside_metadata(path) || !has_magic(path))
		return 0;
	work->paths = xgrow(work->paths, work->count, &work->capacity, sizeof(*work->paths));
	work->paths[work->count++] = xstrdup(path);
	work->total_bytes += (uint64_t)status->st_size;
	return 0;
}

static int write_all(int fd, const void *bytes, size_t size_bytes)
{
	const unsigned char *at = bytes;

	while (size_bytes) {
		ssize_t written = write(fd, at, size_bytes);

		if (written <= 0)
			return written < 0 ? -errno : -ENOSPC;
		at += written;
		size_bytes -= (size_t)written;
	}
	return 0;
}

/* The packet as it is to be in the new file. */
static int write_packet(int fd, const struct packet *packet)
{
	size_t room = ZSTD_compressBound(packet->size_bytes);

	if (work->is_decompressing)
		return write_all(fd, packet->bytes, packet->size_bytes);
	if (room > work->buffer_bytes) {
		work->buffer = xreallocarray(work->buffer, room, 1);
		work->buffer_bytes = room;
	}
	size_t size_bytes = ZSTD_compress2(work->compressor, work->buffer, room, packet->bytes,
					   packet->size_bytes);
	return ZSTD_isError(size_bytes) ? -EIO : write_all(fd, work->buffer, size_bytes);
}

static bool is_interrupted(void)
{
	return work->wish->is_interrupted && work->wish->is_interrupted();
}

/* -EBADMSG: the file is not whole; -EINTR: nobody wants to wait. */
static int write_packets(int fd, const char *path)
{
	struct packets *packets = packets_open(path);
	struct packet packet;
	int error = packets ? 0 : -EIO;

	while (!error && packets_next(packets, &packet)) {
		error = is_interrupted() ? -EINTR : write_packet(fd, &packet);
		cli_progress(work->is_decompressing ? "decompressing" : "compressing",
			     work->done_bytes, work->total_bytes);
	}
	if (!error && packets_is_broken(packets))
		error = -EBADMSG;
	packets_close(packets);
	return error;
}

static bool are_equal(struct packets *left, struct packets *right)
{
	struct packet a, b;

	while (packets_next(left, &a))
		if (!packets_next(right, &b) || a.size_bytes != b.size_bytes ||
		    memcmp(a.bytes, b.bytes, a.size_bytes))
			return false;
	return !packets_next(right, &b) && !packets_is_broken(left) && !packets_is_broken(right);
}

/* Reads both again: the old file goes only when the new one holds the same. */
static int compare_files(const char *left_path, const char *right_path)
{
	struct packets *left = packets_open(left_path), *right = packets_open(right_path);
	bool is_equal = left && right && are_equal(left, right);

	packets_close(left);
	packets_close(right);
	return is_equal ? 0 : -EIO;
}

/* Writes the new file in whole, with the old one's permissions. */
static int write_file(const char *to, const char *from)
{
	struct stat status;
	int error = stat(from, &status) ? -errno : 0;
	int fd = error ? -1 : open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (error || fd < 0)
		return error ? error : -errno;
	error = write_packets(fd, from);
	if (!error && (fchmod(fd, status.st_mode & 07777) || fsync(fd)))
		error = -errno;
	if (close(fd) && !error)
		error = -errno;
	return error;
}

static void sync_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

/* `part` becomes `to`, and `from` goes. */
static int replace(const char *folder, const char *part, const char *to, const char *from)
{
	struct stat status;
	int error = compare_files(from, part);

	if (!error && (stat(part, &status) || rename(part, to)))
		error = -errno;
	if (error)
		return error;
	sync_folder(folder);
	work->new_bytes += (uint64_t)status.st_size;
	return unlink(from) ? -errno : 0;
}

static int change_file(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash + 1;
	size_t length = strlen(name);
	char *folder = xasprintf("%.*s", (int)(slash - path), path);
	const char *suffix = work->is_decompressing ? "" : PACKETS_SUFFIX;
	int error;

	if (work->is_decompressing)
		length -= strlen(PACKETS_SUFFIX);
	char *part = xasprintf("%s/.%.*s.part%s", folder, (int)length, name, suffix);
	char *to = xasprintf("%s/%.*s%s", folder, (int)length, name, suffix);
	error = write_file(part, path);
	if (!error)
		error = replace(folder, part, to, path);
	if (error)
		unlink(part);
	free(to);
	free(part);
	free(folder);
	return error;
}

static int report_failure(const char *path, int error)
{
	cli_progress_end();
	if (error == -EBADMSG) {
		cli_error("%s is damaged, and left as it is", path);
		cli_hint("vadtrace report tells what can be read of the trace");
	} else if (error == -EINTR) {
		cli_error("interrupted: %s is left as it is", path);
		cli_hint("vadtrace compress does the rest");
	} else {
		cli_error("%s: %s", path, strerror(-error));
		cli_hint("there must be room for both the old and the new file");
	}
	return CLI_EXIT_FAILURE;
}

static int change_all(void)
{
	for (size_t i = 0; i < work->count; i++) {
		struct stat status;
		int error = stat(work->paths[i], &status) ? -errno : 0;

		if (!error)
			error = change_file(work->paths[i]);
		if (error)
			return report_failure(work->paths[i], error);
		work->done_bytes += (uint64_t)status.st_size;
	}
	cli_progress_end();
	work->wish->before_bytes = work->total_bytes;
	work->wish->after_bytes = work->new_bytes;
	return CLI_EXIT_OK;
}

/* A recorder that still writes would go on in files that are gone. */
static bool is_finished(const char *folder)
{
	struct manifest manifest;
	int error = manifest_read(folder, &manifest);
	bool is_complete = error || manifest.complete;

	if (!error)
		manifest_free(&manifest);
	if (is_complete)
		return true;
	cli_error("%s: the recording is not finished", folder);
	cli_hint("wait until vadtrace record has ended");
	return false;
}

static bool is_folder(const char *folder)
{
	struct stat status;

	if (stat(folder, &status)) {
		cli_error("%s: %s", folder, strerror(errno));
	} else if (S_ISDIR(status.st_mode)) {
		return true;
	} else {
		cli_error("%s is no folder; a trace is one", folder);
	}
	cli_hint("name the folder that vadtrace record has made");
	return false;
}

/* False: there are none in the form that is to be changed. */
static bool find_streams(const char *folder)
{
	nftw(folder, find_stream, 16, FTW_PHYS);
	if (work->count)
		return true;
	work->is_decompressing = !work->is_decompressing;
	nftw(folder, find_stream, 16, FTW_PHYS);
	work->wish->is_done_already = work->count != 0;
	if (!work->count)
		cli_error("%s: no trace in this folder", folder);
	return false;
}

/* Each frame with a checksum: damage is noticed. */
static bool make_compressor(void)
{
	work->compressor = ZSTD_createCCtx();
	return work->compressor &&
	       !ZSTD_isError(
		       ZSTD_CCtx_setParameter(work->compressor, ZSTD_c_compressionLevel, LEVEL)) &&
	       !ZSTD_isError(ZSTD_CCtx_setParameter(work->compressor, ZSTD_c_checksumFlag, 1));
}

static int run(const char *folder)
{
	if (!is_folder(folder) || !is_finished(folder))
		return CLI_EXIT_FAILURE;
	if (!find_streams(folder))
		return work->count ? CLI_EXIT_OK : CLI_EXIT_FAILURE;
	return make_compressor() ? change_all() : report_failure(folder, -ENOMEM);
}

static void free_work(void)
{
	for (size_t i = 0; i < work->count; i++)
		free(work->paths[i]);
	free(work->paths);
	free(work->buffer);
	ZSTD_freeCCtx(work->compressor);
}

int compress_trace(const char *folder, struct compress *wish)
{
	struct work own = { .wish = wish, .is_decompressing = wish->is_decompressing };

	work = &own;
	int status = run(folder);
	free_work();
	work = NULL;
	return status;
}
