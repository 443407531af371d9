/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The words of mmap in the words of Windows:
 *
 *   private, no file, PROT_NONE     reserved
 *   private, no file, accessible    committed
 *   shared, no file                 the same, MEM_MAPPED
 *   a file                          MEM_MAPPED, committed whatever its protection
 *
 * Guarded by: vm_lock. */

#include "core/vm/mapping.h"

#include <errno.h>
#include <sys/mman.h>

#include "core/base/check.h"
#include "core/os/pager.h"
#include "core/types.h"
#include "core/vm/parking.h"
#include "core/vm/tell.h"

static uint32_t state_of(int prot, bool is_file, bool is_copied)
{
	if (prot == PROT_NONE && !is_file)
		return MEM_RESERVE;
	return MEM_COMMIT | pager_protect_of_mapping(prot, is_copied);
}

/* Pages of VirtualAlloc's that may not be accessed keep their contents: they stay committed. */
static uint32_t state_in_vad(const struct vad *vad, int prot)
{
	bool stays_committed = vad->is_file || vad->origin == VAD_ORIGIN_VIRTUAL;

	return state_of(prot, stays_committed, vad->is_copied);
}

struct mapping mapping_of_line(const struct maps_line *line)
{
	return (struct mapping){
		.base = line->base,
		.end = line->end,
		.prot = line->prot,
		.is_file = line->inode != 0,
		.is_shared = line->is_shared,
		.file_offset = line->file_offset,
		.origin = VAD_ORIGIN_FOREIGN,
	};
}

void mapping_record(const struct mapping *mapping, uint16_t api)
{
	struct vad *vad = vad_take();
	bool is_copied = mapping->is_file && !mapping->is_shared;
	uint32_t state = state_of(mapping->prot, mapping->is_file, is_copied);

	vad_cut(mapping->base, mapping->end);
	vad->type = mapping->is_file || mapping->is_shared ? MEM_MAPPED : MEM_PRIVATE;
	vad->protect = pager_protect_of_mapping(mapping->prot, is_copied);
	vad->origin = mapping->origin;
	vad->pager = &pager_linux;
	vad->is_told = event_is_wanted();
	vad->is_file = mapping->is_file;
	vad->is_copied = is_copied;
	vad->file_offset = mapping->is_file ? mapping->file_offset : 0;
	pagestate_init(&vad->pages, mapping->base / OS_PAGE_SIZE, mapping->end / OS_PAGE_SIZE,
		       state);
	vad_insert(vad);
	tell_mapped(mapping->base, mapping->end, api);
}

static void tell_run_change(const struct vad *vad, uintptr_t base, uintptr_t end,
			    uint32_t old_state, uint32_t state, uint16_t api)
{
	struct tell_range range = { .kind = EVENT_VAD_PROTECT,
				    .api = api,
				    .owner = vad->owner,
				    .base = base,
				    .end = end,
				    .protect = state & ~MEM_COMMIT,
				    .extra = old_state & ~MEM_COMMIT };

	if (!(state & MEM_COMMIT)) {
		range.kind = EVENT_VAD_DECOMMIT;
		range.protect = 0;
		range.extra = 0;
	} else if (!(old_state & MEM_COMMIT)) {
		range.kind = EVENT_VAD_COMMIT;
		range.extra = 0;
	}
	tell(&range);
}

void mapping_set_state(struct vad *vad, uintptr_t base, uintptr_t end, uint32_t state, uint16_t api)
{
	for (uintptr_t at = base; at < end;) {
		struct page_run run = pagestate_run(&vad->pages, at / OS_PAGE_SIZE);
		uintptr_t run_end = run.end_page * OS_PAGE_SIZE;

		run_end = run_end < end ? run_end : end;
		if (run.state != state)
			tell_run_change(vad, at, run_end, run.state, state, api);
		at = run_end;
	}
	/* What is used behind the placeholder's back is none any more. */
	if (state & MEM_COMMIT)
		vad->is_placeholder = false;
	pagestate_set(&vad->pages, base / OS_PAGE_SIZE, end / OS_PAGE_SIZE, state);
}

