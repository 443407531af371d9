/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What a program tells of memory that it needs soon, or not for a while. Guarded by: vm_lock. */

#include "core/vm/advise.h"

#include <sys/mman.h>

#include "core/base/status.h"
#include "core/os/os.h"
#include "core/vm/offer.h"
#include "core/vm/region.h"

NTSTATUS advise_prefetch(const void *base, size_t size_bytes)
{
	struct vm_range range;
	NTSTATUS status = rules_range(base, size_bytes, OS_PAGE_SIZE, &range);

	if (status_is_success(status))
		os_advise((void *)range.base, range.end - range.base, MADV_WILLNEED);
	return status;
}

static NTSTATUS whole_pages(const void *base, size_t size_bytes, struct vm_range *range)
{
	NTSTATUS status = rules_range(base, size_bytes, OS_PAGE_SIZE, range);

	if (status_is_success(status) && (((uintptr_t)base | size_bytes) & (OS_PAGE_SIZE - 1)))
		status = STATUS_INVALID_PARAMETER;
	return status;
}

static NTSTATUS find_locked(const struct vm_range *range, struct vad **vad)
{
	*vad = region_around(range);
	if (!*vad)
		return STATUS_CONFLICTING_ADDRESSES;
	return region_is_committed(*vad, range) ? STATUS_SUCCESS : STATUS_NOT_COMMITTED;
}

static NTSTATUS offer_locked(const struct vm_range *range, uint32_t priority,
			     const struct vm_request *request)
{
	struct vad *vad;
	NTSTATUS status = find_locked(range, &vad);

	if (!status_is_success(status))
		return status;
	offer_begin(vad, range);
	region_tell_extra(EVENT_VAD_OFFER, vad, range, priority, request);
	return STATUS_SUCCESS;
}

NTSTATUS advise_offer(void *base, size_t size_bytes, uint32_t priority,
		      const struct vm_request *request)
{
	struct vm_range range;
	NTSTATUS status = whole_pages(base, size_bytes, &range);

	if (!status_is_success(status))
		return status;
	lock_acquire(&vm_lock);
	status = offer_locked(&range, priority, request);
	lock_release(&vm_lock);
	return status;
}

static NTSTATUS reclaim_locked(const struct vm_range *range, bool *is_intact,
			       const struct vm_request *request)
{
	struct vad *vad;
	NTSTATUS status = find_locked(range, &vad);

	if (status_is_success(status))
		status = offer_end(vad, range, is_intact);
	if (status_is_success(status))
		region_tell_extra(EVENT_VAD_RECLAIM, vad, range, *is_intact ? 0 : 1, request);
	return status;
}

NTSTATUS advise_reclaim(void *base, size_t size_bytes, bool *is_intact,
			const struct vm_request *request)
{
	struct vm_range range;
	NTSTATUS status = whole_pages(base, size_bytes, &range);

	if (!status_is_success(status))
		return status;
	lock_acquire(&vm_lock);
	status = reclaim_locked(&range, is_intact, request);
	lock_release(&vm_lock);
	return status;
}
