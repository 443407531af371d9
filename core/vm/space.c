/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Placement in an address space that we share: the system knows what is free, we do not. So we ask
 * for what lies just below the last range that we took or gave back, which is nearly always free
 * and costs one system call; else for more than is needed, and trim:
 *
 *   asked for   |-------------------------------|
 *   kept             |====================|           ends as high as the alignment lets it
 *   given back  |---|                      |----|
 *
 * Ranges grow downwards one below the other, so equal neighbours become one mapping of the
 * kernel's. Guarded by: vm_lock. */

#include "core/vm/space.h"

#include <errno.h>

#include "core/base/check.h"
#include "core/os/os.h"
#include "core/os/pager.h"
#include "core/types.h"
#include "core/vm/vad.h"

/* Where the next range should end; 0: nothing is known. */
static uintptr_t wished_end;

static intptr_t take_below_last(size_t size_bytes, size_t alignment_bytes, uint32_t state)
{
	uintptr_t base;

	if (wished_end < size_bytes + SPACE_GRANULARITY)
		return -ENOMEM;
	base = (wished_end - size_bytes) & ~(alignment_bytes - 1);
	if (base < SPACE_GRANULARITY)
		return -ENOMEM;
	return pager->get((void *)base, size_bytes, state);
}

static int trim(uintptr_t base, uintptr_t end)
{
	return base < end ? pager->put((void *)base, end - base) : 0;
}

static intptr_t take_and_trim(size_t size_bytes, size_t alignment_bytes, uint32_t state)
{
	size_t asked_bytes = size_bytes + alignment_bytes - OS_PAGE_SIZE;
	uintptr_t asked, base;
	intptr_t got;

	if (asked_bytes < size_bytes)
		return -ENOMEM;
	got = pager->get(NULL, asked_bytes, state);
	if (got < 0)
		return got;
	asked = (uintptr_t)got;
	base = (asked + asked_bytes - size_bytes) & ~(alignment_bytes - 1);
	if (trim(asked, base) < 0 || trim(base + size_bytes, asked + asked_bytes) < 0) {
		pager->put((void *)asked, asked_bytes);
		return -ENOMEM;
	}
	return (intptr_t)base;
}

/* Near vm.max_map_count the system may have no room for the boundary that a hole needs. The
 * contents go back all the same; the addresses stay taken, and nobody gets them again. */
static int leave_empty(uintptr_t base, size_t size_bytes)
{
	return pager->discard((void *)base, size_bytes);
}

intptr_t space_take(uintptr_t base, size_t size_bytes, size_t alignment_bytes, uint32_t state)
{
	intptr_t got;

	check_debug(lock_is_mine(&vm_lock), "addresses taken without the lock");
	if (base)
		return pager->get((void *)base, size_bytes, state);
	got = take_below_last(size_bytes, alignment_bytes, state);
	if (got < 0)
		got = take_and_trim(size_bytes, alignment_bytes, state);
	if (got >= 0)
		wished_end = (uintptr_t)got;
	return got;
}

int space_give_back(uintptr_t base, size_t size_bytes)
{
	int error = pager->put((void *)base, size_bytes);

	if (error == -ENOMEM)
		return leave_empty(base, size_bytes);
	if (error == 0)
		wished_end = base + size_bytes;
	return error;
}
