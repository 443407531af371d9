/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What a process did wrong with its blocks and heaps. Part of replay. */

#ifndef VADTRACE_TOOLS_LIB_ERRORS_H
#define VADTRACE_TOOLS_LIB_ERRORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/lib/blocks.h"
#include "tools/lib/trace_event.h"
#include "tools/lib/xalloc.h"

/* Misuses of one cause: of one kind, by one call stack, of blocks from one call stack. All but
 * `count` is the first one's.
 *  - a site is 0 where the call stack is not known;
 *  - block is 0 where no block is known; size_bytes and heap are the block's. */
struct error {
	uint64_t count;
	uint64_t time_ns;
	uint32_t tid;
	uint32_t misuse; /* enum misuse */
	uint16_t api;
	uint64_t address, block, size_bytes, heap;
	uint32_t site, allocated_site, freed_site;
};

enum { ERRORS_RECENT = 1024 }; /* a power of two */

/* Of a block that was released, in few bytes: one is written for each release. */
struct errors_released {
	union {
		struct {
			uint64_t address : 48;
			uint64_t site_low : 16;
			uint64_t size_bytes : 48;
			uint64_t site_high : 16;
		};
		uint64_t words[2];
	};
};

/*  - recent has blocks that were released last, each in the place that its address has. */
struct errors {
	struct error *list;
	size_t count, capacity;
	struct errors_released *recent; /* ERRORS_RECENT, or NULL */
};

void errors_free(struct errors *errors);
static inline struct errors_released *errors_recent_place(const struct errors *errors,
							  uint64_t address)
{
	return &errors->recent[(address * UINT64_C(0x9e3779b97f4a7c15)) >> 32 &
			       (ERRORS_RECENT - 1)];
}

/* A block was released: it may be released once more. */
static inline void errors_note_release(struct errors *errors, const struct block *block)
{
	if (!errors->recent)
		errors->recent = xcalloc(ERRORS_RECENT, sizeof(*errors->recent));
	struct errors_released *place = errors_recent_place(errors, block->address);
	uint64_t low = (UINT64_C(1) << 48) - 1, site = block->site;

	/* Whole words: what is there is not read. */
	place->words[0] = (block->words[0] & low) | site << 48;
	place->words[1] = (block->words[1] & low) | site >> 16 << 48;
}

/* Adds an error whose sites are known as far as the event tells them; `live` are the blocks that
 * the process has, which may tell more. */
void errors_add(struct errors *errors, struct error *error, const struct blocks *live);

/* "freed twice", "written past its end" ...; what happened to a block. */
const char *errors_name(uint32_t misuse);

#endif
