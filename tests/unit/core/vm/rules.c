/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The rules for arguments, row by row. */

#include "core/vm/rules.h"

#include "core/base/status.h"
#include "core/os/os.h"
#include "tests/lib/tap.h"

#define OK STATUS_SUCCESS
#define BAD STATUS_INVALID_PARAMETER
#define NO_PROTECTION STATUS_INVALID_PAGE_PROTECTION

static const struct {
	uint32_t type;
	NTSTATUS status;
} types[] = {
	{ MEM_RESERVE, OK },
	{ MEM_COMMIT, OK },
	{ MEM_RESERVE | MEM_COMMIT, OK },
	{ MEM_RESERVE | MEM_TOP_DOWN, OK },
	{ MEM_RESET, OK },
	{ MEM_RESET_UNDO, OK },
	{ 0, BAD },
	{ MEM_TOP_DOWN, BAD },
	{ MEM_RESET | MEM_COMMIT, BAD },
	{ MEM_RESET | MEM_RESET_UNDO, BAD },
	{ MEM_RESET_UNDO | MEM_RESERVE, BAD },
	{ MEM_RESERVE | MEM_RELEASE, BAD },
	{ MEM_RESERVE | 1, BAD },
	{ MEM_RESERVE | MEM_PHYSICAL | MEM_COMMIT, BAD },
	{ MEM_RESERVE | MEM_LARGE_PAGES, BAD },
	{ MEM_COMMIT | MEM_WRITE_WATCH, BAD },
	{ MEM_RESERVE | MEM_PHYSICAL, 0 },
	{ MEM_RESERVE | MEM_COMMIT | MEM_LARGE_PAGES, 0 },
	{ MEM_RESERVE | MEM_WRITE_WATCH, OK },
};

static const struct {
	uint32_t protect;
	NTSTATUS reserved;
	NTSTATUS committed;
} protections[] = {
	{ PAGE_NOACCESS, OK, OK },
	{ PAGE_READONLY, OK, OK },
	{ PAGE_READWRITE, OK, OK },
	{ PAGE_EXECUTE, OK, OK },
	{ PAGE_EXECUTE_READ, OK, OK },
	{ PAGE_EXECUTE_READWRITE, OK, OK },
	{ PAGE_WRITECOPY, NO_PROTECTION, NO_PROTECTION },
	{ PAGE_EXECUTE_WRITECOPY, NO_PROTECTION, NO_PROTECTION },
	{ 0, NO_PROTECTION, NO_PROTECTION },
	{ PAGE_READONLY | PAGE_READWRITE, NO_PROTECTION, NO_PROTECTION },
	{ PAGE_READWRITE | 0x800, NO_PROTECTION, NO_PROTECTION },
	{ PAGE_READWRITE | PAGE_NOCACHE, NO_PROTECTION, OK },
	{ PAGE_READWRITE | PAGE_WRITECOMBINE, NO_PROTECTION, OK },
	{ PAGE_READWRITE | PAGE_GUARD, NO_PROTECTION, OK },
	{ PAGE_NOACCESS | PAGE_NOCACHE, NO_PROTECTION, NO_PROTECTION },
	{ PAGE_NOACCESS | PAGE_GUARD, NO_PROTECTION, NO_PROTECTION },
	{ PAGE_READWRITE | PAGE_NOCACHE | PAGE_WRITECOMBINE, NO_PROTECTION, NO_PROTECTION },
};

#define GRANULE 0x10000

static const struct {
	uintptr_t base;
	size_t size_bytes;
	size_t granularity;
	NTSTATUS status;
	struct vm_range range;
} ranges[] = {
	{ 0, 1, GRANULE, OK, { 0, 0x1000 } },
	{ 0, 0x1001, GRANULE, OK, { 0, 0x2000 } },
	{ 0x123456, 1, GRANULE, OK, { 0x120000, 0x124000 } },
	{ 0x123456, 1, OS_PAGE_SIZE, OK, { 0x123000, 0x124000 } },
	/* Two bytes across the boundary of a page take both pages. */
	{ 0x123fff, 2, OS_PAGE_SIZE, OK, { 0x123000, 0x125000 } },
	{ 0x120000, 0, GRANULE, BAD, { 0, 0 } },
	{ 0x120000, SIZE_MAX, GRANULE, BAD, { 0, 0 } },
	{ 0, SIZE_MAX, GRANULE, BAD, { 0, 0 } },
	{ 0x1000, 0x1000, OS_PAGE_SIZE, BAD, { 0, 0 } },
	{ OS_USER_END - 0x1000, 0x1000, OS_PAGE_SIZE, OK, { OS_USER_END - 0x1000, OS_USER_END } },
	{ OS_USER_END - 0x1000, 0x1001, OS_PAGE_SIZE, BAD, { 0, 0 } },
	{ OS_USER_END, 1, OS_PAGE_SIZE, BAD, { 0, 0 } },
};

int main(void)
{
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		ok_equal((uint32_t)rules_allocation_type(types[i].type), (uint32_t)types[i].status,
			 "row %zu: type 0x%08x", i, types[i].type);
	for (size_t i = 0; i < sizeof protections / sizeof protections[0]; i++) {
		ok_equal((uint32_t)rules_protection(protections[i].protect, false),
			 (uint32_t)protections[i].reserved, "row %zu: reserve with 0x%03x", i,
			 protections[i].protect);
		ok_equal((uint32_t)rules_protection(protections[i].protect, true),
			 (uint32_t)protections[i].committed, "row %zu: commit with 0x%03x", i,
			 protections[i].protect);
	}
	for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
		struct vm_range range = { 0, 0 };

		ok_equal((uint32_t)rules_range((void *)ranges[i].base, ranges[i].size_bytes,
					       ranges[i].granularity, &range),
			 (uint32_t)ranges[i].status, "row %zu: a range", i);
		ok(range.base == ranges[i].range.base && range.end == ranges[i].range.end,
		   "row %zu: its pages", i);
	}
	return tap_done();
}
