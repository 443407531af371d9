/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The notice of new threads. */

#include "core/base/thread.h"

#include <stddef.h>

void (*thread_began)(void) = NULL;
