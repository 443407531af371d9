/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* From kept addresses to regions and back:
 *
 *   [          placeholder          ]
 *       preserve a part                  [ placeholder ][ placeholder ][ placeholder ]
 *       replace a whole one              [ placeholder ][   region    ][ placeholder ]
 *       preserve a whole or a part       [ placeholder ][ placeholder ][ placeholder ]
 *       coalesce at least two            [          placeholder          ]
 *
 * The system's mappings are PROT_NONE throughout, so pieces cost it nothing. A listener is told of
 * each change as the end of the range and a new reservation of it. Guarded by: vm_lock. Knows no
 * view; a section's will take a placeholder's place as a region does. */

#include "core/vm/placeholder.h"

#include <errno.h>

#include "core/base/status.h"
#include "core/vm/charge.h"
#include "core/vm/numa.h"
#include "core/vm/offer.h"
#include "core/vm/sequence.h"
#include "core/vm/tell.h"
#include "core/vm/writewatch.h"

NTSTATUS placeholder_check(const void *base, uint32_t type, uint32_t protect)
{
	uint32_t others = type & ~PLACEHOLDER_TYPES;
	bool is_right = base && others & MEM_RESERVE;

	if (type & MEM_RESERVE_PLACEHOLDER)
		is_right = !(type & MEM_REPLACE_PLACEHOLDER) && protect == PAGE_NOACCESS &&
			   (others & ~MEM_TOP_DOWN) == MEM_RESERVE;
	if (!is_right)
		return STATUS_INVALID_PARAMETER;
	return others & (MEM_PHYSICAL | MEM_LARGE_PAGES) ? STATUS_NOT_SUPPORTED : STATUS_SUCCESS;
}

void placeholder_begin(struct vad *vad)
{
	vad->is_placeholder = vad->was_placeholder = true;
}

static void tell_anew(const struct vad *vad, const struct vm_request *request)
{
	struct vm_range range = { vad_base(vad), vad_end(vad) };

	region_tell(EVENT_VAD_UNMAP, vad, &range, /* protect */ 0, request);
	tell_reserve(vad, request->api);
}

static bool is_whole(const struct vad *vad, const struct vm_range *range)
{
	return vad_base(vad) == range->base && vad_end(vad) == range->end;
}

/* Its pages all get one state, so nothing has to be prepared. */
static void become(struct vad *vad, uint32_t state, uint32_t protect, bool is_placeholder)
{
	sequence_begin_change();
	pagestate_set(&vad->pages, vad->pages.first_page, vad->pages.end_page, state);
	vad->protect = protect;
	vad->is_placeholder = is_placeholder;
	sequence_end_change();
}

/* Gives the placeholder's pages their state, and notices writes to them if that is asked for. */
static NTSTATUS fill(struct vad *vad, const struct vm_range *range, uint32_t type, uint32_t state)
{
	int error = pager_ask(vad->pager);
	NTSTATUS status = STATUS_SUCCESS;

	if (error == 0 && state & MEM_COMMIT)
		error = vad->pager->set((void *)range->base, range->end - range->base, state);
	if (error < 0)
		status = error == -ENOMEM ? STATUS_COMMITMENT_LIMIT : status_from_os(error);
	else if (type & MEM_WRITE_WATCH && vad->pager == &pager_linux)
		status = watch_begin(range, state, &vad->watch);
	if (!status_is_success(status))
		region_set_back(vad, range);
	return status;
}

NTSTATUS placeholder_replace(const struct vm_range *range, uint32_t type, uint32_t state,
			     uint32_t protect, const struct vm_request *request)
{
	struct vad *vad = vad_find(range->base);
	NTSTATUS status;

	if (!vad || !vad->is_placeholder || !is_whole(vad, range))
		return STATUS_CONFLICTING_ADDRESSES;
	if (state & MEM_COMMIT && !charge_has_room(range->end - range->base))
		return STATUS_COMMITMENT_LIMIT;
	status = fill(vad, range, type, state);
	if (!status_is_success(status))
		return status;
	numa_bind(range->base, range->end, request->node);
	vad->numa_node = request->node;
	vad->owner = request->owner;
	become(vad, state, protect, /* is_placeholder */ false);
	tell_anew(vad, request);
	return STATUS_SUCCESS;
}

struct vad *placeholder_cut(struct vad *vad, const struct vm_range *range)
{
	if (is_whole(vad, range))
		return vad;
	if (!vad_prepare())
		return NULL;
	sequence_begin_change();
	if (range->base > vad_base(vad))
		vad = vad_split(vad, range->base);
	if (range->end < vad_end(vad))
		vad_split(vad, range->end);
	sequence_end_change();
	return vad;
}

static bool is_reserved(const struct vad *vad, const struct vm_range *range)
{
	uint32_t state;

	return pagestate_is_uniform(&vad->pages, region_page(range->base), region_page(range->end),
				    &state) &&
	       state == MEM_RESERVE;
}

NTSTATUS placeholder_preserve(struct vad *vad, const struct vm_range *range,
			      const struct vm_request *request)
{
	int error;

	if (!vad->was_placeholder || (vad->is_placeholder && is_whole(vad, range)))
		return STATUS_CONFLICTING_ADDRESSES;
	if (!vad_prepare())
		return STATUS_NO_MEMORY;
	error = pager_ask(vad->pager);
	if (error == 0 && !is_reserved(vad, range))
		error = vad->pager->drop((void *)range->base, range->end - range->base);
	if (error < 0)
		return status_from_os(error);
	vad = placeholder_cut(vad, range);
	watch_end(vad->watch);
	offer_free(vad->offers);
	vad->watch = NULL;
	vad->offers = NULL;
	vad->numa_node = 0;
	become(vad, MEM_RESERVE, PAGE_NOACCESS, /* is_placeholder */ true);
	tell_anew(vad, request);
	return STATUS_SUCCESS;
}

/* Whether placeholders fill the range, and are more than one. */
static bool can_coalesce(const struct vad *first, const struct vm_range *range)
{
	uintptr_t at = range->base;

	if (!first || is_whole(first, range))
		return false;
	for (const struct vad *vad = first; vad && at < range->end; vad = vad_next(vad)) {
		if (!vad->is_placeholder || vad_base(vad) != at || vad->pager != first->pager)
			return false;
		at = vad_end(vad);
	}
	return at == range->end;
}

NTSTATUS placeholder_coalesce(const struct vm_range *range, const struct vm_request *request)
{
	struct vad *first = vad_find(range->base), *next;
	int error;

	if (!can_coalesce(first, range))
		return STATUS_CONFLICTING_ADDRESSES;
	error = pager_ask(first->pager);
	if (error < 0)
		return status_from_os(error);
	sequence_begin_change();
	while (vad_end(first) < range->end) {
		uint64_t end_page;

		next = vad_next(first);
		end_page = next->pages.end_page;
		vad_remove(next);
		vad_give_back(next);
		pagestate_extend(&first->pages, end_page);
	}
	sequence_end_change();
	tell_anew(first, request);
	return STATUS_SUCCESS;
}
