/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* For those who doubt a stack: each is walked a second time, slowly, and the two are compared. */

#ifndef VADTRACE_TRACE_STACK_COMPARE_H
#define VADTRACE_TRACE_STACK_COMPARE_H

#include <stdbool.h>
#include <stdint.h>

#include "trace/stack/stack_elf.h"

/* - partial and different are parts of compared. */
struct compare_counts {
	uint64_t compared;
	uint64_t partial;   /* beyond a frame of generated code nothing can be compared */
	uint64_t different; /* the slow walk has found other frames */
};

/* Before the first stack is taken. */
void compare_start(bool is_wanted);

extern bool compare_is_on;

/* `ours` is what stack_walk has made of `start` and `capacity`. Tells the first differences. */
void compare_stack(const struct stack_start *start, uint32_t capacity,
		   const struct stack_trace *ours);

/* Tells the counts so far. Nothing, unless stacks are compared. */
void compare_tell(void);

/* In a fork's child: it counts its own. */
void compare_fork_child(void);

#endif
