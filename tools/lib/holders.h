/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Which call stacks hold how much of an address space, now and at the peak of commit. */

#ifndef VADTRACE_TOOLS_LIB_HOLDERS_H
#define VADTRACE_TOOLS_LIB_HOLDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The program's ranges and those that core's heap took are told apart: for the latter, a stack is
 * that of the allocation which happened to need a segment. */
enum holders_group { HOLDERS_PROGRAM, HOLDERS_HEAP, HOLDERS_GROUPS };

/* What one site has, in one group.
 *  - committed is a part of reserved;
 *  - peak_* is valid for peak_number; see holders.c. */
struct holder {
	uint64_t reserved_bytes, committed_bytes;
	uint64_t peak_reserved_bytes, peak_committed_bytes;
	uint64_t peak_number;
	uint64_t calls;      /* of any kind, that its stack made */
	uint64_t call_bytes; /* what those asked for, that reserve or map */
};

/* - list is by site; sites behind its end hold nothing. */
struct holders {
	struct holder (*list)[HOLDERS_GROUPS];
	size_t count;
	uint64_t peak_number; /* counts the peaks so far */
};

void holders_free(struct holders *holders);

/* A range of the site comes to, or goes from, what it holds. */
void holders_change(struct holders *holders, uint32_t site, enum holders_group group,
		    uint64_t size_bytes, bool is_committed, bool is_added);
/* A call of the site; reserved_bytes: what it asked for, if it reserves. */
void holders_count_call(struct holders *holders, uint32_t site, enum holders_group group,
			uint64_t reserved_bytes);

/* What is held now is the peak. */
void holders_note_peak(struct holders *holders);
/* After the last change: all peak_* are valid. */
void holders_finish(struct holders *holders);

/* What the site has; all zero when it never had anything. */
const struct holder *holders_find(const struct holders *holders, uint32_t site,
				  enum holders_group group);

#endif
