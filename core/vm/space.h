/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Placement: finds a range of addresses that nobody uses, and takes it. Called with vm_lock held.
 */

#ifndef VADTRACE_CORE_VM_SPACE_H
#define VADTRACE_CORE_VM_SPACE_H

#include <stddef.h>
#include <stdint.h>

/* What Windows calls the allocation granularity. */
#define SPACE_GRANULARITY ((size_t)0x10000)

/* Takes zero filled pages in `state` (pager.h). `base` 0: anywhere, at a multiple of the alignment
 * (a power of two of at least a page), as high as can be had cheaply; else exactly there. Answers
 * the address or -errno: -EEXIST when something is there, -ENOMEM when no range is large enough. */
intptr_t space_take(uintptr_t base, size_t size_bytes, size_t alignment_bytes, uint32_t state);
/* Gives a range back; 0 or -errno. Does not fail for want of room in the system's own records. */
int space_give_back(uintptr_t base, size_t size_bytes);

#endif
