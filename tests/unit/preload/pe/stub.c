/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Stubs, executed here with Windows' calling convention: arguments, results, kept registers, and
 * what their unwind information says. */

#include "preload/pe/stub.h"

#include <setjmp.h>
#include <string.h>
#include <sys/mman.h>

#include <Zydis/Zydis.h>

#include "preload/pe/call.h"
#include "preload/pe/region.h"
#include "tests/lib/tap.h"

#define RESULT_PASSED 0x1122334455667788
#define RESULT_SERVED 0x99aabbccddeeff00

/* Calls `function` with twelve arguments and these values in the registers that it must keep (rbx,
 * rbp, rsi, rdi, r12 to r15); stores what they are afterwards. */
uint64_t call_kept(void *function, const uint64_t *arguments, const uint64_t *before,
		   uint64_t *after);
extern const char call_kept_return[];

asm(".text\n"
    "call_kept:\n"
    "	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
    "	push %rcx\n"
    "	sub $96, %rsp\n"
    "	mov %rdi, %r11; mov %rsi, %r10; mov %rdx, %r9\n"
    "	lea 32(%rsp), %rdi; lea 32(%r10), %rsi; mov $8, %ecx; rep movsq\n"
    "	mov (%r9), %rbx; mov 8(%r9), %rbp; mov 16(%r9), %rsi; mov 24(%r9), %rdi\n"
    "	mov 32(%r9), %r12; mov 40(%r9), %r13; mov 48(%r9), %r14; mov 56(%r9), %r15\n"
    "	mov (%r10), %rcx; mov 8(%r10), %rdx; mov 16(%r10), %r8; mov 24(%r10), %r9\n"
    "	call *%r11\n"
    "call_kept_return:\n"
    "	mov 96(%rsp), %r10\n"
    "	mov %rbx, (%r10); mov %rbp, 8(%r10); mov %rsi, 16(%r10); mov %rdi, 24(%r10)\n"
    "	mov %r12, 32(%r10); mov %r13, 40(%r10); mov %r14, 48(%r10); mov %r15, 56(%r10)\n"
    "	add $104, %rsp\n"
    "	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
    "	ret\n");

static struct {
	bool serves;
	uint32_t raises;
	unsigned int entered, left, passed;
	struct hook_call call; /* as enter saw it; without what is above it */
	uint64_t return_address, caller_stack;
	uint64_t arguments[HOOK_ARGUMENTS_MAX];
	uint64_t received[HOOK_ARGUMENTS_MAX]; /* by the original */
	uint64_t result;                       /* as leave saw it */
	uint64_t stack_at_leave;
} seen;

static jmp_buf raised;
static uint32_t raised_status;

static HOOK_ABI bool enter(struct hook_call *call)
{
	seen.entered++;
	memcpy(&seen.call, call, STUB_FRAME);
	seen.return_address = call->return_address;
	seen.caller_stack = hook_caller_stack(call);
	for (unsigned int i = 0; i < call->hook->arguments; i++)
		seen.arguments[i] = hook_argument(call, i);
	call->result = RESULT_SERVED;
	call->raise = seen.raises;
	memset(call->note, 0x5a, sizeof(call->note));
	return seen.serves;
}

static HOOK_ABI void leave(struct hook_call *call)
{
	static const uint64_t note[5] = { 0x5a5a5a5a5a5a5a5a, 0x5a5a5a5a5a5a5a5a,
					  0x5a5a5a5a5a5a5a5a, 0x5a5a5a5a5a5a5a5a,
					  0x5a5a5a5a5a5a5a5a };

	seen.left += memcmp(call->note, note, sizeof(note)) == 0;
	seen.result = call->result;
	seen.stack_at_leave = (uintptr_t)call;
}

static HOOK_ABI uint64_t original(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
				  uint64_t f, uint64_t g, uint64_t h, uint64_t i, uint64_t j,
				  uint64_t k, uint64_t l)
{
	uint64_t received[] = { a, b, c, d, e, f, g, h, i, j, k, l };

	memcpy(seen.received, received, sizeof(received));
	seen.passed++;
	return RESULT_PASSED;
}

static HOOK_ABI void raise_status(uint32_t status)
{
	raised_status = status;
	longjmp(raised, 1);
}

/* --- Making one ------------------------------------------------------------------------------ */

static struct region region;
static uint32_t stub_bytes, unwind_offset;

