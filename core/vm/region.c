/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Steps that several calls on regions take. Guarded by: vm_lock. */

#include "core/vm/region.h"

#include "core/base/hints.h"
#include "core/base/status.h"
#include "core/os/pager_large.h"
#include "core/os/pager_model.h"
#include "core/vm/awe.h"
#include "core/vm/fault.h"
#include "core/vm/large.h"
#include "core/vm/tell.h"
#include "core/vm/writewatch.h"

NTSTATUS region_allow(NTSTATUS status, const struct vm_request *request)
{
	return status == STATUS_NOT_SUPPORTED && request->pager == &pager_model ? STATUS_SUCCESS
										: status;
}

#define REGION_FEATURES \
	(PAGE_GUARD | MEM_WRITE_WATCH | MEM_PHYSICAL | MEM_RESERVE_PLACEHOLDER | MEM_LARGE_PAGES)

NTSTATUS region_use_features(const struct pager *whose, uint32_t features)
{
	uint32_t asked = features & REGION_FEATURES;

	if (asked & ~whose->features)
		return STATUS_NOT_SUPPORTED;
	if (asked & PAGE_GUARD && whose == &pager_linux)
		return status_from_os(fault_enable());
	return STATUS_SUCCESS;
}

NTSTATUS region_choose_pager(const void *base, size_t size_bytes, uint32_t type, uint32_t protect,
			     const struct pager **whose)
{
	if (*whose != &pager_linux)
		return STATUS_SUCCESS;
	if (type & MEM_PHYSICAL) {
		*whose = &awe_pager;
		return protect == PAGE_READWRITE ? STATUS_SUCCESS : STATUS_INVALID_PAGE_PROTECTION;
	}
	if (type & MEM_LARGE_PAGES) {
		*whose = &pager_large;
		return large_check(base, size_bytes);
	}
	return STATUS_SUCCESS;
}

size_t region_alignment(const struct pager *whose, const struct vm_request *request)
{
	bool has_wish = request->alignment_bytes || request->limit || request->lowest;

	if (whose != &pager_large || !has_wish)
		return request->alignment_bytes;
	return large_alignment(request->alignment_bytes);
}

struct vad *region_around(const struct vm_range *range)
{
	struct vad *vad = vad_find(range->base);

	if (!vad || vad->origin != VAD_ORIGIN_VIRTUAL || vad->is_placeholder ||
	    vad_end(vad) < range->end)
		return NULL;
	return vad;
}

bool region_is_committed(const struct vad *vad, const struct vm_range *range)
{
	uint64_t page = region_page(range->base);

	while (page < region_page(range->end)) {
		struct page_run run = pagestate_run(&vad->pages, page);

		if (!(run.state & MEM_COMMIT))
			return false;
		page = run.end_page;
	}
	return true;
}

/* The boundaries existed a moment ago, so the system has room for them. */
bool region_set_back(const struct vad *vad, const struct vm_range *range)
{
	uintptr_t at = range->base;
	bool is_set = true;

	while (at < range->end) {
		struct page_run run = pagestate_run(&vad->pages, region_page(at));
		uintptr_t end = run.end_page * OS_PAGE_SIZE;

		end = end < range->end ? end : range->end;
		if (watch_set_pages(vad, &(struct vm_range){ at, end }, run.state) < 0)
			is_set = false;
		at = end;
	}
	return is_set;
}

void region_tell(enum event_kind kind, const struct vad *vad, const struct vm_range *range,
		 uint32_t protect, const struct vm_request *request)
{
	tell(&(struct tell_range){ .kind = kind,
				   .api = request->api,
				   .owner = region_owner(vad, request),
				   .base = range->base,
				   .end = range->end,
				   .protect = protect });
}

void region_tell_extra(enum event_kind kind, const struct vad *vad, const struct vm_range *range,
		       uint64_t extra, const struct vm_request *request)
{
	tell(&(struct tell_range){ .kind = kind,
				   .api = request->api,
				   .owner = region_owner(vad, request),
				   .base = range->base,
				   .end = range->end,
				   .extra = extra });
}

void region_forget_stale(uintptr_t base, uintptr_t end, uint16_t api)
{
	if (unlikely(vad_is_any_in(base, end))) {
		tell_unmapped(base, end, api);
		vad_cut(base, end);
	}
}
