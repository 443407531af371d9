/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Verify mode: what Wine's Global and Local functions answer against what is documented, which
 * core keeps to. Nothing is kept of any handle: what is due follows from the call, and from what
 * Wine itself has behind the handle before and after it. Of a handle that several threads lock and
 * unlock at once it may be another moment's. */

#ifndef VADTRACE_PRELOAD_WINE_COMPARE_HANDLE_H
#define VADTRACE_PRELOAD_WINE_COMPARE_HANDLE_H

#include "preload/wine/serve.h"

/* Before Wine answers: looks at the handle that the call names. Gives what to call afterwards;
 * NULL: it is none of these functions. */
serve_after compare_handle(struct hook_call *call);

#endif
