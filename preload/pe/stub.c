/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Stubs. Offsets are those of struct hook_call, which lies at the stack pointer.
 *
 *           sub   $STUB_FRAME,%rsp          the whole prologue: what unwind information tells
 *           test  %eax,-STUB_PROBE(%rsp)
 *           mov   the arguments and the kept registers into the call
 *           mov   the hook into the call
 *           mov   %rsp,%rcx
 *           call  *enter
 *           test  %al,%al
 *           je    original
 *           cmpl  $0,raise
 *           jne   raise
 *   answer: mov   result,%rax
 *           add   $STUB_FRAME,%rsp
 *           ret
 *   original:
 *           mov   the arguments that are on the stack down to `passed`, the others to registers
 *           call  original
 *           mov   %rax,result
 *           mov   %rsp,%rcx
 *           call  *leave
 *           jmp   answer
 *   raise:  mov   raise,%ecx
 *           call  *raise_status             does not come back
 *           int3
 *
 * Before it, where there is a quick function:
 *
 *           test  %eax,-LEAF_PROBE(%rsp)
 *           jmp   quick                     goes on to the stub when it declines
 *
 * Or, where Wine always answers, a gate:
 *
 *           test  %eax,-LEAF_PROBE(%rsp)
 *           mov   $is_open,%rax
 *           cmpb  $0,(%rax)
 *           je    stub
 *           mov   $wanted,%rax
 *           mov   (%rax),%rax
 *           cmpl  $0,(%rax)
 *           jne   stub
 *           jmp   original */

#include "preload/pe/stub.h"

#include "preload/pe/call.h"

enum reg { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };

static const uint8_t passed_in[] = { RCX, RDX, R8, R9 };
static const uint8_t kept[] = { RBX, RBP, RSI, RDI, R12, R13, R14, R15 };

#define CALL(field) ((uint32_t)offsetof(struct hook_call, field))

/* A register of 64 bits to or from its place in the frame: `operation` is 0x89 or 0x8b. */
static void move(struct emitter *code, uint8_t operation, enum reg reg, uint32_t offset)
{
	uint8_t rex = (uint8_t)(0x48 | (reg >= R8 ? 4 : 0)), low = (uint8_t)((reg & 7) << 3);

	if (offset < 128) {
		emit_code(code, rex, operation, (uint8_t)(0x44 | low), 0x24, (uint8_t)offset);
		return;
	}
	emit_code(code, rex, operation, (uint8_t)(0x84 | low), 0x24);
	emit_32(code, offset);
}

static void store(struct emitter *code, enum reg reg, uint32_t offset)
{
	move(code, 0x89, reg, offset);
}

static void load(struct emitter *code, enum reg reg, uint32_t offset)
{
	move(code, 0x8b, reg, offset);
}

static void call_slot(struct emitter *code, uint64_t slot)
{
	emit_code(code, 0x48, 0x89, 0xe1); /* mov %rsp,%rcx */
	emit_code(code, 0xff, 0x15);
	emit_relative(code, slot);
}

/* A jump whose distance of four bytes is filled in by land_here. */
static size_t jump_ahead(struct emitter *code, uint8_t condition)
{
	emit_code(code, 0x0f, condition);
	emit_32(code, 0);
	return code->used;
}

static void land_here(struct emitter *code, size_t jump_end)
{
	uint32_t distance = (uint32_t)(code->used - jump_end);

	if (!code->has_failed)
		memcpy(code->bytes + jump_end - 4, &distance, sizeof(distance));
}

static void probe_stack(struct emitter *code, uint32_t bytes)
{
	emit_code(code, 0x85, 0x84, 0x24); /* test */
	emit_32(code, -bytes);
}

/* --- The stub -------------------------------------------------------------------------------- */

static void emit_prologue(struct emitter *code, const struct hook *hook)
{
	emit_code(code, 0x48, 0x81, 0xec); /* sub */
	emit_32(code, STUB_FRAME);
	probe_stack(code, STUB_PROBE);
	for (unsigned int i = 0; i < sizeof(passed_in); i++)
		store(code, passed_in[i], CALL(arguments) + 8 * i);
	for (unsigned int i = 0; i < sizeof(kept); i++)
		store(code, kept[i], CALL(kept) + 8 * i);
	emit_code(code, 0x48, 0xb8); /* mov to %rax */
	emit_64(code, (uintptr_t)hook);
	store(code, RAX, CALL(hook));
}