static void *make_stub(const struct hook *hook)
{
	struct stub_slots slots = { 0 };
	uint64_t base = (uintptr_t)&original & ~(uint64_t)0xffff;

	region_close(&region);
	if (!region_open(&region, base, 0x10000, STUB_CODE_BYTES_MAX, STUB_COMMON_BYTES))
		return NULL;
	slots.enter = emit_address(&region.tables);
	emit_64(&region.tables, (uintptr_t)enter);
	slots.leave = emit_address(&region.tables);
	emit_64(&region.tables, (uintptr_t)leave);
	slots.raise_status = emit_address(&region.tables);
	emit_64(&region.tables, (uintptr_t)raise_status);
	unwind_offset = (uint32_t)region.tables.used;
	stub_emit_unwind(&region.tables);
	stub_emit(&region.code, hook, (uintptr_t)original, &slots);
	stub_bytes = (uint32_t)region.code.used;
	if (region.code.has_failed || region.tables.has_failed || !region_seal(&region))
		return NULL;
	return region.code.bytes;
}

static const uint64_t kept_before[8] = { 0xb0, 0xb1, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7 };
static const uint64_t arguments[HOOK_ARGUMENTS_MAX] = {
	0xa00000000, 0xa00000001, 0xa00000002, 0xa00000003, 0xa00000004, 0xa00000005,
	0xa00000006, 0xa00000007, 0xa00000008, 0xa00000009, 0xa0000000a, 0xa0000000b,
};

static uint64_t run(void *stub, bool serves)
{
	uint64_t kept_after[8] = { 0 }, result;

	memset(&seen, 0, sizeof(seen));
	seen.serves = serves;
	result = call_kept(stub, arguments, kept_before, kept_after);
	ok(memcmp(kept_before, kept_after, sizeof(kept_after)) == 0,
	   "registers that a function keeps are kept");
	ok(memcmp(seen.call.kept, kept_before, sizeof(kept_before)) == 0, "enter sees them");
	return result;
}

/* --- Calls ----------------------------------------------------------------------------------- */

static void test_call(unsigned int count)
{
	const struct hook hook = { "dll", "f", 1, (uint8_t)count, true, "f" };
	size_t bytes = count * sizeof(uint64_t);
	void *stub = make_stub(&hook);
	uint64_t result;

	if (!ok(stub != NULL, "%u arguments: a stub", count))
		return;
	result = run(stub, /* serves */ false);
	ok_equal(result, RESULT_PASSED, "%u arguments: the original's result", count);
	ok(seen.entered == 1 && seen.passed == 1 && seen.left == 1,
	   "%u arguments: enter, original and leave are called", count);
	ok(memcmp(seen.received, arguments, bytes) == 0, "%u arguments: reach the original", count);
	ok(memcmp(seen.arguments, arguments, bytes) == 0, "%u arguments: reach enter", count);
	ok_equal(seen.result, RESULT_PASSED, "%u arguments: leave sees the result", count);
	ok(seen.call.hook == &hook, "%u arguments: the hook", count);
	ok_equal(seen.return_address, (uintptr_t)call_kept_return, "%u arguments: the caller",
		 count);
	ok_equal(seen.stack_at_leave % 16, 0, "%u arguments: the stack is aligned", count);
	ok_equal(seen.caller_stack, seen.stack_at_leave + STUB_FRAME + 8,
		 "%u arguments: the caller's stack", count);

	result = run(stub, /* serves */ true);
	ok_equal(result, RESULT_SERVED, "%u arguments: the result of enter", count);
	ok(seen.entered == 1 && seen.passed == 0 && seen.left == 0,
	   "%u arguments: the original is not called", count);
}

/* --- The quick way --------------------------------------------------------------------------- */

static uint64_t quick_answer; /* 0: it declines */
static uint64_t quick_arguments[3];
static hook_rest quick_rest;

static HOOK_ABI uint64_t quick(uint64_t a, uint64_t b, uint64_t c)
{
	const uint64_t received[] = { a, b, c };

	memcpy(quick_arguments, received, sizeof(received));
	return quick_answer ? quick_answer : quick_rest(a, b, c);
}

/* The stub is made behind it. What is near only leads to our function. */
static void *make_quick(const struct hook *hook)
{
	void *stub = make_stub(hook);
	size_t code_used;
	uint64_t near_code;

	if (!stub || mprotect(stub, region.code.size_bytes, PROT_READ | PROT_WRITE) != 0)
		return NULL;
	emit_align(&region.code, 16, 0xcc);
	near_code = emit_address(&region.code);
	emit_code(&region.code, 0x48, 0xb8); /* mov to %rax */
	emit_64(&region.code, (uintptr_t)quick);
	emit_code(&region.code, 0xff, 0xe0); /* jmp */
	code_used = region.code.used;
	quick_emit(&region.code, near_code);
	quick_rest = (hook_rest)(uintptr_t)stub;
	return !region.code.has_failed && region_seal(&region) ? region.code.bytes + code_used
							       : NULL;
}

