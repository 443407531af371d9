/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Ctrl-C, and the other signals that ask a program to end: long work that has something to tidy up
 * stops first. */

#ifndef VADTRACE_TOOLS_LIB_INTERRUPT_H
#define VADTRACE_TOOLS_LIB_INTERRUPT_H

#include <stdbool.h>

/* From now on such a signal, the first of its kind, is only noted; a second one kills. */
void interrupt_begin(void);
/* Whether one came: the work is to stop. From any thread. */
bool interrupt_came(void);
/* The signals do again what they did before. If one came, it does it now. */
void interrupt_end(void);

#endif
