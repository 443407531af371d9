/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The C library's calls about signals, for those who interpose them (libvadcore, the preload): what
 * core has to say, and the next implementation for all the rest. Until core's handler of SIGSEGV is
 * in place (core/vm/disposition.h) everything goes to the next one.
 *
 * Results and errno are those of the C library. Fit for any moment, a signal handler too. */

#ifndef VADTRACE_CORE_SIGNALS_H
#define VADTRACE_CORE_SIGNALS_H

#include <signal.h>

typedef void (*signals_handler)(int);
typedef int (*signals_action_function)(int, const struct sigaction *, struct sigaction *);
typedef int (*signals_mask_function)(int, const sigset_t *, sigset_t *);
typedef signals_handler (*signals_signal_function)(int, signals_handler);

/* sigaction. */
int signals_action(int signal, const struct sigaction *action, struct sigaction *old,
		   signals_action_function next);
/* By a bare system call: for who has no next one yet. */
int signals_system_action(int signal, const struct sigaction *action, struct sigaction *old);
/* sigprocmask, pthread_sigmask. */
int signals_mask(int how, const sigset_t *set, sigset_t *old, signals_mask_function next);
/* signal and its kin, which differ in the flags of the action. */
signals_handler signals_signal(int signal, signals_handler handler, int flags,
			       signals_signal_function next);
/* sigset, by what sigaction and sigprocmask are to the program. */
signals_handler signals_set(int signal, signals_handler handler, signals_action_function action,
			    signals_mask_function mask);
/* sigignore. */
int signals_ignore(int signal, signals_action_function action);

#endif
