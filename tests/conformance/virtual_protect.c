/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The whole matrix of protections on private memory: from each to each, what the old one is said to
 * be, what the query says, and what may be touched. The same source is a native test of core and a
 * Windows program. */

#include "tests/conformance/both.h"

static const struct {
	DWORD protect;
	BOOL is_readable, is_writable;
} kinds[] = {
	{ PAGE_NOACCESS, FALSE, FALSE },
	{ PAGE_READONLY, TRUE, FALSE },
	{ PAGE_READWRITE, TRUE, TRUE },
	{ PAGE_EXECUTE_READ, TRUE, FALSE },
	{ PAGE_EXECUTE_READWRITE, TRUE, TRUE },
	{ PAGE_READONLY | PAGE_NOCACHE, TRUE, FALSE },
	{ PAGE_READWRITE | PAGE_NOCACHE, TRUE, TRUE },
	{ PAGE_READWRITE | PAGE_WRITECOMBINE, TRUE, TRUE },
	{ PAGE_EXECUTE_READWRITE | PAGE_NOCACHE, TRUE, TRUE },
	/* Whether code can be read is the hardware's affair. */
	{ PAGE_EXECUTE, TRUE, FALSE },
};

static BOOL is_modified(DWORD protect)
{
	return protect & (PAGE_NOCACHE | PAGE_WRITECOMBINE);
}

static void expect_kind(char *page, size_t kind, const char *what)
{
	/* Memory Protection Constants: PAGE_NOCACHE and PAGE_WRITECOMBINE are attributes of a page
	 * until its protection changes, and VirtualQuery's Protect is "the access protection of the
	 * pages in the region", modifiers with it. */
	if (is_modified(kinds[kind].protect))
		todo_wine("forgets what is no access");
	ok_equal(query(page).Protect, kinds[kind].protect, "%s: the query says 0x%x", what,
		 (unsigned)kinds[kind].protect);
	if (kinds[kind].protect != PAGE_EXECUTE)
		ok(can_read(page) == kinds[kind].is_readable, "%s: reading 0x%x", what,
		   (unsigned)kinds[kind].protect);
	ok(can_write(page) == kinds[kind].is_writable, "%s: writing 0x%x", what,
	   (unsigned)kinds[kind].protect);
}

static void test_change(char *page, size_t from, size_t to)
{
	DWORD old = UNTOUCHED, before;

	ok(VirtualProtect(page, PAGE, kinds[from].protect, &before), "from 0x%x",
	   (unsigned)kinds[from].protect);
	ok(VirtualProtect(page, PAGE, kinds[to].protect, &old), "to 0x%x",
	   (unsigned)kinds[to].protect);
	/* VirtualProtect: the old one is "the previous access protection value of the first page",
	 * modifiers with it. */
	if (is_modified(kinds[from].protect))
		todo_wine("forgets what is no access");
	ok_equal(old, kinds[from].protect, "the old one");
	expect_kind(page, to, "changed");
}

