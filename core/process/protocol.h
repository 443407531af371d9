/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What two processes say to each other: one request, one reply, and the connection ends. Both are
 * of one size, and both sides come from this same source: anything else is refused. */

#ifndef VADTRACE_CORE_PROCESS_PROTOCOL_H
#define VADTRACE_CORE_PROCESS_PROTOCOL_H

#include <assert.h>
#include <stdint.h>

#include "core/types.h"

#define PROTOCOL_REQUEST_MARK UINT64_C(0x3151455244415602) /* changes with the contents */
#define PROTOCOL_REPLY_MARK UINT64_C(0x3150455244415602)

/* The name under which a process serves: its view of process ids, and its own. */
#define PROTOCOL_NAME_PREFIX "vadtrace/"

/* How long a caller waits for a process that does not answer, and a process for a caller. */
#define PROTOCOL_PATIENCE_MS 10000

/* Pages and other numbers of one message; who has more sends several. */
#define PROTOCOL_WORDS 64

enum protocol_operation {
	PROTOCOL_ALLOCATE = 1,
	PROTOCOL_FREE,
	PROTOCOL_PROTECT,
	PROTOCOL_QUERY,
	PROTOCOL_EXPECT, /* to be written to: succeeds when it can be now, and could not before */
	PROTOCOL_LOCK,
	PROTOCOL_UNLOCK,
	PROTOCOL_PREFETCH,
	PROTOCOL_GET_LIMITS, /* of the working set: answers PROTOCOL_LIMIT_* in words */
	PROTOCOL_SET_LIMITS,
	PROTOCOL_EMPTY,       /* the working set */
	PROTOCOL_PAGES,       /* answers what QueryWorkingSetEx says of the pages in words */
	PROTOCOL_WRITTEN,     /* answers as many written pages as there are words; resets if type */
	PROTOCOL_NOT_WRITTEN, /* resets */
	PROTOCOL_TAKE_FRAMES, /* answers the numbers of as many frames as there are words, or less
			       */
	PROTOCOL_GIVE_FRAMES, /* answers how many of those in words were given back */
};

enum { PROTOCOL_LIMIT_MINIMUM, PROTOCOL_LIMIT_MAXIMUM, PROTOCOL_LIMIT_FLAGS, PROTOCOL_LIMIT_WORDS };

/* The arguments of a call of vm/virtual.h. Those that an operation does not have are 0. */
struct protocol_request {
	uint64_t mark; /* PROTOCOL_REQUEST_MARK */
	uint32_t operation;
	uint16_t api; /* enum api: what the caller called */
	uint16_t node;
	uint64_t base;
	uint64_t size_bytes;
	uint32_t type; /* of an allocation, or how to free */
	uint32_t protect;
	uint64_t alignment_bytes;
	uint64_t lowest;
	uint64_t limit;
	uint32_t takes_placeholders; /* 0 or 1 */
	uint32_t word_count;         /* at most PROTOCOL_WORDS */
	uint64_t words[PROTOCOL_WORDS];
};
static_assert(sizeof(struct protocol_request) == 72 + 8 * PROTOCOL_WORDS,
	      "no padding, which would carry old bytes");

/* The outputs, as the engine left them. */
struct protocol_reply {
	uint64_t mark; /* PROTOCOL_REPLY_MARK */
	int32_t status;
	uint32_t old_protect;
	uint64_t base;
	uint64_t size_bytes;
	MEMORY_BASIC_INFORMATION info;
	uint64_t word_count;
	uint64_t words[PROTOCOL_WORDS];
};
static_assert(sizeof(struct protocol_reply) == 88 + 8 * PROTOCOL_WORDS,
	      "no padding between the fields");

#endif
