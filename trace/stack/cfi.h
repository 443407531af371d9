/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What a module's .eh_frame says about one instruction: how its caller's registers are found.
 *
 * Reads mapped memory only: no lock (the module is found with _dl_find_object), no allocation, less
 * than 1 KiB of stack. Safe in a signal handler. */

#ifndef VADTRACE_TRACE_STACK_CFI_H
#define VADTRACE_TRACE_STACK_CFI_H

#include <stdbool.h>
#include <stdint.h>

enum cfi_kind {
	CFI_UNKNOWN = 0, /* not looked up yet; never an answer */
	CFI_STANDARD,    /* the return address is at CFA - 8; the rest as the rule says */
	CFI_SIGNAL,      /* the kernel's signal frame: registers are in the ucontext at rsp */
	CFI_END,         /* the outermost frame */
	CFI_NO_MODULE,   /* generated code, or no code at all */
	CFI_NO_INFO,     /* a module's code that says nothing of itself: assembly */
	CFI_COMPLEX,     /* more than a rule can say: a full unwinder must go on */
	CFI_STORED,      /* the caller's rip, rsp and rbp are stored near rbp or rsp */
	CFI_MACHINE,     /* a trap's frame (rip, cs, flags, rsp) is at CFA; rbp as the rule says */
	CFI_REGISTERS,   /* PE code that depends on other registers than rsp and rbp */
	CFI_CALLBACK,    /* where Windows' side of a system call's callback begins */
};

enum cfi_rbp {
	CFI_RBP_KEPT = 0, /* the caller's rbp is rbp */
	CFI_RBP_AT_CFA,   /* it is stored at CFA + rbp_offset */
	CFI_RBP_AT_RBP,   /* it is stored at rbp + rbp_offset */
};

/* One instruction's rule, small enough to be stored atomically.
 *  - CFA = (is_cfa_of_rbp ? rbp : rsp) + cfa_offset, or what is stored there if is_cfa_loaded;
 *  - of CFI_STORED, cfa_offset is two numbers, see below, and rbp_offset counts from rbp or rsp;
 *  - follows_call: a Windows process's code before the instruction after this one is a call;
 *  - of CFI_NO_MODULE, cfa_offset says when that was found, in a Windows process;
 *  - other kinds than CFI_STANDARD, CFI_STORED and CFI_MACHINE use no other field. */
struct cfi_rule {
	uint64_t kind : 4;
	uint64_t rbp : 2;
	uint64_t is_cfa_of_rbp : 1;
	uint64_t is_cfa_loaded : 1;
	uint64_t follows_call : 1;
	int64_t rbp_offset : 24;
	int64_t cfa_offset : 31;
};

_Static_assert(sizeof(struct cfi_rule) == sizeof(uint64_t), "a rule is one word");

/* Of CFI_STORED: where the caller's rsp and rip are, from rbp or rsp: 16 and 15 bits. */
static inline int64_t cfi_stored_offsets(int16_t rsp_offset, int16_t rip_offset)
{
	return (int64_t)((uint64_t)(int64_t)rip_offset << 16 | (uint16_t)rsp_offset);
}

static inline int64_t cfi_stored_rsp(struct cfi_rule rule)
{
	return (int16_t)rule.cfa_offset;
}

static inline int64_t cfi_stored_rip(struct cfi_rule rule)
{
	return (int64_t)rule.cfa_offset >> 16;
}

/* `pc` is an address inside the instruction: for a return address, one less. */
struct cfi_rule cfi_find(uintptr_t pc);

#endif