static void test_matrix(void)
{
	char *base = VirtualAlloc(NULL, GRANULE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

	base[0] = base[2 * PAGE] = 'x';
	for (size_t from = 0; from < COUNT(kinds); from++) {
		for (size_t to = 0; to < COUNT(kinds); to++)
			test_change(base + PAGE, from, to);
	}
	ok(base[0] == 'x' && base[2 * PAGE] == 'x' && can_write(base) && can_write(base + 2 * PAGE),
	   "the neighbours are as they were");
	VirtualFree(base, 0, MEM_RELEASE);
}

/* The protection of a commit is the pages' own, whatever the region's is. */
static void test_commit(void)
{
	for (size_t kind = 0; kind < COUNT(kinds); kind++) {
		char *base = VirtualAlloc(NULL, GRANULE, MEM_RESERVE, PAGE_READONLY);

		ok(VirtualAlloc(base, PAGE, MEM_COMMIT, kinds[kind].protect) == base,
		   "commit with 0x%x", (unsigned)kinds[kind].protect);
		expect_kind(base, kind, "committed");
		ok_equal(query(base).AllocationProtect, PAGE_READONLY, "the region keeps its own");
		VirtualFree(base, 0, MEM_RELEASE);
	}
}

/* What private memory cannot have. "The PAGE_NOCACHE flag cannot be used with the PAGE_GUARD,
 * PAGE_NOACCESS, or PAGE_WRITECOMBINE flags." */
static const struct {
	DWORD protect;
	const char *todo_wine;
} refused[] = {
	{ 0, NULL },
	{ PAGE_WRITECOPY, NULL },
	{ PAGE_EXECUTE_WRITECOPY, NULL },
	{ PAGE_READONLY | PAGE_READWRITE, NULL },
	{ PAGE_READWRITE | PAGE_EXECUTE, NULL },
	{ PAGE_NOCACHE, NULL },
	/* Memory Protection Constants: PAGE_NOCACHE "cannot be used with the PAGE_GUARD,
	 * PAGE_NOACCESS, or PAGE_WRITECOMBINE flags". */
	{ PAGE_NOACCESS | PAGE_NOCACHE, "takes it" },
	/* PAGE_WRITECOMBINE "cannot be specified with the PAGE_NOACCESS, PAGE_GUARD, and
	 * PAGE_NOCACHE flags". */
	{ PAGE_NOACCESS | PAGE_WRITECOMBINE, "takes it" },
	/* PAGE_GUARD: "This value cannot be used with PAGE_NOACCESS." */
	{ PAGE_NOACCESS | PAGE_GUARD, "takes it" },
	/* Once more the first two sentences. */
	{ PAGE_READWRITE | PAGE_NOCACHE | PAGE_WRITECOMBINE, "takes it" },
	{ PAGE_READWRITE | PAGE_GUARD | PAGE_NOCACHE, "takes it" },
	/* PAGE_TARGETS_INVALID: "Used along with any execute page protection". */
	{ PAGE_READWRITE | PAGE_TARGETS_INVALID, "takes it" },
	/* What is not in the list of constants is none. */
	{ PAGE_READWRITE | 0x800, "takes it" },
};

static void test_refused(void)
{
	char *base = VirtualAlloc(NULL, GRANULE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
	DWORD old;

	for (size_t i = 0; i < COUNT(refused); i++) {
		PVOID got;

		todo_wine(refused[i].todo_wine);
		ok_error(!VirtualProtect(base, PAGE, refused[i].protect, &old),
			 ERROR_INVALID_PARAMETER, "no change to a wrong protection");
		SetLastError(UNTOUCHED);
		got = VirtualAlloc(NULL, PAGE, MEM_RESERVE | MEM_COMMIT, refused[i].protect);
		todo_wine(refused[i].todo_wine);
		ok(!got, "row %zu: nothing is committed with it", i);
	}
	VirtualProtect(base, PAGE, PAGE_READWRITE, &old);
	VirtualFree(base, 0, MEM_RELEASE);
}

/* "When reserving, PAGE_GUARD, PAGE_NOCACHE or PAGE_WRITECOMBINE cannot be used: they are for
 * committed memory only." */
static void test_reserve(void)
{
	static const DWORD modifiers[] = { PAGE_GUARD, PAGE_NOCACHE, PAGE_WRITECOMBINE };

	for (size_t i = 0; i < COUNT(modifiers); i++) {
		/* The article of the seeds: when a region is reserved, PAGE_GUARD, PAGE_NOCACHE and
		 * PAGE_WRITECOMBINE cannot be used, they apply to committed storage only. */
		todo_wine("takes it");
		ok_error(!VirtualAlloc(NULL, PAGE, MEM_RESERVE, PAGE_READWRITE | modifiers[i]),
			 ERROR_INVALID_PARAMETER, "no modifier of what is only reserved");
	}
}

/* "Used along with any execute page protection"; the query does not show it. */
static void test_targets(void)
{
	char *base = VirtualAlloc(NULL, GRANULE, MEM_RESERVE | MEM_COMMIT,
				  PAGE_EXECUTE_READ | PAGE_TARGETS_INVALID);
	DWORD old = 0;

	ok(base != NULL, "PAGE_TARGETS_INVALID with code");
	ok_equal(query(base).Protect, PAGE_EXECUTE_READ, "is not shown");
	ok_equal(query(base).AllocationProtect & 0xff, PAGE_EXECUTE_READ, "nor by the region");
	ok(VirtualProtect(base, PAGE, PAGE_EXECUTE_READWRITE | PAGE_TARGETS_NO_UPDATE, &old),
	   "PAGE_TARGETS_NO_UPDATE with code");
	ok_equal(old, PAGE_EXECUTE_READ, "nor as the old one");
	VirtualFree(base, 0, MEM_RELEASE);
}

/* Two bytes across the boundary of two pages change both; another region's page changes nothing. */
static void test_extent(void)
{
	char *base = VirtualAlloc(NULL, 2 * GRANULE, MEM_RESERVE, PAGE_READWRITE);
	DWORD old = 0;

	VirtualFree(base, 0, MEM_RELEASE);
	base = VirtualAlloc(base, GRANULE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
	VirtualAlloc(base + GRANULE, GRANULE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
	ok(VirtualProtect(base + 2 * PAGE - 1, 2, PAGE_READONLY, &old), "two bytes");
	ok_equal(query(base + PAGE).RegionSize, 2 * PAGE, "are two pages");
	/* VirtualProtect: "The pages cannot span adjacent reserved regions that were allocated by
	 * separate calls". STATUS_CONFLICTING_ADDRESSES becomes ERROR_INVALID_ADDRESS. */
	todo_wine("ERROR_INVALID_PARAMETER");
	ok_error(!VirtualProtect(base + GRANULE - 1, 2, PAGE_READONLY, &old), ERROR_INVALID_ADDRESS,
		 "two regions at once");
	ok(can_write(base + GRANULE - PAGE) && can_write(base + GRANULE), "nothing has changed");
	VirtualFree(base, 0, MEM_RELEASE);
	VirtualFree(base + GRANULE, 0, MEM_RELEASE);
}

int main(void)
{
	test_matrix();
	test_commit();
	test_refused();
	test_reserve();
	test_targets();
	test_extent();
	return tap_done();
}
