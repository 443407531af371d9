/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Events about the address space. Called with vm_lock held, so that their order is that of the
 * changes. Without a listener each costs a load and a branch. */

#ifndef VADTRACE_CORE_VM_TELL_H
#define VADTRACE_CORE_VM_TELL_H

#include <stdint.h>

#include "core/event.h"
#include "core/vm/vad.h"

/* One event of a range, with the type and protection that its kind names. */
struct tell_range {
	enum event_kind kind;
	uint16_t api;
	uint8_t owner;
	uintptr_t base;
	uintptr_t end;
	uint32_t type;
	uint32_t protect;
	uint64_t extra;
};

void tell_always(const struct tell_range *range);

static inline void tell(const struct tell_range *range)
{
	if (event_is_wanted())
		tell_always(range);
}

/* A new region of VirtualAlloc's kind, all of one state. */
void tell_reserve(const struct vad *vad, uint16_t api);
/* What the tree knows inside [base, end), as mappings that exist: new ones, or ones whose end had
 * been told and that stayed after all. */
void tell_mapped(uintptr_t base, uintptr_t end, uint16_t api);
/* All that the tree holds and nobody was listening to when it was made, as mappings that exist. */
void tell_untold(uint16_t api);
/* The end of [base, end), if the tree knows anything there. */
void tell_unmapped(uintptr_t base, uintptr_t end, uint16_t api);

#endif
