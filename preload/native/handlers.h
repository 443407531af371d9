/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The handlers of the process's signals. They are the kernel's affair until they are taken: then
 * each is run from here, or comes again when the tracer is done. Where they are held, core, too,
 * blocks no signals while it works. */

#ifndef VADTRACE_PRELOAD_NATIVE_HANDLERS_H
#define VADTRACE_PRELOAD_NATIVE_HANDLERS_H

#include <signal.h>
#include <stdbool.h>
#include <ucontext.h>

/* From now on every handler of the process is run from here, unless the tracer, which is loaded,
 * has it wait; a signal without handler, by which the process ends, waits as well. A handler that
 * is set behind the C library's back does not. From a constructor. */
void handlers_take(void);
bool handlers_are_taken(void);

/* The same, and core relies on it: for processes of which it is known that nobody sets handlers
 * behind the C library's back, Wine's. */
void handlers_hold(void);
bool handlers_are_held(void);

/* is_for_later: a signal that no instruction has raised has come; whether it shall come again, when
 * it is let in: it has been blocked in the interrupted context. is_own: whether one that an
 * instruction has raised was the host's own, and the context is as it should go on. */
typedef bool (*handlers_filter)(int signal, ucontext_t *context);
void handlers_set_filters(handlers_filter is_for_later, handlers_filter is_own);

/* sigaction, below what core has to say: the next one's, or the system's; held handlers are ours
 * for the kernel, and the program's for the program. */
int handlers_action(int signal, const struct sigaction *action, struct sigaction *old);

#endif
