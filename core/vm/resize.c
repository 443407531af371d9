/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A region of another size, its contents moved by page tables and not by copying:
 *
 *   shrink   [ kept ][ given back ]
 *   grow     [ old  ][ new: in place, when the addresses behind are free ]
 *   move     [ old ] -> [ a fresh region: the old pages, then new ones ]
 *   split    [ old ] -> [ old, shorter ][ a region of its own ]
 *
 * Guarded by: vm_lock. */

#include "core/base/status.h"
#include "core/os/pager.h"
#include "core/vm/charge.h"
#include "core/vm/region.h"
#include "core/vm/space.h"
#include "core/vm/tell.h"
#include "core/vm/virtual.h"

/* One call, its region found. */
struct resizing {
	struct vad *vad;
	size_t old_size_bytes;
	size_t new_size_bytes;
	uint32_t state; /* of all pages */
	const struct vm_request *request;
};

static void tell_release(const struct resizing *resizing)
{
	struct vm_range range = { vad_base(resizing->vad), vad_end(resizing->vad) };

	region_tell(EVENT_VAD_RELEASE, resizing->vad, &range, /* protect */ 0, resizing->request);
}

/* The region is at `base` now; what the tree held in its new range has ended unseen. */
static void record(const struct resizing *resizing, uintptr_t base)
{
	struct vad *vad = resizing->vad;

	vad_remove(vad);
	region_forget_stale(base, base + resizing->new_size_bytes, resizing->request->api);
	pagestate_clear(&vad->pages);
	pagestate_init(&vad->pages, region_page(base), region_page(base + resizing->new_size_bytes),
		       resizing->state);
	vad->is_told = event_is_wanted();
	vad_insert(vad);
	tell_reserve(vad, resizing->request->api);
}

static NTSTATUS shrink(const struct resizing *resizing)
{
	uintptr_t base = vad_base(resizing->vad);
	int error;

	tell_release(resizing);
	error = space_give_back(resizing->vad->pager, base + resizing->new_size_bytes,
				resizing->old_size_bytes - resizing->new_size_bytes);
	if (error < 0) {
		tell_reserve(resizing->vad, resizing->request->api);
		return status_from_os(error);
	}
	record(resizing, base);
	return STATUS_SUCCESS;
}

static NTSTATUS grow_in_place(const struct resizing *resizing)
{
	uintptr_t base = vad_base(resizing->vad);
	intptr_t error =
		resizing->vad->pager->resize((void *)base, resizing->old_size_bytes,
					     resizing->new_size_bytes, /* new_address */ NULL);

	if (error < 0)
		return status_from_os((int)error);
	tell_release(resizing);
	record(resizing, base);
	return STATUS_SUCCESS;
}

static NTSTATUS move(const struct resizing *resizing)
{
	const struct space_wish wish = {
		.pager = resizing->vad->pager,
		.size_bytes = resizing->new_size_bytes,
		.alignment_bytes = resizing->request->alignment_bytes,
		.state = MEM_RESERVE,
	};
	uintptr_t base = vad_base(resizing->vad);
	intptr_t target, error;

	target = space_take(&wish);
	if (target < 0)
		return status_from_os((int)target);
	tell_release(resizing);
	error = wish.pager->resize((void *)base, resizing->old_size_bytes, resizing->new_size_bytes,
				   (void *)target);
	if (error < 0) {
		space_give_back(wish.pager, (uintptr_t)target, resizing->new_size_bytes);
		tell_reserve(resizing->vad, resizing->request->api);
		return status_from_os((int)error);
	}
	record(resizing, (uintptr_t)target);
	return STATUS_SUCCESS;
}

