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

/* In a signal's frame rsp points at the ucontext, which has each register at a multiple of 8 from
 * it: as unwinders are told (DWARF: an expression of DW_OP_breg7, in two bytes from 64 on). */
#define REGISTER_AT(number, low, high) \
	"	.cfi_escape 0x10," #number ",3,0x77," #low "," #high "\n"

/* Where a handler returns to. Debuggers and some unwinders know a signal's frame by these very
 * bytes, and look at the one before, too. */
__asm__(".text\n"
	"	.balign 16\n"
	"	.cfi_startproc\n"
	"	.cfi_signal_frame\n"
	"	.cfi_escape 0x0f,4,0x77,0xa0,1,6\n" /* the frame's address: what rsp was */
	REGISTER_AT(8, 0xa8, 0) REGISTER_AT(9, 0xb0, 0) REGISTER_AT(10, 0xb8, 0) REGISTER_AT(
		11, 0xc0, 0) REGISTER_AT(12, 0xc8, 0) REGISTER_AT(13, 0xd0, 0)
		REGISTER_AT(14, 0xd8, 0) REGISTER_AT(15, 0xe0, 0) REGISTER_AT(5, 0xe8, 0)
			REGISTER_AT(4, 0xf0, 0) REGISTER_AT(6, 0xf8, 0) REGISTER_AT(
				3, 0x80, 1) REGISTER_AT(1, 0x88, 1) REGISTER_AT(0, 0x90, 1)
				REGISTER_AT(2, 0x98, 1) REGISTER_AT(7, 0xa0, 1) REGISTER_AT(
					16, 0xa8,
					1) "	nop\n"
					   "	.hidden os_signal_return\n"
					   "	.globl os_signal_return\n"
					   "	.type os_signal_return, @function\n"
					   "os_signal_return:\n"
					   "	movq $15, %rax\n"
					   "	syscall\n"
					   "	.cfi_endproc\n"
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