/* [base, end) is inside `vad`. */
static void protect_in_vad(struct vad *vad, uintptr_t base, uintptr_t end, int prot, uint16_t api)
{
	mapping_set_state(vad, base, end, state_in_vad(vad, prot), api);
}

void mapping_protect(uintptr_t base, uintptr_t end, int prot, uint16_t api)
{
	struct vad *vad;

	for (vad = vad_find_from(base); vad && vad_base(vad) < end; vad = vad_next(vad)) {
		if (parking_hold(vad))
			protect_in_vad(vad, vad_base(vad) > base ? vad_base(vad) : base,
				       vad_end(vad) < end ? vad_end(vad) : end, prot, api);
	}
}

/* Whether the system's protection is what the tree says of [base, end) inside `vad`. What another
 * memory manager does with its pages is its own affair; a watched region may be less than it says.
 */
static bool is_as_told(const struct vad *vad, uintptr_t base, uintptr_t end, int prot)
{
	if (vad->pager != &pager_linux || vad->watch)
		return true;
	for (uintptr_t at = base; at < end;) {
		struct page_run run = pagestate_run(&vad->pages, at / OS_PAGE_SIZE);

		if (run.state != state_in_vad(vad, prot) && pager_prot_of_state(run.state) != prot)
			return false;
		at = run.end_page * OS_PAGE_SIZE;
	}
	return true;
}

/* Whether it may have been parked when the system wrote its list, and be somebody's again now: what
 * only VirtualAlloc has touched has no other reason to be closed. */
static bool may_be_parked(const struct vad *vad, int prot)
{
	return prot == PROT_NONE && vad_life(vad) != LIFE_HELD;
}

/* What one mapping of the system's says about the part of it from `at` on: takes in what the tree
 * does not know, puts right what it does. Returns where to go on, or 0 without memory. */
static uintptr_t compare_part(const struct mapping *mapping, uintptr_t at, uint16_t api)
{
	struct vad *vad = vad_find_from(at);
	struct mapping part = *mapping;

	if (!vad_prepare())
		return 0;
	if (vad && vad_base(vad) <= at) {
		uintptr_t end = vad_end(vad) < mapping->end ? vad_end(vad) : mapping->end;

		if (!is_as_told(vad, at, end, mapping->prot) &&
		    !may_be_parked(vad, mapping->prot) && parking_hold(vad))
			protect_in_vad(vad, at, end, mapping->prot, api);
		return end;
	}
	part.base = at;
	part.file_offset += at - mapping->base;
	if (vad && vad_base(vad) < part.end)
		part.end = vad_base(vad);
	mapping_record(&part, api);
	return part.end;
}

static int compare_line(const struct mapping *mapping, uint16_t api)
{
	uintptr_t at = mapping->base;

	while (at < mapping->end) {
		at = compare_part(mapping, at, api);
		if (at == 0)
			return -ENOMEM;
	}
	return 0;
}

/* Nothing is mapped in [base, end). */
static int forget(uintptr_t base, uintptr_t end, uint16_t api)
{
	if (base >= end || !vad_is_any_in(base, end))
		return 0;
	if (!vad_prepare())
		return -ENOMEM;
	tell_unmapped(base, end, api);
	vad_cut(base, end);
	return 0;
}

static void clip(struct mapping *mapping, uintptr_t base, uintptr_t end)
{
	if (mapping->base < base) {
		mapping->file_offset += base - mapping->base;
		mapping->base = base;
	}
	if (mapping->end > end)
		mapping->end = end;
}

int mapping_compare(uintptr_t base, uintptr_t end, uint16_t api)
{
	struct maps_reader reader;
	struct maps_line line;
	uintptr_t at = base;
	int error = maps_open(&reader), read_error;

	if (error < 0)
		return error;
	while (error == 0 && maps_next(&reader, &line) && line.base < end) {
		struct mapping mapping = mapping_of_line(&line);

		if (line.end <= at)
			continue;
		clip(&mapping, at, end);
		error = forget(at, mapping.base, api);
		if (error == 0)
			error = compare_line(&mapping, api);
		at = mapping.end;
	}
	/* What the system did not come to say is not known to be gone. */
	read_error = maps_close(&reader);
	error = error ? error : read_error;
	return error ? error : forget(at, end, api);
}
