/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The file is mapped; what lies behind is given back, so that a large trace does not fill the
 * memory of who reads it. */

#include "tools/lib/packets.h"
#include "tools/lib/xalloc.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

/* - bytes is NULL when the file is empty;
 * - [dropped, next) is mapped and was read, kept_bytes of it or somewhat more;
 * - decompressor is NULL when the file is as LTTng wrote it. */
struct packets {
	const unsigned char *bytes;
	size_t size_bytes;
	size_t next, dropped, kept_bytes;
	bool is_broken, is_cut;
	ZSTD_DCtx *decompressor;
	unsigned char *buffer; /* the packet that was decompressed */
	size_t buffer_bytes;
};

/* DROPPED_AGAIN_BYTES: of what was dropped, as much may have been looked at since. */
enum { PAGE_BYTES = 4096, PACKET_BYTES_MAX = 1 << 30, DROPPED_AGAIN_BYTES = 256 << 20 };

static bool map_file(struct packets *packets, int fd)
{
	struct stat status;
	void *map;

	if (fstat(fd, &status))
		return false;
	packets->size_bytes = (size_t)status.st_size;
	if (!packets->size_bytes)
		return true;
	map = mmap(NULL, packets->size_bytes, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return false;
	packets->bytes = map;
	madvise(map, packets->size_bytes, MADV_SEQUENTIAL);
	return true;
}

struct packets *packets_open(const char *path)
{
	struct packets *packets = xcalloc(1, sizeof(*packets));
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool is_open = fd >= 0 && map_file(packets, fd);

	if (fd >= 0)
		close(fd);
	if (is_open && packets_is_compressed_name(path))
		packets->decompressor = ZSTD_createDCtx();
	if (is_open)
		return packets;
	free(packets);
	return NULL;
}

void packets_close(struct packets *packets)
{
	if (!packets)
		return;
	if (packets->bytes)
		munmap((void *)(uintptr_t)packets->bytes, packets->size_bytes);
	ZSTD_freeDCtx(packets->decompressor);
	free(packets->buffer);
	free(packets);
}

static void drop_behind(struct packets *packets)
{
	size_t kept = packets->kept_bytes, dropped = packets->dropped;
	size_t end = packets->next > kept ? (packets->next - kept) & ~(size_t)(PAGE_BYTES - 1) : 0;
	size_t from = kept && dropped > DROPPED_AGAIN_BYTES ? dropped - DROPPED_AGAIN_BYTES : 0;

	if (!kept)
		from = dropped;
	if (end <= dropped + kept / 4)
		return;
	madvise((void *)(uintptr_t)(packets->bytes + from), end - from, MADV_DONTNEED);
	packets->dropped = end;
}

/* Whether the bytes begin with a whole packet. */
static bool take_packet(struct packet *packet, const unsigned char *bytes, size_t size_bytes)
{
	if (size_bytes < PACKET_HEAD_BYTES || packet_u32(bytes) != PACKET_MAGIC)
		return false;
	uint64_t content_bits = packet_u64(bytes + PACKET_CONTENT_BITS_AT);
	uint64_t packet_bits = packet_u64(bytes + PACKET_BITS_AT);
	if (content_bits > packet_bits || packet_bits / 8 > size_bytes ||
	    content_bits / 8 < PACKET_HEAD_BYTES)
		return false;
	packet->bytes = bytes;
	packet->content_bytes = content_bits / 8;
	packet->size_bytes = packet_bits / 8;
	return true;
}

/* The size of the frame at the beginning, and of what is in it; 0: it is no whole frame of ours. */
static size_t frame_bytes(const unsigned char *bytes, size_t left, size_t *content_bytes)
{
	size_t size_bytes = ZSTD_findFrameCompressedSize(bytes, left);
	unsigned long long content = ZSTD_getFrameContentSize(bytes, left);

	if (ZSTD_isError(size_bytes) || content > PACKET_BYTES_MAX)
		return 0;
	*content_bytes = (size_t)content;
	return size_bytes;
}

static bool decompress(struct packets *packets, const unsigned char *from, size_t from_bytes,
		       size_t size_bytes)
{
	if (size_bytes > packets->buffer_bytes) {
		packets->buffer = xreallocarray(packets->buffer, size_bytes, 1);
		packets->buffer_bytes = size_bytes;
	}
	return packets->decompressor &&
	       ZSTD_decompressDCtx(packets->decompressor, packets->buffer, size_bytes, from,
				   from_bytes) == size_bytes;
}

/* Takes the packet at `from`; answers how many bytes of the file it was, or 0. */
static size_t take_compressed(struct packets *packets, const unsigned char *from, size_t left,
			      struct packet *packet)
{
	size_t content_bytes, size_bytes = frame_bytes(from, left, &content_bytes);

	packets->is_cut = !size_bytes;
	if (!size_bytes || !decompress(packets, from, size_bytes, content_bytes) ||
	    !take_packet(packet, packets->buffer, content_bytes) ||
	    packet->size_bytes != content_bytes)
		return 0;
	return size_bytes;
}

bool packets_next(struct packets *packets, struct packet *packet)
{
	size_t left = packets->size_bytes - packets->next, taken = 0;
	const unsigned char *from = packets->bytes + packets->next;

	if (!left || packets->is_broken)
		return false;
	drop_behind(packets);
	if (packets->decompressor)
		taken = take_compressed(packets, from, left, packet);
	else if (take_packet(packet, from, left))
		taken = packet->size_bytes;
	else
		packets->is_cut = true;
	packets->next += taken;
	packets->is_broken = !taken;
	return taken != 0;
}

bool packets_are_lasting(const struct packets *packets)
{
	return !packets->decompressor;
}

void packets_keep(struct packets *packets, size_t size_bytes)
{
	packets->kept_bytes = size_bytes;
}

size_t packets_size(const struct packets *packets)
{
	return packets->size_bytes;
}

bool packets_is_broken(const struct packets *packets)
{
	return packets->is_broken;
}

bool packets_is_cut(const struct packets *packets)
{
	return packets->is_cut;
}

bool packets_is_compressed_name(const char *name)
{
	size_t length = strlen(name), suffix = strlen(PACKETS_SUFFIX);

	return length > suffix && !strcmp(name + length - suffix, PACKETS_SUFFIX);
}

bool packets_is_stale(const char *folder, const char *name)
{
	char *twin;
	bool has_twin;

	if (!packets_is_compressed_name(name))
		return false;
	twin = xasprintf("%s/%.*s", folder, (int)(strlen(name) - strlen(PACKETS_SUFFIX)), name);
	has_twin = access(twin, F_OK) == 0;
	free(twin);
	return has_twin;
}

/* To find a frame's end, Zstandard looks at the head of each of its blocks, all over the file. */
struct packets_extent packets_measure_compressed(const char *path)
{
	struct packets *packets = packets_open(path);
	struct packets_extent extent = { 0 };
	size_t content_bytes, size_bytes = 1;

	while (packets && packets->next < packets->size_bytes && size_bytes) {
		drop_behind(packets);
		size_bytes = frame_bytes(packets->bytes + packets->next,
					 packets->size_bytes - packets->next, &content_bytes);
		packets->next += size_bytes;
		extent.packet_count += size_bytes != 0;
	}
	if (packets)
		extent.whole_bytes = packets->next;
	packets_close(packets);
	return extent;
}
