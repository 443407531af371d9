/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The list of written pages, lowest first, a part at a time:
 *
 *   range     | known to be written | only the system knows | known ... |
 *   part      [ run  run  run ...   up to RUNS_MAX, or the room that is left )
 *   lock      a part is found, and reset, under vm_lock; the program's memory is written without it
 *
 * What the system lists and what it resets is one step, so no write falls between; a page is reset
 * only if it is listed. Guarded by: vm_lock. */

#include "core/base/status.h"
#include "core/os/os_watch.h"
#include "core/vm/region.h"
#include "core/vm/watch_system.h"
#include "core/vm/writewatch.h"

#define RUNS_MAX 64

/* One call. */
struct listing {
	struct vm_range range; /* that is still to be read */
	bool resets;
	size_t room; /* pages */
	struct os_written_run runs[RUNS_MAX];
	size_t run_count; /* of this part */
};

static void add_run(struct listing *listing, uintptr_t base, uintptr_t end)
{
	listing->runs[listing->run_count++] = (struct os_written_run){ base, end, 0 };
	listing->room -= (end - base) / OS_PAGE_SIZE;
}

/* Pages that are known to be written, up to `end`. */
static NTSTATUS add_known(struct listing *listing, const struct vad *vad, uintptr_t end)
{
	struct vm_range run = { listing->range.base, end };
	NTSTATUS status = STATUS_SUCCESS;

	if ((end - run.base) / OS_PAGE_SIZE > listing->room)
		run.end = run.base + listing->room * OS_PAGE_SIZE;
	if (listing->resets)
		status = watch_forget(vad, &run);
	if (!status_is_success(status))
		return status;
	add_run(listing, run.base, run.end);
	listing->range.base = run.end;
	return STATUS_SUCCESS;
}

/* Pages of which the system may know more, up to `end`. */
static NTSTATUS add_of_system(struct listing *listing, uintptr_t end)
{
	size_t first = listing->run_count;
	struct os_scan scan = {
		.base = listing->range.base,
		.end = end,
		.page_count = listing->room,
		.resets = listing->resets,
		.runs = listing->runs + first,
		.run_count = RUNS_MAX - first,
	};
	int error;

	if (watch_means_locked() == WATCH_BY_PROTECTION) {
		listing->range.base = end;
		return STATUS_SUCCESS;
	}
	error = watch_system_scan(&scan, watch_add_all);
	if (error < 0)
		return status_from_os(error);
	for (size_t i = 0; i < scan.run_count; i++)
		add_run(listing, listing->runs[first + i].base, listing->runs[first + i].end);
	listing->range.base = scan.read_end;
	return STATUS_SUCCESS;
}

static NTSTATUS add_next(struct listing *listing, const struct vad *vad)
{
	struct page_run run = pagestate_run(&vad->watch->written, region_page(listing->range.base));
	uintptr_t end = run.end_page * OS_PAGE_SIZE;

	end = end < listing->range.end ? end : listing->range.end;
	return run.state == WATCH_WRITTEN ? add_known(listing, vad, end)
					  : add_of_system(listing, end);
}

/* The region with a watch that holds the whole range, or NULL. */
static struct vad *watched_around(const struct vm_range *range)
{
	struct vad *vad = region_around(range);

	return vad && vad->watch ? vad : NULL;
}

/* Once something is listed and reset, the call succeeds: the rest stays for the next one. */
static NTSTATUS list_part_locked(struct listing *listing)
{
	const struct vad *vad = watched_around(&listing->range);
	NTSTATUS status = vad ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;

	listing->run_count = 0;
	while (status_is_success(status) && listing->run_count < RUNS_MAX && listing->room &&
	       listing->range.base < listing->range.end)
		status = add_next(listing, vad);
	return status;
}

static size_t write_pages(const struct listing *listing, void **pages)
{
	size_t count = 0;

	for (size_t i = 0; i < listing->run_count; i++) {
		for (uint64_t at = listing->runs[i].base; at < listing->runs[i].end;
		     at += OS_PAGE_SIZE)
			pages[count++] = (void *)at;
	}
	return count;
}

NTSTATUS vm_get_write_watch(const void *base, size_t size_bytes, bool resets, void **pages,
			    size_t *count)
{
	struct listing listing = { .resets = resets, .room = *count };
	NTSTATUS status = rules_range(base, size_bytes, OS_PAGE_SIZE, &listing.range);
	size_t listed = 0;

	if (!base || listing.room == 0)
		return STATUS_INVALID_PARAMETER;
	while (status_is_success(status) && listing.room &&
	       listing.range.base < listing.range.end) {
		lock_acquire(&vm_lock);
		status = list_part_locked(&listing);
		lock_release(&vm_lock);
		listed += write_pages(&listing, pages + listed);
	}
	if (!status_is_success(status) && listed == 0)
		return status;
	*count = listed;
	return STATUS_SUCCESS;
}

NTSTATUS vm_reset_write_watch(const void *base, size_t size_bytes)
{
	struct vm_range range;
	NTSTATUS status = rules_range(base, size_bytes, OS_PAGE_SIZE, &range);
	const struct vad *vad;

	if (!status_is_success(status) || !base)
		return STATUS_INVALID_PARAMETER;
	lock_acquire(&vm_lock);
	vad = watched_around(&range);
	status = vad ? watch_forget(vad, &range) : STATUS_INVALID_PARAMETER;
	lock_release(&vm_lock);
	return status;
}
