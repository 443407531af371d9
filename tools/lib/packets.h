/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The packets of one stream file, one after the other. The file is as LTTng wrote it, or compressed
 * by `vadtrace compress`: each packet is then a frame of Zstandard's, so that `zstd -d` makes the
 * original of it. */

#ifndef VADTRACE_TOOLS_LIB_PACKETS_H
#define VADTRACE_TOOLS_LIB_PACKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A packet's head, as LTTng writes it. */
enum {
	PACKET_UUID_AT = 4,
	PACKET_CLASS_AT = 20,
	PACKET_INSTANCE_AT = 24,
	PACKET_BEGIN_AT = 32,
	PACKET_END_AT = 40,
	PACKET_CONTENT_BITS_AT = 48,
	PACKET_BITS_AT = 56,
	PACKET_NUMBER_AT = 64,
	PACKET_DISCARDED_AT = 72,
	PACKET_HEAD_BYTES = 84,
};

#define PACKET_MAGIC 0xc1fc1fc1u

/* Behind the name of a compressed stream. A file without it is the newer one: compressing or
 * decompressing had not come to its end. */
#define PACKETS_SUFFIX ".zst"

/* - content_bytes is at least PACKET_HEAD_BYTES, size_bytes, with padding, no less. */
struct packet {
	const unsigned char *bytes;
	size_t content_bytes, size_bytes;
};

struct packets;

/* NULL: the file cannot be read. */
struct packets *packets_open(const char *path);
void packets_close(struct packets *packets);

/* The next packet, valid until the next call. False at the end, and when what follows is no whole
 * packet: then packets_is_broken says so. */
bool packets_next(struct packets *packets, struct packet *packet);
/* Whether packets stay valid until packets_close: those that were not compressed do. */
bool packets_are_lasting(const struct packets *packets);
/* How much of the file is left in memory behind the packet, for who will look at it once more. What
 * lies farther back has to be fetched from the file again. */
void packets_keep(struct packets *packets, size_t size_bytes);
size_t packets_size(const struct packets *packets);
bool packets_is_broken(const struct packets *packets);
/* Of a broken file: it was cut there, as a walk over the packets' heads finds too. Else a
 * compressed packet is damaged. */
bool packets_is_cut(const struct packets *packets);

/* Whether the name ends with PACKETS_SUFFIX. */
bool packets_is_compressed_name(const char *name);
/* Whether the file in the folder is to be left out, for it has a newer twin. */
bool packets_is_stale(const char *folder, const char *name);

/* What a walk over a compressed file finds, without decompressing it. */
struct packets_extent {
	uint64_t whole_bytes; /* before what is no whole packet */
	uint64_t packet_count;
};
struct packets_extent packets_measure_compressed(const char *path);

static inline uint32_t packet_u32(const unsigned char *at)
{
	uint32_t value;

	__builtin_memcpy(&value, at, sizeof(value));
	return value;
}

static inline uint64_t packet_u64(const unsigned char *at)
{
	uint64_t value;

	__builtin_memcpy(&value, at, sizeof(value));
	return value;
}

#endif
