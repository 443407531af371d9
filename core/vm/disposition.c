/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The program's own action for SIGSEGV, and what the kernel would do with it:
 *
 *   kernel:  SIGSEGV -> core's handler      flags: SA_ONSTACK and SA_RESTART as the program's
 *   here:    the program's action           handler, flags, mask
 *
 * The action is the program's from before core's handler came, until it sets another. A signal that
 * ends the process is sent once more while it is blocked: it comes back when core's handler
 * returns, at the instruction and with the siginfo of the first time. Guarded by: disposition_lock.
 */

#include "core/vm/disposition.h"

#include <ucontext.h>

#include "core/base/lock.h"

#define SEGV_BIT (UINT64_C(1) << (SIGSEGV - 1))
/* What the program asks of the kernel, and core's handler has from it. */
#define SHARED_FLAGS ((uint64_t)(SA_ONSTACK | SA_RESTART))
#define UNBLOCKABLE ((UINT64_C(1) << (SIGKILL - 1)) | (UINT64_C(1) << (SIGSTOP - 1)))

uint32_t disposition_is_taken;

static struct lock disposition_lock = LOCK_INITIALIZER(LOCK_RANK_FAULT);
static struct os_signal_action programs_action;
static void (*own_handler)(int, siginfo_t *, void *);
static uint32_t own_process;

static bool is_function(const struct os_signal_action *action)
{
	return action->handler != (void *)SIG_DFL && action->handler != (void *)SIG_IGN;
}

/* Core's handler runs where the program's would; where there is none, a program that has a stack
 * for handlers may be out of its other one. */
static uint64_t shared_flags(void)
{
	return is_function(&programs_action) ? programs_action.flags & SHARED_FLAGS : SA_ONSTACK;
}

/* 0 or -errno. */
static int install_locked(void)
{
	const struct os_signal_action own = {
		.handler = (void *)own_handler,
		.flags = SA_SIGINFO | SA_NODEFER | shared_flags(),
	};

	return os_signal_action(SIGSEGV, &own, NULL);
}

static int take_locked(void (*handler)(int, siginfo_t *, void *))
{
	int error = os_signal_action(SIGSEGV, /* action */ NULL, &programs_action);

	if (error < 0)
		return error;
	own_handler = handler;
	own_process = os_process_id();
	error = install_locked();
	if (error == 0)
		__atomic_store_n(&disposition_is_taken, 1, __ATOMIC_RELEASE);
	return error;
}

int disposition_take(void (*handler)(int, siginfo_t *, void *))
{
	int error;

	if (likely(disposition_is_open()))
		return 0;
	lock_acquire(&disposition_lock);
	error = disposition_is_taken ? 0 : take_locked(handler);
	lock_release(&disposition_lock);
	if (error == 0)
		os_signals_unblock(SEGV_BIT);
	return error;
}

bool disposition_change(const struct os_signal_action *action, struct os_signal_action *old)
{
	struct os_signal_action before;

	if (!disposition_is_open() || os_process_id() != own_process)
		return false;
	lock_acquire(&disposition_lock);
	before = programs_action;
	if (action) {
		programs_action = *action;
		programs_action.mask &= ~UNBLOCKABLE;
		install_locked();
	}
	lock_release(&disposition_lock);
	if (old)
		*old = before;
	return true;
}

/* The action that counts now; one that is good for one time is gone. */
static struct os_signal_action use_action(void)
{
	struct os_signal_action action;

	lock_acquire(&disposition_lock);
	action = programs_action;
	if (is_function(&action) && action.flags & (uint64_t)SA_RESETHAND) {
		programs_action.handler = (void *)SIG_DFL;
		install_locked();
	}
	lock_release(&disposition_lock);
	return action;
}

static uint64_t *mask_of(ucontext_t *context)
{
	return (uint64_t *)&context->uc_sigmask;
}

/* A fault cannot be waited for: it is the system that sent it, not somebody's kill. */
static bool is_fault(const siginfo_t *info)
{
	return info->si_code > 0;
}

/* The signal is pending until core's handler returns to a context that does not block it. */
static void end_process(siginfo_t *info, ucontext_t *context)
{
	static const struct os_signal_action default_action;
	uint64_t mask;

	os_signals_block(&mask);
	os_signal_action(SIGSEGV, &default_action, NULL);
	os_signal_raise(SIGSEGV, info);
	*mask_of(context) &= ~SEGV_BIT;
}

static void run(const struct os_signal_action *action, siginfo_t *info, ucontext_t *context)
{
	uint64_t blocked = action->mask, before;

	if (!(action->flags & (uint64_t)SA_NODEFER))
		blocked |= SEGV_BIT;
	os_signals_block(&before);
	os_signals_restore(before | blocked);
	((void (*)(int, siginfo_t *, void *))action->handler)(SIGSEGV, info, context);
}

void disposition_deliver(siginfo_t *info, void *context)
{
	struct os_signal_action action = use_action();

	if (is_function(&action))
		run(&action, info, context);
	else if (is_fault(info) || action.handler == (void *)SIG_DFL)
		end_process(info, context);
}

void disposition_fork_prepare(void)
{
	lock_acquire(&disposition_lock);
}

void disposition_fork_parent(void)
{
	lock_release(&disposition_lock);
}

void disposition_fork_child(void)
{
	lock_fork_adopt(&disposition_lock);
	if (disposition_is_taken)
		own_process = os_process_id();
	lock_release(&disposition_lock);
}