static void test_quick(void)
{
	const struct hook hook = { "dll", "f", 1, 3, true, "f" };
	void *code = make_quick(&hook);
	uint64_t kept_after[8], result;

	if (!ok(code != NULL, "a quick way in"))
		return;
	quick_answer = 7;
	memset(&seen, 0, sizeof(seen));
	result = call_kept(code, arguments, kept_before, kept_after);
	ok_equal(result, 7, "the quick function's answer");
	ok(memcmp(quick_arguments, arguments, sizeof(quick_arguments)) == 0,
	   "it has the arguments");
	ok(memcmp(kept_before, kept_after, sizeof(kept_after)) == 0, "registers are kept");
	ok_equal(seen.entered, 0, "the dispatcher is not asked");
	quick_answer = 0;
	result = run(code, /* serves */ false);
	ok_equal(result, RESULT_PASSED, "it declines: the original's result");
	ok(memcmp(seen.received, arguments, sizeof(quick_arguments)) == 0,
	   "it declines: the arguments are as they were");
}

static bool is_open;
static int wanted_word;
static const volatile int *wanted = &wanted_word;

static void *make_gate(const struct hook *hook)
{
	const struct gate gate = { &is_open, &wanted };
	void *stub = make_stub(hook);
	size_t code_used;

	if (!stub || mprotect(stub, region.code.size_bytes, PROT_READ | PROT_WRITE) != 0)
		return NULL;
	emit_align(&region.code, 16, 0xcc);
	code_used = region.code.used;
	gate_emit(&region.code, &gate, (uintptr_t)original, (uintptr_t)stub);
	return !region.code.has_failed && region_seal(&region) ? region.code.bytes + code_used
							       : NULL;
}

static const struct {
	bool is_open;
	int wanted;
	unsigned int entered; /* how often the dispatcher is asked */
} gates[] = {
	{ false, 0, 1 }, { false, 1, 1 }, { true, 1, 1 }, { true, -1, 1 }, { true, 0, 0 },
};

static void test_gate(void)
{
	const struct hook hook = { "dll", "f", 1, 4, false, "f" };
	void *code = make_gate(&hook);

	if (!ok(code != NULL, "a gate"))
		return;
	for (size_t row = 0; row < sizeof(gates) / sizeof(gates[0]); row++) {
		uint64_t kept_after[8], result;

		is_open = gates[row].is_open;
		wanted_word = gates[row].wanted;
		memset(&seen, 0, sizeof(seen));
		result = call_kept(code, arguments, kept_before, kept_after);
		ok_equal(result, RESULT_PASSED, "gate %zu: the original's result", row);
		ok_equal(seen.entered, gates[row].entered, "gate %zu: asked or not", row);
		ok(memcmp(seen.received, arguments, sizeof(seen.call.arguments)) == 0,
		   "gate %zu: the original has the arguments", row);
		ok(memcmp(kept_before, kept_after, sizeof(kept_after)) == 0,
		   "gate %zu: registers are kept", row);
	}
}

static void test_raise(void)
{
	const struct hook hook = { "dll", "f", 1, 3, true, "f" };
	uint64_t kept_after[8];
	void *stub = make_stub(&hook);

	memset(&seen, 0, sizeof(seen));
	seen.serves = true;
	seen.raises = 0xc0000017;
	if (setjmp(raised) == 0) {
		(void)call_kept(stub, arguments, kept_before, kept_after);
		ok(0, "a status is raised");
		return;
	}
	ok_equal(raised_status, 0xc0000017, "a status is raised");
	ok_equal(seen.passed, 0, "the original is not called before");
}

/* --- Unwind information ---------------------------------------------------------------------- */

/* How far the return address is from the stack pointer when `offset` bytes have been run, by the
 * unwind information. */
static uint32_t unwound(const uint8_t *info, uint32_t offset)
{
	uint32_t depth = 0;

	for (unsigned int i = 0; i < info[2]; i++) {
		uint8_t at = info[4 + 2 * i], operation = info[5 + 2 * i];
		uint16_t operand;

		memcpy(&operand, info + 6 + 2 * i, sizeof(operand));
		if ((operation & 0xf) == 1)
			i++;
		if (offset < at)
			continue;
		if ((operation & 0xf) == 0)
			depth += 8;
		else if ((operation & 0xf) == 1)
			depth += operand * 8u;
		else if ((operation & 0xf) == 2)
			depth += (operation >> 4) * 8u + 8;
	}
	return depth;
}

