/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* SuspendThread, met inside a hook. Wine would show the registers of our code, where no Windows
 * program's walk of the stack goes on: the thread is suspended where it comes back to the
 * stub, which Windows' unwinder knows, or to the program. */

#ifndef VADTRACE_PRELOAD_WINE_SUSPEND_H
#define VADTRACE_PRELOAD_WINE_SUSPEND_H

/* After handlers_hold. */
void suspend_start(void);

#endif