static NTSTATUS find(void *base, struct resizing *resizing)
{
	uintptr_t address = (uintptr_t)base;
	struct vm_range range = { address, address + resizing->old_size_bytes };
	struct vad *vad = region_around(&range);

	if (!vad || vad_base(vad) != range.base || vad_end(vad) != range.end)
		return STATUS_MEMORY_NOT_ALLOCATED;
	if (!pagestate_is_uniform(&vad->pages, region_page(range.base), region_page(range.end),
				  &resizing->state) ||
	    !(resizing->state & MEM_COMMIT))
		return STATUS_NOT_COMMITTED;
	if (!vad->pager->resize)
		return STATUS_NOT_SUPPORTED;
	resizing->vad = vad;
	return STATUS_SUCCESS;
}

static NTSTATUS resize_locked(void *base, struct resizing *resizing)
{
	NTSTATUS status = find(base, resizing);

	if (!status_is_success(status) || resizing->new_size_bytes == resizing->old_size_bytes)
		return status;
	if (resizing->new_size_bytes > resizing->old_size_bytes &&
	    !charge_has_room(resizing->new_size_bytes - resizing->old_size_bytes))
		return STATUS_COMMITMENT_LIMIT;
	if (!vad_prepare())
		return STATUS_NO_MEMORY;
	if (resizing->new_size_bytes < resizing->old_size_bytes)
		return shrink(resizing);
	status = grow_in_place(resizing);
	return status_is_success(status) ? status : move(resizing);
}

/* A region like `vad`, right behind it, up to `end`. */
static void record_rest(const struct resizing *resizing, uintptr_t end)
{
	const struct vad *vad = resizing->vad;
	struct vad *rest = vad_take();

	rest->type = vad->type;
	rest->protect = vad->protect;
	rest->origin = vad->origin;
	rest->pager = vad->pager;
	rest->owner = vad->owner;
	rest->is_told = vad->is_told;
	pagestate_init(&rest->pages, region_page(vad_end(vad)), region_page(end), resizing->state);
	vad_insert(rest);
	tell_reserve(rest, resizing->request->api);
}

static NTSTATUS split_locked(void *base, struct resizing *resizing)
{
	NTSTATUS status = find(base, resizing);

	if (!status_is_success(status))
		return status;
	if (!resizing->vad->pager->has_parts || resizing->vad->watch)
		return STATUS_NOT_SUPPORTED;
	if (!vad_prepare())
		return STATUS_NO_MEMORY;
	tell_release(resizing);
	record(resizing, (uintptr_t)base);
	record_rest(resizing, (uintptr_t)base + resizing->old_size_bytes);
	return STATUS_SUCCESS;
}

static size_t whole_pages(size_t size_bytes)
{
	return (size_bytes + OS_PAGE_SIZE - 1) & ~(OS_PAGE_SIZE - 1);
}

NTSTATUS vm_resize(void *base, size_t old_size_bytes, size_t new_size_bytes, void **new_base,
		   const struct vm_request *request)
{
	struct resizing resizing = { .old_size_bytes = whole_pages(old_size_bytes),
				     .new_size_bytes = whole_pages(new_size_bytes),
				     .request = request };
	NTSTATUS status;

	if (new_size_bytes == 0 || new_size_bytes > OS_USER_END || old_size_bytes > OS_USER_END)
		return STATUS_INVALID_PARAMETER;
	lock_acquire(&vm_lock);
	status = resize_locked(base, &resizing);
	if (status_is_success(status))
		*new_base = (void *)vad_base(resizing.vad);
	lock_release(&vm_lock);
	return status;
}

NTSTATUS vm_split(void *base, size_t size_bytes, size_t first_bytes,
		  const struct vm_request *request)
{
	struct resizing resizing = { .old_size_bytes = whole_pages(size_bytes),
				     .new_size_bytes = first_bytes,
				     .request = request };
	NTSTATUS status;

	if (first_bytes == 0 || first_bytes >= size_bytes || first_bytes % SPACE_GRANULARITY)
		return STATUS_INVALID_PARAMETER;
	lock_acquire(&vm_lock);
	status = split_locked(base, &resizing);
	lock_release(&vm_lock);
	return status;
}
