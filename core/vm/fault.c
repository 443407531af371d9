/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The handler of SIGSEGV:
 *
 *   fault -> what the record of the page says:
 *      a guard       taken off; STATUS_GUARD_PAGE_VIOLATION for this thread alone
 *      watched       the write is noted; once more
 *      allowed       somebody was faster (took the guard off, changed the protection): once more
 *      not allowed   STATUS_ACCESS_VIOLATION
 *   exception -> vectored handlers, if there are any -> else the program's SIGSEGV (disposition.c)
 *
 * Core touches no memory of the program's under a lock, so the thread holds none here. When the
 * system still refuses what the record allows, and nothing was recorded meanwhile, somebody has
 * changed pages behind our back: that is an access violation. Guarded by: vm_lock. */

/* The names of the registers in a ucontext_t. */
#define _GNU_SOURCE
#include "core/vm/fault.h"

#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "core/base/status.h"
#include "core/os/pager.h"
#include "core/vm/disposition.h"
#include "core/vm/guard.h"
#include "core/vm/region.h"
#include "core/vm/sequence.h"
#include "core/vm/writewatch.h"

/* The processor's error code of a page fault. */
#define CODE_WRITE 0x2
#define CODE_FETCH 0x10
/* The system's word for a fault that is about no page: an address that cannot be one. */
#define IS_NO_PAGE SI_KERNEL
#define SCRAMBLE UINT64_C(0x9e3779b97f4a7c15)

bool (*fault_dispatch)(const struct fault *fault, void *context);
void (*fault_watch)(const struct fault *fault);

/* The fault that a thread was sent back to last, with the state of all records then. Threads that
 * share a place forget each other's, and try once more than they had to. */
static struct {
	uintptr_t thread;
	uintptr_t fault;
} tried_again[64];
#define PLACES (sizeof(tried_again) / sizeof(tried_again[0]))

static struct fault describe(const siginfo_t *info, const ucontext_t *context)
{
	long long code = context->uc_mcontext.gregs[REG_ERR];
	struct fault fault = { .access = FAULT_READ, .address = (uintptr_t)info->si_addr };

	fault.status = STATUS_ACCESS_VIOLATION;
	if (info->si_code == IS_NO_PAGE) {
		fault.address = UINTPTR_MAX;
		return fault;
	}
	if (code & CODE_FETCH)
		fault.access = FAULT_EXECUTE;
	else if (code & CODE_WRITE)
		fault.access = FAULT_WRITE;
	return fault;
}

/* The fault that stands for an exception of the thread's own: at this very instruction, which has
 * the status in %esi and touches what is never there. */
#define NEVER_THERE 0x8u
extern const char fault_raise_begin[] CORE_HIDDEN, fault_raise_end[] CORE_HIDDEN;
__asm__(".text\n"
	"	.type raise_by_fault, @function\n"
	"raise_by_fault:\n"
	"	.cfi_startproc\n"
	"	.hidden fault_raise_begin\n"
	"	.globl fault_raise_begin\n"
	"fault_raise_begin:\n"
	"	movb (%rdi), %al\n"
	"	.hidden fault_raise_end\n"
	"	.globl fault_raise_end\n"
	"fault_raise_end:\n"
	"	ret\n"
	"	.cfi_endproc\n"
	"	.size raise_by_fault, . - raise_by_fault\n");
void raise_by_fault(uintptr_t address, NTSTATUS status);

void fault_raise(NTSTATUS status)
{
	raise_by_fault(NEVER_THERE, status);
}

/* The thread goes on behind the instruction that raised. */
static bool is_raised(struct fault *fault, ucontext_t *context)
{
	greg_t *registers = context->uc_mcontext.gregs;

	if (likely(registers[REG_RIP] != (greg_t)(uintptr_t)fault_raise_begin))
		return false;
	fault->status = (NTSTATUS)registers[REG_RSI];
	fault->is_raised = true;
	registers[REG_RIP] = (greg_t)(uintptr_t)fault_raise_end;
	return true;
}

static bool is_allowed(uint32_t state, enum fault_access access)
{
	int prot = pager_prot_of_state(state);

	switch (access) {
	case FAULT_WRITE:
		return prot & PROT_WRITE;
	case FAULT_EXECUTE:
		return prot & PROT_EXEC;
	default:
		return prot & PROT_READ;
	}
}

/* Whether nothing was recorded since this thread was sent back to the same fault. */
static bool is_tried(const struct fault *fault)
{
	uintptr_t now = fault->address ^ (vm_sequence * SCRAMBLE), thread = os_thread_token();
	size_t place = (thread * SCRAMBLE >> 32) % PLACES;
	bool is_same = tried_again[place].thread == thread && tried_again[place].fault == now;

	tried_again[place].thread = thread;
	tried_again[place].fault = is_same ? 0 : now;
	return is_same;
}

/* Whether it is over, so that the thread tries again; else it is what its status says. */
static bool resolve_locked(struct fault *fault)
{
	struct vad *vad = vad_find(fault->address);
	uint32_t state;

	if (!vad || vad->pager != &pager_linux)
		return false;
	state = pagestate_run(&vad->pages, region_page(fault->address)).state;
	if (state & PAGE_GUARD) {
		guard_fire(vad, region_page(fault->address));
		fault->status = STATUS_GUARD_PAGE_VIOLATION;
		return false;
	}
	if (!is_allowed(state, fault->access))
		return false;
	if (fault->access == FAULT_WRITE && watch_note(vad, fault->address))
		return true;
	return !is_tried(fault);
}

static bool resolve(struct fault *fault)
{
	bool is_over;

	lock_acquire(&vm_lock);
	is_over = resolve_locked(fault);
	lock_release(&vm_lock);
	return is_over;
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
	bool (*dispatch)(const struct fault *, void *) =
		__atomic_load_n(&fault_dispatch, __ATOMIC_ACQUIRE);
	void (*watch)(const struct fault *) = __atomic_load_n(&fault_watch, __ATOMIC_ACQUIRE);
	struct fault fault;

	(void)signal;
	/* Somebody's kill is no fault. */
	if (info->si_code > 0) {
		fault = describe(info, context);
		if (!is_raised(&fault, context) && resolve(&fault))
			return;
		if (watch && !fault.is_raised)
			watch(&fault);
		if (dispatch && dispatch(&fault, context))
			return;
	}
	disposition_deliver(info, context);
}

int fault_enable(void)
{
	return disposition_take(on_fault);
}
