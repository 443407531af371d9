/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Whether an instruction is ELF or PE code, and its unwinding rule. */

#ifndef VADTRACE_TRACE_STACK_STACK_MIXED_H
#define VADTRACE_TRACE_STACK_STACK_MIXED_H

#include <stdbool.h>
#include <stdint.h>

#include "trace/stack/cfi.h"
#include "trace/stack/stack_pe.h"

/* Answers whether `pc` is in a PE image, or in generated code with a function table, and which. */
typedef bool (*mixed_images)(uint64_t pc, struct pe_image *image);

/* A number that changes when a function table comes or goes, as far as that can be seen cheaply. */
typedef uint64_t (*mixed_version)(void);

/* There is Windows code from now on. */
void mixed_start_windows(mixed_images images, mixed_version version);
bool mixed_has_windows(void);

/* `pc` is an address inside the instruction: for a return address, one less. is_exact: it is no
 * return address. */
struct cfi_rule mixed_find(uintptr_t pc, bool is_exact);

/* The whole frame of PE code; false when `pc` is in none. */
bool mixed_find_frame(uintptr_t pc, bool is_exact, struct pe_frame *frame);

/* Registers that Wine keeps of a thread's Windows side, while it is in a system call. */
struct mixed_system_call {
	uint64_t frame; /* where they are kept; 0: not known yet */
	uint64_t pc, rsp, rbp;
};

/* From code that a system call has called back to that system call: the innermost such, where frame
 * is 0, else the next one further out. False when there is none. */
bool mixed_leave_callback(struct mixed_system_call *call);

/* Whether a rule of CFI_NO_MODULE has to be asked for again. */
bool mixed_is_old(struct cfi_rule rule);

#endif
