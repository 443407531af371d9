/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A guard is a bit of the page's state, and a page that the system lets nobody touch:
 *
 *   PAGE_READWRITE | PAGE_GUARD  --first touch-->  PAGE_READWRITE
 *   PROT_NONE                                      PROT_READ | PROT_WRITE
 *
 * Who finds the bit under vm_lock and takes it off is the one thread that is told. Guarded by:
 * vm_lock. */

#include "core/vm/guard.h"

#include "core/base/check.h"
#include "core/vm/region.h"
#include "core/vm/tell.h"
#include "core/vm/writewatch.h"

void guard_fire(struct vad *vad, uint64_t page)
{
	uint32_t guarded = pagestate_run(&vad->pages, page).state, state = guarded & ~PAGE_GUARD;
	struct vm_range range = { page * OS_PAGE_SIZE, (page + 1) * OS_PAGE_SIZE };

	check_debug(lock_is_mine(&vm_lock), "a guard taken off without the lock");
	if (!pagestate_prepare() || watch_set_pages(vad, &range, state) < 0)
		return;
	pagestate_set(&vad->pages, page, page + 1, state);
	tell(&(struct tell_range){ .kind = EVENT_VAD_PROTECT,
				   .api = API_NONE,
				   .owner = vad->owner,
				   .base = range.base,
				   .end = range.end,
				   .protect = state & ~MEM_COMMIT,
				   .extra = guarded & ~MEM_COMMIT });
}

bool guard_fire_in(struct vad *vad, const struct vm_range *range)
{
	uint64_t page = region_page(range->base);

	while (page < region_page(range->end)) {
		struct page_run run = pagestate_run(&vad->pages, page);

		if (run.state & PAGE_GUARD) {
			guard_fire(vad, page);
			return true;
		}
		page = run.end_page;
	}
	return false;
}
