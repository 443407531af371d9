/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What a program did wrong with a block or a heap: told as an event and, while blocks are checked
 * (checked.h), written as a report; and the end of a process that did so through the malloc face.
 */

#ifndef VADTRACE_CORE_HEAP_MISUSE_H
#define VADTRACE_CORE_HEAP_MISUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/event.h"

struct heap;

/* Frames of a call stack that a checked block remembers. */
#define MISUSE_FRAMES 16u

/* A call stack, taken when a block was allocated or freed. count 0: not known. */
struct misuse_stack {
	uint64_t frames[MISUSE_FRAMES];
	uint32_t count;
	uint32_t tid;
};

/* What happened, and to which block.
 *  - block is 0 where none is known; then size_bytes is 0, too. */
struct misuse_report {
	enum misuse misuse;
	enum api api;
	uintptr_t address; /* what the program gave, touched or wrote over */
	const struct heap *heap;
	uintptr_t block;
	size_t size_bytes;
	struct misuse_stack allocated, freed;
};

/* What the host knows better; all may be NULL. */
struct misuse_host {
	/* The calling thread's stack: at most `capacity` frames; answers how many. */
	uint32_t (*take_stack)(uint64_t *frames, uint32_t capacity);
	/* Writes what is at the address, ended by '\0'. */
	void (*name_frame)(uint64_t frame, char *text, size_t size_bytes);
	/* Where reports go: the file's absolute path; else standard error. */
	const char *log_path;
};
void misuse_set_host(const struct misuse_host *host);

/* The calling thread's stack, as far as the host tells. */
void misuse_take_stack(struct misuse_stack *stack);

/* Finds out what is wrong with `address` as a block of `heap` (report->misuse is MISUSE_NONE if
 * nothing is), and all that is known of the block there. */
void misuse_examine(const struct heap *heap, const void *address, struct misuse_report *report);

/* Tells the sink and, while blocks are checked, writes the report. Called without any lock. Keeps
 * errno. */
void misuse_tell(const struct misuse_report *report);

/* Tells what is wrong with a block that `api` was given, if somebody listens or blocks are checked.
 */
void misuse_tell_of(enum api api, const struct heap *heap, const void *address);

/* A block handed to a function of the malloc family cannot be what the program thinks: tells it,
 * says so in a line that begins with "vadtrace: ", and aborts. `misuse` is what was found. */
_Noreturn void misuse_abort(enum api api, enum misuse misuse, const void *address);

#endif
