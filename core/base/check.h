/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Invariants. A broken one ends the process with a fixed text on stderr: what follows would corrupt
 * somebody's data. Wrong input from the program is never a broken invariant. */

#ifndef VADTRACE_CORE_BASE_CHECK_H
#define VADTRACE_CORE_BASE_CHECK_H

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

/* Writes "vadtrace: broken invariant: TEXT" with one system call and aborts. */
_Noreturn void check_fail(const char *text);

/* Always on; for conditions that are cheap beside the work they guard. */
#define check(condition, text) ((condition) ? (void)0 : check_fail(text))

/* On with --enable-checks. */
#ifdef VADTRACE_CHECKS
#define check_debug(condition, text) check(condition, text)
#else
#define check_debug(condition, text) ((void)0)
#endif

#endif
