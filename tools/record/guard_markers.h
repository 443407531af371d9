/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What libvadcore does on this machine with regions that are released. */

#ifndef VADTRACE_TOOLS_RECORD_GUARD_MARKERS_H
#define VADTRACE_TOOLS_RECORD_GUARD_MARKERS_H

#include <stdbool.h>

/* Whether the kernel can make pages inaccessible without unmapping them (Linux 6.13). */
bool guard_markers_work(void);

#endif