static void emit_answer(struct emitter *code)
{
	load(code, RAX, CALL(result));
	emit_code(code, 0x48, 0x81, 0xc4); /* add */
	emit_32(code, STUB_FRAME);
	emit_code(code, 0xc3);
}

static void emit_original(struct emitter *code, const struct hook *hook, uint64_t original,
			  const struct stub_slots *slots)
{
	for (unsigned int i = 4; i < hook->arguments; i++) {
		load(code, RAX, CALL(stacked) + 8 * (i - 4));
		store(code, RAX, CALL(passed) + 8 * (i - 4));
	}
	for (unsigned int i = 0; i < sizeof(passed_in); i++)
		load(code, passed_in[i], CALL(arguments) + 8 * i);
	emit_code(code, 0xe8);
	emit_relative(code, original);
	store(code, RAX, CALL(result));
	call_slot(code, slots->leave);
}

void stub_emit(struct emitter *code, const struct hook *call_hook, uint64_t original,
	       const struct stub_slots *slots)
{
	size_t to_original, to_raise;
	uint64_t answer;

	emit_prologue(code, call_hook);
	call_slot(code, slots->enter);
	emit_code(code, 0x84, 0xc0);          /* test %al,%al */
	to_original = jump_ahead(code, 0x84); /* je */
	emit_code(code, 0x83, 0xbc, 0x24);    /* cmpl */
	emit_32(code, CALL(raise));
	emit_code(code, 0);
	to_raise = jump_ahead(code, 0x85); /* jne */
	answer = emit_address(code);
	emit_answer(code);
	land_here(code, to_original);
	emit_original(code, call_hook, original, slots);
	emit_code(code, 0xe9);
	emit_relative(code, answer);
	land_here(code, to_raise);
	emit_code(code, 0x8b, 0x8c, 0x24); /* mov to %ecx */
	emit_32(code, CALL(raise));
	emit_code(code, 0xff, 0x15);
	emit_relative(code, slots->raise_status);
	emit_code(code, 0xcc);
}

/* A stack grows page by page: more than one must not be skipped. */
static_assert(STUB_FRAME + STUB_PROBE < 4096, "the probe is in the next page at most");

/* Version 1; a prologue of 7 bytes, after which UWOP_ALLOC_LARGE undoes the frame. */
void stub_emit_unwind(struct emitter *tables)
{
	static_assert(STUB_FRAME < 512 * 1024, "the size takes one slot");

	emit_code(tables, 1, 7, 2, 0, 7, 0x01);
	emit_16(tables, STUB_FRAME / 8);
}

/* --- What comes before a stub, and leaves the stack alone ----------------------------------- */

/* Before the stub's frame is made. */
#define LEAF_PROBE (STUB_FRAME + STUB_PROBE)

/* Version 1; nothing is to be undone. */
void leaf_emit_unwind(struct emitter *tables)
{
	emit_code(tables, 1, 0, 0, 0);
}

void quick_emit(struct emitter *code, uint64_t quick)
{
	probe_stack(code, LEAF_PROBE);
	emit_code(code, 0xe9);
	emit_relative(code, quick);
}

static void load_constant(struct emitter *code, uint64_t value)
{
	emit_code(code, 0x48, 0xb8); /* mov to %rax */
	emit_64(code, value);
}

void gate_emit(struct emitter *code, const struct gate *gate, uint64_t original, uint64_t stub)
{
	probe_stack(code, LEAF_PROBE);
	load_constant(code, (uintptr_t)gate->is_open);
	emit_code(code, 0x80, 0x38, 0); /* cmpb */
	emit_code(code, 0x0f, 0x84);    /* je */
	emit_relative(code, stub);
	load_constant(code, (uintptr_t)gate->wanted);
	emit_code(code, 0x48, 0x8b, 0x00); /* mov */
	emit_code(code, 0x83, 0x38, 0);    /* cmpl */
	emit_code(code, 0x0f, 0x85);       /* jne */
	emit_relative(code, stub);
	emit_code(code, 0xe9);
	emit_relative(code, original);
}
