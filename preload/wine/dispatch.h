/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Every hooked call of a Windows process comes by here: once per call it is told what the program
 * called, and those that core answers go to their handler (serve.h). */

#ifndef VADTRACE_PRELOAD_WINE_DISPATCH_H
#define VADTRACE_PRELOAD_WINE_DISPATCH_H

/* Makes this process ready to be hooked, before Wine runs. Tracing begins with the first hooked
 * call. */
void dispatch_start(void);

#endif
