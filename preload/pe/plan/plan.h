/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* How a function can be hooked: which bytes of its entry give way to a jump, and what must run in
 * their place to have the function as it was. */

#ifndef VADTRACE_PRELOAD_PE_PLAN_PLAN_H
#define VADTRACE_PRELOAD_PE_PLAN_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/pe/plan/hooks.h"
#include "preload/pe/plan/image.h"

#define PLAN_JUMP_BYTES 5 /* jmp rel32 */
/* The last instruction under the jump may begin at its last byte. */
#define PLAN_PATCH_BYTES_MAX (PLAN_JUMP_BYTES - 1 + 15)
#define PLAN_UNWIND_SLOTS_MAX 16

enum plan_way {
	PLAN_WAY_NONE,
	PLAN_WAY_SKIP, /* the bytes do nothing: the function begins after them as well */
	PLAN_WAY_MOVE, /* the instructions run elsewhere, then the rest of the function */
};

enum plan_part_kind {
	PLAN_PART_PLAIN,        /* runs anywhere */
	PLAN_PART_RIP,          /* has the address of memory relative to itself at `field` */
	PLAN_PART_JUMP,         /* to `target` */
	PLAN_PART_JUMP_IF,      /* to `target`; `field` is the condition, as in its opcode */
	PLAN_PART_CALL,         /* of `target`; the last part */
	PLAN_PART_CALL_THROUGH, /* of the function whose address is at `target`; the last part */
};

/* One instruction under the jump: [offset, offset + size_bytes) of the entry. */
struct plan_part {
	uint8_t kind; /* enum plan_part_kind */
	uint8_t offset, size_bytes;
	uint8_t field;
	uint32_t target; /* RVA */
};

/* What a stack walk must undo when it stands `offset` bytes behind the entry: UNWIND_CODEs as in
 * .xdata, of the instructions that move only. */
struct plan_unwind {
	uint8_t frame; /* the frame register and its offset, as in UNWIND_INFO */
	uint8_t slot_count;
	uint16_t slots[PLAN_UNWIND_SLOTS_MAX];
};

/*  - state is HOOK_IS_SET when it can be, else HOOK_WAITS, HOOK_ABSENT or HOOK_LEFT;
 *  - reason is a fixed text, "" for the first two;
 *  - the rest is set with HOOK_IS_SET only; parts and unwind with PLAN_WAY_MOVE only;
 *  - the parts follow each other from offset 0; patch_bytes >= PLAN_JUMP_BYTES. */
struct plan {
	enum hook_state state;
	enum plan_way way;
	const char *reason;
	uint32_t rva;
	uint8_t patch_bytes;
	uint8_t part_count;
	bool falls_through; /* the function goes on behind the patch */
	uint8_t code[PLAN_PATCH_BYTES_MAX];
	struct plan_part parts[PLAN_JUMP_BYTES];
	struct plan_unwind unwind;
};

/* Plans the hook of one function of the image. */
void plan_hook(const struct pe_image *image, const char *export, struct plan *plan);

/* Plans all hooks of a DLL; plans[i] is that of hook_at(i), others are left alone. `name`: the
 * DLL's, as in struct hook. */
void plan_dll(const struct pe_image *image, const char *name, struct plan *plans);

#endif
