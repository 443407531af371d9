/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The calling thread, where it runs a Windows program. */

#ifndef VADTRACE_TRACE_WINDOWS_H
#define VADTRACE_TRACE_WINDOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/trace.h"

/* What trace_set_caller was told. */
extern _Thread_local const struct trace_caller *windows_told_caller;

const struct trace_caller *windows_check_caller(uintptr_t frame);

/* As trace_set_caller was told, for an event that arrives at `frame`; NULL also when an exception
 * has taken the thread out of that call since. */
static inline const struct trace_caller *windows_caller(uintptr_t frame)
{
	return __builtin_expect(windows_told_caller != NULL, 0) ? windows_check_caller(frame)
								: NULL;
}

/* Whether the Windows stack that the thread runs on has room for a call of LTTng. A thread that has
 * none, or is on another, has. */
bool windows_has_room(void);

#endif
