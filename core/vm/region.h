/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What the calls on VirtualAlloc's regions share. Called with vm_lock held. */

#ifndef VADTRACE_CORE_VM_REGION_H
#define VADTRACE_CORE_VM_REGION_H

#include <stdint.h>

#include "core/event.h"
#include "core/vm/rules.h"
#include "core/vm/vad.h"
#include "core/vm/virtual.h"

static inline uint64_t region_page(uintptr_t address)
{
	return address / OS_PAGE_SIZE;
}

/* What rules.h does not have, the model has: another memory manager serves it. */
NTSTATUS region_allow(NTSTATUS status, const struct vm_request *request);
/* Whether the pager has these features (PAGE_GUARD, MEM_WRITE_WATCH, MEM_RESERVE_PLACEHOLDER; other
 * bits do not count); if so, core is ready for them. STATUS_NOT_SUPPORTED. */
NTSTATUS region_use_features(const struct pager *whose, uint32_t features);
/* Large pages and windows for physical pages have pagers of their own: *whose becomes that of a new
 * region, when it was the default one. STATUS_INVALID_PARAMETER: large pages that are not whole
 * ones; a window that is not PAGE_READWRITE. STATUS_NOT_SUPPORTED: no large pages here. */
NTSTATUS region_choose_pager(const void *base, size_t size_bytes, uint32_t type, uint32_t protect,
			     const struct pager **whose);
/* What the region is aligned to, where the request has wishes about addresses; 0: nothing more than
 * every region. */
size_t region_alignment(const struct pager *whose, const struct vm_request *request);
/* The region of VirtualAlloc's kind that holds the whole range, or NULL; a placeholder is none. */
struct vad *region_around(const struct vm_range *range);
/* Whether every page of the range, inside `vad`, is committed. */
bool region_is_committed(const struct vad *vad, const struct vm_range *range);
/* Makes the system's pages again what the record says, after a change that stopped half-way. False:
 * the system would not. */
bool region_set_back(const struct vad *vad, const struct vm_range *range);

/* Whose a change of `vad` is: its owner's, but another process's when that asks for it. */
static inline uint8_t region_owner(const struct vad *vad, const struct vm_request *request)
{
	return request->owner == EVENT_OWNER_OUTSIDE ? EVENT_OWNER_OUTSIDE : vad->owner;
}

/* Tells a change of a part of `vad`. */
void region_tell(enum event_kind kind, const struct vad *vad, const struct vm_range *range,
		 uint32_t protect, const struct vm_request *request);
/* The same for kinds that have no protection, and something in `extra`. */
void region_tell_extra(enum event_kind kind, const struct vad *vad, const struct vm_range *range,
		       uint64_t extra, const struct vm_request *request);
/* The system said that these addresses were free: what the tree still holds there has ended unseen,
 * and is told so. Needs vad_prepare before. */
void region_forget_stale(uintptr_t base, uintptr_t end, uint16_t api);

#endif
