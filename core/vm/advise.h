/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What a program says of memory that it will need soon, or not for a while. */

#ifndef VADTRACE_CORE_VM_ADVISE_H
#define VADTRACE_CORE_VM_ADVISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/vm/virtual.h"

/* PrefetchVirtualMemory: a hint, so what is not there is no error. STATUS_INVALID_PARAMETER: not a
 * range of the program's addresses. */
NTSTATUS advise_prefetch(const void *base, size_t size_bytes);

/* OfferVirtualMemory, ReclaimVirtualMemory: whole committed pages of one region
 * (STATUS_INVALID_PARAMETER, STATUS_CONFLICTING_ADDRESSES, STATUS_NOT_COMMITTED). *is_intact: the
 * system has taken no page meanwhile, as it may when memory is scarce. The priority is told, and
 * makes no difference. */
NTSTATUS advise_offer(void *base, size_t size_bytes, uint32_t priority,
		      const struct vm_request *request);
NTSTATUS advise_reclaim(void *base, size_t size_bytes, bool *is_intact,
			const struct vm_request *request);

#endif
