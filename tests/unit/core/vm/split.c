/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* One region becomes two: each has its pages, its own base and its own end. */

#include <string.h>

#include "core/base/status.h"
#include "core/types.h"
#include "core/vm/virtual.h"
#include "tests/lib/tap.h"

#define UNIT ((size_t)0x10000)

static const struct vm_request request = { .owner = EVENT_OWNER_HEAP };

static char *take(size_t size_bytes, uint32_t type)
{
	void *base = NULL;

	return vm_allocate(&base, &size_bytes, type, PAGE_READWRITE, &request) < 0 ? NULL : base;
}

static NTSTATUS release(void *base)
{
	size_t whole = 0;

	return vm_free(&base, &whole, MEM_RELEASE, &request);
}

static void test_two_regions(void)
{
	char *base = take(4 * UNIT, MEM_RESERVE | MEM_COMMIT);
	MEMORY_BASIC_INFORMATION first, second;

	memset(base, 7, 4 * UNIT);
	ok_equal((unsigned)vm_split(base, 4 * UNIT, UNIT, &request), (unsigned)STATUS_SUCCESS,
		 "a committed region can be split");
	vm_query(base, &first);
	vm_query(base + 3 * UNIT, &second);
	ok(first.AllocationBase == base && first.RegionSize == UNIT, "the first has its size");
	ok(second.AllocationBase == base + UNIT && second.State == MEM_COMMIT &&
		   second.AllocationProtect == PAGE_READWRITE,
	   "the second has a base of its own");
	ok_equal((unsigned)release(base), (unsigned)STATUS_SUCCESS, "the first goes");
	ok(base[UNIT] == 7 && base[4 * UNIT - 1] == 7, "the second's pages are as they were");
	ok_equal((unsigned)release(base + UNIT), (unsigned)STATUS_SUCCESS, "the second goes");
	vm_query(base + UNIT, &second);
	ok_equal(second.State, (unsigned)MEM_FREE, "nothing is left");
}

/* Where a region of 4 units is to be split, and what is answered. */
static const struct {
	size_t size_bytes;
	size_t first_bytes;
	NTSTATUS status;
} refused[] = {
	{ 4 * UNIT, 0, STATUS_INVALID_PARAMETER },
	{ 4 * UNIT, 4 * UNIT, STATUS_INVALID_PARAMETER },
	{ 4 * UNIT, UNIT / 2, STATUS_INVALID_PARAMETER },
	{ 3 * UNIT, UNIT, STATUS_MEMORY_NOT_ALLOCATED },
};

static void test_refused(void)
{
	char *base = take(4 * UNIT, MEM_RESERVE | MEM_COMMIT);
	char *reserved = take(4 * UNIT, MEM_RESERVE);

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		ok_equal((unsigned)vm_split(base, refused[i].size_bytes, refused[i].first_bytes,
					    &request),
			 (unsigned)refused[i].status, "row %zu: refused", i);
	ok_equal((unsigned)vm_split(reserved, 4 * UNIT, UNIT, &request),
		 (unsigned)STATUS_NOT_COMMITTED, "a reserved region stays whole");
	ok_equal((unsigned)release(base), (unsigned)STATUS_SUCCESS, "the region is as it was");
	release(reserved);
}

int main(void)
{
	test_two_regions();
	test_refused();
	vm_check();
	return tap_done();
}
