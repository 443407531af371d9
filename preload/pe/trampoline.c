/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Instructions that gave way to a jump, written anew where they are to run.
 *
 * A call becomes one of the next instruction but one, which puts the address behind the call in the
 * DLL in the place of its own, and a jump: who walks the stack from inside the called function
 * meets nothing of ours, and the processor, which counts calls and returns, is wrong about one
 * return and not about all that follow. Nothing here changes flags or registers that the
 * instruction does not change. */

#include "preload/pe/stub.h"

static void emit_jump(struct emitter *code, uint64_t target)
{
	emit_code(code, 0xe9);
	emit_relative(code, target);
}

/* What a call puts onto the stack; the processor goes on behind the trap. */
static void push_address(struct emitter *code, uint64_t address)
{
	emit_code(code, 0xe8, 1, 0, 0, 0); /* call */
	emit_code(code, 0xcc);
	emit_code(code, 0xc7, 0x04, 0x24); /* movl */
	emit_32(code, (uint32_t)address);
	emit_code(code, 0xc7, 0x44, 0x24, 0x04);
	emit_32(code, (uint32_t)(address >> 32));
}

/* The distance lies inside of the instruction, and counts from its end. */
static void emit_rip(struct emitter *code, const struct plan_part *part, const uint8_t *bytes,
		     uint64_t target)
{
	int64_t distance = (int64_t)(target - (emit_address(code) + part->size_bytes));
	int32_t field = (int32_t)distance;
	uint8_t copy[15];

	if (distance != field || part->size_bytes > sizeof(copy) ||
	    (size_t)part->field + sizeof(field) > part->size_bytes) {
		code->has_failed = true;
		return;
	}
	memcpy(copy, bytes, part->size_bytes);
	memcpy(copy + part->field, &field, sizeof(field));
	emit_bytes(code, copy, part->size_bytes);
}

static void emit_part(struct emitter *code, const struct plan_part *part, const uint8_t *bytes,
		      uint64_t target, uint64_t behind)
{
	switch ((enum plan_part_kind)part->kind) {
	case PLAN_PART_PLAIN:
		emit_bytes(code, bytes, part->size_bytes);
		break;
	case PLAN_PART_RIP:
		emit_rip(code, part, bytes, target);
		break;
	case PLAN_PART_JUMP:
		emit_jump(code, target);
		break;
	case PLAN_PART_JUMP_IF:
		emit_code(code, 0x0f, (uint8_t)(0x80 | part->field));
		emit_relative(code, target);
		break;
	case PLAN_PART_CALL:
		push_address(code, behind);
		emit_jump(code, target);
		break;
	case PLAN_PART_CALL_THROUGH:
		push_address(code, behind);
		emit_code(code, 0xff, 0x25); /* jmp *target */
		emit_relative(code, target);
		break;
	}
}

/* Moves the codes of instructions that end at `from` to `to`. The slots are an array of codes, each
 * with operands behind it; `done` are behind those that have been moved. */
static void move_codes(const struct plan_unwind *unwind, struct plan_unwind *moved, size_t from,
		       size_t to)
{
	static const uint8_t operands[16] = { [1] = 1, [4] = 1, [5] = 2, [8] = 1, [9] = 2 };

	for (unsigned int i = 0; i < unwind->slot_count; i++) {
		unsigned int operation = unwind->slots[i] >> 8 & 0xf;

		if ((unwind->slots[i] & 0xff) >= from)
			moved->slots[i] = (uint16_t)((unwind->slots[i] & 0xff00) | to);
		i += operands[operation] + (unwind->slots[i] >> 8 == 0x11);
	}
}

void trampoline_emit(struct emitter *code, const struct plan *plan, uint64_t base,
		     struct plan_unwind *moved)
{
	uint64_t behind = base + plan->rva + plan->patch_bytes;
	size_t begin = code->used;

	*moved = plan->unwind;
	for (unsigned int i = 0; i < plan->part_count; i++) {
		const struct plan_part *part = &plan->parts[i];

		emit_part(code, part, plan->code + part->offset, base + part->target, behind);
		move_codes(&plan->unwind, moved, (size_t)part->offset + part->size_bytes,
			   code->used - begin);
	}
	if (plan->falls_through)
		emit_jump(code, behind);
}

void trampoline_emit_unwind(struct emitter *tables, const struct plan_unwind *moved,
			    size_t size_bytes)
{
	emit_code(tables, 1, (uint8_t)size_bytes, moved->slot_count, moved->frame);
	emit_bytes(tables, moved->slots, (size_t)moved->slot_count * sizeof(moved->slots[0]));
	emit_align(tables, 4, 0);
}
