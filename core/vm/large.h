/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Regions of large pages (MEM_LARGE_PAGES). Reserved and committed in one step, released in one;
 * never paged out, never decommitted. */

#ifndef VADTRACE_CORE_VM_LARGE_H
#define VADTRACE_CORE_VM_LARGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/types.h"

/* Whether a region of large pages can be there: STATUS_INVALID_PARAMETER when it is not whole large
 * pages, STATUS_NOT_SUPPORTED when the system has none. */
NTSTATUS large_check(const void *base, size_t size_bytes);
/* The larger one of an alignment and a large page. */
size_t large_alignment(size_t alignment_bytes);
/* What the system's error means: STATUS_INSUFFICIENT_RESOURCES, not so many are free;
 * STATUS_PRIVILEGE_NOT_HELD, this user gets none. */
NTSTATUS large_error(int error);
/* Whether the page lies in one. */
bool large_is_at(uintptr_t page_base);

#endif
