/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* One call of a hooked function, as the stub lays it out on the program's stack:
 *
 *   entry:   the stub takes STUB_FRAME bytes, fills in `arguments` and `kept`, calls dispatch_enter
 *   true:    it returns `result`; first it raises `raise`, if that is not 0 (RtlRaiseStatus)
 *   false:   it copies the arguments on the stack, calls the original with all of them, puts what
 *            it answered into `result`, calls dispatch_leave, returns `result`
 *
 * An exception that passes through leaves without dispatch_leave: the next call of the thread finds
 * that the frame is gone. */

#ifndef VADTRACE_PRELOAD_PE_CALL_H
#define VADTRACE_PRELOAD_PE_CALL_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/pe/hook.h"

#define HOOK_ARGUMENTS_MAX 12
/* Below the call, this much of the stack is known to be there. When it is not, the stack overflows
 * in the stub, where Windows' exception handling finds its way. */
#define STUB_PROBE 2048

/*  - it lies at the stub's stack pointer, a multiple of 16;
 *  - home and passed are what the original finds as its own arguments' places. */
struct hook_call {
	uint64_t home[4];
	uint64_t passed[HOOK_ARGUMENTS_MAX - 4];
	uint64_t arguments[4]; /* rcx, rdx, r8, r9 */
	uint64_t caller[2];    /* the dispatcher's: rip and rsp after the call, to go with `kept` */
	uint64_t kept[8];      /* rbx, rbp, rsi, rdi, r12, r13, r14, r15 of the caller */
	uint64_t result;       /* rax */
	const struct hook *hook;
	uint32_t raise;   /* NTSTATUS */
	uint32_t silence; /* the dispatcher's, as what follows: not 0: nested calls are not told */
	union {
		uint64_t note[5];
		struct {
			uint64_t after;          /* what to call after the original, or 0 */
			uint64_t mark;           /* of an outermost call: made of its address */
			uint64_t stack_base;     /* of an outermost call */
			uint64_t api;            /* what events of this call are told as */
			struct hook_call *outer; /* of a nested call: the outermost; else NULL */
		};
	};
	uint64_t before;   /* a handler's: what it found before the original ran */
	uint64_t found[2]; /* and more of it */
	/* Above it, put there by the caller: */
	uint64_t return_address;
	uint64_t caller_home[4];
	uint64_t stacked[HOOK_ARGUMENTS_MAX - 4]; /* the 5th argument and on; as many as it takes */
};
#define STUB_FRAME offsetof(struct hook_call, return_address)
static_assert(STUB_FRAME % 16 == 8, "the stack is aligned in the stub");

/* Touches the stack as deep as the stub would: it overflows here, if at all. */
#define HOOK_PROBE() \
	__asm__ volatile("test %%eax, -%c0(%%rsp)" : : "i"(STUB_FRAME + STUB_PROBE) : "cc")

/* The n-th argument, from 0. */
static inline uint64_t hook_argument(const struct hook_call *call, unsigned n)
{
	return n < 4 ? call->arguments[n] : call->stacked[n - 4];
}

/* The caller's stack pointer after the function has returned. */
static inline uint64_t hook_caller_stack(const struct hook_call *call)
{
	return (uint64_t)(uintptr_t)call->caller_home;
}

/* preload/wine/dispatch.c, which gives them to hook_set_dispatch. Called by stubs only; errno is
 * kept. */
HOOK_ABI bool dispatch_enter(struct hook_call *call);
HOOK_ABI void dispatch_leave(struct hook_call *call);

#endif
