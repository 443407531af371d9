/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Where Wine's answer and core's part (verify mode). */

#ifndef VADTRACE_PRELOAD_WINE_DIFFERENCE_H
#define VADTRACE_PRELOAD_WINE_DIFFERENCE_H

#include <stdint.h>

#include "preload/pe/call.h"

/* Tells one of this call, the one that was answered, if the two differ; in verify mode. `what` is a
 * fixed text. */
void difference_in(const struct hook_call *call, const char *what, uint64_t wine, uint64_t core);

#endif
