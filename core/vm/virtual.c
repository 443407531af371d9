/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Reserve, commit, reset, decommit, release: what the Nt calls do to a region.
 *
 *   free --reserve--> reserved --commit--> committed --decommit--> reserved --release--> free
 *
 * Each call checks everything, then prepares what its record needs (may fail), then asks the system
 * (may fail), then writes the record down and tells it (cannot fail). Guarded by: vm_lock. */

#include "core/vm/virtual.h"

#include <errno.h>

#include "core/base/hints.h"
#include "core/base/status.h"
#include "core/os/pager_large.h"
#include "core/os/pager_model.h"
#include "core/vm/charge.h"
#include "core/vm/large.h"
#include "core/vm/numa.h"
#include "core/vm/parking.h"
#include "core/vm/offer.h"
#include "core/vm/placeholder.h"
#include "core/vm/region.h"
#include "core/vm/rules.h"
#include "core/vm/space.h"
#include "core/vm/tell.h"
#include "core/vm/vad.h"
#include "core/vm/writewatch.h"

/* One call that allocates, its arguments checked. */
struct allocation {
	struct vm_range range; /* base 0: anywhere */
	uint32_t type;
	uint32_t state; /* of its pages, when it succeeds */
	uint32_t protect;
	uint32_t placeholder;      /* one of PLACEHOLDER_TYPES; 0: has nothing to do with them */
	const struct pager *pager; /* of a new region */
	struct watch *watch;       /* of a new region */
	const struct vm_request *request;
};

static const struct pager *pager_of(const struct vm_request *request)
{
	return request->pager ? request->pager : pager;
}

static struct vad *record_region(uintptr_t base, uintptr_t end, const struct allocation *allocation)
{
	struct vad *vad = vad_take();

	vad->type = MEM_PRIVATE;
	vad->protect = allocation->protect;
	vad->origin = VAD_ORIGIN_VIRTUAL;
	vad->pager = allocation->pager;
	vad->watch = allocation->watch;
	vad->owner = allocation->request->owner;
	vad->is_told = event_is_wanted();
	vad->numa_node = allocation->request->node;
	if (allocation->placeholder)
		placeholder_begin(vad);
	pagestate_init(&vad->pages, region_page(base), region_page(end), allocation->state);
	vad_insert(vad);
	parking_admit(vad);
	return vad;
}

/* Another memory manager has limits of its own. */
static bool may_commit(const struct pager *whose, uint64_t size_bytes)
{
	return whose == &pager_model || charge_has_room(size_bytes);
}

/* A new range that is to be watched and cannot be goes back. Another memory manager watches its
 * own. */
static NTSTATUS watch_locked(struct allocation *allocation)
{
	const struct vm_range *range = &allocation->range;
	const struct pager *whose = allocation->pager;
	NTSTATUS status;

	if (!(allocation->type & MEM_WRITE_WATCH) || whose != &pager_linux)
		return STATUS_SUCCESS;
	status = watch_begin(range, allocation->state, &allocation->watch);
	if (!status_is_success(status))
		space_give_back(whose, range->base, range->end - range->base);
	return status;
}

static NTSTATUS reserve_error(const struct pager *whose, int error)
{
	if (whose == &pager_large)
		return large_error(error);
	return error == -EPERM ? STATUS_CONFLICTING_ADDRESSES : status_from_os(error);
}

