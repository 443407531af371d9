/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Blocks that are given back while the tracer is in LTTng or libunwind. The dynamic loader does so
 * when it is asked for a thread-local variable there and finds that a library with such variables
 * has gone. The block was the program's, and is told as all others are: when the call is over. */

#ifndef VADTRACE_PRELOAD_NATIVE_POSTPONED_H
#define VADTRACE_PRELOAD_NATIVE_POSTPONED_H

#include <stddef.h>

/* `block` stays allocated, and its first word is ours. */
void postponed_add(void *block);
/* All blocks so far, whichever thread added them: the first one, which has the address of the next
 * one in its first word; NULL for none. They are the caller's. */
void *postponed_take(void);

#endif
