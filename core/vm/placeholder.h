/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Placeholders: addresses that are kept, in pieces of any number of pages, until a region takes the
 * place of a whole piece. What VirtualAlloc2 and VirtualFree are documented to do with them. Called
 * with vm_lock held, but for placeholder_check. */

#ifndef VADTRACE_CORE_VM_PLACEHOLDER_H
#define VADTRACE_CORE_VM_PLACEHOLDER_H

#include "core/vm/region.h"

#define PLACEHOLDER_TYPES (MEM_RESERVE_PLACEHOLDER | MEM_REPLACE_PLACEHOLDER)

/* Whether an allocation type that has one of PLACEHOLDER_TYPES can be: STATUS_INVALID_PARAMETER;
 * STATUS_NOT_SUPPORTED for windows and large pages in a placeholder's place, which virtualalloc2
 * allows for ordinary private memory only. */
NTSTATUS placeholder_check(const void *base, uint32_t type, uint32_t protect);
/* A region that was just reserved becomes one. */
void placeholder_begin(struct vad *vad);

/* A region takes the place of the placeholder that is exactly the range; `state` is its pages',
 * `type` may have MEM_WRITE_WATCH.
 * STATUS_CONFLICTING_ADDRESSES: there is none; STATUS_COMMITMENT_LIMIT, STATUS_NO_MEMORY. */
NTSTATUS placeholder_replace(const struct vm_range *range, uint32_t type, uint32_t state,
			     uint32_t protect, const struct vm_request *request);
/* The range, inside `vad`, becomes a placeholder of its own: a piece of one, or what took the place
 * of one, whose contents are lost. STATUS_CONFLICTING_ADDRESSES: it is neither, or the whole
 * placeholder. */
NTSTATUS placeholder_preserve(struct vad *vad, const struct vm_range *range,
			      const struct vm_request *request);
/* All the placeholders in the range, at least two that fill it, become one.
 * STATUS_CONFLICTING_ADDRESSES. */
NTSTATUS placeholder_coalesce(const struct vm_range *range, const struct vm_request *request);
/* Cuts the range off, if it is a part: what is returned is exactly the range. NULL: no memory. */
struct vad *placeholder_cut(struct vad *vad, const struct vm_range *range);

#endif
