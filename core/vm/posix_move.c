/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* mremap, brk and System V shared memory: mappings that change their size or place.
 *
 *   mremap   old range ends (told before)  ->  system call  ->  new range begins (told after)
 *
 * A range that stays where it is and only shrinks loses its tail; what only grows is told anew.
 * Guarded by: vm_lock. */

#include "core/vm/posix.h"

#include <errno.h>
#include <linux/mman.h>
#include <sys/mman.h>

#include "core/base/check.h"
#include "core/os/pager.h"
#include "core/types.h"
#include "core/vm/mapping.h"
#include "core/vm/parking.h"
#include "core/vm/posix_range.h"
#include "core/vm/tell.h"
#include "core/vm/vad.h"

/* One mremap. */
struct move {
	struct posix_range old; /* empty when old_size_bytes is 0 */
	struct posix_range target;
	bool has_target; /* MREMAP_FIXED: what is there ends */
	bool keeps_old;  /* MREMAP_DONTUNMAP, or a second mapping of shared pages */
	size_t old_size_bytes;
	size_t new_size_bytes;
	int flags;
	void *new_address;
	uint16_t api;
};

/* What the new range is like: the old one, if the tree knows it to be all alike. */
static bool describe_from_tree(const struct move *move, struct mapping *mapping)
{
	const struct vad *vad = vad_find(move->old.base);
	struct page_run run;

	if (!vad || vad->origin == VAD_ORIGIN_FOREIGN || vad_end(vad) < move->old.end)
		return false;
	run = pagestate_run(&vad->pages, move->old.base / OS_PAGE_SIZE);
	if (run.end_page * OS_PAGE_SIZE < move->old.end)
		return false;
	mapping->prot = pager_prot_of_state(run.state);
	mapping->is_file = vad->is_file;
	mapping->is_shared = vad->type == MEM_MAPPED && !vad->is_copied;
	mapping->file_offset = vad->file_offset + (move->old.base - vad_base(vad));
	mapping->origin = VAD_ORIGIN_POSIX;
	return true;
}

/* The mapping of the system's that holds `address`. */
static bool describe_from_maps(uintptr_t address, struct mapping *mapping)
{
	struct maps_reader reader;
	struct maps_line line;
	bool is_found = false;

	if (maps_open(&reader) < 0)
		return false;
	while (!is_found && maps_next(&reader, &line))
		is_found = line.base <= address && address < line.end;
	maps_close(&reader);
	if (!is_found)
		return false;
	*mapping = mapping_of_line(&line);
	mapping->origin = VAD_ORIGIN_POSIX;
	mapping->file_offset += address - line.base;
	mapping->base = address;
	return true;
}

static void tell_ends(const struct move *move)
{
	if (!move->keeps_old)
		tell_unmapped(move->old.base, move->old.end, move->api);
	if (move->has_target)
		tell_unmapped(move->target.base, move->target.end, move->api);
}

/* The system refused; what it took away all the same, at the target or of a tail that was to go, is
 * found by comparing. */
static void take_back_ends(const struct move *move)
{
	if (!move->keeps_old) {
		tell_mapped(move->old.base, move->old.end, move->api);
		mapping_compare(move->old.base, move->old.end, move->api);
	}
	if (move->has_target) {
		tell_mapped(move->target.base, move->target.end, move->api);
		mapping_compare(move->target.base, move->target.end, move->api);
	}
}

static void record_move(const struct move *move, uintptr_t base)
{
	struct mapping mapping = { .base = base };
	uintptr_t end = base + move->new_size_bytes;
	bool is_known = describe_from_tree(move, &mapping);

	if (!move->keeps_old)
		vad_cut(move->old.base, move->old.end);
	if (!move->has_target)
		tell_unmapped(base, end, move->api);
	mapping.base = base;
	mapping.end = end;
	if (is_known) {
		mapping_record(&mapping, move->api);
		return;
	}
	/* Only the system knows: ranges of several kinds move as a whole on newer kernels. */
	vad_cut(base, end);
	mapping_compare(base, end, move->api);
}

static intptr_t move_locked(const struct move *move)
{
	intptr_t got;

	if (!vad_prepare())
		return -ENOMEM;
	tell_ends(move);
	got = os_remap((void *)move->old.base, move->old_size_bytes, move->new_size_bytes,
		       move->flags, move->new_address);
	if (got < 0)
		take_back_ends(move);
	else
		record_move(move, (uintptr_t)got);
	return got;
}

/* In place, and not larger: only the tail ends. */
static intptr_t shrink_locked(const struct move *move)
{
	uintptr_t end = move->old.base + move->new_size_bytes;
	intptr_t got;

	if (!vad_prepare())
		return -ENOMEM;
	if (end < move->old.end)
		tell_unmapped(end, move->old.end, move->api);
	got = os_remap((void *)move->old.base, move->old_size_bytes, move->new_size_bytes,
		       move->flags, move->new_address);
	if (got < 0)
		tell_mapped(end, move->old.end, move->api);
	else if (end < move->old.end)
		vad_cut(end, move->old.end);
	return got;
}

static intptr_t change_locked(const struct move *move)
{
	bool shrinks = move->new_size_bytes <= move->old.end - move->old.base;

	parking_clear(move->old.base, move->old.end);
	if (move->has_target)
		parking_clear(move->target.base, move->target.end);
	return shrinks && !move->has_target && !move->keeps_old ? shrink_locked(move)
								: move_locked(move);
}

