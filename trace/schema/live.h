/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Thread buffers in a file, so that records outlive their process.
 *
 * DIR/live/PID.START (START: when the file was made, in CLOCK_MONOTONIC ns; both decimal) is an
 * array of slots of LIVE_SLOT_SIZE bytes, mapped shared by the traced process. A process that ends
 * in order empties its slots and removes the file. What a killed process leaves is read by the
 * tools.
 *
 *   slot 0   the process: no records
 *   slot 1   header    used_words    words ....
 *   ...
 *
 * A slot with tid 0 is unused; used_words counts whole records, written after their words. A
 * thread has up to two slots with records. A process that is killed while it emits a slot leaves it
 * in both places: one whose tid and begin_ns are those of a batch is in the trace already. */

#ifndef VADTRACE_TRACE_SCHEMA_LIVE_H
#define VADTRACE_TRACE_SCHEMA_LIVE_H

#include <stdint.h>

#define LIVE_MAGIC UINT64_C(0x3145564c54444156) /* "VADTLVE1", little endian */
#define LIVE_SLOT_SIZE 4096

struct live_slot_header {
	uint64_t magic;    /* LIVE_MAGIC, in each slot */
	uint64_t begin_ns; /* the deltas' origin */
	uint32_t pid;
	uint32_t tid; /* 0: the slot is free */
	uint32_t used_words;
	uint32_t reserved; /* 0 */
};

#define LIVE_SLOT_WORDS ((LIVE_SLOT_SIZE - sizeof(struct live_slot_header)) / sizeof(uint64_t))

struct live_slot {
	struct live_slot_header header;
	uint64_t words[LIVE_SLOT_WORDS];
};

_Static_assert(sizeof(struct live_slot) == LIVE_SLOT_SIZE, "a slot is one page");

/* The first slot of a file; its tid is 0. For who watches the process while it runs. */
struct live_process {
	struct live_slot_header header;
	uint64_t commit_bytes; /* the commit charge, as of the last event of vadtrace_vm */
};

_Static_assert(sizeof(struct live_process) <= LIVE_SLOT_SIZE, "it is a slot");

#endif
