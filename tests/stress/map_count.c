/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* At the system's limit of mappings (vm.max_map_count): a commit fails with an error that says so
 * and changes nothing, a release succeeds all the same, and afterwards everything works again. */

#include <stdio.h>

#include "core/core.h"
#include "core/vm/virtual.h"
#include "tests/lib/tap.h"

#define PAGE ((size_t)0x1000)
#define REGION 0x10000
#define LIMIT_MAX 300000

static long map_count_limit(void)
{
	FILE *file = fopen("/proc/sys/vm/max_map_count", "re");
	long limit = LIMIT_MAX;

	if (file && fscanf(file, "%ld", &limit) != 1)
		limit = LIMIT_MAX;
	if (file)
		fclose(file);
	return limit;
}

/* Commits every second page, each of which is a mapping; returns the first that cannot be. */
static size_t commit_until_full(char *base, size_t pages)
{
	size_t page;

	for (page = 1; page < pages; page += 2) {
		char *at = base + page * PAGE;

		if (VirtualAlloc(at, PAGE, MEM_COMMIT, PAGE_READWRITE) != at)
			break;
		*at = (char)page;
	}
	return page;
}

static int count_wrong(const char *base, size_t pages)
{
	int wrong = 0;

	for (size_t page = 1; page < pages; page += 2)
		wrong += base[page * PAGE] != (char)page;
	return wrong;
}

int main(void)
{
	size_t pages = (size_t)map_count_limit() + 1000, full;
	char *neighbours[3], *base;
	MEMORY_BASIC_INFORMATION info;

	if (pages > LIMIT_MAX)
		tap_skip_all("vm.max_map_count is too large to reach");
	base = VirtualAlloc(NULL, pages * PAGE, MEM_RESERVE, PAGE_READWRITE);
	for (int i = 0; i < 3; i++) {
		neighbours[i] =
			VirtualAlloc(NULL, REGION, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
		neighbours[i][0] = 'x';
	}
	full = commit_until_full(base, pages);
	ok(full < pages, "the limit was met");
	ok(GetLastError() == ERROR_COMMITMENT_LIMIT || GetLastError() == ERROR_NOT_ENOUGH_MEMORY,
	   "error %u says that something ran out", (unsigned)GetLastError());
	ok(VirtualQuery(base + full * PAGE, &info, sizeof info) && info.State == MEM_RESERVE,
	   "the page is reserved as before");
	ok_equal(count_wrong(base, full), 0, "the pages before keep their contents");
	ok(VirtualFree(neighbours[1], 0, MEM_RELEASE), "a release between neighbours succeeds");
	ok(neighbours[0][0] == 'x' && neighbours[2][0] == 'x', "and spares the neighbours");
	vm_check();
	ok(VirtualFree(base, 0, MEM_RELEASE), "the large region is released");
	ok(VirtualFree(neighbours[0], 0, MEM_RELEASE) && VirtualFree(neighbours[2], 0, MEM_RELEASE),
	   "the neighbours are");
	base = VirtualAlloc(NULL, REGION, MEM_RESERVE, PAGE_READWRITE);
	ok(commit_until_full(base, 16) == 17, "there is room again");
	vm_check();
	return tap_done();
}
