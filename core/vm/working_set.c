/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Limits are a record of ours; pages come from /proc/self/pagemap, one word each:
 *
 *   63 in memory   62 in swap   61 of a file, or shared   56 mapped here alone
 *
 * Guarded by: vm_lock. */

#include "core/vm/working_set.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "core/base/check.h"
#include "core/base/lock.h"
#include "core/base/status.h"
#include "core/os/os.h"
#include "core/vm/large.h"
#include "core/vm/lockpages.h"
#include "core/vm/machine.h"
#include "core/vm/vad.h"
#include "core/vm/virtual.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

#define PAGES(count) ((count)*OS_PAGE_SIZE)
#define MINIMUM_LEAST PAGES(20)
#define MAXIMUM_LEAST PAGES(13)
/* Of the machine's free pages, so many are nobody's. */
#define SYSTEM_RESERVE PAGES(512)
#define MINIMUM_FLAGS (QUOTA_LIMITS_HARDWS_MIN_ENABLE | QUOTA_LIMITS_HARDWS_MIN_DISABLE)
#define MAXIMUM_FLAGS (QUOTA_LIMITS_HARDWS_MAX_ENABLE | QUOTA_LIMITS_HARDWS_MAX_DISABLE)

#define PAGEMAP_IS_PRESENT (UINT64_C(1) << 63)
#define PAGEMAP_IS_SHARED (UINT64_C(1) << 61)
#define PAGEMAP_IS_EXCLUSIVE (UINT64_C(1) << 56)

/* As every process begins. */
static struct working_set_limits current = {
	.minimum_bytes = PAGES(50),
	.maximum_bytes = PAGES(345),
	.flags = QUOTA_LIMITS_HARDWS_MIN_DISABLE | QUOTA_LIMITS_HARDWS_MAX_DISABLE,
};

void working_set_limits(struct working_set_limits *limits)
{
	struct working_set_limits copy;

	lock_acquire(&vm_lock);
	copy = current;
	lock_release(&vm_lock);
	*limits = copy;
}

size_t working_set_minimum_locked(void)
{
	check_debug(lock_is_mine(&vm_lock), "the working set read without the lock");
	return current.minimum_bytes;
}

/* The most that one process can have. */
static size_t system_maximum(void)
{
	struct machine_memory memory;

	if (machine_memory(&memory) < 0 || memory.available < SYSTEM_RESERVE + MINIMUM_LEAST)
		return MINIMUM_LEAST;
	return (memory.available - SYSTEM_RESERVE) & ~(OS_PAGE_SIZE - 1);
}

static bool is_both(uint32_t flags, uint32_t both)
{
	return (flags & both) == both;
}

static size_t at_least(size_t number, size_t least)
{
	return number < least ? least : number;
}

NTSTATUS working_set_set_limits(size_t minimum_bytes, size_t maximum_bytes, uint32_t flags)
{
	size_t most = system_maximum();

	if (flags & ~(MINIMUM_FLAGS | MAXIMUM_FLAGS) || is_both(flags, MINIMUM_FLAGS) ||
	    is_both(flags, MAXIMUM_FLAGS))
		return STATUS_INVALID_PARAMETER;
	if (minimum_bytes == 0 || minimum_bytes > maximum_bytes)
		return STATUS_INVALID_PARAMETER;
	minimum_bytes = at_least(minimum_bytes & ~(OS_PAGE_SIZE - 1), MINIMUM_LEAST);
	maximum_bytes = at_least(maximum_bytes & ~(OS_PAGE_SIZE - 1), MAXIMUM_LEAST);
	if (minimum_bytes > most)
		return STATUS_INSUFFICIENT_RESOURCES;
	lock_acquire(&vm_lock);
	current.minimum_bytes = minimum_bytes;
	current.maximum_bytes =
		at_least(maximum_bytes < most ? maximum_bytes : most, minimum_bytes);
	if (flags & MINIMUM_FLAGS)
		current.flags = (current.flags & ~MINIMUM_FLAGS) | (flags & MINIMUM_FLAGS);
	if (flags & MAXIMUM_FLAGS)
		current.flags = (current.flags & ~MAXIMUM_FLAGS) | (flags & MAXIMUM_FLAGS);
	lock_release(&vm_lock);
	return STATUS_SUCCESS;
}

/* The lock is not held while the system works: that is a hint, right for whoever is there. */
void working_set_empty(void)
{
	uintptr_t at = 0;

	for (;;) {
		const struct vad *vad;
		uintptr_t base = 0;

		lock_acquire(&vm_lock);
		vad = vad_find_from(at);
		if (vad) {
			base = vad_base(vad);
			at = vad_end(vad);
		}
		lock_release(&vm_lock);
		if (!vad)
			return;
		os_advise((void *)base, at - base, MADV_PAGEOUT);
	}
}

static PSAPI_WORKING_SET_EX_BLOCK describe(uintptr_t page_base, uint64_t entry)
{
	PSAPI_WORKING_SET_EX_BLOCK block = { .Flags = 0 };
	bool is_shared = entry & PAGEMAP_IS_SHARED;
	MEMORY_BASIC_INFORMATION info;
	int node;

	if (!status_is_success(vm_query((void *)page_base, &info)) || info.State != MEM_COMMIT)
		return block;
	if (!(entry & PAGEMAP_IS_PRESENT)) {
		block.Invalid.Shared = info.Type != MEM_PRIVATE;
		return block;
	}
	node = os_node_of_page((void *)page_base);
	block.Valid = 1;
	block.Win32Protection = info.Protect & 0x7ff;
	block.Shared = is_shared && info.Type != MEM_PRIVATE;
	if (block.Shared)
		block.ShareCount = entry & PAGEMAP_IS_EXCLUSIVE ? 1 : 2;
	block.Node = node < 0 ? 0 : (ULONG_PTR)node & 0x3f;
	block.Locked = lockpages_is_locked(page_base);
	block.LargePage = large_is_at(page_base);
	return block;
}

/* What the system says of a page; 0 of one past the last that a program may have. */
static NTSTATUS read_entry(int fd, uintptr_t page, uint64_t *entry)
{
	ssize_t got = os_read_at(fd, entry, sizeof *entry, (off_t)(page * sizeof *entry));

	if (got < 0)
		return status_from_os((int)got);
	if (got < (ssize_t)sizeof *entry)
		*entry = 0;
	return STATUS_SUCCESS;
}

NTSTATUS working_set_query(PSAPI_WORKING_SET_EX_INFORMATION *pages, size_t count)
{
	int fd = os_open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC, /* mode */ 0);

	NTSTATUS status = STATUS_SUCCESS;

	if (fd < 0)
		return status_from_os(fd);
	for (size_t i = 0; i < count && status_is_success(status); i++) {
		uintptr_t page = (uintptr_t)pages[i].VirtualAddress / OS_PAGE_SIZE;
		uint64_t entry = 0;

		status = read_entry(fd, page, &entry);
		if (status_is_success(status))
			pages[i].VirtualAttributes = describe(page * OS_PAGE_SIZE, entry);
	}
	os_close(fd);
	return status;
}
