/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The process's working set: its limits, which on Linux bound nothing but what can be locked; its
 * pages, of which the system tells. */

#ifndef VADTRACE_CORE_VM_WORKING_SET_H
#define VADTRACE_CORE_VM_WORKING_SET_H

#include <stddef.h>
#include <stdint.h>

#include "core/types.h"

/* minimum <= maximum, both whole pages, both at least the documented least. */
struct working_set_limits {
	size_t minimum_bytes;
	size_t maximum_bytes;
	uint32_t flags; /* QUOTA_LIMITS_HARDWS_*: one for the minimum, one for the maximum */
};

void working_set_limits(struct working_set_limits *limits);
/* Sets the limits; flags 0 leaves the flags as they are. What is less than the documented least (20
 * pages, 13 pages) becomes that, a maximum above what the machine can give becomes this.
 * STATUS_INVALID_PARAMETER: a minimum of 0 or above the maximum, flags that contradict each other;
 * STATUS_INSUFFICIENT_RESOURCES: a minimum above what the machine can give. */
NTSTATUS working_set_set_limits(size_t minimum_bytes, size_t maximum_bytes, uint32_t flags);
/* Called with vm_lock held. */
size_t working_set_minimum_locked(void);

/* Asks the system to page out as much as can be of what the tree knows. */
void working_set_empty(void);

/* QueryWorkingSetEx: fills in what is known of each page. Of a page that several processes share,
 * only whether it is more than one is known: a share count of 2 means at least 2. */
NTSTATUS working_set_query(PSAPI_WORKING_SET_EX_INFORMATION *pages, size_t count);

#endif
