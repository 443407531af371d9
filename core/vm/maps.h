/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The system's own list of mappings (/proc/self/maps), line by line, without stdio or heap. */

#ifndef VADTRACE_CORE_VM_MAPS_H
#define VADTRACE_CORE_VM_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One mapping: [base, end), never empty, inside the program's addresses. */
struct maps_line {
	uintptr_t base;
	uintptr_t end;
	int prot; /* PROT_* */
	bool is_shared;
	uint64_t file_offset;
	uint64_t device; /* major << 32 | minor */
	uint64_t inode;  /* 0: no file */
	bool is_stack;   /* the first thread's, which grows downwards */
};

/* A reading under way. The text buffer is one for all: readers hold vm_lock. */
struct maps_reader {
	int fd;
	size_t next, filled; /* what is left of the buffer */
	int error;           /* why the system said no more, or 0 */
};

/* 0 or -errno; on 0, close it. */
int maps_open(struct maps_reader *reader);
/* The next mapping, in rising order; false at the end, and when the system says no more. */
bool maps_next(struct maps_reader *reader, struct maps_line *line);
/* 0, or -errno when the system did not say all. */
int maps_close(struct maps_reader *reader);

#endif
