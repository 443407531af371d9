/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* One heap event in three 64-bit words.
 *
 *   word 0   63........48 47.............................0
 *            api          address
 *   word 1   63....56 55....48 47........................0
 *            kind     flags    size in bytes
 *   word 2   63....................32 31.................0
 *            stack id                 ns since begin_ns
 *
 * flags, of an allocation by a function that takes an alignment, is its binary logarithm; else 0.
 * kind is enum event_kind of core/event.h, or one of the two below. */

#ifndef VADTRACE_TRACE_SCHEMA_RECORD_H
#define VADTRACE_TRACE_SCHEMA_RECORD_H

#include <stdint.h>

#define RECORD_WORDS 3
#define RECORD_ADDRESS_BITS 48
#define RECORD_ADDRESS_MASK ((UINT64_C(1) << RECORD_ADDRESS_BITS) - 1)
#define RECORD_SIZE_MAX RECORD_ADDRESS_MASK
#define RECORD_DELTA_MAX UINT32_MAX

enum record_kind {
	/* address is the heap of the records that follow in this batch; each batch begins with the
	 * heap of malloc (0). */
	RECORD_KIND_HEAP = 0x80,
};

/* The record in the clear. */
struct record {
	uint64_t address;
	uint64_t size_bytes; /* sizes above RECORD_SIZE_MAX are stored as RECORD_SIZE_MAX */
	uint32_t stack;      /* stack id, 0: unknown */
	uint32_t delta_ns;   /* since the batch's begin_ns */
	uint16_t api;
	uint8_t kind;
	uint8_t flags;
};

/* Rounded up to a power of two; 0: the function takes none. */
static inline uint8_t record_alignment_flags(uint64_t alignment_bytes)
{
	return alignment_bytes > 1 ? (uint8_t)(64 - __builtin_clzll(alignment_bytes - 1)) : 0;
}

/* 0: the function takes none, or the trace is of an older schema than 5. */
static inline uint64_t record_alignment(uint8_t flags)
{
	return flags && flags < 64 ? UINT64_C(1) << flags : 0;
}

static inline void record_encode(const struct record *record, uint64_t words[RECORD_WORDS])
{
	uint64_t size = record->size_bytes < RECORD_SIZE_MAX ? record->size_bytes : RECORD_SIZE_MAX;

	words[0] = (uint64_t)record->api << 48 | (record->address & RECORD_ADDRESS_MASK);
	words[1] = (uint64_t)record->kind << 56 | (uint64_t)record->flags << 48 | size;
	words[2] = (uint64_t)record->stack << 32 | record->delta_ns;
}

static inline void record_decode(struct record *record, const uint64_t words[RECORD_WORDS])
{
	record->api = (uint16_t)(words[0] >> 48);
	record->address = words[0] & RECORD_ADDRESS_MASK;
	record->kind = (uint8_t)(words[1] >> 56);
	record->flags = (uint8_t)(words[1] >> 48);
	record->size_bytes = words[1] & RECORD_SIZE_MAX;
	record->stack = (uint32_t)(words[2] >> 32);
	record->delta_ns = (uint32_t)words[2];
}

#endif
