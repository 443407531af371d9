/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The notice of new threads, and what is smaller than a word: together, so that it fits into one.
 */

#include "core/base/thread.h"

#include <stddef.h>

void (*thread_began)(void) = NULL;
CORE_TLS uint32_t thread_last_error;
CORE_TLS bool thread_is_past_limit;