/* What the instruction does to that, as far as stubs and prologues go. */
static int32_t stack_change(const ZydisDecodedInstruction *instruction,
			    const ZydisDecodedOperand *operands)
{
	bool is_stack = operands[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
			operands[0].reg.value == ZYDIS_REGISTER_RSP;

	switch (instruction->mnemonic) {
	case ZYDIS_MNEMONIC_PUSH:
		return 8;
	case ZYDIS_MNEMONIC_SUB:
		return is_stack ? (int32_t)operands[1].imm.value.s : 0;
	case ZYDIS_MNEMONIC_ADD:
		return is_stack ? -(int32_t)operands[1].imm.value.s : 0;
	default:
		return 0;
	}
}

/* Compares at each instruction. In an epilogue (after add) unwinders look at the code itself. */
static bool is_described(const uint8_t *code, uint32_t size_bytes, const uint8_t *info)
{
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction instruction;
	ZydisDecoder decoder;
	int32_t depth = 0, deepest = 0;

	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	for (uint32_t at = 0; at < size_bytes; at += instruction.length) {
		if (depth == deepest && unwound(info, at) != (uint32_t)depth)
			return false;
		if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, code + at, size_bytes - at,
							 &instruction, operands)))
			return false;
		depth += stack_change(&instruction, operands);
		deepest = depth > deepest ? depth : deepest;
		if (instruction.meta.category == ZYDIS_CATEGORY_RET)
			depth = deepest;
	}
	return true;
}

static void test_unwind(void)
{
	const struct hook hook = { "dll", "f", 1, 12, true, "f" };
	const uint8_t *info;

	make_stub(&hook);
	info = region.tables.bytes + unwind_offset;
	ok(info[0] == 1 && info[1] == 7 && info[2] == 2 && info[3] == 0, "UNWIND_INFO's header");
	ok_equal(unwound(info, 7), STUB_FRAME, "a walk finds the return address");
	ok(is_described(region.code.bytes, stub_bytes, info), "at each instruction of the stub");
}

/* --- Trampolines ----------------------------------------------------------------------------- */

static void test_moved_unwind(void)
{
	/* push %rbx; push %r12; sub $0x158,%rsp */
	static const struct plan plan = {
		.state = HOOK_IS_SET,
		.way = PLAN_WAY_MOVE,
		.rva = 0x10,
		.patch_bytes = 10,
		.part_count = 3,
		.falls_through = true,
		.code = { 0x53, 0x41, 0x54, 0x48, 0x81, 0xec, 0x58, 1, 0, 0 },
		.parts = { { PLAN_PART_PLAIN, 0, 1, 0, 0 },
			   { PLAN_PART_PLAIN, 1, 2, 0, 0 },
			   { PLAN_PART_PLAIN, 3, 7, 0, 0 } },
		.unwind = { 0, 4, { 0x010a, 0x158 / 8, 0xc003, 0x3001 } },
	};
	uint8_t bytes[64], info[64];
	struct emitter code = { .bytes = bytes, .size_bytes = sizeof(bytes), .address = 0x1000 };
	struct emitter tables = { .bytes = info, .size_bytes = sizeof(info) };
	struct plan_unwind moved;

	trampoline_emit(&code, &plan, 0x100000, &moved);
	trampoline_emit_unwind(&tables, &moved, code.used);
	ok(!code.has_failed && code.used == 15, "three instructions and a jump");
	ok(is_described(bytes, 10, info), "a walk finds the return address at each of them");
	ok_equal(unwound(info, 14), 0x158 + 16, "and at the jump");
}

static void test_far(void)
{
	struct plan plan = { .patch_bytes = 5, .falls_through = true };
	uint8_t bytes[16];
	struct emitter near = { .bytes = bytes, .size_bytes = 16, .address = 0x7fff0000 };
	struct emitter far = { .bytes = bytes, .size_bytes = 16, .address = 0x90000000 };
	struct emitter small = { .bytes = bytes, .size_bytes = 4, .address = 0 };
	struct plan_unwind moved;

	trampoline_emit(&near, &plan, 0, &moved);
	ok(!near.has_failed, "a jump of less than 2 GiB");
	trampoline_emit(&far, &plan, 0, &moved);
	ok(far.has_failed, "one of more fails");
	trampoline_emit(&small, &plan, 0, &moved);
	ok(small.has_failed && small.used <= 4, "what has no room fails");
}

int main(void)
{
	for (unsigned int count = 0; count <= HOOK_ARGUMENTS_MAX; count++)
		test_call(count);
	test_quick();
	test_gate();
	test_raise();
	test_unwind();
	test_moved_unwind();
	test_far();
	return tap_done();
}
