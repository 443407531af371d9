/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The kernel's account of written pages, as the watches of regions use it. Called with vm_lock
 * held. */

#ifndef VADTRACE_CORE_VM_WATCH_SYSTEM_H
#define VADTRACE_CORE_VM_WATCH_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/os/os_watch.h"
#include "core/vm/rules.h"

/* Whether this system has such an account, and lets us have it. Called once, before all others. */
bool watch_system_start(void);
/* Begins to account for the range. 0 or -errno. */
int watch_system_add(const struct vm_range *range);
/* The written pages of a range, all of which was added. `add_all` adds all ranges again: when the
 * program has closed our file descriptor. */
int watch_system_scan(struct os_scan *scan, bool (*add_all)(void));
/* No page of the range counts as written. 0 or -errno: nothing has changed. */
int watch_system_reset(const struct vm_range *range, bool (*add_all)(void));
/* In a child of fork: nothing is added any more. */
void watch_system_renew(void);

#endif
