/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* One call on this process's virtual memory, in any of the three modes. */

#ifndef VADTRACE_PRELOAD_WINE_OPERATION_H
#define VADTRACE_PRELOAD_WINE_OPERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/event.h"
#include "core/types.h"
#include "core/vm/virtual.h"
#include "preload/pe/call.h"

/* In: what the program asked for. Out, when the status is a success: what it got. */
struct operation {
	enum api api;
	const struct hook_call *call; /* the program's */
	void *base;
	size_t size_bytes;
	uint32_t type; /* allocation or free type */
	uint32_t protect;
	uint64_t zero_bits;       /* as NtAllocateVirtualMemory takes them */
	struct vm_request bounds; /* where a new region may lie besides, and on which node */
	uint32_t old_protect;
};

NTSTATUS operation_allocate(struct operation *operation);
/* Whether core is to answer that, and not Wine. */
bool operation_is_allocated_by_core(const struct operation *operation);
NTSTATUS operation_free(struct operation *operation);
NTSTATUS operation_protect(struct operation *operation);

#endif
