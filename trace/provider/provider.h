/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The tracepoints as plain functions: the one door to LTTng. All go through outside_call. */

#ifndef VADTRACE_TRACE_PROVIDER_PROVIDER_H
#define VADTRACE_TRACE_PROVIDER_PROVIDER_H

#include <stdint.h>

#include "core/event.h"
#include "trace/schema/live.h"
#include "trace/schema/record.h"
#include "trace/stack/compare.h"
#include "trace/trace.h"

struct provider_record {
	uint64_t time_ns;
	uint64_t words[RECORD_WORDS];
	uint64_t heap; /* 0: the one of malloc */
	uint32_t tid;
};

/* A happening of a block, as an event of its own.
 *  - event->kind is of a block;
 *  - frames[0, frame_count) is its call stack, innermost first, and `stack` that one's id;
 *  - ip is where the program called, 0: not known;
 *  - element_count, of calloc, is how many elements were asked for; else 0;
 *  - old_address, of the end of a reallocation, is the block that was to be moved. */
struct provider_block {
	const struct event *event;
	uint64_t time_ns;
	uint64_t old_address;
	uint64_t element_count;
	uint64_t ip;
	const uint64_t *frames;
	uint32_t frame_count, stack;
};

struct provider_process {
	const char *session, *mode, *exe, *command_line, *comm, *reason, *wine;
	uint64_t min_size_bytes;
	uint64_t commit_limit_bytes; /* 0: none */
	uint64_t fork_ns;            /* of a fork's child, else 0 */
	uint32_t schema_version, page_size, stack_depth;
	int32_t parent_pid;
};

struct provider_module {
	uint64_t base, start, end;
	const char *path, *build_id;
	uint32_t module;
};

struct provider_pe_module {
	uint64_t base, start, end;
	const char *path, *name, *pdb, *pdb_id;
	uint32_t module, timestamp, image_size;
};

/* A misuse, with its own stack's id and those of the block's life. */
struct provider_error {
	const struct event *event;
	uint64_t block;
	uint32_t stack, allocated_stack, allocated_tid, freed_stack, freed_tid;
};

/* Takes one more reference to all providers, for good: the destructors of our object, which the
 * linker puts into an order of its own, do not take them away from the events still to come. */
void provider_start(void);

/* LTTng learns of the calling thread. May wait for a fork under way. */
void provider_thread_begin(void);

/* In a fork's child: no other thread is emitting. */
void provider_fork_child(void);

/* Non-zero while a session records vadtrace_heap:batch. */
const volatile int *provider_gate(void);

/* These five are called where no handler interrupts (trace/hold.h). The first: all records of the
 * slot. */
void provider_batch(const struct live_slot *slot);
void provider_settled(uint64_t until_ns);
void provider_record(const struct provider_record *record);
void provider_stack(uint32_t stack, const uint64_t *frames, uint32_t count);
/* As an event of vadtrace_heap, and as one of lttng_ust_libc. */
void provider_block(const struct provider_block *block);

/* HEAP_* and VAD_* events. */
void provider_event(const struct event *event, uint32_t stack);
void provider_error(const struct provider_error *error);
void provider_process(const struct provider_process *process);
void provider_fork(uint64_t fork_ns);
void provider_exit(void);
void provider_thread(uint32_t tid, const char *name);
void provider_module(const struct provider_module *module);
void provider_pe_module(const struct provider_pe_module *module);
void provider_module_gone(uint32_t module);
/* The two stacks differ; both 0: just the counts. */
void provider_stacks(const struct compare_counts *counts, uint32_t stack, uint32_t slow_stack);
void provider_call(const struct trace_call *call, uint32_t stack);
void provider_hook(const struct trace_hook *hook);
void provider_difference(const struct trace_difference *difference, uint32_t stack);

#endif
