/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Records of views. Guarded by: vm_lock. Knows no section, no file and no page. */

#include "core/vm/view.h"

#include "core/base/status.h"
#include "core/os/pager_model.h"
#include "core/vm/region.h"
#include "core/vm/tell.h"

static void record(const struct vm_view *view)
{
	uint32_t state = view->is_reserved ? MEM_RESERVE : MEM_COMMIT | view->protect;
	struct vad *vad = vad_take();

	vad->type = view->is_image ? MEM_IMAGE : MEM_MAPPED;
	vad->protect = view->protect;
	vad->origin = VAD_ORIGIN_VIEW;
	vad->pager = &pager_model;
	vad->is_file = true;
	vad->file_offset = view->offset;
	vad->is_told = event_is_wanted();
	pagestate_init(&vad->pages, region_page(view->base),
		       region_page(view->base + view->size_bytes), state);
	vad_insert(vad);
}

NTSTATUS vm_map_view(const struct vm_view *view, const struct vm_request *request)
{
	uintptr_t end = view->base + view->size_bytes;
	NTSTATUS status = STATUS_NO_MEMORY;

	if (!view->size_bytes || end < view->base || end > OS_USER_END ||
	    (view->base | view->size_bytes) % OS_PAGE_SIZE)
		return STATUS_INVALID_PARAMETER;
	lock_acquire(&vm_lock);
	if (vad_prepare()) {
		region_forget_stale(view->base, end, request->api);
		record(view);
		tell_mapped(view->base, end, request->api);
		status = STATUS_SUCCESS;
	}
	lock_release(&vm_lock);
	return status;
}

static NTSTATUS unmap_locked(uintptr_t address, struct vm_view *view, uint16_t api)
{
	struct vad *vad = vad_find(address);

	if (!vad || vad->origin != VAD_ORIGIN_VIEW)
		return STATUS_NOT_MAPPED_VIEW;
	*view = (struct vm_view){
		.base = vad_base(vad),
		.size_bytes = vad_end(vad) - vad_base(vad),
		.protect = vad->protect,
		.offset = vad->file_offset,
		.is_image = vad->type == MEM_IMAGE,
		.is_reserved = !(vad->pages.first_state & MEM_COMMIT),
	};
	tell_unmapped(vad_base(vad), vad_end(vad), api);
	vad_remove(vad);
	vad_give_back(vad);
	return STATUS_SUCCESS;
}

NTSTATUS vm_unmap_view(const void *address, struct vm_view *view, const struct vm_request *request)
{
	struct vm_view gone;
	NTSTATUS status;

	lock_acquire(&vm_lock);
	status = unmap_locked((uintptr_t)address, view ? view : &gone, request->api);
	lock_release(&vm_lock);
	return status;
}
