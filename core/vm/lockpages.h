/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Pages that stay in memory (VirtualLock). What is locked is the system's own record, so that fork,
 * exec, mlock and the end of a range need no thought here. Any memory of the process that is
 * committed can be locked, also what is not VirtualAlloc's. */

#ifndef VADTRACE_CORE_VM_LOCKPAGES_H
#define VADTRACE_CORE_VM_LOCKPAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/types.h"

/* NtLockVirtualMemory on this process: all pages that the range touches, or none.
 * STATUS_WAS_LOCKED, a success, when one of them was locked before. STATUS_INVALID_PARAMETER: no
 * range; STATUS_ACCESS_VIOLATION: a page is not committed, or has no access;
 * STATUS_GUARD_PAGE_VIOLATION: it is a guard page; STATUS_WORKING_SET_QUOTA: more than the minimum
 * working set less LOCKPAGES_FLUID_PAGES would be locked, or more than the system allows
 * (RLIMIT_MEMLOCK). On success *base and *size_bytes are the pages. */
NTSTATUS lockpages_lock(void **base, size_t *size_bytes);
/* NtUnlockVirtualMemory. There is no count: the first call unlocks. STATUS_NOT_LOCKED: a page is
 * not locked; those that are stay so, the others may leave memory. */
NTSTATUS lockpages_unlock(void **base, size_t *size_bytes);

bool lockpages_is_locked(uintptr_t page_base);

/* Pages of the minimum working set that are never locked. */
#define LOCKPAGES_FLUID_PAGES 8

#endif
