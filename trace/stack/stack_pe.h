/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What a PE image's .pdata says about one instruction: where its caller's registers are.
 *
 * The format is Microsoft's "x64 exception handling". Reads memory through the image's reader only:
 * no lock, no allocation, less than 1 KiB of stack. Plain C: it is also built as a PE program. */

#ifndef VADTRACE_TRACE_STACK_STACK_PE_H
#define VADTRACE_TRACE_STACK_STACK_PE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As the processor numbers them. */
enum pe_register { PE_RBX = 3, PE_RSP = 4, PE_RBP = 5, PE_REGISTERS = 16 };

/* Code and its function table.
 *  - [start, end) is the code; addresses in the table are relative to base;
 *  - table is the address of `count` entries of 12 bytes, sorted; 0: there is none;
 *  - callback is the function that system calls call the program through, 0 in most images;
 *  - read copies memory, and is false where it is not there. */
struct pe_image {
	uint64_t base, start, end;
	uint64_t table;
	uint32_t count;
	uint64_t callback;
	bool (*read)(uint64_t address, void *to, size_t size_bytes);
};

enum pe_kind {
	PE_STANDARD, /* the caller's rsp is base + caller_stack, the return address just below */
	PE_MACHINE, /* a trap: the processor's frame (rip, cs, flags, rsp) is at base + caller_stack
		     */
	PE_NO_TABLE, /* nothing is known about this image's code */
	PE_BAD,      /* damaged, or cannot be read */
};

/* One instruction's frame, in terms of its registers.
 *  - base is rsp or the frame register; where they differ, is_of_frame has a bit for each saved
 *    register whose place counts from the frame register, otherwise it counts from rsp;
 *  - bit r of `saved`: the caller's register r is stored at places[r]. */
struct pe_frame {
	enum pe_kind kind;
	uint8_t base, frame_register;
	uint16_t saved, is_of_frame;
	int32_t caller_stack;
	int32_t places[PE_REGISTERS];
};

/* `pc` is an address inside an instruction. is_exact: it is the instruction that comes next, which
 * may be in an epilogue; else it belongs to a call. */
struct pe_frame pe_frame_find(const struct pe_image *image, uint64_t pc, bool is_exact);

/* Whether `pc` is in the function that begins at `entry`. */
bool pe_is_in_function(const struct pe_image *image, uint64_t pc, uint64_t entry);

/* Registers of one frame; rip is the pc. */
struct pe_context {
	uint64_t rip;
	uint64_t registers[PE_REGISTERS];
};

/* Moves to the caller; false when a word cannot be read. `load` reads a word of the stack. */
bool pe_frame_apply(const struct pe_frame *frame, struct pe_context *context,
		    bool (*load)(void *data, uint64_t address, uint64_t *value), void *data);

#endif
