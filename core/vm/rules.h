/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What Windows allows in the arguments of the virtual-memory calls, before any state is looked at.
 */

#ifndef VADTRACE_CORE_VM_RULES_H
#define VADTRACE_CORE_VM_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/types.h"

/* A range of whole pages. */
struct vm_range {
	uintptr_t base;
	uintptr_t end;
};

/* The pages that hold a byte of [base, base + size_bytes), the base rounded down to `granularity`.
 * STATUS_INVALID_PARAMETER when there is none or it leaves the program's addresses. */
NTSTATUS rules_range(const void *base, size_t size_bytes, size_t granularity,
		     struct vm_range *range);
/* Whether the type is one that NtAllocateVirtualMemory takes. STATUS_INVALID_PARAMETER. */
NTSTATUS rules_allocation_type(uint32_t type);
/* Whether pages of private memory can have this protection. The modifiers (PAGE_GUARD,
 * PAGE_NOCACHE, PAGE_WRITECOMBINE) are for committed pages only. STATUS_INVALID_PAGE_PROTECTION. */
NTSTATUS rules_protection(uint32_t protect, bool is_committed);
/* What of an allowed protection is written down: nobody guards calls here, so what may be called is
 * not. */
uint32_t rules_kept_protection(uint32_t protect);
/* The end of the addresses that NtAllocateVirtualMemory's zero bits allow; 0: of all.
 * STATUS_INVALID_PARAMETER_3. */
NTSTATUS rules_zero_bits(uint64_t zero_bits, uintptr_t *limit);

#endif