static NTSTATUS reserve_locked(struct allocation *allocation)
{
	const struct space_wish wish = {
		.pager = allocation->pager,
		.base = allocation->range.base,
		.size_bytes = allocation->range.end - allocation->range.base,
		.alignment_bytes = region_alignment(allocation->pager, allocation->request),
		.limit = allocation->request->limit,
		.lowest = allocation->request->lowest,
		.state = allocation->state | allocation->protect,
		.is_top_down = allocation->type & MEM_TOP_DOWN,
	};
	intptr_t base;
	NTSTATUS status;

	if (wish.state & MEM_COMMIT && !may_commit(wish.pager, wish.size_bytes))
		return STATUS_COMMITMENT_LIMIT;
	if (!vad_prepare())
		return STATUS_NO_MEMORY;
	base = space_take(&wish);
	if (base == -ECANCELED && wish.base && vad_is_any_in(wish.base, allocation->range.end))
		return STATUS_CONFLICTING_ADDRESSES;
	if (base < 0)
		return reserve_error(allocation->pager, (int)base);
	allocation->range.base = (uintptr_t)base;
	allocation->range.end = (uintptr_t)base + wish.size_bytes;
	status = watch_locked(allocation);
	if (!status_is_success(status))
		return status;
	region_forget_stale(allocation->range.base, allocation->range.end,
			    allocation->request->api);
	numa_bind(allocation->range.base, allocation->range.end, allocation->request->node);
	tell_reserve(record_region(allocation->range.base, allocation->range.end, allocation),
		     allocation->request->api);
	return STATUS_SUCCESS;
}

static NTSTATUS commit_locked(const struct allocation *allocation)
{
	const struct vm_range *range = &allocation->range;
	struct vad *vad = region_around(range);
	uint32_t state;
	int error;

	if (!vad)
		return STATUS_CONFLICTING_ADDRESSES;
	if (!status_is_success(region_use_features(vad->pager, allocation->protect)))
		return STATUS_NOT_SUPPORTED;
	if (pagestate_is_uniform(&vad->pages, region_page(range->base), region_page(range->end),
				 &state) &&
	    state == allocation->state)
		return STATUS_SUCCESS;
	if (!may_commit(vad->pager, charge_of_commit(&vad->pages, region_page(range->base),
						     region_page(range->end))))
		return STATUS_COMMITMENT_LIMIT;
	error = pager_ask(vad->pager);
	if (error < 0)
		return status_from_os(error);
	if (!pagestate_prepare())
		return STATUS_NO_MEMORY;
	error = watch_set_pages(vad, range, allocation->state);
	if (error == -ENOMEM && parking_clear_all())
		error = watch_set_pages(vad, range, allocation->state);
	if (error < 0) {
		region_set_back(vad, range);
		return error == -ENOMEM ? STATUS_COMMITMENT_LIMIT : status_from_os(error);
	}
	pagestate_set(&vad->pages, region_page(range->base), region_page(range->end),
		      allocation->state);
	region_tell(EVENT_VAD_COMMIT, vad, range, allocation->protect, allocation->request);
	return STATUS_SUCCESS;
}

/* Data of no interest are kept all the same, so the undo always finds them whole. Reserved pages
 * may be in the range. */
static NTSTATUS reset_locked(const struct allocation *allocation)
{
	const struct vm_range *range = &allocation->range;
	struct vad *vad = region_around(range);

	int error;

	if (!vad)
		return STATUS_CONFLICTING_ADDRESSES;
	error = pager_ask(vad->pager);
	if (error < 0 || allocation->type == MEM_RESET_UNDO)
		return status_from_os(error);
	pager_reset(vad->pager, (void *)range->base, range->end - range->base);
	region_tell(EVENT_VAD_RESET, vad, range, /* protect */ 0, allocation->request);
	return STATUS_SUCCESS;
}

static NTSTATUS discard_locked(const struct vm_range *range, const struct vm_request *request)
{
	struct vad *vad = region_around(range);
	NTSTATUS status;
	int error;

	if (!vad)
		return STATUS_CONFLICTING_ADDRESSES;
	if (!region_is_committed(vad, range))
		return STATUS_NOT_COMMITTED;
	status = watch_remember(vad, range);
	if (!status_is_success(status))
		return status;
	error = pager_discard(vad->pager, (void *)range->base, range->end - range->base);
	if (error < 0)
		return status_from_os(error);
	offer_forget(vad, range);
	region_tell_extra(EVENT_VAD_RESET, vad, range, /* ends an offer */ 1, request);
	return STATUS_SUCCESS;
}

