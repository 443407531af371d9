/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What we tell the compiler. */

#ifndef VADTRACE_CORE_BASE_HINTS_H
#define VADTRACE_CORE_BASE_HINTS_H

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* In a library, the functions that its users may call; all others are hidden. */
#define CORE_API __attribute__((visibility("default")))

#endif
