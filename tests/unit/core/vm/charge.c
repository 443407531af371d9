/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The totals after each step of a region's life, and of what POSIX calls do: addresses and commit
 * charge against what is expected, resident pages against /proc/self/smaps. Then the limit of the
 * charge. */

#include "core/vm/charge.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "core/base/status.h"
#include "core/core.h"
#include "core/host.h"
#include "core/vm/posix.h"
#include "core/vm/virtual.h"
#include "tests/lib/tap.h"
#include "tests/unit/core/vm/replay.h"

#define PAGE OS_PAGE_SIZE
#define PAGES 128
#define UNTOUCHED 0xdeadbeef

static char *window;
static struct charge start;

/* Resident pages of the window. */
static uint64_t resident_pages(void)
{
	FILE *list = fopen("/proc/self/smaps", "re");
	unsigned long base = 0, end, kib, sum = 0;
	char line[512];

	while (list && fgets(line, sizeof line, list)) {
		if (sscanf(line, "%lx-%lx ", &base, &end) == 2)
			continue;
		if (sscanf(line, "Rss: %lu kB", &kib) == 1 && base >= (uintptr_t)window &&
		    base < (uintptr_t)window + PAGES * PAGE)
			sum += kib;
	}
	if (list)
		fclose(list);
	return sum * 1024 / PAGE;
}

static void expect(uint64_t reserved, uint64_t committed, uint64_t resident, const char *what)
{
	struct charge now;

	vm_check();
	charge_read(&now);
	ok_equal((now.reserved_bytes - start.reserved_bytes) / PAGE, reserved, "%s: addresses",
		 what);
	ok_equal((now.committed_bytes - start.committed_bytes) / PAGE, committed, "%s: charge",
		 what);
	ok_equal(resident_pages(), resident, "%s: resident", what);
}

static uint64_t protected_pages(uint32_t protect)
{
	struct charge now;

	charge_read(&now);
	return (now.protected_bytes[__builtin_ctz(protect)] -
		start.protected_bytes[__builtin_ctz(protect)]) /
	       PAGE;
}

static void test_region(void)
{
	DWORD old;

	VirtualAlloc(window, 64 * PAGE, MEM_RESERVE, PAGE_READWRITE);
	expect(64, 0, 0, "reserved");
	VirtualAlloc(window, 16 * PAGE, MEM_COMMIT, PAGE_READWRITE);
	expect(64, 16, 0, "committed, untouched");
	memset(window, 'x', 8 * PAGE);
	expect(64, 16, 8, "touched");
	VirtualAlloc(window + 4 * PAGE, 16 * PAGE, MEM_COMMIT, PAGE_READONLY);
	expect(64, 20, 8, "committed over committed");
	ok_equal(protected_pages(PAGE_READONLY), 16, "read-only ones");
	ok_equal(protected_pages(PAGE_READWRITE), 4, "writable ones");
	VirtualProtect(window, 20 * PAGE, PAGE_NOACCESS, &old);
	expect(64, 20, 8, "without access, and charged still");
	ok_equal(protected_pages(PAGE_NOACCESS), 20, "all without access");
	VirtualFree(window, 6 * PAGE, MEM_DECOMMIT);
	expect(64, 14, 2, "decommitted");
	VirtualFree(window, 0, MEM_RELEASE);
	expect(0, 0, 0, "released");
}

static void test_guard(void)
{
	struct charge now;

	VirtualAlloc(window, 16 * PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE | PAGE_GUARD);
	charge_read(&now);
	ok_equal((now.guarded_bytes - start.guarded_bytes) / PAGE, 16, "guarded");
	ok_equal(protected_pages(PAGE_READWRITE), 16, "they have a protection, too");
	VirtualFree(window, 0, MEM_RELEASE);
	expect(0, 0, 0, "guards released");
}

static void test_placeholders(void)
{
	char *kept;

	kept = VirtualAlloc2(NULL, window, 32 * PAGE, MEM_RESERVE | MEM_RESERVE_PLACEHOLDER,
			     PAGE_NOACCESS, NULL, 0);
	ok(kept == window, "a placeholder");
	VirtualFree(kept + 4 * PAGE, 4 * PAGE, MEM_RELEASE | MEM_PRESERVE_PLACEHOLDER);
	expect(32, 0, 0, "cut");
	VirtualAlloc2(NULL, kept + 4 * PAGE, 4 * PAGE,
		      MEM_RESERVE | MEM_COMMIT | MEM_REPLACE_PLACEHOLDER, PAGE_READWRITE, NULL, 0);
	kept[5 * PAGE] = 1;
	expect(32, 4, 1, "replaced");
	VirtualFree(kept + 4 * PAGE, 4 * PAGE, MEM_RELEASE | MEM_PRESERVE_PLACEHOLDER);
	expect(32, 0, 0, "back");
	VirtualFree(kept, 32 * PAGE, MEM_RELEASE | MEM_COALESCE_PLACEHOLDERS);
	expect(32, 0, 0, "joined");
	VirtualFree(kept, 0, MEM_RELEASE);
	expect(0, 0, 0, "placeholder released");
}