NTSTATUS vm_discard(void *base, size_t size_bytes, const struct vm_request *request)
{
	struct vm_range range;
	NTSTATUS status = rules_range(base, size_bytes, OS_PAGE_SIZE, &range);

	if (!status_is_success(status))
		return status;
	if ((uintptr_t)base != range.base || range.end - range.base != size_bytes)
		return STATUS_INVALID_PARAMETER;
	lock_acquire(&vm_lock);
	status = discard_locked(&range, request);
	lock_release(&vm_lock);
	return status;
}

static bool is_reset(uint32_t type)
{
	return type & (MEM_RESET | MEM_RESET_UNDO);
}

/* MEM_COMMIT without an address reserves as well. */
static bool is_reserving(const void *base, uint32_t type)
{
	return type & MEM_RESERVE || (!base && type & MEM_COMMIT);
}

/* The placeholder's bit is taken out of the type, and looked at. */
static NTSTATUS check_placeholder(const void *base, struct allocation *allocation)
{
	uint32_t type = allocation->type;

	if (!allocation->request->takes_placeholders || !(type & PLACEHOLDER_TYPES))
		return STATUS_SUCCESS;
	allocation->placeholder = type & PLACEHOLDER_TYPES;
	allocation->type = type & ~PLACEHOLDER_TYPES;
	return placeholder_check(base, type, allocation->protect);
}

/* What addresses are rounded down to. */
static size_t granularity_of(const void *base, const struct allocation *allocation)
{
	bool reserves = is_reserving(base, allocation->type);

	return reserves && allocation->placeholder != MEM_REPLACE_PLACEHOLDER ? SPACE_GRANULARITY
									      : OS_PAGE_SIZE;
}

static uint32_t features_of(const struct allocation *allocation)
{
	return allocation->type | allocation->protect |
	       (allocation->placeholder ? MEM_RESERVE_PLACEHOLDER : 0);
}

static NTSTATUS check_allocation(const void *base, size_t size_bytes, struct allocation *allocation)
{
	bool commits = allocation->type & MEM_COMMIT;
	NTSTATUS status = check_placeholder(base, allocation);

	if (status_is_success(status))
		status = region_allow(rules_allocation_type(allocation->type), allocation->request);
	if (status_is_success(status))
		status = region_allow(rules_protection(allocation->protect, commits),
				      allocation->request);
	if (status_is_success(status))
		status = rules_range(base, size_bytes, granularity_of(base, allocation),
				     &allocation->range);
	if (status_is_success(status))
		status = region_choose_pager(base, size_bytes, allocation->type,
					     allocation->protect, &allocation->pager);
	if (status_is_success(status))
		status = region_use_features(allocation->pager, features_of(allocation));
	allocation->protect = rules_kept_protection(allocation->protect);
	allocation->state = commits ? MEM_COMMIT | allocation->protect : MEM_RESERVE;
	return status;
}

/* A request for nothing but memory, anywhere: a parked region will do. Who listens, and who counts
 * against a limit, has vm_lock. */
static bool takes_any_region(const void *base, uint32_t type, uint32_t protect,
			     const struct vm_request *request)
{
	return !base && (type | MEM_RESERVE) == (MEM_RESERVE | MEM_COMMIT) && type & MEM_COMMIT &&
	       protect == PAGE_READWRITE && !request->owner && !request->alignment_bytes &&
	       !request->limit && !request->lowest && !request->node &&
	       pager_of(request) == &pager_linux && !event_is_wanted() && !charge_limit();
}

