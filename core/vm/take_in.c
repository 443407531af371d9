/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* From what another memory manager says of its regions to what the tree holds:
 *
 *   it says free        what the tree holds there ends
 *   the same extent     each run of pages that differs is set and told
 *   another extent      what the tree holds there ends, the region begins
 *
 * Guarded by: vm_lock. */

#include "core/base/status.h"
#include "core/os/pager_model.h"
#include "core/vm/mapping.h"
#include "core/vm/region.h"
#include "core/vm/sequence.h"
#include "core/vm/tell.h"

/* One taking in. */
struct taking {
	vm_query_function query;
	const struct vm_request *request;
	MEMORY_BASIC_INFORMATION info; /* the run that is looked at */
};

/* The run from `at` on. False: there is no sensible answer. */
static bool ask_for(struct taking *taking, uintptr_t at, NTSTATUS *status)
{
	*status = taking->query((void *)at, &taking->info);
	if (!status_is_success(*status))
		return false;
	if ((uintptr_t)taking->info.BaseAddress != at || !taking->info.RegionSize ||
	    (at | taking->info.RegionSize) % OS_PAGE_SIZE ||
	    taking->info.RegionSize > OS_USER_END - at)
		*status = STATUS_UNSUCCESSFUL;
	return status_is_success(*status);
}

static uintptr_t run_end(const struct taking *taking)
{
	return (uintptr_t)taking->info.BaseAddress + taking->info.RegionSize;
}

static uint32_t run_state(const struct taking *taking)
{
	return taking->info.State == MEM_COMMIT ? MEM_COMMIT | taking->info.Protect : MEM_RESERVE;
}

static NTSTATUS end_all_in(uintptr_t base, uintptr_t end, uint16_t api)
{
	if (!vad_prepare())
		return STATUS_NO_MEMORY;
	region_forget_stale(base, end, api);
	return STATUS_SUCCESS;
}

static bool is_private(const struct taking *taking)
{
	return taking->info.Type != MEM_MAPPED && taking->info.Type != MEM_IMAGE;
}

/* A region begins, all in one state; `taking` holds its first run. Private memory is told to be
 * committed at once only when it has the protection that it was allocated with. */
static struct vad *begin_region(const struct taking *taking, uintptr_t base, uintptr_t end)
{
	uint32_t state = run_state(taking);
	struct vad *vad = vad_take();

	if (is_private(taking) && state != (MEM_COMMIT | taking->info.AllocationProtect))
		state = MEM_RESERVE;

	vad->type = is_private(taking) ? MEM_PRIVATE : taking->info.Type;
	vad->protect = taking->info.AllocationProtect;
	vad->origin = is_private(taking) ? VAD_ORIGIN_VIRTUAL : VAD_ORIGIN_VIEW;
	vad->pager = &pager_model;
	vad->owner = taking->request->owner;
	vad->is_file = !is_private(taking);
	vad->is_told = event_is_wanted();
	pagestate_init(&vad->pages, region_page(base), region_page(end), state);
	vad_insert(vad);
	if (is_private(taking))
		tell_reserve(vad, taking->request->api);
	else
		tell_mapped(base, end, taking->request->api);
	return vad;
}

/* The tree's record of the region, if it has one of this extent and type. */
static struct vad *find_region(const struct taking *taking, uintptr_t base, uintptr_t end)
{
	struct vad *vad = vad_find(base);
	bool is_same = vad && vad_base(vad) == base && vad_end(vad) == end &&
		       (vad->origin == VAD_ORIGIN_VIRTUAL || vad->origin == VAD_ORIGIN_VIEW) &&
		       (vad->type == MEM_PRIVATE) == is_private(taking);

	if (!is_same)
		return NULL;
	sequence_begin_change();
	vad->pager = &pager_model;
	vad->protect = taking->info.AllocationProtect;
	sequence_end_change();
	return vad;
}

/* The end of the allocation that begins at `base`. */
static NTSTATUS find_end(struct taking *taking, uintptr_t base, uintptr_t *end)
{
	NTSTATUS status;

	*end = base;
	while (*end < OS_USER_END && ask_for(taking, *end, &status)) {
		if ((uintptr_t)taking->info.AllocationBase != base)
			return STATUS_SUCCESS;
		*end = run_end(taking);
	}
	return *end > base ? STATUS_SUCCESS : status;
}

static NTSTATUS set_runs(struct taking *taking, struct vad *vad)
{
	NTSTATUS status = STATUS_SUCCESS;

	for (uintptr_t at = vad_base(vad); at < vad_end(vad); at = run_end(taking)) {
		uintptr_t end;

		if (!ask_for(taking, at, &status))
			return status;
		end = run_end(taking) < vad_end(vad) ? run_end(taking) : vad_end(vad);
		if (!pagestate_prepare())
			return STATUS_NO_MEMORY;
		mapping_set_state(vad, at, end, run_state(taking), taking->request->api);
	}
	return status;
}

static NTSTATUS take_in_region(struct taking *taking, uintptr_t base, uintptr_t *end)
{
	NTSTATUS status = find_end(taking, base, end);
	struct vad *vad;

	if (!status_is_success(status) || !ask_for(taking, base, &status))
		return status;
	vad = find_region(taking, base, *end);
	if (!vad) {
		status = end_all_in(base, *end, taking->request->api);
		if (!status_is_success(status))
			return status;
		vad = begin_region(taking, base, *end);
	}
	return set_runs(taking, vad);
}

static NTSTATUS take_in_locked(struct taking *taking, uintptr_t at, uintptr_t end)
{
	NTSTATUS status = STATUS_SUCCESS;

	while (at < end && status_is_success(status)) {
		uintptr_t next;

		if (!ask_for(taking, at, &status))
			return status;
		if (taking->info.State == MEM_FREE) {
			next = run_end(taking) < end ? run_end(taking) : end;
			status = end_all_in(at, next, taking->request->api);
		} else {
			status = take_in_region(taking, (uintptr_t)taking->info.AllocationBase,
						&next);
		}
		at = next > at ? next : end;
	}
	return status;
}

NTSTATUS vm_take_in(const void *base, size_t size_bytes, vm_query_function query,
		    const struct vm_request *request)
{
	struct taking taking = { .query = query, .request = request };
	struct vm_range range;
	NTSTATUS status = rules_range(base, size_bytes, OS_PAGE_SIZE, &range);

	if (!status_is_success(status))
		return status;
	lock_acquire(&vm_lock);
	status = take_in_locked(&taking, range.base, range.end);
	lock_release(&vm_lock);
	return status;
}
