/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* SIGSEGV's meaning for the program while core's own handler is in its place: what the program's
 * sigaction said before and says from now on, carried out as the kernel would.
 *
 * Those who interpose sigaction and its kin ask here first (core/library_signal.c, the preload). */

#ifndef VADTRACE_CORE_VM_DISPOSITION_H
#define VADTRACE_CORE_VM_DISPOSITION_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/hints.h"
#include "core/os/os.h"

/* Non-zero once core's handler is in place. */
extern uint32_t disposition_is_taken;

/* Puts `handler` in SIGSEGV's place; what was there is the program's. Idempotent. 0 or -errno. */
int disposition_take(void (*handler)(int, siginfo_t *, void *));

/* The program's sigaction(SIGSEGV): arguments and answer are the kernel's. False: core's handler is
 * not in place, or this process only shares memory with its own (vfork); the system is to be asked.
 */
bool disposition_change(const struct os_signal_action *action, struct os_signal_action *old);

/* Whether SIGSEGV must not be blocked now. A thread that blocks it is killed by its next guard
 * page, and Windows knows no such mask. */
static inline bool disposition_is_open(void)
{
	return unlikely(__atomic_load_n(&disposition_is_taken, __ATOMIC_RELAXED) != 0);
}

/* What SIGSEGV means to the program: its handler runs, or nothing happens, or the process ends as
 * soon as core's handler returns. */
void disposition_deliver(siginfo_t *info, void *context);

/* Around fork; rank LOCK_RANK_FAULT. */
void disposition_fork_prepare(void);
void disposition_fork_parent(void);
void disposition_fork_child(void);

#endif
