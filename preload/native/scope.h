/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What code in an object that was loaded with RTLD_LOCAL would call if we were absent: its own
 * libraries' symbols, which no search from here finds. */

#ifndef VADTRACE_PRELOAD_NATIVE_SCOPE_H
#define VADTRACE_PRELOAD_NATIVE_SCOPE_H

/* Answers are kept by the number that the caller gives each name; below this. */
#define SCOPE_NAMES 20

/* The function `name`, whose number is `index`, for a call that returns to `caller`; NULL when
 * there is none. The first question of an object takes the loader's lock. */
void *scope_find(const void *caller, const char *name, unsigned int index);

/* An object may have been unloaded. */
void scope_forget(void);

#endif
