/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Another protection for committed pages of one region. Guarded by: vm_lock. */

#include "core/base/status.h"
#include "core/os/pager.h"
#include "core/vm/region.h"
#include "core/vm/rules.h"
#include "core/vm/tell.h"
#include "core/vm/virtual.h"
#include "core/vm/writewatch.h"

static void record(struct vad *vad, const struct vm_range *range, uint32_t protect,
		   uint32_t old_protect, const struct vm_request *request)
{
	pagestate_set(&vad->pages, region_page(range->base), region_page(range->end),
		      MEM_COMMIT | protect);
	tell(&(struct tell_range){ .kind = EVENT_VAD_PROTECT,
				   .api = request->api,
				   .owner = region_owner(vad, request),
				   .base = range->base,
				   .end = range->end,
				   .protect = protect,
				   .extra = old_protect });
}

static NTSTATUS protect_locked(const struct vm_range *range, uint32_t protect,
			       uint32_t *old_protect, const struct vm_request *request)
{
	struct vad *vad = region_around(range);
	int error;

	if (!vad)
		return STATUS_CONFLICTING_ADDRESSES;
	if (!status_is_success(region_use_features(vad->pager, protect)))
		return STATUS_NOT_SUPPORTED;
	if (!region_is_committed(vad, range))
		return STATUS_NOT_COMMITTED;
	error = pager_ask(vad->pager);
	if (error < 0)
		return status_from_os(error);
	if (!pagestate_prepare())
		return STATUS_NO_MEMORY;
	error = watch_set_pages(vad, range, MEM_COMMIT | protect);
	if (error < 0) {
		region_set_back(vad, range);
		return status_from_os(error);
	}
	*old_protect = pagestate_run(&vad->pages, region_page(range->base)).state & ~MEM_COMMIT;
	record(vad, range, protect, *old_protect, request);
	return STATUS_SUCCESS;
}

NTSTATUS vm_protect(void **base, size_t *size_bytes, uint32_t protect, uint32_t *old_protect,
		    const struct vm_request *request)
{
	struct vm_range range;
	uint32_t old = 0;
	NTSTATUS status = region_allow(rules_protection(protect, /* is_committed */ true), request);

	if (status_is_success(status))
		status = rules_range(*base, *size_bytes, OS_PAGE_SIZE, &range);
	if (!status_is_success(status))
		return status;
	protect = rules_kept_protection(protect);
	lock_acquire(&vm_lock);
	status = protect_locked(&range, protect, &old, request);
	lock_release(&vm_lock);
	if (status_is_success(status)) {
		*base = (void *)range.base;
		*size_bytes = range.end - range.base;
		*old_protect = old;
	}
	return status;
}
