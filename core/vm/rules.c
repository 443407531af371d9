/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The rules for arguments, from the documentation of VirtualAlloc, VirtualFree and VirtualProtect
 * (memoryapi.h). Pure functions. */

#include "core/vm/rules.h"

#include "core/base/status.h"
#include "core/os/os.h"

/* Below lies the partition that catches NULL pointers. */
#define USER_BASE ((uintptr_t)0x10000)
#define PROTECT_KIND_MASK 0xffu
#define EXECUTABLE_KINDS (PAGE_EXECUTE | PAGE_EXECUTE_READ | PAGE_EXECUTE_READWRITE)
#define PROTECT_MODIFIERS (PAGE_GUARD | PAGE_NOCACHE | PAGE_WRITECOMBINE)
#define ZERO_BITS_MAX 21
#define ALLOCATION_TYPES                                                                          \
	(MEM_COMMIT | MEM_RESERVE | MEM_RESET | MEM_RESET_UNDO | MEM_TOP_DOWN | MEM_WRITE_WATCH | \
	 MEM_PHYSICAL | MEM_LARGE_PAGES)

NTSTATUS rules_range(const void *base, size_t size_bytes, size_t granularity,
		     struct vm_range *range)
{
	uintptr_t first = (uintptr_t)base, end = first + size_bytes;

	if (size_bytes == 0 || end < first || end > OS_USER_END || (base && first < USER_BASE))
		return STATUS_INVALID_PARAMETER;
	range->base = first & ~(granularity - 1);
	range->end = (end + OS_PAGE_SIZE - 1) & ~(OS_PAGE_SIZE - 1);
	return STATUS_SUCCESS;
}

NTSTATUS rules_allocation_type(uint32_t type)
{
	if (type & ~ALLOCATION_TYPES)
		return STATUS_INVALID_PARAMETER;
	if ((type & MEM_RESET && type != MEM_RESET) ||
	    (type & MEM_RESET_UNDO && type != MEM_RESET_UNDO))
		return STATUS_INVALID_PARAMETER;
	if (!(type & (MEM_COMMIT | MEM_RESERVE | MEM_RESET | MEM_RESET_UNDO)))
		return STATUS_INVALID_PARAMETER;
	if (type & MEM_PHYSICAL && type & ~(MEM_PHYSICAL | MEM_RESERVE | MEM_TOP_DOWN))
		return STATUS_INVALID_PARAMETER;
	if (type & MEM_LARGE_PAGES && (~type & (MEM_RESERVE | MEM_COMMIT)))
		return STATUS_INVALID_PARAMETER;
	if (type & MEM_WRITE_WATCH && !(type & MEM_RESERVE))
		return STATUS_INVALID_PARAMETER;
	return STATUS_SUCCESS;
}

static bool is_private_kind(uint32_t kind)
{
	switch (kind) {
	case PAGE_NOACCESS:
	case PAGE_READONLY:
	case PAGE_READWRITE:
	case PAGE_EXECUTE:
	case PAGE_EXECUTE_READ:
	case PAGE_EXECUTE_READWRITE:
		return true;
	default:
		return false;
	}
}

uint32_t rules_kept_protection(uint32_t protect)
{
	return protect & EXECUTABLE_KINDS ? protect & ~PAGE_TARGETS_INVALID : protect;
}

NTSTATUS rules_protection(uint32_t protect, bool is_committed)
{
	uint32_t kept = rules_kept_protection(protect);
	uint32_t kind = kept & PROTECT_KIND_MASK, modifiers = kept & ~PROTECT_KIND_MASK;

	if (!is_private_kind(kind) || modifiers & ~PROTECT_MODIFIERS)
		return STATUS_INVALID_PAGE_PROTECTION;
	if (modifiers && (!is_committed || kind == PAGE_NOACCESS))
		return STATUS_INVALID_PAGE_PROTECTION;
	if (modifiers & (modifiers - 1))
		return STATUS_INVALID_PAGE_PROTECTION;
	return STATUS_SUCCESS;
}

/* Up to 21 it is a count of the lower 32 bits, from above; else a mask of which the highest bit
 * counts. */
NTSTATUS rules_zero_bits(uint64_t zero_bits, uintptr_t *limit)
{
	if (zero_bits > ZERO_BITS_MAX && zero_bits != 32 && zero_bits < 0xffff)
		return STATUS_INVALID_PARAMETER_3;
	if (zero_bits == 0 || zero_bits >= OS_USER_END)
		*limit = 0;
	else if (zero_bits < 32)
		*limit = (uintptr_t)1 << (32 - zero_bits);
	else
		*limit = (uintptr_t)1 << (64 - __builtin_clzl(zero_bits));
	return STATUS_SUCCESS;
}
