/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A packet grows in memory and is written when it is full: the head is known last. */

#include "tools/export/ctf_file.h"
#include "tools/lib/packets.h"
#include "tools/lib/xalloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PACKET_BYTES = 1 << 18, EVENT_BYTES_MAX = 1 << 13, TEXT_BYTES_MAX = 4095 };
enum { EXTENDED = 65535 };

int ctf_file_open(struct ctf_file *file, const char *path, const unsigned char uuid[16],
		  uint64_t instance)
{
	memset(file, 0, sizeof(*file));
	file->file = fopen(path, "wxe");
	if (!file->file)
		return -errno;
	memcpy(file->uuid, uuid, sizeof(file->uuid));
	file->instance = instance;
	file->packet = xcalloc(1, PACKET_BYTES + EVENT_BYTES_MAX);
	return 0;
}

static void put(struct ctf_file *file, const void *bytes, size_t size_bytes)
{
	memcpy(file->packet + file->used_bytes, bytes, size_bytes);
	file->used_bytes += size_bytes;
}

static void set_u32(struct ctf_file *file, size_t at, uint32_t value)
{
	memcpy(file->packet + at, &value, sizeof(value));
}

static void set_u64(struct ctf_file *file, size_t at, uint64_t value)
{
	memcpy(file->packet + at, &value, sizeof(value));
}

static void write_packet(struct ctf_file *file)
{
	if (!file->used_bytes)
		return;
	set_u32(file, 0, PACKET_MAGIC);
	memcpy(file->packet + PACKET_UUID_AT, file->uuid, sizeof(file->uuid));
	set_u32(file, PACKET_CLASS_AT, 0);
	set_u64(file, PACKET_INSTANCE_AT, file->instance);
	set_u64(file, PACKET_BEGIN_AT, file->begin_ns);
	set_u64(file, PACKET_END_AT, file->last_ns);
	set_u64(file, PACKET_CONTENT_BITS_AT, file->used_bytes * 8);
	set_u64(file, PACKET_BITS_AT, file->used_bytes * 8);
	set_u64(file, PACKET_NUMBER_AT, file->packet_count++);
	set_u64(file, PACKET_DISCARDED_AT, 0);
	set_u32(file, PACKET_HEAD_BYTES - 4, 0);
	errno = ENOSPC;
	if (fwrite(file->packet, 1, file->used_bytes, file->file) != file->used_bytes &&
	    !file->error)
		file->error = -errno;
	file->used_bytes = 0;
}

int ctf_file_close(struct ctf_file *file)
{
	write_packet(file);
	if (fclose(file->file) && !file->error)
		file->error = -errno;
	free(file->packet);
	return file->error;
}

void ctf_file_event(struct ctf_file *file, uint16_t number, uint64_t time_ns, uint32_t tid,
		    uint64_t ip)
{
	if (file->used_bytes > PACKET_BYTES - EVENT_BYTES_MAX)
		write_packet(file);
	if (time_ns < file->last_ns)
		time_ns = file->last_ns;
	if (!file->used_bytes) {
		file->used_bytes = PACKET_HEAD_BYTES;
		file->begin_ns = file->last_ns = time_ns;
	}
	if (time_ns - file->last_ns <= UINT32_MAX / 2) {
		ctf_file_u16(file, number);
		ctf_file_u32(file, (uint32_t)time_ns);
	} else {
		ctf_file_u16(file, EXTENDED);
		ctf_file_u32(file, number);
		ctf_file_u64(file, time_ns);
	}
	file->last_ns = time_ns;
	ctf_file_u32(file, file->vpid);
	ctf_file_u32(file, tid);
	put(file, file->procname, sizeof(file->procname));
	ctf_file_u64(file, ip);
}

void ctf_file_u8(struct ctf_file *file, uint8_t value)
{
	put(file, &value, sizeof(value));
}

void ctf_file_u16(struct ctf_file *file, uint16_t value)
{
	put(file, &value, sizeof(value));
}

void ctf_file_u32(struct ctf_file *file, uint32_t value)
{
	put(file, &value, sizeof(value));
}

void ctf_file_u64(struct ctf_file *file, uint64_t value)
{
	put(file, &value, sizeof(value));
}

void ctf_file_text(struct ctf_file *file, const char *text)
{
	size_t length = strlen(text);

	put(file, text, length < TEXT_BYTES_MAX ? length : TEXT_BYTES_MAX);
	ctf_file_u8(file, 0);
}
