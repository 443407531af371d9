/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Where Wine's answer and core's part (verify mode). */

#ifndef VADTRACE_PRELOAD_WINE_DIFFERENCE_H
#define VADTRACE_PRELOAD_WINE_DIFFERENCE_H

#include <stdint.h>

#include "core/event.h"
#include "preload/pe/call.h"

/* Differences are told with the arguments of this call of the calling thread; NULL: with none. */
void difference_of(const struct hook_call *call);

/* Tells one if the two differ, in verify mode; `what` is a fixed text. */
void difference_in(enum api api, const char *what, uint64_t wine, uint64_t core);

#endif
