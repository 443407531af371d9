/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What is to be known of one instruction before it may move. */

#ifndef VADTRACE_PRELOAD_PE_PLAN_DECODE_H
#define VADTRACE_PRELOAD_PE_PLAN_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum decode_kind {
	DECODE_PLAIN,        /* nothing in it depends on where it stands */
	DECODE_NOTHING,      /* a nop */
	DECODE_TRAP,         /* int3 */
	DECODE_RETURN,       /* ret, or a jump to an address from a register or memory */
	DECODE_JUMP,         /* to target */
	DECODE_JUMP_IF,      /* to target, on condition */
	DECODE_CALL,         /* of target */
	DECODE_CALL_THROUGH, /* of a function whose address is in memory, or in a register */
	DECODE_OTHER,        /* goes to target in a way that cannot be written anew */
};

struct decode {
	enum decode_kind kind;
	uint8_t size_bytes;
	uint8_t condition;   /* of DECODE_JUMP_IF: the low four bits of its opcode */
	uint8_t disp_offset; /* not 0: of four bytes that make the address of memory, relative */
	int64_t target;      /* from the instruction's first byte: of the jump, or of the memory */
};

/* False when there is no instruction. */
bool decode_instruction(const uint8_t *bytes, size_t size_bytes, struct decode *decode);

#endif
