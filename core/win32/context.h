/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A thread's registers: the system's words (ucontext_t) and Windows'. */

#ifndef VADTRACE_CORE_WIN32_CONTEXT_H
#define VADTRACE_CORE_WIN32_CONTEXT_H

#include "core/types.h"

/* From the context that a signal's handler is given; all that has a counterpart there. */
void context_from_system(CONTEXT *context, const void *system);
/* Back: the parts that ContextFlags names. */
void context_to_system(const CONTEXT *context, void *system);

#endif
