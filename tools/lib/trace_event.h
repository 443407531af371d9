/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What the reader makes of a trace: one flat struct per thing that happened.
 *
 * Two sorts. Happenings (kinds of core/event.h: blocks, heaps, address ranges) come in the exact
 * order of time within their process. Definitions (the kinds below), and calls of Windows
 * functions, come as soon as they are met, which is before anything that refers to them. The
 * happenings of a fork's child come after its parent's TRACE_FORK. */

#ifndef VADTRACE_TOOLS_LIB_TRACE_EVENT_H
#define VADTRACE_TOOLS_LIB_TRACE_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "core/event.h"
#include "trace/schema/record.h"

/* Kinds of definitions; they follow after those of enum event_kind. */
enum trace_kind {
	TRACE_PROCESS = 0x100, /* a new image: `process` is a number not seen before */
	TRACE_EXIT,            /* the process ended in order; a few happenings may follow. In the
				  order of time, as happenings are */
	TRACE_END,             /* nothing of this process follows */
	TRACE_THREAD,          /* tid, name */
	TRACE_MODULE,          /* module, base, start, end, path, build_id */
	TRACE_MODULE_GONE,     /* module */
	TRACE_STACK,           /* stack, frames */
	TRACE_LOST,            /* count: records that the recorder could not write */
	TRACE_FORK,            /* extra: its fork_ns. In the order of time, as happenings are */
	TRACE_CALL,            /* api, stack, call: one call of a hooked Windows function */
	TRACE_HOOK,            /* api, address, hook: what became of a hook */
	TRACE_DIFFERENCE,      /* api, stack, difference: Wine's answer is not core's */
	TRACE_STACKS,          /* comparison: how many stacks a slow walk agreed with so far */
};

/* Why a process image exists. */
enum trace_reason {
	TRACE_REASON_START, /* the first that the trace knows of this pid */
	TRACE_REASON_EXEC,  /* follows an image of the same pid, which it replaced */
	TRACE_REASON_FORK,  /* begins with a copy of `parent`'s memory */
};

#define TRACE_NO_PROCESS UINT32_MAX

struct trace_process {
	uint32_t pid;
	uint32_t parent_pid;
	uint32_t parent; /* number of its parent's image or of the one it replaced, or none */
	uint32_t reason; /* enum trace_reason */
	uint32_t schema_version;
	uint32_t page_size;
	uint32_t stack_depth;
	uint64_t min_size_bytes;
	uint64_t commit_limit_bytes; /* 0: none */
	uint64_t fork_ns;            /* which TRACE_FORK of `parent` it comes from; 0: not known */
	const char *session;
	const char *mode;
	const char *exe;
	const char *command_line;
	const char *comm;
	const char *wine; /* version of the Wine that runs it; "": a Linux program */
};

struct trace_module {
	uint64_t id;
	uint64_t base; /* what was added to the file's addresses */
	uint64_t start;
	uint64_t end;
	const char *path;
	const char *build_id;
};

struct trace_frames {
	const uint64_t *addresses; /* innermost first */
	size_t count;
};

struct trace_call {
	uint64_t result;
	uint32_t error; /* the thread's last error after the call */
	const uint64_t *arguments;
	size_t argument_count;
};

struct trace_hook {
	const char *function;
	const char *dll;
	const char *state; /* hooked, passed on, not present, not loaded */
	const char *reason;
};

struct trace_difference {
	const char *what; /* the output that differs */
	uint64_t wine, core;
	const uint64_t *arguments;
	size_t argument_count;
};

/* - partial and different are parts of compared. */
struct trace_comparison {
	uint64_t compared, partial, different;
};

/* One event. Of EVENT_HEAP_ERROR, type is the misuse, extra the block, protect and owner are the
 * stacks that allocated and freed it, 0: not known. Strings and arrays belong to the reader and
 * live until the callback returns. Fields that a kind does not name are 0. */
struct trace_event {
	uint64_t time_ns; /* CLOCK_MONOTONIC of the traced machine */
	uint32_t process; /* number of the process image: 0, 1, ... */
	uint32_t tid;
	uint16_t kind;
	uint16_t api;
	uint32_t stack;
	uint64_t address;
	uint64_t size_bytes;
	uint64_t heap;
	uint64_t extra; /* the count of TRACE_LOST; a block's alignment, 0: not known or none */
	uint32_t type;
	uint32_t protect;
	uint32_t owner;
	union {
		const struct trace_process *image; /* TRACE_PROCESS */
		const struct trace_module *module; /* TRACE_MODULE, TRACE_MODULE_GONE (id only) */
		const char *name;                  /* TRACE_THREAD */
		struct trace_frames frames;        /* TRACE_STACK */
		const struct trace_call *call;
		const struct trace_hook *hook;
		const struct trace_difference *difference;
		const struct trace_comparison *comparison;
	};
};

/* A word as it lies in a stream, aligned to nothing. */
typedef uint64_t batch_word __attribute__((aligned(1), may_alias));

/* - lasting words stay where they are until all is told: nobody copies them. */
struct batch_words {
	const batch_word *list;
	size_t count;
	bool are_lasting;
};

/* `number` of a record that has none, and of one whose block was not live before or after it. */
#define RECORD_UNNUMBERED UINT32_C(0)
#define RECORD_UNKNOWN UINT32_MAX

/* A happening of a block (EVENT_ALLOCATE to EVENT_ALLOCATE_FAILED), as most of a trace is, in few
 * bytes. The first two words are those of trace/schema/record.h; `number` is the live block's, see
 * numbers.h. */
struct trace_record {
	uint64_t address_api;
	uint64_t size_kind;
	uint64_t time_ns;
	uint64_t heap;
	uint32_t stack;
	uint32_t tid;
	uint32_t number;
};

_Static_assert(sizeof(struct trace_record) == 48, "four records are three cache lines");

static inline uint8_t trace_record_kind(const struct trace_record *record)
{
	return (uint8_t)(record->size_kind >> 56);
}

static inline uint16_t trace_record_api(const struct trace_record *record)
{
	return (uint16_t)(record->address_api >> 48);
}

static inline uint64_t trace_record_address(const struct trace_record *record)
{
	return record->address_api & RECORD_ADDRESS_MASK;
}

static inline uint64_t trace_record_size(const struct trace_record *record)
{
	return record->size_kind & RECORD_SIZE_MAX;
}

static inline struct trace_event trace_record_event(const struct trace_record *record,
						    uint32_t process)
{
	return (struct trace_event){
		.time_ns = record->time_ns,
		.process = process,
		.tid = record->tid,
		.kind = trace_record_kind(record),
		.api = trace_record_api(record),
		.stack = record->stack,
		.address = trace_record_address(record),
		.size_bytes = trace_record_size(record),
		.heap = record->heap,
		.extra = record_alignment((uint8_t)(record->size_kind >> 48)),
	};
}

/* A release must come before an allocation at the same nanosecond. */
static inline bool trace_event_is_release(uint16_t kind)
{
	return kind == EVENT_FREE || kind == EVENT_REALLOC_BEGIN || kind == EVENT_HEAP_DESTROY ||
	       kind == EVENT_VAD_DECOMMIT || kind == EVENT_VAD_RELEASE || kind == EVENT_VAD_UNMAP;
}

#endif
