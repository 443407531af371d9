/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Heaps that stay Wine's while core serves the others: those in memory of the caller's. */

#ifndef VADTRACE_PRELOAD_WINE_OTHER_HEAPS_H
#define VADTRACE_PRELOAD_WINE_OTHER_HEAPS_H

#include <stdint.h>

#include "core/types.h"

/* Before Wine is asked for one of them. On a thread of the program. */
void other_heaps_prepare(void);

/* Writes at most `count` handles of theirs; returns how many there are. */
uint32_t other_heaps_list(uint32_t count, HANDLE *heaps);

#endif
