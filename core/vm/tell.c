/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* From VADs to events. Knows no system. */

#include "core/vm/tell.h"

#include "core/types.h"
#include "core/vm/parking.h"

void tell_always(const struct tell_range *range)
{
	event_emit(&(struct event){
		.kind = range->kind,
		.api = range->api,
		.owner = range->owner,
		.address = range->base,
		.size_bytes = range->end - range->base,
		.type = range->type,
		.protect = range->protect,
		.extra = range->extra,
	});
}

void tell_reserve(const struct vad *vad, uint16_t api)
{
	tell(&(struct tell_range){
		.kind = EVENT_VAD_RESERVE,
		.api = api,
		.owner = vad->owner,
		.base = vad_base(vad),
		.end = vad_end(vad),
		.type = MEM_RESERVE | (vad->pages.first_state & MEM_COMMIT),
		.protect = vad->protect,
	});
}

static void tell_run(const struct vad *vad, uintptr_t base, uintptr_t end, uint32_t state,
		     uint16_t api)
{
	tell(&(struct tell_range){
		.kind = EVENT_VAD_MAP,
		.api = api,
		.owner = vad->owner,
		.base = base,
		.end = end,
		.type = vad->type | (state & MEM_COMMIT) |
			(vad->type == MEM_MAPPED && !vad->is_file ? SEC_COMMIT : 0),
		.protect = state & MEM_COMMIT ? state & ~MEM_COMMIT : PAGE_NOACCESS,
		.extra = vad->is_file ? vad->file_offset + (base - vad_base(vad)) : 0,
	});
}

void tell_mapped(uintptr_t base, uintptr_t end, uint16_t api)
{
	struct vad *vad;

	if (!event_is_wanted())
		return;
	for (vad = vad_find_from(base); vad && vad_base(vad) < end; vad = vad_next(vad)) {
		uintptr_t at = vad_base(vad) > base ? vad_base(vad) : base;
		uintptr_t last = vad_end(vad) < end ? vad_end(vad) : end;

		if (vad_life(vad) == LIFE_PARKED)
			continue;
		while (at < last) {
			struct page_run run = pagestate_run(&vad->pages, at / OS_PAGE_SIZE);
			uintptr_t run_end = run.end_page * OS_PAGE_SIZE;

			run_end = run_end < last ? run_end : last;
			tell_run(vad, at, run_end, run.state, api);
			at = run_end;
		}
	}
}

void tell_untold(uint16_t api)
{
	struct vad *vad;

	if (!event_is_wanted())
		return;
	for (vad = vad_find_from(0); vad; vad = vad_next(vad)) {
		if (vad->is_told || !parking_hold(vad))
			continue;
		tell_mapped(vad_base(vad), vad_end(vad), api);
		vad->is_told = true;
	}
}

void tell_unmapped(uintptr_t base, uintptr_t end, uint16_t api)
{
	struct vad *vad;

	if (!event_is_wanted())
		return;
	vad = vad_find_from(base);
	if (!vad || vad_base(vad) >= end)
		return;
	tell(&(struct tell_range){ .kind = EVENT_VAD_UNMAP,
				   .api = api,
				   .owner = vad->owner,
				   .base = base,
				   .end = end });
}
