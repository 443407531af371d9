/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* By which means libvadcore will notice writes to MEM_WRITE_WATCH regions on this machine. */

#ifndef VADTRACE_TOOLS_RECORD_WRITE_WATCH_H
#define VADTRACE_TOOLS_RECORD_WRITE_WATCH_H

#include <stdbool.h>

/* Whether the kernel has an account of written pages (Linux 6.7), and lets us have it. */
bool write_watch_is_by_kernel(void);

#endif