/* False for arguments that the system will refuse. */
static bool understand_move(void *address, struct move *move)
{
	uintptr_t base = (uintptr_t)address;

	move->has_target = move->flags & MREMAP_FIXED;
	move->keeps_old = (move->flags & MREMAP_DONTUNMAP) || move->old_size_bytes == 0;
	move->old = (struct posix_range){ base, base };
	if (base % OS_PAGE_SIZE || move->new_size_bytes == 0 || move->new_size_bytes > OS_USER_END)
		return false;
	if (move->old_size_bytes && !posix_range(address, move->old_size_bytes, &move->old))
		return false;
	if (move->has_target &&
	    !posix_range(move->new_address, move->new_size_bytes, &move->target))
		return false;
	move->new_size_bytes = (move->new_size_bytes + OS_PAGE_SIZE - 1) & ~(OS_PAGE_SIZE - 1);
	return !move->has_target || move->target.end <= move->old.base ||
	       move->old.end <= move->target.base;
}

intptr_t posix_mremap(void *address, size_t old_size_bytes, size_t new_size_bytes, int flags,
		      void *new_address, enum api api)
{
	struct move move = { .old_size_bytes = old_size_bytes,
			     .new_size_bytes = new_size_bytes,
			     .flags = flags,
			     .new_address = new_address,
			     .api = (uint16_t)api };
	intptr_t got;

	if (!understand_move(address, &move))
		return os_remap(address, old_size_bytes, new_size_bytes, flags, new_address);
	lock_acquire(&vm_lock);
	got = change_locked(&move);
	if (got == -ENOMEM && parking_clear_all())
		got = change_locked(&move);
	lock_release(&vm_lock);
	return got;
}

static uintptr_t page_end(uintptr_t address)
{
	return (address + OS_PAGE_SIZE - 1) & ~(OS_PAGE_SIZE - 1);
}

/* The break has grown by [base, end): the region below grows, if it is the break's and alike. */
static void record_break(uintptr_t base, uintptr_t end, uint16_t api)
{
	struct vad *vad = vad_find(base - 1);
	uint32_t state = MEM_COMMIT | PAGE_READWRITE;

	if (vad && vad->origin == VAD_ORIGIN_BREAK && vad_end(vad) == base &&
	    pagestate_run(&vad->pages, vad->pages.end_page - 1).state == state &&
	    vad->is_told == event_is_wanted() && !vad_is_any_in(base, end)) {
		pagestate_extend(&vad->pages, end / OS_PAGE_SIZE);
		tell_mapped(base, end, api);
		return;
	}
	mapping_record(&(struct mapping){ .base = base,
					  .end = end,
					  .prot = PROT_READ | PROT_WRITE,
					  .origin = VAD_ORIGIN_BREAK },
		       api);
}

/* Whether all of [base, end) is the break's, as far as the tree knows: then the system will agree
 * to take it away. */
static bool is_of_break(uintptr_t base, uintptr_t end)
{
	while (base < end) {
		const struct vad *vad = vad_find(end - 1);

		if (!vad || vad->origin != VAD_ORIGIN_BREAK)
			return false;
		end = vad_base(vad);
	}
	return true;
}

static intptr_t break_locked(void *address, uint16_t api)
{
	uintptr_t old_end = page_end((uintptr_t)os_break(NULL));
	uintptr_t wanted_end = page_end((uintptr_t)address), new_end;
	bool is_told = wanted_end < old_end && is_of_break(wanted_end, old_end);
	intptr_t got;

	if (wanted_end > old_end)
		parking_clear(old_end, wanted_end);
	if (!vad_prepare())
		return os_break(NULL);
	if (is_told)
		tell_unmapped(wanted_end, old_end, api);
	got = os_break(address);
	new_end = page_end((uintptr_t)got);
	if (new_end > old_end)
		record_break(old_end, new_end, api);
	else if (new_end == old_end && is_told)
		tell_mapped(wanted_end, old_end, api);
	if (new_end < old_end && !is_told)
		tell_unmapped(new_end, old_end, api);
	if (new_end < old_end)
		vad_cut(new_end, old_end);
	return got;
}

intptr_t posix_brk(void *address, enum api api)
{
	intptr_t got;

	lock_acquire(&vm_lock);
	got = break_locked(address, (uint16_t)api);
	lock_release(&vm_lock);
	return got;
}

/* Only the system knows the segment's size. */
static void record_attached(uintptr_t base, uint16_t api)
{
	struct mapping mapping;

	if (!vad_prepare() || !describe_from_maps(base, &mapping))
		return;
	mapping.is_file = false;
	mapping.origin = VAD_ORIGIN_SHM;
	tell_unmapped(mapping.base, mapping.end, api);
	mapping_record(&mapping, api);
}

intptr_t posix_shmat(int id, const void *address, int flags, enum api api)
{
	intptr_t got;

	lock_acquire(&vm_lock);
	if (address)
		parking_clear_all();
	got = os_shm_attach(id, address, flags);
	if (got >= 0)
		record_attached((uintptr_t)got, (uint16_t)api);
	lock_release(&vm_lock);
	return got;
}

static int detach_locked(const void *address, uint16_t api)
{
	struct vad *vad = vad_find((uintptr_t)address);
	struct posix_range range;
	int error;

	if (!vad || vad->origin != VAD_ORIGIN_SHM || vad_base(vad) != (uintptr_t)address)
		return os_shm_detach(address);
	range = (struct posix_range){ vad_base(vad), vad_end(vad) };
	tell_unmapped(range.base, range.end, api);
	error = os_shm_detach(address);
	if (error < 0) {
		tell_mapped(range.base, range.end, api);
		return error;
	}
	vad_remove(vad);
	vad_give_back(vad);
	return 0;
}

int posix_shmdt(const void *address, enum api api)
{
	int error;

	lock_acquire(&vm_lock);
	error = detach_locked(address, (uint16_t)api);
	lock_release(&vm_lock);
	return error;
}
