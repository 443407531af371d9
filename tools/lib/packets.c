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

/* - bytes is NULL when the file is empty;
 * - [dropped, next) is mapped and was read. */
struct packets {
	unsigned char *bytes;
	size_t size_bytes;
	size_t next, dropped;
	bool is_broken;
};

enum { PAGE_BYTES = 4096 };

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
	if (is_open)
		return packets;
	free(packets);
	return NULL;
}

void packets_close(struct packets *packets)
{
	if (packets && packets->bytes)
		munmap(packets->bytes, packets->size_bytes);
	free(packets);
}

static void drop_behind(struct packets *packets)
{
	size_t end = packets->next & ~(size_t)(PAGE_BYTES - 1);

	if (end > packets->dropped)
		madvise(packets->bytes + packets->dropped, end - packets->dropped, MADV_DONTNEED);
	packets->dropped = end;
}

static const unsigned char *fail(struct packets *packets)
{
	packets->is_broken = true;
	return NULL;
}

const unsigned char *packets_next(struct packets *packets, size_t *content_bytes)
{
	size_t left = packets->size_bytes - packets->next;
	const unsigned char *head = packets->bytes + packets->next;

	if (!left || packets->is_broken)
		return NULL;
	drop_behind(packets);
	if (left < PACKET_HEAD_BYTES || packet_u32(head) != PACKET_MAGIC)
		return fail(packets);
	uint64_t content = packet_u64(head + PACKET_CONTENT_BITS_AT) / 8;
	uint64_t packet = packet_u64(head + PACKET_BITS_AT) / 8;
	if (content < PACKET_HEAD_BYTES || content > packet || packet > left)
		return fail(packets);
	packets->next += packet;
	*content_bytes = content;
	return head;
}

bool packets_is_broken(const struct packets *packets)
{
	return packets->is_broken;
}
