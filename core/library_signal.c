/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The C library's calls about signals, as a program finds them that links libvadcore: only in that
 * library; the preload has its own. Each looks its next implementation up once. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>

#include "core/base/hints.h"
#include "core/signals.h"

/* Two threads may look up the same at once, and find the same. */
static void *find(void **known, const char *name)
{
	void *function = __atomic_load_n(known, __ATOMIC_RELAXED);

	if (!function) {
		function = dlsym(RTLD_NEXT, name);
		__atomic_store_n(known, function, __ATOMIC_RELAXED);
	}
	return function;
}

CORE_API int sigaction(int signal, const struct sigaction *action, struct sigaction *old)
{
	static void *next;

	return signals_action(signal, action, old,
			      (signals_action_function)find(&next, "sigaction"));
}

CORE_API int sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	static void *next;

	return signals_mask(how, set, old, (signals_mask_function)find(&next, "sigprocmask"));
}

CORE_API int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	static void *next;

	return signals_mask(how, set, old, (signals_mask_function)find(&next, "pthread_sigmask"));
}

CORE_API signals_handler signal(int signal, signals_handler handler)
{
	static void *next;

	return signals_signal(signal, handler, SA_RESTART,
			      (signals_signal_function)find(&next, "signal"));
}

CORE_API signals_handler sysv_signal(int signal, signals_handler handler)
{
	static void *next;

	return signals_signal(signal, handler, SA_RESETHAND | SA_NODEFER,
			      (signals_signal_function)find(&next, "sysv_signal"));
}

/* What signal() is in a program that was built for System V. */
CORE_API signals_handler __sysv_signal(int signal, signals_handler handler)
{
	return sysv_signal(signal, handler);
}
