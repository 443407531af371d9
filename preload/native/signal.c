/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* pthread_sigmask, for Wine's ELF half: it blocks signals around each of its own locks. When core
 * asks it for pages, all signals are blocked already and stay so until core is done; then there is
 * nothing to do, and two system calls are saved. No state. */

#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

#include "core/base/hints.h"
#include "core/host.h"
#include "core/os/syscall.h"
#include "preload/native/real.h"

/* As the kernel counts them: one bit each. */
#define KERNEL_SET_BYTES 8

/* For who calls before the next symbols are known. */
static int set_mask(int how, const sigset_t *set, sigset_t *old)
{
	return (int)-system_call4(SYS_rt_sigprocmask, how, (long)set, (long)old, KERNEL_SET_BYTES);
}

/* What is told as the old mask is right: every signal is blocked. */
CORE_API int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	if (likely(!core_blocks_signals()))
		return real.pthread_sigmask ? real.pthread_sigmask(how, set, old)
					    : set_mask(how, set, old);
	if (old)
		memset(old, 0xff, sizeof(*old));
	return 0;
}
