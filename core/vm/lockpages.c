/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Locks by mlock. Whether a page is locked is asked of the system: msync with MS_INVALIDATE alone
 * does nothing but to refuse ranges in which a page is locked. How many are is in
 * /proc/self/status. Guarded by: vm_lock, so that two calls do not share one quota. */

#include "core/vm/lockpages.h"

#include <errno.h>
#include <sys/mman.h>

#include "core/base/status.h"
#include "core/os/os.h"
#include "core/os/text_file.h"
#include "core/vm/guard.h"
#include "core/vm/region.h"
#include "core/vm/rules.h"
#include "core/vm/vad.h"
#include "core/vm/virtual.h"
#include "core/vm/working_set.h"

#ifndef MADV_COLD
#define MADV_COLD 20
#endif

static bool is_any_locked(uintptr_t base, uintptr_t end)
{
	return os_sync_pages((void *)base, end - base, MS_INVALIDATE) == -EBUSY;
}

bool lockpages_is_locked(uintptr_t page_base)
{
	return is_any_locked(page_base, page_base + OS_PAGE_SIZE);
}

static size_t count_unlocked(const struct vm_range *range)
{
	size_t count = 0;

	if (!is_any_locked(range->base, range->end))
		return (range->end - range->base) / OS_PAGE_SIZE;
	for (uintptr_t at = range->base; at < range->end; at += OS_PAGE_SIZE)
		count += !lockpages_is_locked(at);
	return count;
}

static bool are_all_locked(const struct vm_range *range)
{
	for (uintptr_t at = range->base; at < range->end; at += OS_PAGE_SIZE) {
		if (!lockpages_is_locked(at))
			return false;
	}
	return true;
}

/* Pages of the whole process. */
static size_t count_locked(void)
{
	struct text_file file;
	uint64_t size_bytes;

	if (text_file_read(&file, "/proc/self/status") < 0 ||
	    !text_file_find_kib(&file, "VmLck", &size_bytes))
		return 0;
	return size_bytes / OS_PAGE_SIZE;
}

/* The attempt to lock a guard page is a touch of it: the next one succeeds. */
static NTSTATUS fire_guard(uintptr_t page_base)
{
	struct vm_range range = { page_base, page_base + OS_PAGE_SIZE };
	struct vad *vad;

	lock_acquire(&vm_lock);
	vad = region_around(&range);
	if (vad)
		guard_fire_in(vad, &range);
	lock_release(&vm_lock);
	return STATUS_GUARD_PAGE_VIOLATION;
}

/* Whether the range is one that can be locked. */
static NTSTATUS check_range(const struct vm_range *range)
{
	MEMORY_BASIC_INFORMATION info;

	for (uintptr_t at = range->base; at < range->end; at += info.RegionSize) {
		NTSTATUS status = vm_query((void *)at, &info);

		if (!status_is_success(status))
			return status;
		if (info.State != MEM_COMMIT || info.Protect & PAGE_NOACCESS)
			return STATUS_ACCESS_VIOLATION;
		if (info.Protect & PAGE_GUARD)
			return fire_guard(at);
	}
	return STATUS_SUCCESS;
}

static bool is_within_quota(const struct vm_range *range)
{
	size_t quota = working_set_minimum_locked() / OS_PAGE_SIZE - LOCKPAGES_FLUID_PAGES;
	size_t locked = count_locked(), wanted = (range->end - range->base) / OS_PAGE_SIZE;

	/* Too many whatever is locked already; there may be too many to look at each. */
	if (wanted > quota + locked)
		return false;
	wanted = count_unlocked(range);
	return wanted == 0 || (locked <= quota && wanted <= quota - locked);
}

/* When the system gives up half-way, locks of before cannot be told from new ones: then nothing is
 * unlocked that the program may count on. */
static NTSTATUS lock_locked(const struct vm_range *range)
{
	bool was_locked = is_any_locked(range->base, range->end);
	int error;

	if (!is_within_quota(range))
		return STATUS_WORKING_SET_QUOTA;
	error = os_lock_pages((void *)range->base, range->end - range->base);
	if (error < 0) {
		if (!was_locked)
			os_unlock_pages((void *)range->base, range->end - range->base);
		return STATUS_WORKING_SET_QUOTA;
	}
	return was_locked ? STATUS_WAS_LOCKED : STATUS_SUCCESS;
}

static void answer(const struct vm_range *range, void **base, size_t *size_bytes)
{
	*base = (void *)range->base;
	*size_bytes = range->end - range->base;
}

NTSTATUS lockpages_lock(void **base, size_t *size_bytes)
{
	struct vm_range range;
	NTSTATUS status = rules_range(*base, *size_bytes, OS_PAGE_SIZE, &range);

	if (status_is_success(status))
		status = check_range(&range);
	if (!status_is_success(status))
		return status;
	lock_acquire(&vm_lock);
	status = lock_locked(&range);
	lock_release(&vm_lock);
	if (status_is_success(status))
		answer(&range, base, size_bytes);
	return status;
}

/* All pages were locked: they are again when the system gives up half-way. */
static NTSTATUS unlock_locked(const struct vm_range *range)
{
	int error;

	if (!are_all_locked(range)) {
		os_advise((void *)range->base, range->end - range->base, MADV_COLD);
		return STATUS_NOT_LOCKED;
	}
	error = os_unlock_pages((void *)range->base, range->end - range->base);
	if (error < 0)
		os_lock_pages((void *)range->base, range->end - range->base);
	return status_from_os(error);
}

NTSTATUS lockpages_unlock(void **base, size_t *size_bytes)
{
	struct vm_range range;
	NTSTATUS status = rules_range(*base, *size_bytes, OS_PAGE_SIZE, &range);

	if (!status_is_success(status))
		return status;
	lock_acquire(&vm_lock);
	status = unlock_locked(&range);
	lock_release(&vm_lock);
	if (status_is_success(status))
		answer(&range, base, size_bytes);
	return status;
}