/* A program that uses POSIX calls on VirtualAlloc's addresses as well. */
static void test_posix(void)
{
	int anonymous = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;

	VirtualAlloc(window, 64 * PAGE, MEM_RESERVE, PAGE_READWRITE);
	posix_mmap(window + 16 * PAGE, 16 * PAGE, PROT_READ | PROT_WRITE, anonymous, -1, 0,
		   API_mmap);
	memset(window + 16 * PAGE, 'x', 16 * PAGE);
	expect(64, 16, 16, "mmap over a reservation");
	posix_munmap(window + 20 * PAGE, 4 * PAGE, API_munmap);
	expect(60, 12, 12, "munmap of a part");
	posix_advise(window + 16 * PAGE, 4 * PAGE, MADV_DONTNEED, API_madvise);
	expect(60, 12, 8, "MADV_DONTNEED");
	posix_mprotect(window + 24 * PAGE, 8 * PAGE, PROT_NONE, API_mprotect);
	expect(60, 4, 8, "mprotect to nothing");
	posix_mprotect(window + 24 * PAGE, 8 * PAGE, PROT_READ | PROT_WRITE, API_mprotect);
	expect(60, 12, 8, "and back");
	posix_mremap(window + 24 * PAGE, 8 * PAGE, 4 * PAGE, 0, NULL, API_mremap);
	expect(56, 8, 4, "mremap to less");
	posix_mremap(window + 24 * PAGE, 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		     window + 80 * PAGE, API_mremap);
	expect(60, 12, 4, "mremap to elsewhere, and more");
	posix_munmap(window, PAGES * PAGE, API_munmap);
	expect(0, 0, 0, "munmap of all");
}

/* What is refused leaves everything as it was. */
static void expect_refused(void *got, const char *what)
{
	DWORD error = GetLastError();

	ok(!got, "%s: refused", what);
	ok_equal(error, ERROR_COMMITMENT_LIMIT, "%s: the error", what);
}

static void test_limit(void)
{
	struct charge now;
	void *got;

	charge_read(&now);
	core_set_commit_limit(core_commit_charge() + 20 * PAGE);
	ok_equal(charge_limit(), now.committed_bytes + 20 * PAGE, "the limit");
	got = VirtualAlloc(window, 64 * PAGE, MEM_RESERVE, PAGE_READWRITE);
	ok(got == window, "addresses cost nothing");
	ok(VirtualAlloc(window, 12 * PAGE, MEM_COMMIT, PAGE_READWRITE) != NULL, "below the limit");
	SetLastError(UNTOUCHED);
	expect_refused(VirtualAlloc(window + 8 * PAGE, 16 * PAGE, MEM_COMMIT, PAGE_READWRITE),
		       "a commit past it");
	SetLastError(UNTOUCHED);
	expect_refused(VirtualAlloc(NULL, 9 * PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE),
		       "a new region past it");
	expect(64, 12, 0, "refused");
	ok(VirtualAlloc(window, 20 * PAGE, MEM_COMMIT, PAGE_READWRITE) != NULL,
	   "up to the limit, counting only what is new");
	ok(VirtualAlloc(window, 20 * PAGE, MEM_COMMIT, PAGE_READONLY) != NULL, "again at no cost");
	VirtualFree(window, PAGE, MEM_DECOMMIT);
	ok(VirtualAlloc(window + 40 * PAGE, PAGE, MEM_COMMIT, PAGE_READWRITE) != NULL,
	   "what was given back can be had again");
	ok(posix_mmap(window + 64 * PAGE, PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0, API_mmap) > 0,
	   "POSIX calls are counted, and not refused");
	expect(65, 21, 0, "over the limit");
	SetLastError(UNTOUCHED);
	expect_refused(VirtualAlloc(window + 41 * PAGE, PAGE, MEM_COMMIT, PAGE_READWRITE),
		       "over it nothing more");
	charge_let_past(true);
	ok(VirtualAlloc(window + 41 * PAGE, PAGE, MEM_COMMIT, PAGE_READWRITE) != NULL,
	   "but for a thread that is let past");
	charge_let_past(false);
	expect(65, 22, 0, "and that counts");
	SetLastError(UNTOUCHED);
	expect_refused(VirtualAlloc(window + 42 * PAGE, PAGE, MEM_COMMIT, PAGE_READWRITE),
		       "no longer");
	charge_set_limit(0);
	ok(VirtualAlloc(window, 64 * PAGE, MEM_COMMIT, PAGE_READWRITE) != NULL, "without a limit");
	posix_munmap(window, PAGES * PAGE, API_munmap);
	expect(0, 0, 0, "all gone");
}

static void test_limit_of_placeholders(void)
{
	struct charge now;
	void *kept = VirtualAlloc2(NULL, window, 32 * PAGE, MEM_RESERVE | MEM_RESERVE_PLACEHOLDER,
				   PAGE_NOACCESS, NULL, 0);

	charge_read(&now);
	charge_set_limit(now.committed_bytes + 31 * PAGE);
	SetLastError(UNTOUCHED);
	expect_refused(VirtualAlloc2(NULL, kept, 32 * PAGE,
				     MEM_RESERVE | MEM_COMMIT | MEM_REPLACE_PLACEHOLDER,
				     PAGE_READWRITE, NULL, 0),
		       "a successor past the limit");
	charge_set_limit(0);
	expect(32, 0, 0, "the placeholder stays");
	VirtualFree(kept, 0, MEM_RELEASE);
}

int main(void)
{
	/* Pages that come one by one. */
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	window = replay_find_window(PAGES * PAGE);
	charge_read(&start);
	test_region();
	test_guard();
	test_placeholders();
	test_posix();
	test_limit();
	test_limit_of_placeholders();
	return tap_done();
}
