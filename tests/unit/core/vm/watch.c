/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The system refuses the first call that an operation on a watched region makes, then the second,
 * and so on. Each time: success, or an error and everything as before; and in any case no written
 * page is missing from the list. By both means; linked with os_fake.c. */

#include "core/vm/writewatch.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/status.h"
#include "core/os/os_fake.h"
#include "core/vm/fault.h"
#include "core/vm/virtual.h"
#include "tests/lib/tap.h"

#define PAGES 31
#define PAGE OS_PAGE_SIZE
#define WRITTEN 0x4a /* pages 1, 3, 6 */

static const struct vm_request request = { .api = API_VirtualAlloc };
static char *region;

/* The pages that are listed, as bits; ~0u: an error. */
static uint32_t list(bool resets)
{
	void *pages[PAGES];
	size_t count = PAGES;
	uint32_t bits = 0;

	if (vm_get_write_watch(region, PAGES * PAGE, resets, pages, &count) < 0)
		return ~0u;
	for (size_t i = 0; i < count; i++)
		bits |= 1u << (((char *)pages[i] - region) / PAGE);
	return bits;
}

static bool allocate(void)
{
	void *base = NULL;
	size_t size_bytes = PAGES * PAGE;

	if (vm_allocate(&base, &size_bytes, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
			PAGE_READWRITE, &request) < 0)
		return false;
	region = base;
	return true;
}

static void set_up(void)
{
	allocate();
	region[PAGE] = region[3 * PAGE] = region[6 * PAGE] = 1;
}

static bool release(void)
{
	void *base = region;
	size_t size_bytes = 0;

	return vm_free(&base, &size_bytes, MEM_RELEASE, &request) >= 0;
}

/* The operations: whether each succeeded, and what is listed then. */

static bool reserve(void)
{
	char *before = region;
	bool is_made = allocate(), is_right = true;

	if (is_made) {
		region[5 * PAGE] = 1;
		is_right = list(/* resets */ false) == 0x20 && release();
		region = before;
	}
	return is_made && is_right;
}

static bool list_all(void)
{
	return list(/* resets */ false) == WRITTEN;
}

static bool list_and_reset(void)
{
	return list(/* resets */ true) == WRITTEN;
}

static bool reset(void)
{
	return vm_reset_write_watch(region, PAGES * PAGE) >= 0;
}

static bool decommit(void)
{
	void *base = region + 2 * PAGE;
	size_t size_bytes = 3 * PAGE;

	return vm_free(&base, &size_bytes, MEM_DECOMMIT, &request) >= 0;
}

static bool discard(void)
{
	return vm_discard(region + 2 * PAGE, 3 * PAGE, &request) >= 0;
}

static bool protect(void)
{
	void *base = region + 2 * PAGE;
	size_t size_bytes = 3 * PAGE;
	uint32_t old;

	return vm_protect(&base, &size_bytes, PAGE_READONLY, &old, &request) >= 0;
}

/* A refusal of the system's must not be seen by who writes. */
static bool write_more(void)
{
	region[6 * PAGE + 8] = 1;
	region[3 * PAGE + 8] = 1;
	return true;
}

static const struct {
	const char *name;
	bool (*operate)(void);
	uint32_t listed; /* after success; on failure all that was written is */
} rows[] = {
	{ "reserve", reserve, WRITTEN },      { "list", list_all, WRITTEN },
	{ "list, reset", list_and_reset, 0 }, { "reset", reset, 0 },
	{ "decommit", decommit, WRITTEN },    { "discard", discard, WRITTEN },
	{ "protect", protect, WRITTEN },      { "write", write_more, WRITTEN },
};

/* Whether the list says no less than it must, and no more than all when it may. */
static bool is_listed(uint32_t least)
{
	uint32_t listed = list(/* resets */ false);

	return listed != ~0u && (listed & least) == least;
}

static bool refuse_each_call(size_t row)
{
	int number = 0, made;
	bool is_right = true, is_success;

	do {
		set_up();
		os_fake_fail(++number, -ENOMEM);
		is_success = rows[row].operate();
		made = os_fake_calls();
		os_fake_fail(0, 0);
		is_right = is_right && is_listed(is_success ? rows[row].listed : WRITTEN);
		if (!is_right)
			printf("# %s, call %d refused: listed 0x%x\n", rows[row].name, number,
			       list(/* resets */ false));
		/* The watch goes on. */
		list(/* resets */ true);
		region[PAGE] = 1;
		is_right = is_right && is_listed(2) && release();
		vm_check();
	} while (made >= number);
	return is_right && is_success;
}

/* In the one process by the system, in its child by protection: the choice is for ever. */
static int count_wrong(enum watch_means means)
{
	int wrong = 0;

	if (means == WATCH_BY_PROTECTION)
		os_fake_fail(2, -ENOSYS);
	wrong += watch_means() != means;
	os_fake_fail(0, 0);
	for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++)
		wrong += !refuse_each_call(row);
	fflush(stdout);
	return wrong;
}

static int count_wrong_in_child(void)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(count_wrong(WATCH_BY_PROTECTION));
	return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(void)
{
	ok_equal(count_wrong_in_child(), 0, "by protection: no refusal loses a page");
	if (watch_means() == WATCH_BY_SYSTEM)
		ok_equal(count_wrong(WATCH_BY_SYSTEM), 0, "by the system: no refusal loses a page");
	else
		printf("ok %d - # SKIP the system has no account of written pages\n", ++tap_count);
	return tap_done();
}