static bool take_parked(void **base, size_t *size_bytes, uint16_t api)
{
	size_t rounded_bytes = (*size_bytes + OS_PAGE_SIZE - 1) & ~(OS_PAGE_SIZE - 1);
	uintptr_t found;

	if (*size_bytes - 1 >= PARKING_REGION_BYTES_MAX ||
	    !parking_take(rounded_bytes, api, &found))
		return false;
	*base = (void *)found;
	*size_bytes = rounded_bytes;
	return true;
}

NTSTATUS vm_allocate(void **base, size_t *size_bytes, uint32_t type, uint32_t protect,
		     const struct vm_request *request)
{
	struct allocation allocation = {
		.type = type, .protect = protect, .pager = pager_of(request), .request = request
	};
	bool takes_any = takes_any_region(*base, type, protect, request);
	NTSTATUS status;

	if (takes_any && take_parked(base, size_bytes, request->api))
		return STATUS_SUCCESS;
	status = check_allocation(*base, *size_bytes, &allocation);
	if (!status_is_success(status))
		return status;
	lock_acquire(&vm_lock);
	if (takes_any && *size_bytes <= PARKING_REGION_BYTES_MAX && parking_begins())
		space_step_aside();
	if (is_reset(type))
		status = reset_locked(&allocation);
	else if (allocation.placeholder == MEM_REPLACE_PLACEHOLDER)
		status = placeholder_replace(&allocation.range, allocation.type, allocation.state,
					     allocation.protect, request);
	else if (is_reserving(*base, type))
		status = reserve_locked(&allocation);
	else
		status = commit_locked(&allocation);
	lock_release(&vm_lock);
	if (status_is_success(status)) {
		*base = (void *)allocation.range.base;
		*size_bytes = allocation.range.end - allocation.range.base;
	}
	return status;
}

/* The range that VirtualFree means: size 0 is all of the region, which must begin there. */
static NTSTATUS free_range(const struct vad *vad, uintptr_t address, size_t size_bytes,
			   struct vm_range *range)
{
	NTSTATUS status;

	if (size_bytes == 0) {
		range->base = vad_base(vad);
		range->end = vad_end(vad);
		return address / OS_PAGE_SIZE == vad->pages.first_page ? STATUS_SUCCESS
								       : STATUS_FREE_VM_NOT_AT_BASE;
	}
	status = rules_range((void *)address, size_bytes, OS_PAGE_SIZE, range);
	if (!status_is_success(status))
		return status;
	return range->end <= vad_end(vad) ? STATUS_SUCCESS : STATUS_UNABLE_TO_FREE_VM;
}

static NTSTATUS decommit_locked(struct vad *vad, const struct vm_range *range,
				const struct vm_request *request)
{
	uint32_t state;
	NTSTATUS status;
	int error;

	if (pagestate_is_uniform(&vad->pages, region_page(range->base), region_page(range->end),
				 &state) &&
	    state == MEM_RESERVE)
		return STATUS_SUCCESS;
	status = watch_remember(vad, range);
	if (!status_is_success(status))
		return status;
	if (!pagestate_prepare())
		return STATUS_NO_MEMORY;
	error = pager_ask(vad->pager);
	if (error == 0)
		error = vad->pager->drop((void *)range->base, range->end - range->base);
	if (error < 0)
		return status_from_os(error);
	numa_bind(range->base, range->end, vad->numa_node);
	watch_renew(vad, range);
	offer_forget(vad, range);
	pagestate_set(&vad->pages, region_page(range->base), region_page(range->end), MEM_RESERVE);
	region_tell(EVENT_VAD_DECOMMIT, vad, range, /* protect */ 0, request);
	return STATUS_SUCCESS;
}

/* Told before, because another thread may get the addresses at once; told to exist again when the
 * system would not take it (near vm.max_map_count). */
