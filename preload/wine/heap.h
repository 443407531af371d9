/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Windows' heaps in the process; the handlers are in serve.h. */

#ifndef VADTRACE_PRELOAD_WINE_HEAP_H
#define VADTRACE_PRELOAD_WINE_HEAP_H

#include "preload/config.h"

/* Before the first heap is made. */
void heap_begin(enum config_mode mode);

#endif
