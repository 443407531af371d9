/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* VirtualQuery: from the tree for ranges that came through us, else from the system's own list.
 *
 *   asked:            | address
 *   answered:    [----|=======)------]    from the page of the address to the end of its run
 *
 * Mappings of one file that lie side by side are one allocation there, as the loader made them: an
 * image when one of them can be executed. The tree is
 * looked at without vm_lock first; the system's list is read with it. */

#include <sys/mman.h>

#include "core/base/hints.h"
#include "core/base/status.h"
#include "core/os/pager_model.h"
#include "core/vm/glimpse.h"
#include "core/vm/maps.h"
#include "core/vm/parking.h"
#include "core/vm/region.h"
#include "core/vm/virtual.h"

static void answer_free(uintptr_t page_base, uintptr_t end, MEMORY_BASIC_INFORMATION *info)
{
	*info = (MEMORY_BASIC_INFORMATION){
		.BaseAddress = (void *)page_base,
		.RegionSize = end - page_base,
		.State = MEM_FREE,
		.Protect = PAGE_NOACCESS,
	};
}

/* Mappings side by side that are one allocation. */
struct allocation {
	uintptr_t base;
	bool has_code;
	struct maps_line last;
};

static bool continues(const struct allocation *allocation, const struct maps_line *line)
{
	return allocation->base && line->inode && allocation->last.end == line->base &&
	       allocation->last.inode == line->inode && allocation->last.device == line->device;
}

static void add_line(struct allocation *allocation, const struct maps_line *line)
{
	if (!continues(allocation, line)) {
		allocation->base = line->base;
		allocation->has_code = false;
	}
	allocation->has_code |= (line->prot & PROT_EXEC) != 0;
	allocation->last = *line;
}

static uint32_t protect_of_line(const struct maps_line *line)
{
	return pager_protect_of_mapping(line->prot, line->inode && !line->is_shared);
}

static void answer_from_line(const struct maps_line *line, const struct allocation *allocation,
			     uintptr_t page_base, MEMORY_BASIC_INFORMATION *info)
{
	bool is_image = line->inode && allocation->has_code;
	bool is_mapped = line->inode || line->is_shared;
	bool is_reserved = !is_mapped && line->prot == PROT_NONE;

	*info = (MEMORY_BASIC_INFORMATION){
		.BaseAddress = (void *)page_base,
		.AllocationBase = (void *)allocation->base,
		.AllocationProtect = is_image ? PAGE_EXECUTE_WRITECOPY : protect_of_line(line),
		.RegionSize = line->end - page_base,
		.State = is_reserved ? MEM_RESERVE : MEM_COMMIT,
		.Protect = is_reserved ? 0 : protect_of_line(line),
		.Type = is_image    ? MEM_IMAGE
			: is_mapped ? MEM_MAPPED
				    : MEM_PRIVATE,
	};
}

/* False: the tree does not know it, or not for sure. Needs no lock. */
static bool answer_from_tree(uintptr_t page_base, MEMORY_BASIC_INFORMATION *info)
{
	struct glimpse glimpse;
	bool is_committed;

	if (!glimpse_page(region_page(page_base), &glimpse) || !glimpse.is_known ||
	    glimpse.origin == VAD_ORIGIN_FOREIGN)
		return false;
	is_committed = glimpse.run.state & MEM_COMMIT;
	*info = (MEMORY_BASIC_INFORMATION){
		.BaseAddress = (void *)page_base,
		.AllocationBase = (void *)glimpse.base,
		.AllocationProtect = glimpse.protect,
		.RegionSize = glimpse.run.end_page * OS_PAGE_SIZE - page_base,
		.State = is_committed ? MEM_COMMIT : MEM_RESERVE,
		.Protect = is_committed ? glimpse.run.state & ~MEM_COMMIT : 0,
		.Type = glimpse.type,
	};
	return true;
}

static bool is_ours(const struct vad *vad)
{
	return vad->origin != VAD_ORIGIN_FOREIGN;
}

/* The system may show one mapping where ours and somebody else's lie side by side: takes ours off.
 * The page of the address is not ours. */
static void take_ours_off(struct maps_line *line, struct allocation *allocation,
			  uintptr_t page_base)
{
	const struct vad *vad = vad_find_below(page_base);

	while (vad && vad_end(vad) > line->base && !is_ours(vad))
		vad = vad_previous(vad);
	if (vad && vad_end(vad) > line->base)
		allocation->base = line->base = vad_end(vad);
	vad = vad_find_from(page_base);
	while (vad && vad_base(vad) < line->end && !is_ours(vad))
		vad = vad_next(vad);
	if (vad && vad_base(vad) < line->end)
		line->end = vad_base(vad);
}

/* Reads on while the allocation goes on: a later part says whether it is an image. */
static void answer_from_maps(struct maps_reader *reader, uintptr_t page_base,
			     MEMORY_BASIC_INFORMATION *info)
{
	struct allocation allocation = { .base = 0 };
	struct maps_line line, found = { .end = 0 };

	while (maps_next(reader, &line)) {
		if (found.end && !continues(&allocation, &line))
			break;
		if (!found.end && line.base > page_base) {
			answer_free(page_base, line.base, info);
			return;
		}
		add_line(&allocation, &line);
		if (line.base <= page_base && page_base < line.end)
			found = line;
	}
	if (found.end)
		take_ours_off(&found, &allocation, page_base);
	if (found.end)
		answer_from_line(&found, &allocation, page_base, info);
	else
		answer_free(page_base, OS_USER_END, info);
}

static NTSTATUS query_locked(uintptr_t page_base, MEMORY_BASIC_INFORMATION *info)
{
	struct maps_reader reader;
	int error;

	if (answer_from_tree(page_base, info))
		return STATUS_SUCCESS;
	/* The system's list shows them as mapped. */
	parking_clear(page_base, page_base + OS_PAGE_SIZE);
	parking_clear_all();
	error = maps_open(&reader);
	if (error < 0)
		return status_from_os(error);
	answer_from_maps(&reader, page_base, info);
	return status_from_os(maps_close(&reader));
}

NTSTATUS vm_query(const void *address, MEMORY_BASIC_INFORMATION *info)
{
	uintptr_t page_base = (uintptr_t)address & ~(OS_PAGE_SIZE - 1);
	MEMORY_BASIC_INFORMATION answer;
	NTSTATUS status;

	if (page_base >= OS_USER_END)
		return STATUS_INVALID_PARAMETER;
	if (likely(answer_from_tree(page_base, info)))
		return STATUS_SUCCESS;
	lock_acquire(&vm_lock);
	status = query_locked(page_base, &answer);
	lock_release(&vm_lock);
	if (status_is_success(status))
		*info = answer;
	return status;
}

const struct pager *vm_pager_at(const void *address)
{
	uint64_t page = region_page((uintptr_t)address);
	struct glimpse glimpse;

	if (unlikely(!glimpse_page(page, &glimpse))) {
		/* Nothing changes while we hold it. */
		lock_acquire(&vm_lock);
		glimpse_page(page, &glimpse);
		lock_release(&vm_lock);
	}
	return glimpse.is_known && glimpse.origin == VAD_ORIGIN_VIRTUAL ? glimpse.pager : NULL;
}

bool vm_knows(const void *address)
{
	return vm_pager_at(address) != NULL;
}

bool vm_owns(const void *address)
{
	const struct pager *whose = vm_pager_at(address);

	return whose && whose != &pager_model;
}