static NTSTATUS release_locked(struct vad *vad, const struct vm_range *range,
			       const struct vm_request *request)
{
	int error;

	if (!vad->is_placeholder && (range->base != vad_base(vad) || range->end != vad_end(vad)))
		return STATUS_UNABLE_TO_FREE_VM;
	error = pager_ask(vad->pager);
	if (error < 0)
		return status_from_os(error);
	vad = placeholder_cut(vad, range);
	if (!vad)
		return STATUS_NO_MEMORY;
	region_tell(EVENT_VAD_RELEASE, vad, range, /* protect */ 0, request);
	error = space_give_back(vad->pager, range->base, range->end - range->base);
	if (error < 0) {
		tell_mapped(range->base, range->end, request->api);
		return status_from_os(error);
	}
	vad_remove(vad);
	vad_give_back(vad);
	return STATUS_SUCCESS;
}

static NTSTATUS free_locked(uintptr_t address, size_t size_bytes, uint32_t free_type,
			    struct vm_range *range, const struct vm_request *request)
{
	struct vad *vad = vad_find(address);
	NTSTATUS status;

	if (!vad || vad->origin == VAD_ORIGIN_FOREIGN)
		return STATUS_MEMORY_NOT_ALLOCATED;
	if (vad->origin != VAD_ORIGIN_VIRTUAL)
		return STATUS_INVALID_PARAMETER;
	status = free_range(vad, address, size_bytes, range);
	if (!status_is_success(status))
		return status;
	if (free_type == MEM_DECOMMIT)
		return decommit_locked(vad, range, request);
	if (free_type & MEM_PRESERVE_PLACEHOLDER)
		return placeholder_preserve(vad, range, request);
	return release_locked(vad, range, request);
}

static NTSTATUS coalesce_locked(uintptr_t address, size_t size_bytes, struct vm_range *range,
				const struct vm_request *request)
{
	NTSTATUS status = rules_range((void *)address, size_bytes, OS_PAGE_SIZE, range);

	return status_is_success(status) ? placeholder_coalesce(range, request) : status;
}

/* Placeholders are named by address and size, both. */
static NTSTATUS check_free(uint32_t free_type, size_t size_bytes)
{
	switch (free_type) {
	case MEM_DECOMMIT:
	case MEM_RELEASE:
		return STATUS_SUCCESS;
	case MEM_RELEASE | MEM_PRESERVE_PLACEHOLDER:
	case MEM_RELEASE | MEM_COALESCE_PLACEHOLDERS:
		return size_bytes ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER_3;
	case MEM_PRESERVE_PLACEHOLDER:
	case MEM_COALESCE_PLACEHOLDERS:
		return STATUS_INVALID_PARAMETER_4;
	default:
		return STATUS_INVALID_PARAMETER;
	}
}

/* A whole region that nobody has to be told of needs no lock. */
static bool park(void **base, size_t *size_bytes, const struct vm_request *request)
{
	uintptr_t page_base = (uintptr_t)*base & ~(OS_PAGE_SIZE - 1);
	size_t released_bytes;

	if (*size_bytes || request->owner || event_is_wanted())
		return false;
	released_bytes = parking_put(page_base);
	if (!released_bytes)
		return false;
	*base = (void *)page_base;
	*size_bytes = released_bytes;
	return true;
}

NTSTATUS vm_free(void **base, size_t *size_bytes, uint32_t free_type,
		 const struct vm_request *request)
{
	struct vm_range range = { 0, 0 };
	NTSTATUS status = check_free(free_type, *size_bytes);

	if (!status_is_success(status))
		return status;
	if (free_type == MEM_RELEASE && park(base, size_bytes, request))
		return STATUS_SUCCESS;
	lock_acquire(&vm_lock);
	if (free_type & MEM_COALESCE_PLACEHOLDERS)
		status = coalesce_locked((uintptr_t)*base, *size_bytes, &range, request);
	else
		status = free_locked((uintptr_t)*base, *size_bytes, free_type, &range, request);
	lock_release(&vm_lock);
	if (status_is_success(status)) {
		*base = (void *)range.base;
		*size_bytes = range.end - range.base;
	}
	return status;
}
