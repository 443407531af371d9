/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* How a Windows program and the object that was preloaded into its process compare stacks. */

#ifndef VADTRACE_TESTS_UNIT_TRACE_STACK_MIXED_H
#define VADTRACE_TESTS_UNIT_TRACE_STACK_MIXED_H

#include <stdint.h>

#define MIXED_FRAMES 64
/* The object puts the table there. */
#define MIXED_TABLE UINT64_C(0x5a0000000)
#define MIXED_MAGIC UINT64_C(0x6465786d2d646176)
/* A mapping of this size is one to walk from. */
#define MIXED_SIZE 0x7b0000

/* As struct trace_caller. */
struct mixed_caller {
	uint64_t rip, rsp;
	uint64_t rbx, rbp, rsi, rdi, r12, r13, r14, r15;
};

struct mixed_stack {
	uint32_t count, padding;
	uint64_t frames[MIXED_FRAMES];
};

#ifdef _WIN32
#define MIXED_ABI
#else
#define MIXED_ABI __attribute__((ms_abi))
#endif

struct mixed_table {
	uint64_t magic;
	/* The stack that begins at `caller`, as a Windows event's would. */
	MIXED_ABI void (*walk)(const struct mixed_caller *caller, struct mixed_stack *stack);
	/* The stack of the last mapping of MIXED_SIZE, and how many of its innermost frames are
	 * ELF code. */
	MIXED_ABI uint32_t (*last_mapping)(struct mixed_stack *stack);
	/* Nanoseconds per walk, the same one many times. */
	MIXED_ABI uint64_t (*time)(const struct mixed_caller *caller);
	/* As an event of a release would. */
	MIXED_ABI void (*release)(uint64_t start, uint64_t end);
	/* The module of an address: its name, "" for none. */
	MIXED_ABI void (*name)(uint64_t address, char text[64]);
};

#endif
