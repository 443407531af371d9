/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The machine's nodes of memory, as /sys/devices/system/node lists them, and regions that prefer
 * one. */

#ifndef VADTRACE_CORE_VM_NUMA_H
#define VADTRACE_CORE_VM_NUMA_H

#include <stdbool.h>
#include <stdint.h>

#include "core/types.h"
#include "core/vm/virtual.h"

/* The nodes that Windows can name. */
#define NUMA_NODES_MAX 64

/* The nodes that are there, a bit each; bit 0 alone where the system does not say. */
uint64_t numa_nodes(void);
/* The processors of a node, a bit each, of the first 64. False: there is no such node. */
bool numa_processors(uint32_t node, uint64_t *mask);
/* Bytes of a node's memory that nobody uses. False: there is no such node. */
bool numa_free_bytes(uint32_t node, uint64_t *free_bytes);

/* Whether a call that allocates makes a new region: the node of one that only commits is "ignored
 * when the API is used to commit pages in a region that already exists" (VirtualAllocExNuma). */
static inline bool numa_is_asked(const void *base, uint32_t type)
{
	return !base || type & MEM_RESERVE;
}

/* Makes the request prefer a node. NUMA_NO_PREFERRED_NODE: none. STATUS_INVALID_PARAMETER: there is
 * no such node. */
NTSTATUS numa_prefer(uint32_t node, struct vm_request *request);
/* The system is told that pages of a range should come from the node (plus 1; 0: any). Only a wish:
 * a system without nodes, or one that refuses, is no failure. */
void numa_bind(uintptr_t base, uintptr_t end, uint16_t node);

#endif
