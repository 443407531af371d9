/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The range that a POSIX memory call means. */

#ifndef VADTRACE_CORE_VM_POSIX_RANGE_H
#define VADTRACE_CORE_VM_POSIX_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/os/os.h"

/* Whole pages, not empty, inside the program's addresses. */
struct posix_range {
	uintptr_t base;
	uintptr_t end;
};

/* False for arguments that the system will refuse: an address inside a page, no size, too much. */
static inline bool posix_range(const void *address, size_t size_bytes, struct posix_range *range)
{
	uintptr_t base = (uintptr_t)address;

	if (base % OS_PAGE_SIZE || size_bytes == 0 || size_bytes > OS_USER_END ||
	    base > OS_USER_END - size_bytes)
		return false;
	range->base = base;
	range->end = (base + size_bytes + OS_PAGE_SIZE - 1) & ~(OS_PAGE_SIZE - 1);
	return true;
}

#endif
