/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Placement: finds a range of addresses that nobody uses, and takes it. Called with vm_lock held.
 */

#ifndef VADTRACE_CORE_VM_SPACE_H
#define VADTRACE_CORE_VM_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/os/pager.h"

/* What Windows calls the allocation granularity. */
#define SPACE_GRANULARITY ((size_t)0x10000)
/* One past the last address that GetSystemInfo names. */
#define SPACE_END ((uintptr_t)0x7fffffff0000)

/* Pages that are wanted. */
struct space_wish {
	const struct pager *pager;
	uintptr_t base; /* exactly there; 0: anywhere */
	size_t size_bytes;
	size_t alignment_bytes; /* power of two; less than the granularity: the granularity */
	uintptr_t limit;        /* the range ends at or below it; 0: anywhere */
	uintptr_t lowest;       /* the range begins at or above it; 0: anywhere */
	uint32_t state;         /* as in pager.h */
	bool is_top_down;       /* the highest address there is; of other pagers: a wish only */
};

/* Takes zero filled pages; on Linux as high as can be had cheaply. Answers the address or -errno:
 * -EEXIST when something is there, -ENOMEM when no range is large enough. */
intptr_t space_take(const struct space_wish *wish);
/* The next range lies in no page table that others lie in, and in a mapping of its own: where two
 * threads work on either's pages, the kernel keeps them apart. A wish only. */
void space_step_aside(void);
/* Gives a range back; 0 or -errno. Does not fail for want of room in the system's own records. */
int space_give_back(const struct pager *whose, uintptr_t base, size_t size_bytes);

#endif
