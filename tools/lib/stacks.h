/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Call stacks of a whole trace, shared between processes.
 *
 *   file      a module on disk: path and build-id
 *   location  (file, offset of the return address in it)
 *   node      (caller's node, location): a stack is the node of its innermost frame
 *
 *   node 0 <- main+0x20 <- parse+0x41 <- grow+0x12      one prefix is stored once
 *                       <- print+0x07 */

#ifndef VADTRACE_TOOLS_LIB_STACKS_H
#define VADTRACE_TOOLS_LIB_STACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/lib/trace_event.h"

/* File 0 is no file: offsets in it are absolute addresses. */
struct stacks_file {
	char *path;
	char *build_id; /* lower-case hexadecimal text, "" when unknown */
	bool is_tracer; /* LTTng's library: what it allocates is not the program's */
};

struct stacks_location {
	uint32_t file;
	uint64_t offset;
};

/* - parent is smaller than the node's own number. */
struct stacks_node {
	uint32_t parent;
	uint32_t location : 31;
	uint32_t is_tracer : 1; /* this frame or one of its callers is the tracer's */
};

struct stacks {
	struct stacks_file *files;
	struct stacks_location *locations;
	struct stacks_node *nodes;
	size_t file_count, file_capacity;
	size_t location_count, location_capacity;
	size_t node_count, node_capacity;
	uint32_t *location_table, *node_table; /* numbers, 0: empty */
	size_t location_slots, node_slots;
};

/* Node 0 is the empty stack, location 0 and file 0 the unknown ones. */
void stacks_init(struct stacks *stacks);
void stacks_free(struct stacks *stacks);

uint32_t stacks_add_file(struct stacks *stacks, const char *path, const char *build_id);
uint32_t stacks_add_location(struct stacks *stacks, uint32_t file, uint64_t offset);
/* The node of `location` called from `parent`. */
uint32_t stacks_add_node(struct stacks *stacks, uint32_t parent, uint32_t location);

/* One module that a process has or had. */
struct stacks_module {
	uint64_t id;
	uint64_t base, start, end;
	uint64_t load_ns, gone_ns; /* gone_ns 0: to the end */
	uint32_t file;
};

struct stacks_modules {
	struct stacks_module *list;
	size_t count, capacity;
	size_t last; /* the one that the last look-up found */
};

void stacks_modules_add(struct stacks *stacks, struct stacks_modules *modules,
			const struct trace_event *event);
void stacks_modules_remove(struct stacks_modules *modules, const struct trace_event *event);

/* The node of a stack of addresses, with the modules as they are now. */
uint32_t stacks_add_stack(struct stacks *stacks, struct stacks_modules *modules,
			  const struct trace_frames *frames);

#endif
