/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Locked pages with a system that refuses: nothing stays locked that was not. Linked with
 * os_fake.c. */

#include "core/vm/lockpages.h"

#include <errno.h>

#include "core/base/status.h"
#include "core/os/os.h"
#include "core/os/os_fake.h"
#include "core/vm/virtual.h"
#include "tests/lib/tap.h"

#define PAGE OS_PAGE_SIZE
#define PAGES 8

static char *region;

static NTSTATUS lock(int first, int count)
{
	void *base = region + first * (int)PAGE;
	size_t size_bytes = (size_t)count * PAGE;

	return lockpages_lock(&base, &size_bytes);
}

static NTSTATUS unlock(int first, int count)
{
	void *base = region + first * (int)PAGE;
	size_t size_bytes = (size_t)count * PAGE;

	return lockpages_unlock(&base, &size_bytes);
}

/* A bit for each page that is locked. */
static unsigned locked_pages(void)
{
	unsigned pages = 0;

	for (int i = 0; i < PAGES; i++)
		pages |= (unsigned)lockpages_is_locked((uintptr_t)region + (size_t)i * PAGE) << i;
	return pages;
}

/* Reading the quota fails first, which counts as nothing locked; then mlock. */
static void test_refused(void)
{
	int failures = 0, number = 0, made;
	bool is_right = true;

	do {
		NTSTATUS status;

		os_fake_fail(++number, -ENOMEM);
		status = lock(2, 4);
		made = os_fake_calls();
		os_fake_fail(0, 0);
		if (status == STATUS_SUCCESS) {
			is_right = is_right && locked_pages() == 0x3c;
			unlock(2, 4);
		} else {
			failures++;
			is_right = is_right && status == STATUS_WORKING_SET_QUOTA;
		}
		is_right = is_right && locked_pages() == 0;
	} while (made >= number);
	ok(is_right && failures > 0, "%d refusals, each leaves nothing locked", failures);
}

/* What the program counts on stays, whatever the new call came to. */
static void test_refused_over_locked(void)
{
	int number = 0, made;
	bool is_right = true;

	ok_equal(lock(4, 1), STATUS_SUCCESS, "a page is locked");
	do {
		os_fake_fail(++number, -ENOMEM);
		lock(2, 4);
		made = os_fake_calls();
		os_fake_fail(0, 0);
		is_right = is_right && (locked_pages() & 0x10);
	} while (made >= number);
	ok(is_right, "it stays locked when more cannot be");
	os_unlock_pages(region, PAGES * PAGE);
}

int main(void)
{
	static const struct vm_request request = { .api = API_VirtualAlloc };
	size_t size_bytes = PAGES * PAGE;
	void *base = NULL;

	vm_allocate(&base, &size_bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE, &request);
	region = base;
	if (lock(0, PAGES) != STATUS_SUCCESS)
		tap_skip_all("the system lets no pages be locked");
	ok_equal(locked_pages(), 0xff, "all pages are locked");
	ok_equal(unlock(0, PAGES), STATUS_SUCCESS, "and unlocked");
	test_refused();
	test_refused_over_locked();
	return tap_done();
}
