/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Verify mode: what Wine's Tls and Fls functions answer against what is documented, which core
 * keeps to. TLS is looked up where programs look, in the thread's block and the process's bitmaps.
 * Whether an index of FLS is allocated, only Wine knows: nothing follows from that. */

#ifndef VADTRACE_PRELOAD_WINE_COMPARE_TLS_H
#define VADTRACE_PRELOAD_WINE_COMPARE_TLS_H

#include "preload/wine/serve.h"

/* Before Wine answers. Gives what to call afterwards; NULL: it is none of these functions. */
serve_after compare_tls(struct hook_call *call);

#endif
