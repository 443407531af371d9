/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Signals: the calls in which core has a say (core/signals.h), and pthread_sigmask for Wine's ELF
 * half, which blocks signals around each of its own locks. When core asks it for pages, all
 * handlers are kept out already until core is done; then there is nothing to do, and two system
 * calls are saved. Who calls before the next symbols are known is served by the system. No state.
 */

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

#include "core/base/hints.h"
#include "core/host.h"
#include "core/os/syscall.h"
#include "core/signals.h"
#include "preload/native/handlers.h"
#include "preload/native/real.h"

/* As the kernel counts them: one bit each. */
#define KERNEL_SET_BYTES 8

static int set_mask(int how, const sigset_t *set, sigset_t *old)
{
	return (int)-system_call4(SYS_rt_sigprocmask, how, (long)set, (long)old, KERNEL_SET_BYTES);
}

static int set_process_mask(int how, const sigset_t *set, sigset_t *old)
{
	int error = set_mask(how, set, old);

	if (error)
		errno = error;
	return error ? -1 : 0;
}

/* What is told as the old mask is as good as right: no handler comes. */
CORE_API int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	if (likely(!core_blocks_signals()))
		return signals_mask(how, set, old,
				    real.pthread_sigmask ? real.pthread_sigmask : set_mask);
	if (old)
		memset(old, 0xff, sizeof(*old));
	return 0;
}

CORE_API int sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	return signals_mask(how, set, old, real.sigprocmask ? real.sigprocmask : set_process_mask);
}

CORE_API int sigaction(int signal, const struct sigaction *action, struct sigaction *old)
{
	return signals_action(signal, action, old, handlers_action);
}

static signals_handler set_handler(int signal, signals_handler handler, int flags)
{
	struct sigaction action = { .sa_flags = flags }, old;

	action.sa_handler = handler;
	return handlers_action(signal, &action, &old) == 0 ? old.sa_handler : SIG_ERR;
}

static signals_handler set_lasting_handler(int signal, signals_handler handler)
{
	return set_handler(signal, handler, SA_RESTART);
}

static signals_handler set_single_handler(int signal, signals_handler handler)
{
	return set_handler(signal, handler, SA_RESETHAND | SA_NODEFER);
}

CORE_API signals_handler signal(int signal, signals_handler handler)
{
	return signals_signal(signal, handler, SA_RESTART,
			      real.signal && !handlers_are_taken() ? real.signal
								   : set_lasting_handler);
}

CORE_API signals_handler sysv_signal(int signal, signals_handler handler)
{
	return signals_signal(signal, handler, SA_RESETHAND | SA_NODEFER,
			      real.sysv_signal && !handlers_are_taken() ? real.sysv_signal
									: set_single_handler);
}

/* What signal() is in a program that was built for System V. */
CORE_API signals_handler __sysv_signal(int signal, signals_handler handler)
{
	return sysv_signal(signal, handler);
}

CORE_API signals_handler sigset(int signal, signals_handler handler)
{
	return signals_set(signal, handler, sigaction, sigprocmask);
}

CORE_API int sigignore(int signal)
{
	return signals_ignore(signal, sigaction);
}
