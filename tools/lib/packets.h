/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The packets of one stream file, one after the other. */

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

struct packets;

/* NULL: the file cannot be read. */
struct packets *packets_open(const char *path);
void packets_close(struct packets *packets);

/* The next packet: at least PACKET_HEAD_BYTES, valid until the next call. NULL at the end, and when
 * what follows is no whole packet: then packets_is_broken says so. */
const unsigned char *packets_next(struct packets *packets, size_t *content_bytes);
bool packets_is_broken(const struct packets *packets);

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
