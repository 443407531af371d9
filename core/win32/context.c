/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* CONTEXT from and to the context of a signal, by a table of the registers that are 64 bits wide.
 * The state of x87 and SSE has the same form in both; what the system keeps behind it stays. */

/* The names of the registers in a ucontext_t. */
#define _GNU_SOURCE
#include "core/win32/context.h"

#include <stdbool.h>
#include <string.h>
#include <ucontext.h>

#include "core/core.h"

/* fxsave's bytes up to xmm15: those behind are the system's own. */
#define FXSAVE_BYTES 416

_Static_assert(sizeof(CONTEXT) == 1232, "CONTEXT as Windows has it");
_Static_assert(offsetof(CONTEXT, SegCs) == 0x38, "CONTEXT as Windows has it");
_Static_assert(offsetof(CONTEXT, Rax) == 0x78, "CONTEXT as Windows has it");
_Static_assert(offsetof(CONTEXT, Rip) == 0xf8, "CONTEXT as Windows has it");
_Static_assert(offsetof(CONTEXT, FltSave) == 0x100, "CONTEXT as Windows has it");
_Static_assert(offsetof(CONTEXT, VectorRegister) == 0x300, "CONTEXT as Windows has it");
_Static_assert(sizeof(EXCEPTION_RECORD) == 152, "EXCEPTION_RECORD as Windows has it");

/* clang-format off */
#define ROW(index, name, flag) { index, offsetof(CONTEXT, name), flag }
/* clang-format on */

static const struct {
	int index;     /* in the system's list */
	size_t offset; /* in CONTEXT */
	DWORD flag;    /* the part that it belongs to */
} registers[] = {
	ROW(REG_RIP, Rip, CONTEXT_CONTROL), ROW(REG_RSP, Rsp, CONTEXT_CONTROL),
	ROW(REG_RAX, Rax, CONTEXT_INTEGER), ROW(REG_RCX, Rcx, CONTEXT_INTEGER),
	ROW(REG_RDX, Rdx, CONTEXT_INTEGER), ROW(REG_RBX, Rbx, CONTEXT_INTEGER),
	ROW(REG_RBP, Rbp, CONTEXT_INTEGER), ROW(REG_RSI, Rsi, CONTEXT_INTEGER),
	ROW(REG_RDI, Rdi, CONTEXT_INTEGER), ROW(REG_R8, R8, CONTEXT_INTEGER),
	ROW(REG_R9, R9, CONTEXT_INTEGER),   ROW(REG_R10, R10, CONTEXT_INTEGER),
	ROW(REG_R11, R11, CONTEXT_INTEGER), ROW(REG_R12, R12, CONTEXT_INTEGER),
	ROW(REG_R13, R13, CONTEXT_INTEGER), ROW(REG_R14, R14, CONTEXT_INTEGER),
	ROW(REG_R15, R15, CONTEXT_INTEGER),
};
#define REGISTERS (sizeof(registers) / sizeof(registers[0]))

static DWORD64 *field(const CONTEXT *context, size_t i)
{
	return (DWORD64 *)((char *)context + registers[i].offset);
}

static bool has(const CONTEXT *context, DWORD flag)
{
	return (context->ContextFlags & flag) == flag;
}

void context_from_system(CONTEXT *context, const void *system)
{
	const ucontext_t *source = system;
	uint64_t segments = (uint64_t)source->uc_mcontext.gregs[REG_CSGSFS];

	memset(context, 0, sizeof *context);
	for (size_t i = 0; i < REGISTERS; i++)
		*field(context, i) = (DWORD64)source->uc_mcontext.gregs[registers[i].index];
	context->EFlags = (DWORD)source->uc_mcontext.gregs[REG_EFL];
	context->SegCs = (WORD)segments;
	context->SegGs = (WORD)(segments >> 16);
	context->SegFs = (WORD)(segments >> 32);
	context->SegSs = (WORD)(segments >> 48);
	context->ContextFlags = CONTEXT_CONTROL | CONTEXT_INTEGER;
	if (source->uc_mcontext.fpregs) {
		memcpy(&context->FltSave, source->uc_mcontext.fpregs, FXSAVE_BYTES);
		context->MxCsr = context->FltSave.MxCsr;
		context->ContextFlags |= CONTEXT_FLOATING_POINT;
	}
}

void context_to_system(const CONTEXT *context, void *system)
{
	ucontext_t *target = system;

	for (size_t i = 0; i < REGISTERS; i++) {
		if (has(context, registers[i].flag))
			target->uc_mcontext.gregs[registers[i].index] = (greg_t)*field(context, i);
	}
	if (has(context, CONTEXT_CONTROL))
		target->uc_mcontext.gregs[REG_EFL] = context->EFlags;
	if (has(context, CONTEXT_FLOATING_POINT) && target->uc_mcontext.fpregs) {
		memcpy(target->uc_mcontext.fpregs, &context->FltSave, FXSAVE_BYTES);
		target->uc_mcontext.fpregs->mxcsr = context->MxCsr;
	}
}

/* rdi: the CONTEXT. What changes a register comes after that register is stored. */
__asm__(".text\n"
	"	.balign 16\n"
	"	.globl RtlCaptureContext\n"
	"	.type RtlCaptureContext, @function\n"
	"RtlCaptureContext:\n"
	"	.cfi_startproc\n"
	"	pushfq\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	movq %rax, 0x78(%rdi)\n"
	"	movq %rcx, 0x80(%rdi)\n"
	"	movq %rdx, 0x88(%rdi)\n"
	"	movq %rbx, 0x90(%rdi)\n"
	"	movq %rbp, 0xa0(%rdi)\n"
	"	movq %rsi, 0xa8(%rdi)\n"
	"	movq %rdi, 0xb0(%rdi)\n"
	"	movq %r8, 0xb8(%rdi)\n"
	"	movq %r9, 0xc0(%rdi)\n"
	"	movq %r10, 0xc8(%rdi)\n"
	"	movq %r11, 0xd0(%rdi)\n"
	"	movq %r12, 0xd8(%rdi)\n"
	"	movq %r13, 0xe0(%rdi)\n"
	"	movq %r14, 0xe8(%rdi)\n"
	"	movq %r15, 0xf0(%rdi)\n"
	"	leaq 16(%rsp), %rax\n"
	"	movq %rax, 0x98(%rdi)\n"
	"	movq 8(%rsp), %rax\n"
	"	movq %rax, 0xf8(%rdi)\n"
	"	movl (%rsp), %eax\n"
	"	movl %eax, 0x44(%rdi)\n"
	"	movw %cs, 0x38(%rdi)\n"
	"	movw %ds, 0x3a(%rdi)\n"
	"	movw %es, 0x3c(%rdi)\n"
	"	movw %fs, 0x3e(%rdi)\n"
	"	movw %gs, 0x40(%rdi)\n"
	"	movw %ss, 0x42(%rdi)\n"
	"	fxsave 0x100(%rdi)\n"
	"	stmxcsr 0x34(%rdi)\n"
	"	movl $0x10000f, 0x30(%rdi)\n"
	"	movq 0x78(%rdi), %rax\n"
	"	popfq\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	ret\n"
	"	.cfi_endproc\n"
	"	.size RtlCaptureContext, . - RtlCaptureContext\n");

_Static_assert((CONTEXT_FULL | CONTEXT_SEGMENTS) == 0x10000f, "the flags in the text above");
