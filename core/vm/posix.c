/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* mmap, munmap, mprotect, madvise: each performs the system call and writes down what it did.
 *
 *   what ends is told   ->   system call   ->   the tree is cut, what begins is recorded and told
 *                                          ->   on failure: told to exist again
 *
 * Guarded by: vm_lock, also while the system works, so that records and system agree on the order.
 * Arguments that cannot be right go to the system as they are; it knows the error. */

#include "core/vm/posix.h"

#include <errno.h>
#include <linux/mman.h>
#include <sys/mman.h>

#include "core/base/check.h"
#include "core/vm/mapping.h"
#include "core/vm/parking.h"
#include "core/vm/posix_range.h"
#include "core/vm/tell.h"
#include "core/vm/vad.h"
#include "core/vm/writewatch.h"

#define HUGE_SHIFT_DEFAULT 21

/* Bytes that a mapping of this size really takes: whole pages, or whole huge pages. */
static size_t mapped_bytes(size_t size_bytes, int flags)
{
	size_t page = OS_PAGE_SIZE;
	int shift = (flags >> MAP_HUGE_SHIFT) & MAP_HUGE_MASK;

	if (flags & MAP_HUGETLB)
		page = (size_t)1 << (shift ? shift : HUGE_SHIFT_DEFAULT);
	return (size_bytes + page - 1) & ~(page - 1);
}

static bool replaces(int flags)
{
	return (flags & MAP_FIXED) && !(flags & MAP_FIXED_NOREPLACE);
}

static bool is_shared(int flags)
{
	int kind = flags & MAP_TYPE;

	return kind == MAP_SHARED || kind == MAP_SHARED_VALIDATE;
}

/* The range to be replaced was told to have ended, and the system refused. Without memory, or by a
 * file's own word, it may have taken something away all the same. */
static void take_back_end(const struct posix_range *range, uint16_t api)
{
	tell_mapped(range->base, range->end, api);
	mapping_compare(range->base, range->end, api);
}

static intptr_t map_locked(void *address, size_t size_bytes, int prot, int flags, int fd,
			   off_t offset, uint16_t api)
{
	struct posix_range range = { 0, 0 };
	bool has_place = address && posix_range(address, size_bytes, &range);
	bool ends_others = has_place && replaces(flags);
	intptr_t got;

	if (has_place)
		parking_clear(range.base, range.end);
	if (!vad_prepare())
		return -ENOMEM;
	if (ends_others)
		tell_unmapped(range.base, range.end, api);
	got = os_map(address, size_bytes, prot, flags, fd, offset);
	if (got < 0) {
		if (ends_others)
			take_back_end(&range, api);
		return got;
	}
	range.base = (uintptr_t)got;
	range.end = range.base + mapped_bytes(size_bytes, flags);
	if (!ends_others)
		tell_unmapped(range.base, range.end, api);
	mapping_record(&(struct mapping){ .base = range.base,
					  .end = range.end,
					  .prot = prot & (PROT_READ | PROT_WRITE | PROT_EXEC),
					  .is_file = !(flags & MAP_ANONYMOUS),
					  .is_shared = is_shared(flags),
					  .file_offset = (uint64_t)offset,
					  .origin = VAD_ORIGIN_POSIX },
		       api);
	return got;
}

intptr_t posix_mmap(void *address, size_t size_bytes, int prot, int flags, int fd, off_t offset,
		    enum api api)
{
	intptr_t got;

	lock_acquire(&vm_lock);
	got = map_locked(address, size_bytes, prot, flags, fd, offset, (uint16_t)api);
	if (got == -ENOMEM && parking_clear_all())
		got = map_locked(address, size_bytes, prot, flags, fd, offset, (uint16_t)api);
	lock_release(&vm_lock);
	return got;
}

static int unmap_locked(const struct posix_range *range, uint16_t api)
{
	int error;

	parking_clear(range->base, range->end);
	if (!vad_prepare())
		return -ENOMEM;
	tell_unmapped(range->base, range->end, api);
	error = os_unmap((void *)range->base, range->end - range->base);
	if (error < 0)
		tell_mapped(range->base, range->end, api);
	else
		vad_cut(range->base, range->end);
	return error;
}

int posix_munmap(void *address, size_t size_bytes, enum api api)
{
	struct posix_range range;
	int error;

	if (!posix_range(address, size_bytes, &range))
		return os_unmap(address, size_bytes);
	lock_acquire(&vm_lock);
	error = unmap_locked(&range, (uint16_t)api);
	lock_release(&vm_lock);
	return error;
}

/* A failed mprotect may have done the first part of its range. */
static int protect_locked(const struct posix_range *range, int prot, uint16_t api)
{
	int error;

	parking_clear(range->base, range->end);
	parking_hold_all(range->base, range->end);
	if (!vad_prepare())
		return -ENOMEM;
	error = os_protect((void *)range->base, range->end - range->base, prot);
	if (error == 0 && !(prot & (PROT_GROWSDOWN | PROT_GROWSUP))) {
		mapping_protect(range->base, range->end, prot, api);
		watch_protect_again(range->base, range->end);
	} else if (error == 0 || error == -ENOMEM || error == -EACCES)
		mapping_compare(range->base, range->end, api);
	return error;
}

int posix_mprotect(void *address, size_t size_bytes, int prot, enum api api)
{
	struct posix_range range;
	int error;

	if (!posix_range(address, size_bytes, &range))
		return os_protect(address, size_bytes, prot);
	lock_acquire(&vm_lock);
	error = protect_locked(&range, prot, (uint16_t)api);
	if (error == -ENOMEM && parking_clear_all())
		error = protect_locked(&range, prot, (uint16_t)api);
	lock_release(&vm_lock);
	return error;
}

/* Advice after which the contents are gone, or may go. */
static bool resets(int advice)
{
	return advice == MADV_DONTNEED || advice == MADV_FREE || advice == MADV_REMOVE ||
	       advice == MADV_DONTNEED_LOCKED;
}

static int advise_locked(const struct posix_range *range, int advice, uint16_t api)
{
	int error;

	parking_clear(range->base, range->end);
	parking_hold_all(range->base, range->end);
	if (resets(advice))
		watch_remember_all(range->base, range->end);
	error = os_advise((void *)range->base, range->end - range->base, advice);
	/* Where nothing is mapped the system goes on, and says so at the end. */
	if ((error == 0 || error == -ENOMEM) && resets(advice))
		tell(&(struct tell_range){ .kind = EVENT_VAD_RESET,
					   .api = api,
					   .base = range->base,
					   .end = range->end });
	return error;
}

/* Other advice changes no record, but what the region's next owner would find. */
int posix_advise(void *address, size_t size_bytes, int advice, enum api api)
{
	struct posix_range range;
	int error;

	if (!(resets(advice) || parking_is_used()) || !posix_range(address, size_bytes, &range))
		return os_advise(address, size_bytes, advice);
	lock_acquire(&vm_lock);
	error = advise_locked(&range, advice, (uint16_t)api);
	lock_release(&vm_lock);
	return error;
}

int posix_take_in_maps(void)
{
	int error;

	lock_acquire(&vm_lock);
	tell_untold(API_NONE);
	error = mapping_compare(0, OS_USER_END, API_NONE);
	lock_release(&vm_lock);
	return error;
}
