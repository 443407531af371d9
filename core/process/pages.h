/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The calls on the pages of a process that a handle names: locks, the working set, write watches,
 * physical pages. Arguments and answers are those of vm/lockpages.h, vm/working_set.h, vm/advise.h,
 * vm/writewatch.h and vm/awe.h. Lists go to another process and come back in parts: what happens
 * there meanwhile is seen in some, and of a call that fails half-way, *count says how far it came.
 */

#ifndef VADTRACE_CORE_PROCESS_PAGES_H
#define VADTRACE_CORE_PROCESS_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/types.h"
#include "core/vm/virtual.h"
#include "core/vm/working_set.h"

/* All need PROCESS_VM_OPERATION, but: */
NTSTATUS pages_lock(HANDLE process, void **base, size_t *size_bytes);
NTSTATUS pages_unlock(HANDLE process, void **base, size_t *size_bytes);
/* No right: it is a hint. */
NTSTATUS pages_prefetch(HANDLE process, const void *base, size_t size_bytes);

/* PROCESS_QUERY_LIMITED_INFORMATION. */
NTSTATUS pages_limits(HANDLE process, struct working_set_limits *limits);
/* PROCESS_SET_QUOTA. */
NTSTATUS pages_set_limits(HANDLE process, const struct working_set_limits *limits);
NTSTATUS pages_empty(HANDLE process);
/* PROCESS_QUERY_INFORMATION. */
NTSTATUS pages_query(HANDLE process, PSAPI_WORKING_SET_EX_INFORMATION *pages, size_t count);

NTSTATUS pages_written(HANDLE process, const void *base, size_t size_bytes, bool resets,
		       void **pages, size_t *count);
NTSTATUS pages_forget_written(HANDLE process, const void *base, size_t size_bytes);

/* *count is written on success only. */
NTSTATUS pages_take_frames(HANDLE process, uintptr_t *numbers, size_t *count,
			   const struct vm_request *request);
/* *count becomes how many were given back, also when not all were; not when the handle is refused.
 */
NTSTATUS pages_give_frames(HANDLE process, const uintptr_t *numbers, size_t *count,
			   const struct vm_request *request);

#endif
