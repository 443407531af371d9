/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The watches of regions, by one of two means:
 *
 *   the system     the kernel accounts for each page (watch_system.c); `written` has what the page
 *                  table has lost: pages that were written and then given back
 *   protection     pages that are not in `written` are read-only for the system; the first write
 *                  faults, is noted there, and goes on
 *
 * Where protection cannot note one page (no memory, too many mappings) it notes all: a list may say
 * too much, but never too little. Guarded by: vm_lock. */

#include "core/vm/writewatch.h"

#include <sys/mman.h>
#include <sys/single_threaded.h>

#include "core/base/arena.h"
#include "core/base/check.h"
#include "core/base/status.h"
#include "core/vm/fault.h"
#include "core/vm/foresight.h"
#include "core/vm/region.h"
#include "core/vm/sequence.h"
#include "core/vm/watch_system.h"

#define RUNS_MAX 32
#define PROTECT_KIND_MASK 0xffu

static struct watch *watches;
static enum watch_means means;
uint32_t watch_is_by_protection;
/* Whether each watch has all that was written in `written`, from fork's beginning to its end. */
static bool is_all_remembered;

enum watch_means watch_means_locked(void)
{
	if (!means)
		means = watch_system_start() ? WATCH_BY_SYSTEM : WATCH_BY_PROTECTION;
	return means;
}

enum watch_means watch_means(void)
{
	enum watch_means found;

	lock_acquire(&vm_lock);
	found = watch_means_locked();
	lock_release(&vm_lock);
	return found;
}

static struct vm_range range_of(const struct watch *watch)
{
	return (struct vm_range){ watch->written.first_page * OS_PAGE_SIZE,
				  watch->written.end_page * OS_PAGE_SIZE };
}

bool watch_add_all(void)
{
	bool is_added = true;

	for (struct watch *watch = watches; watch; watch = watch->next) {
		struct vm_range range = range_of(watch);

		is_added = watch_system_add(&range) == 0 && is_added;
	}
	return is_added;
}

/* The state that the system is to give pages that nobody has written yet. */
static uint32_t without_writing(uint32_t state)
{
	uint32_t rest = state & ~PROTECT_KIND_MASK;

	switch (state & PROTECT_KIND_MASK) {
	case PAGE_READWRITE:
		return rest | PAGE_READONLY;
	case PAGE_EXECUTE_READWRITE:
		return rest | PAGE_EXECUTE_READ;
	default:
		return state;
	}
}

/* Nobody has written anywhere yet. 0 or -errno. */
static int protect_from_start(const struct vm_range *range, uint32_t state)
{
	int error = fault_enable();

	if (error < 0)
		return error;
	__atomic_store_n(&watch_is_by_protection, 1, __ATOMIC_RELAXED);
	return state & MEM_COMMIT ? pager_linux.set((void *)range->base, range->end - range->base,
						    without_writing(state))
				  : 0;
}

NTSTATUS watch_begin(const struct vm_range *range, uint32_t state, struct watch **watch)
{
	struct watch *made = arena_allocate(sizeof *made);
	int error;

	if (!made)
		return STATUS_NO_MEMORY;
	error = watch_means_locked() == WATCH_BY_SYSTEM ? watch_system_add(range)
							: protect_from_start(range, state);
	if (error < 0) {
		arena_free(made, sizeof *made);
		return status_from_os(error);
	}
	pagestate_init(&made->written, region_page(range->base), region_page(range->end),
		       WATCH_NOT_WRITTEN);
	made->next = watches;
	if (watches)
		watches->previous = made;
	watches = made;
	*watch = made;
	return STATUS_SUCCESS;
}

void watch_end(struct watch *watch)
{
	if (!watch)
		return;
	*(watch->previous ? &watch->previous->next : &watches) = watch->next;
	if (watch->next)
		watch->next->previous = watch->previous;
	pagestate_clear(&watch->written);
	arena_free(watch, sizeof *watch);
}

/* Notes all that the system knows of the range. */
static NTSTATUS remember(struct watch *watch, const struct vm_range *range)
{
	struct os_written_run runs[RUNS_MAX];
	struct os_scan scan = { .end = range->end, .runs = runs };

	for (scan.base = range->base; scan.base < range->end; scan.base = scan.read_end) {
		int error;

		scan.run_count = RUNS_MAX;
		error = watch_system_scan(&scan, watch_add_all);
		if (error < 0)
			return status_from_os(error);
		for (size_t i = 0; i < scan.run_count; i++) {
			if (!pagestate_prepare())
				return STATUS_NO_MEMORY;
			pagestate_set(&watch->written, region_page(runs[i].base),
				      region_page(runs[i].end), WATCH_WRITTEN);
		}
	}
	return STATUS_SUCCESS;
}

NTSTATUS watch_remember(const struct vad *vad, const struct vm_range *range)
{
	if (!vad->watch || means != WATCH_BY_SYSTEM)
		return STATUS_SUCCESS;
	return remember(vad->watch, range);
}

static void note_all(const struct vad *vad)
{
	struct vm_range range = range_of(vad->watch);

	sequence_begin_change();
	pagestate_clear(&vad->watch->written);
	vad->watch->written.first_state = WATCH_WRITTEN;
	sequence_end_change();
	region_set_back(vad, &range);
}

/* The part of [base, end) that is in `vad`. */
static struct vm_range part_in(const struct vad *vad, uintptr_t base, uintptr_t end)
{
	return (struct vm_range){ base > vad_base(vad) ? base : vad_base(vad),
				  end < vad_end(vad) ? end : vad_end(vad) };
}

