/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Guard pages (PAGE_GUARD): the first touch takes the guard off and is told, STATUS_GUARD_PAGE_
 * VIOLATION; the page then has the protection that it was given beside the guard. */

#ifndef VADTRACE_CORE_VM_GUARD_H
#define VADTRACE_CORE_VM_GUARD_H

#include <stdbool.h>

#include "core/vm/rules.h"
#include "core/vm/vad.h"

/* Takes the guard off one page that has one. Called with vm_lock held. When the system, or our own
 * memory, has no room for a page that differs from its neighbours, the guard stays. */
void guard_fire(struct vad *vad, uint64_t page);
/* The touch of a call that stands for the program's own (VirtualLock): takes the guard off the
 * first page of the range, inside `vad`, that has one. False: none has. Called with vm_lock held.
 */
bool guard_fire_in(struct vad *vad, const struct vm_range *range);

#endif
