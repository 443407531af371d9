/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Another stack, for calls that come when the program's is nearly used up. A fault there while core
 * holds a lock would end the process; a program may go on after its stack has run out. */

#ifndef VADTRACE_PRELOAD_WINE_SPARE_H
#define VADTRACE_PRELOAD_WINE_SPARE_H

#include <stdbool.h>

#include "preload/pe/call.h"
#include "preload/wine/teb.h"

/* What a call may need at worst, with LTTng and the unwinder. */
#define SPARE_WANTED_BYTES (32u * 1024)

/* Whether less than that is left of the stack on which the call's record lies. */
static inline bool spare_is_needed(const struct hook_call *call)
{
	return (uintptr_t)call - teb_stack_limit() < SPARE_WANTED_BYTES;
}

/* Calls the function on a stack that nobody uses; on the calling one when there is none. */
bool spare_run(bool (*function)(struct hook_call *call), struct hook_call *call);

#endif