void watch_remember_all(uintptr_t base, uintptr_t end)
{
	struct vad *vad = watches ? vad_find_from(base) : NULL;

	for (; vad && vad_base(vad) < end; vad = vad_next(vad)) {
		struct vm_range part = part_in(vad, base, end);

		watch_remember(vad, &part);
	}
}

void watch_protect_again(uintptr_t base, uintptr_t end)
{
	struct vad *vad = watches ? vad_find_from(base) : NULL;

	for (; vad && vad_base(vad) < end; vad = vad_next(vad)) {
		struct vm_range part = part_in(vad, base, end);

		if (vad->watch && means == WATCH_BY_PROTECTION && !region_set_back(vad, &part))
			note_all(vad);
	}
}

/* What cannot be added now is found when the list is read. */
void watch_renew(const struct vad *vad, const struct vm_range *range)
{
	if (vad->watch && means == WATCH_BY_SYSTEM)
		watch_system_add(range);
}

int watch_set_pages(const struct vad *vad, const struct vm_range *range, uint32_t state)
{
	uintptr_t at = range->base;
	int error = 0;

	if (!vad->watch || means == WATCH_BY_SYSTEM)
		return vad->pager->set((void *)at, range->end - at, state);
	while (error == 0 && at < range->end) {
		struct page_run run = pagestate_run(&vad->watch->written, region_page(at));
		uintptr_t end = run.end_page * OS_PAGE_SIZE;

		end = end < range->end ? end : range->end;
		error = vad->pager->set((void *)at, end - at,
					run.state == WATCH_WRITTEN ? state
								   : without_writing(state));
		at = end;
	}
	return error;
}

bool watch_note(const struct vad *vad, uintptr_t address)
{
	uint64_t page = region_page(address);
	uint32_t state = pagestate_run(&vad->pages, page).state;

	if (!vad->watch || means == WATCH_BY_SYSTEM ||
	    pagestate_run(&vad->watch->written, page).state == WATCH_WRITTEN)
		return false;
	if (pagestate_prepare() &&
	    vad->pager->set((void *)(page * OS_PAGE_SIZE), OS_PAGE_SIZE, state) == 0)
		pagestate_set(&vad->watch->written, page, page + 1, WATCH_WRITTEN);
	else
		note_all(vad);
	return true;
}

/* Pages that the kernel is writing to stay as they are. */
static bool keep_expected(struct watch *watch, const struct vm_range *range)
{
	struct vm_range expected;

	for (size_t place = 0; foresight_next(&place, range, &expected);) {
		if (!pagestate_prepare())
			return false;
		pagestate_set(&watch->written, region_page(expected.base),
			      region_page(expected.end), WATCH_WRITTEN);
	}
	return true;
}

/* Who writes before the protection is there wrote before the pages were forgotten. */
static NTSTATUS forget_by_protection(const struct vad *vad, const struct vm_range *range)
{
	struct watch *watch = vad->watch;

	pagestate_set(&watch->written, region_page(range->base), region_page(range->end),
		      WATCH_NOT_WRITTEN);
	if (keep_expected(watch, range) && region_set_back(vad, range))
		return STATUS_SUCCESS;
	note_all(vad);
	return STATUS_NO_MEMORY;
}

NTSTATUS watch_forget(const struct vad *vad, const struct vm_range *range)
{
	int error;

	if (!pagestate_prepare())
		return STATUS_NO_MEMORY;
	if (means == WATCH_BY_SYSTEM) {
		error = watch_system_reset(range, watch_add_all);
		if (error < 0)
			return status_from_os(error);
		pagestate_set(&vad->watch->written, region_page(range->base),
			      region_page(range->end), WATCH_NOT_WRITTEN);
		return STATUS_SUCCESS;
	}
	return forget_by_protection(vad, range);
}

/* Other threads' writes between here and fork would be missed in the child. */
void watch_fork_prepare(void)
{
	is_all_remembered = __libc_single_threaded;
	if (means != WATCH_BY_SYSTEM)
		return;
	for (struct watch *watch = watches; watch && is_all_remembered; watch = watch->next) {
		struct vm_range range = range_of(watch);

		is_all_remembered = status_is_success(remember(watch, &range));
	}
}

void watch_fork_child(void)
{
	if (means != WATCH_BY_SYSTEM)
		return;
	watch_system_renew();
	if (!watch_add_all() || !is_all_remembered)
		return;
	for (struct watch *watch = watches; watch; watch = watch->next) {
		struct vm_range range = range_of(watch);

		watch_system_reset(&range, watch_add_all);
	}
}

static bool expect_in(const struct vad *vad, const struct vm_range *part)
{
	bool is_any = false;

	for (uintptr_t at = part->base; at < part->end; at += OS_PAGE_SIZE) {
		uint32_t state = pagestate_run(&vad->pages, region_page(at)).state;

		if (pager_prot_of_state(state) & PROT_WRITE)
			is_any = watch_note(vad, at) || is_any;
	}
	return is_any;
}

bool watch_expect(const void *call, const void *address, size_t size_bytes)
{
	bool is_any = false;
	struct vm_range range;
	struct vad *vad;

	if (!status_is_success(rules_range(address, size_bytes, OS_PAGE_SIZE, &range)))
		return false;
	lock_acquire(&vm_lock);
	for (vad = vad_find_from(range.base); vad && vad_base(vad) < range.end;
	     vad = vad_next(vad)) {
		struct vm_range part = part_in(vad, range.base, range.end);

		if (!vad->watch)
			continue;
		foresight_add((uintptr_t)call, &part);
		is_any = expect_in(vad, &part) || is_any;
	}
	lock_release(&vm_lock);
	return is_any;
}

void watch_expect_no_more(const void *call)
{
	lock_acquire(&vm_lock);
	foresight_remove((uintptr_t)call);
	lock_release(&vm_lock);
}
