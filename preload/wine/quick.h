/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* HeapAlloc and HeapFree while nobody listens: core answers before there is any record of the call.
 */

#ifndef VADTRACE_PRELOAD_WINE_QUICK_H
#define VADTRACE_PRELOAD_WINE_QUICK_H

/* Tells the hooks; before Wine runs. */
void quick_start(void);

/* Core answers from now on. Until then every call is left to the dispatcher. */
void quick_open(void);

#endif
