/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Views of sections that another memory manager maps: core keeps a record and tells, and touches no
 * page. vm_query answers for them; vm_owns is false. */

#ifndef VADTRACE_CORE_VM_VIEW_H
#define VADTRACE_CORE_VM_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/types.h"
#include "core/vm/virtual.h"

/* A view, whole pages, all of one state. */
struct vm_view {
	uintptr_t base;
	size_t size_bytes;
	uint32_t protect; /* PAGE_* */
	uint64_t offset;  /* in the section, of the first page */
	bool is_image;
	bool is_reserved; /* of a section whose pages are not committed (SEC_RESERVE) */
};

/* Records a view that exists now; what the tree held there has ended unseen.
 * STATUS_INVALID_PARAMETER for an impossible range; STATUS_NO_MEMORY. */
NTSTATUS vm_map_view(const struct vm_view *view, const struct vm_request *request);
/* The view that holds `address` ends; called before the system unmaps it, because its addresses may
 * be somebody else's at once. *view, when not NULL, is what it was: if the system refuses, it is to
 * be mapped again. STATUS_NOT_MAPPED_VIEW. */
NTSTATUS vm_unmap_view(const void *address, struct vm_view *view, const struct vm_request *request);

#endif
