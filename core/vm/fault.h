/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Faults: a thread touches memory that the system does not let it touch. Some are core's own means
 * (guard pages, watched pages), some have a reader (a vectored handler), all others have their
 * usual meaning, SIGSEGV. */

#ifndef VADTRACE_CORE_VM_FAULT_H
#define VADTRACE_CORE_VM_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/types.h"

/* How the memory was touched: as Windows counts it in an exception's first parameter. */
enum fault_access {
	FAULT_READ = 0,
	FAULT_WRITE = 1,
	FAULT_EXECUTE = 8,
};

/* One fault, of the calling thread. */
struct fault {
	enum fault_access access;
	uintptr_t address; /* UINTPTR_MAX: the processor does not say */
	NTSTATUS status;   /* what it is to the program */
	bool is_raised;    /* by fault_raise: address and access mean nothing */
};

/* From now on faults come to core first, and a program's own SIGSEGV handler gets them from it
 * (disposition.h). Idempotent; any thread, any lock of core's below LOCK_RANK_FAULT. 0, or -errno
 * when the system refuses (a sandbox does). */
int fault_enable(void);

/* Called, when not NULL, for what is an exception to the program, without any lock, on the stack of
 * the signal's handler. `context` is the handler's ucontext_t. True: the program goes on as the
 * context says now. False: SIGSEGV. */
extern bool (*fault_dispatch)(const struct fault *fault, void *context);

/* Raises an exception of the calling thread's own that is no fault: a vectored handler sees this
 * status, without parameters, and may let the thread go on: then this returns. Else it is SIGSEGV.
 * Without any lock. */
void fault_raise(NTSTATUS status);

/* Called, when not NULL, before that and before SIGSEGV: somebody wants to know. */
extern void (*fault_watch)(const struct fault *fault);

#endif
