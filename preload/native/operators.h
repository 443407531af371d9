/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* C++'s operator new and operator delete, in all their forms. */

#ifndef VADTRACE_PRELOAD_NATIVE_OPERATORS_H
#define VADTRACE_PRELOAD_NATIVE_OPERATORS_H

/* Looks up the next ones, after real_resolve. */
void operators_resolve(void);

#endif
