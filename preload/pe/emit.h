/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Writes machine code, and the tables beside it, into memory of a known address. */

#ifndef VADTRACE_PRELOAD_PE_EMIT_H
#define VADTRACE_PRELOAD_PE_EMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*  - used <= size_bytes;
 *  - bytes[0] will be at `address` when it runs;
 *  - once something had no room, or a distance did not fit, has_failed stays true. */
struct emitter {
	uint8_t *bytes;
	size_t size_bytes, used;
	uint64_t address;
	bool has_failed;
};

static inline uint64_t emit_address(const struct emitter *emitter)
{
	return emitter->address + emitter->used;
}

static inline void emit_bytes(struct emitter *emitter, const void *bytes, size_t size_bytes)
{
	if (size_bytes > emitter->size_bytes - emitter->used) {
		emitter->has_failed = true;
		return;
	}
	memcpy(emitter->bytes + emitter->used, bytes, size_bytes);
	emitter->used += size_bytes;
}

static inline void emit_8(struct emitter *emitter, uint8_t value)
{
	emit_bytes(emitter, &value, sizeof(value));
}

static inline void emit_16(struct emitter *emitter, uint16_t value)
{
	emit_bytes(emitter, &value, sizeof(value));
}

static inline void emit_32(struct emitter *emitter, uint32_t value)
{
	emit_bytes(emitter, &value, sizeof(value));
}

static inline void emit_64(struct emitter *emitter, uint64_t value)
{
	emit_bytes(emitter, &value, sizeof(value));
}

/* Up to seven bytes of an instruction, as one reads them. */
#define emit_code(emitter, ...)                               \
	emit_bytes(emitter, (const uint8_t[]){ __VA_ARGS__ }, \
		   sizeof((const uint8_t[]){ __VA_ARGS__ }))

/* The four bytes of a distance to `target` from the end of the instruction, which they end. */
static inline void emit_relative(struct emitter *emitter, uint64_t target)
{
	int64_t distance = (int64_t)(target - (emit_address(emitter) + 4));

	if (distance != (int32_t)distance)
		emitter->has_failed = true;
	emit_32(emitter, (uint32_t)distance);
}

static inline void emit_align(struct emitter *emitter, size_t alignment, uint8_t filler)
{
	while (emitter->used % alignment != 0 && !emitter->has_failed)
		emit_8(emitter, filler);
}

#endif
