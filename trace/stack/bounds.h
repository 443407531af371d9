/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Reading a stack that may be damaged: only what is known to be there, or what the kernel says is
 * there. */

#ifndef VADTRACE_TRACE_STACK_BOUNDS_H
#define VADTRACE_TRACE_STACK_BOUNDS_H

#include <stdbool.h>
#include <stdint.h>

/* Stack memory that is known to be there: [low, high), whole pages. Zero: nothing is known.
 * Owned by one thread. */
struct stack_bounds {
	uintptr_t low, high;
};

/* Makes the bounds cover the page of `address`, if it can be read. */
bool bounds_widen(struct stack_bounds *bounds, uintptr_t address);

/* The word at `address`; false when it cannot be read. */
static inline bool bounds_load(struct stack_bounds *bounds, uintptr_t address, uintptr_t *value)
{
	if (address & 7)
		return false;
	if (__builtin_expect(address - bounds->low >= bounds->high - bounds->low, 0) &&
	    !bounds_widen(bounds, address))
		return false;
	*value = *(const uintptr_t *)address;
	return true;
}

#endif
