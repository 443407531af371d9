/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The C library's calls about signals, as a program finds them that links libvadcore: only in that
 * library; the preload has its own. Each looks its next implementation up once. */

/* sysv_signal, sigset. */
#define _GNU_SOURCE
#include <stddef.h>

#include "core/base/hints.h"
#include "core/library.h"
#include "core/signals.h"

CORE_API int sigaction(int signal, const struct sigaction *action, struct sigaction *old)
{
	static void *next;

	return signals_action(signal, action, old,
			      (signals_action_function)library_next(&next, "sigaction"));
}

CORE_API int sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	static void *next;

	return signals_mask(how, set, old,
			    (signals_mask_function)library_next(&next, "sigprocmask"));
}

CORE_API int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	static void *next;

	return signals_mask(how, set, old,
			    (signals_mask_function)library_next(&next, "pthread_sigmask"));
}

CORE_API signals_handler signal(int signal, signals_handler handler)
{
	static void *next;

	return signals_signal(signal, handler, SA_RESTART,
			      (signals_signal_function)library_next(&next, "signal"));
}

CORE_API signals_handler sysv_signal(int signal, signals_handler handler)
{
	static void *next;

	return signals_signal(signal, handler, SA_RESETHAND | SA_NODEFER,
			      (signals_signal_function)library_next(&next, "sysv_signal"));
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
