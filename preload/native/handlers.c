/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Handlers that wait while core or the tracer is at work. The kernel has one handler, ours, for
 * every signal that the program handles, or that would end it; the program's own are in a table:
 *
 *   owners[n]   63 reset | 62 siginfo | 61 ..... the program's handler, or SIG_DFL ..... 0
 *
 *   signal --> ours --core is at work--> blocks all signals in the interrupted context, sends the
 *                   |                    signal again: core's last lock lets it in
 *                   +--else------------> the program's; SIG_DFL: the kernel's, the signal is sent
 *                                        again
 *
 * What an instruction has raised cannot wait, and never does. A word per signal changes as a whole:
 * no lock, so that handlers may call sigaction. A child of vfork has our memory and actions of its
 * own: it changes no word. */

#include "preload/native/handlers.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "core/base/hints.h"
#include "core/host.h"
#include "core/os/os.h"
#include "core/os/syscall.h"
#include "core/signals.h"
#include "preload/check.h"
#include "preload/native/real.h"
#include "preload/process.h"
#include "preload/recorder.h"

#define IS_RESET (UINT64_C(1) << 63)
#define IS_SIGINFO (UINT64_C(1) << 62)
#define HANDLER_MASK (IS_SIGINFO - 1)

typedef void (*handler_function)(int, siginfo_t *, void *);

static _Atomic uint64_t owners[NSIG];
static bool are_taken, are_held;
static handlers_filter is_for_later, is_own;

static int next(int signal, const struct sigaction *action, struct sigaction *old)
{
	return (real.sigaction ? real.sigaction : signals_system_action)(signal, action, old);
}

/* --- A signal comes -------------------------------------------------------------------------- */

static bool is_of_an_instruction(int signal, const siginfo_t *info)
{
	switch (signal) {
	case SIGSEGV:
	case SIGBUS:
	case SIGFPE:
	case SIGILL:
	case SIGTRAP:
	case SIGSYS:
		return info->si_code > 0;
	default:
		return false;
	}
}

/* To this thread, with what was told of it. */
static void send(int signal, siginfo_t *info)
{
	system_call4(SYS_rt_tgsigqueueinfo, os_process_id(), os_thread_id(), signal, (long)info);
}

/* Blocked first: it may be one that interrupts itself. */
static void send_again(int signal, siginfo_t *info)
{
	uint64_t mask;

	os_signals_block(&mask);
	send(signal, info);
}

static void run(int signal, siginfo_t *info, void *context)
{
	const struct sigaction unhandled = { .sa_handler = SIG_DFL };
	uint64_t owner = owners[signal];
	handler_function handler = (handler_function)(owner & HANDLER_MASK);

	if (owner & IS_RESET || !handler)
		next(signal, &unhandled, NULL);
	if (handler)
		handler(signal, info, context);
	else
		send(signal, info);
}

static bool is_held_back(int signal, ucontext_t *context)
{
	uint64_t *mask = (uint64_t *)&context->uc_sigmask;

	return core_hold_signal_back(mask) || tracer->hold_signal_back(mask) ||
	       (is_for_later && is_for_later(signal, context));
}

static void come(int signal, siginfo_t *info, void *context)
{
	bool is_raised = is_of_an_instruction(signal, info);

	if (is_raised && is_own && is_own(signal, context))
		return;
	if (is_raised)
		check_fault(signal, info);
	if (!is_raised && is_held_back(signal, context))
		send_again(signal, info);
	else
		run(signal, info, context);
}

/* --- A handler is set ------------------------------------------------------------------------ */

/* Whether the process ends by it when it is sent and nobody handles it. Those that only the process
 * itself raises are left out. */
static bool is_deadly(int signal)
{
	switch (signal) {
	case SIGHUP:
	case SIGINT:
	case SIGQUIT:
	case SIGUSR1:
	case SIGUSR2:
	case SIGPIPE:
	case SIGALRM:
	case SIGTERM:
	case SIGSTKFLT:
	case SIGXCPU:
	case SIGXFSZ:
	case SIGVTALRM:
	case SIGPROF:
	case SIGIO:
	case SIGPWR:
		return true;
	default:
		return signal >= SIGRTMIN && signal <= SIGRTMAX;
	}
}

/* Whether the kernel gets ours. */
static bool is_ours(int signal, const struct sigaction *action)
{
	return action->sa_handler == SIG_DFL ? is_deadly(signal) : action->sa_handler != SIG_IGN;
}

static uint64_t owner_of(const struct sigaction *action)
{
	return (uintptr_t)action->sa_sigaction | (action->sa_flags & SA_SIGINFO ? IS_SIGINFO : 0) |
	       (action->sa_flags & SA_RESETHAND ? IS_RESET : 0);
}

/* The action as the kernel gets it. */
static struct sigaction ours(const struct sigaction *action)
{
	struct sigaction result = *action;

	result.sa_sigaction = come;
	result.sa_flags = (action->sa_flags | SA_SIGINFO) & ~SA_RESETHAND;
	return result;
}

/* The action as the program set it. */
static void show(struct sigaction *action, uint64_t owner)
{
	if (action->sa_sigaction != come)
		return;
	action->sa_sigaction = (handler_function)(owner & HANDLER_MASK);
	if (!(owner & IS_SIGINFO))
		action->sa_flags &= ~SA_SIGINFO;
	if (owner & IS_RESET)
		action->sa_flags |= (int)SA_RESETHAND;
}

static int set(int signal, const struct sigaction *action, struct sigaction *old)
{
	bool is_owned = action && is_ours(signal, action) && process_is_same();
	uint64_t before = owners[signal];
	struct sigaction own;
	int result;

	if (is_owned) {
		owners[signal] = owner_of(action);
		own = ours(action);
		action = &own;
	}
	result = next(signal, action, old);
	if (result == 0 && old)
		show(old, before);
	if (result != 0 && is_owned)
		owners[signal] = before;
	return result;
}

int handlers_action(int signal, const struct sigaction *action, struct sigaction *old)
{
	if (likely(!are_taken) || signal <= 0 || signal >= NSIG)
		return next(signal, action, old);
	return set(signal, action, old);
}

void handlers_set_filters(handlers_filter later, handlers_filter own)
{
	is_for_later = later;
	is_own = own;
}

bool handlers_are_taken(void)
{
	return are_taken;
}

bool handlers_are_held(void)
{
	return are_held;
}

void handlers_take(void)
{
	struct sigaction action;

	if (are_taken)
		return;
	are_taken = true;
	for (int signal = 1; signal < NSIG; signal++)
		if (next(signal, NULL, &action) == 0 && is_ours(signal, &action))
			(void)set(signal, &action, NULL);
}

void handlers_hold(void)
{
	are_held = true;
	handlers_take();
	core_leave_signals_to_host();
}
