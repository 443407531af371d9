/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Signals that stand for faults, by raw system calls. Holds no state and no lock. */

#include <signal.h>
#include <sys/syscall.h>

#include "core/os/os.h"
#include "core/os/syscall.h"

#define KERNEL_SET_BYTES 8
#ifndef SA_RESTORER
#define SA_RESTORER 0x04000000
#endif

/* Where a handler returns to. Debuggers and unwinders know a signal's frame by these very bytes,
 * and look at the one before, too. */
__asm__(".text\n"
	"	.balign 16\n"
	"	nop\n"
	"	.hidden os_signal_return\n"
	"	.globl os_signal_return\n"
	"	.type os_signal_return, @function\n"
	"os_signal_return:\n"
	"	movq $15, %rax\n"
	"	syscall\n"
	"	.size os_signal_return, . - os_signal_return\n");
void os_signal_return(void);

_Static_assert(SYS_rt_sigreturn == 15, "the number in the text above");

void os_signals_unblock(uint64_t mask)
{
	system_call4(SYS_rt_sigprocmask, SIG_UNBLOCK, (long)&mask, 0, sizeof mask);
}

int os_signal_action(int signal, const struct os_signal_action *action,
		     struct os_signal_action *old)
{
	struct os_signal_action complete;

	if (action) {
		complete = *action;
		complete.flags |= SA_RESTORER;
		complete.restorer = (void *)os_signal_return;
	}
	return (int)system_call4(SYS_rt_sigaction, signal, action ? (long)&complete : 0, (long)old,
				 KERNEL_SET_BYTES);
}

int os_signal_raise(int signal, const void *info)
{
	return (int)system_call4(SYS_rt_tgsigqueueinfo, os_process_id(), os_thread_id(), signal,
				 (long)info);
}
