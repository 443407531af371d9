/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* From the C library's struct sigaction to the kernel's and back; masks without SIGSEGV. No state.
 */

/* SIG_HOLD. */
#define _GNU_SOURCE
#include "core/signals.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "core/vm/disposition.h"

#ifndef SA_RESTORER
#define SA_RESTORER 0x04000000
#endif

static struct os_signal_action to_kernel(const struct sigaction *action)
{
	struct os_signal_action kernel = { .handler = (void *)action->sa_handler,
					   .flags = (uint64_t)(unsigned int)action->sa_flags };

	memcpy(&kernel.mask, &action->sa_mask, sizeof kernel.mask);
	return kernel;
}

static void from_kernel(const struct os_signal_action *kernel, struct sigaction *action)
{
	memset(action, 0, sizeof *action);
	action->sa_handler = (signals_handler)kernel->handler;
	action->sa_flags = (int)(kernel->flags & ~(uint64_t)SA_RESTORER);
	memcpy(&action->sa_mask, &kernel->mask, sizeof kernel->mask);
}

/* False: the next implementation is to be asked. */
static bool change_ours(const struct sigaction *action, struct sigaction *old)
{
	struct os_signal_action wanted, before;

	if (action)
		wanted = to_kernel(action);
	if (!disposition_change(action ? &wanted : NULL, &before))
		return false;
	if (old)
		from_kernel(&before, old);
	return true;
}

int signals_action(int signal, const struct sigaction *action, struct sigaction *old,
		   signals_action_function next)
{
	struct sigaction open;

	if (likely(!disposition_is_open()))
		return next(signal, action, old);
	if (signal == SIGSEGV && change_ours(action, old))
		return 0;
	if (action) {
		open = *action;
		sigdelset(&open.sa_mask, SIGSEGV);
		action = &open;
	}
	return next(signal, action, old);
}

int signals_system_action(int signal, const struct sigaction *action, struct sigaction *old)
{
	struct os_signal_action wanted, before;
	int error;

	if (action)
		wanted = to_kernel(action);
	error = os_signal_action(signal, action ? &wanted : NULL, &before);
	if (error < 0) {
		errno = -error;
		return -1;
	}
	if (old)
		from_kernel(&before, old);
	return 0;
}

int signals_mask(int how, const sigset_t *set, sigset_t *old, signals_mask_function next)
{
	sigset_t open;

	if (likely(!disposition_is_open()) || !set || how == SIG_UNBLOCK)
		return next(how, set, old);
	open = *set;
	sigdelset(&open, SIGSEGV);
	return next(how, &open, old);
}

signals_handler signals_signal(int signal, signals_handler handler, int flags,
			       signals_signal_function next)
{
	struct sigaction action = { .sa_flags = flags }, old;

	if (signal != SIGSEGV || !disposition_is_open() || handler == SIG_ERR)
		return next(signal, handler);
	action.sa_handler = handler;
	if (!(flags & SA_NODEFER))
		sigaddset(&action.sa_mask, signal);
	return change_ours(&action, &old) ? old.sa_handler : next(signal, handler);
}

/* Whether the signal was blocked before; -1: it is none. */
static int change_mask(int how, int signal, signals_mask_function mask)
{
	sigset_t set, before;

	sigemptyset(&set);
	if (sigaddset(&set, signal) != 0 || mask(how, &set, &before) != 0)
		return -1;
	return sigismember(&before, signal);
}

signals_handler signals_set(int signal, signals_handler handler, signals_action_function action,
			    signals_mask_function mask)
{
	struct sigaction wanted = { .sa_flags = 0 }, before;
	bool is_held = handler == SIG_HOLD;
	int was_held;

	wanted.sa_handler = handler;
	if (action(signal, is_held ? NULL : &wanted, &before) != 0)
		return SIG_ERR;
	was_held = change_mask(is_held ? SIG_BLOCK : SIG_UNBLOCK, signal, mask);
	if (was_held < 0)
		return SIG_ERR;
	return was_held ? SIG_HOLD : before.sa_handler;
}

int signals_ignore(int signal, signals_action_function action)
{
	struct sigaction wanted = { .sa_flags = 0 };

	wanted.sa_handler = SIG_IGN;
	return action(signal, &wanted, NULL);
}
