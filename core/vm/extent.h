/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Of a whole region, what VirtualQuery says of its runs, added up. */

#ifndef VADTRACE_CORE_VM_EXTENT_H
#define VADTRACE_CORE_VM_EXTENT_H

#include "core/types.h"

/* Who is asked about a run: vm_query for this process, with `process` for another. */
struct extent_source {
	NTSTATUS (*query)(void *process, const void *address, MEMORY_BASIC_INFORMATION *info);
	void *process;
};

/* NtQueryVirtualMemory(MemoryRegionInformation), as WIN32_MEMORY_REGION_INFORMATION (memoryapi.h)
 * documents it: the commit charge is that of committed pages of private memory, and of pages that
 * are copied when they are written in views. STATUS_INVALID_PARAMETER for what is free: "if the
 * VirtualAddress parameter points to an unallocated memory region, the function fails". A region
 * that changes meanwhile is seen in parts. */
NTSTATUS extent_query(const struct extent_source *source, const void *address,
		      WIN32_MEMORY_REGION_INFORMATION *info);
/* The same for this process. */
NTSTATUS extent_query_own(const void *address, WIN32_MEMORY_REGION_INFORMATION *info);

#endif
