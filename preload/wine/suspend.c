/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Wine's server suspends a thread by a signal:
 *
 *   SIGUSR1 in our code --> the return address to Windows code becomes a trap's; SIGUSR1 is
 *                           blocked in the interrupted context, and sent again
 *        ... the call ends, returns to the trap ...
 *   SIGTRAP             --> rip is the true return address again, SIGUSR1 is let in there
 *
 * traps:     int3 | int3 | ...       64 of them, one for each thread that is on its way
 * originals: 0    | a stub | ...     where they lead; 0: free
 *
 * A thread that is terminated on its way keeps its trap. When there are none, or the way out is not
 * found, the thread is suspended where it is. No lock. */

#include "preload/wine/suspend.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

#include "preload/native/handlers.h"
#include "preload/recorder.h"

#define TRAPS 64
#define SIGNAL_BIT (UINT64_C(1) << (SIGUSR1 - 1))

__asm__(".text\n"
	".p2align 4\n"
	"suspend_traps:\n"
	"	.fill 64, 1, 0xcc\n"
	"	.size suspend_traps, 64\n"
	"	.type suspend_traps, @object\n");
extern const char suspend_traps[TRAPS] __attribute__((visibility("hidden")));

static _Atomic uint64_t originals[TRAPS];

static uint64_t *mask_of(ucontext_t *context)
{
	return (uint64_t *)&context->uc_sigmask;
}

/* The address of a trap that leads to `original`; 0: all are taken. */
static uint64_t take_trap(uint64_t original)
{
	for (size_t i = 0; i < TRAPS; i++) {
		uint64_t none = 0;

		if (atomic_compare_exchange_strong(&originals[i], &none, original))
			return (uintptr_t)&suspend_traps[i];
	}
	return 0;
}

static bool is_for_later(int signal, ucontext_t *context)
{
	const greg_t *registers = context->uc_mcontext.gregs;
	uint64_t *slot, trap;

	if (signal != SIGUSR1)
		return false;
	slot = tracer->find_return((uint64_t)registers[REG_RIP], (uint64_t)registers[REG_RSP],
				   (uint64_t)registers[REG_RBP]);
	trap = slot ? take_trap(*slot) : 0;
	if (!trap)
		return false;
	*slot = trap;
	*mask_of(context) |= SIGNAL_BIT;
	return true;
}

/* After an int3, rip is behind it. */
static bool is_own(int signal, ucontext_t *context)
{
	greg_t *rip = &context->uc_mcontext.gregs[REG_RIP];
	uint64_t index = (uint64_t)*rip - 1 - (uintptr_t)suspend_traps;

	if (signal != SIGTRAP || index >= TRAPS)
		return false;
	*rip = (greg_t)atomic_exchange(&originals[index], 0);
	*mask_of(context) &= ~SIGNAL_BIT;
	return true;
}

void suspend_start(void)
{
	handlers_set_filters(is_for_later, is_own);
}
