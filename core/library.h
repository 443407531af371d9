/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* For what libvadcore.so interposes of the C library. */

#ifndef VADTRACE_CORE_LIBRARY_H
#define VADTRACE_CORE_LIBRARY_H

/* The next function of that name, looked up once; *known is NULL at first. Two threads may look up
 * the same at once, and find the same. */
void *library_next(void **known, const char *name);

#endif
