/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* One userfaultfd for all watched regions, and the list of pages, which is opened for each reading:
 * an open one would be the parent's after fork. A range that is not registered any more is seen by
 * the kernel's answer, before anything was reset. Guarded by: vm_lock. */

#include "core/vm/watch_system.h"

#include <errno.h>
#include <sys/mman.h>

#include "core/os/os.h"

static int watch = -1;

/* Ours may have been closed, and its number be another's: it is left alone then. */
static int open_anew(void)
{
	int fd = os_watch_open();

	if (fd < 0)
		return fd;
	watch = fd;
	return 0;
}

int watch_system_add(const struct vm_range *range)
{
	int error = os_watch_register(watch, range->base, range->end - range->base);

	if (error == -EBADF || error == -ENOTTY || error == -EINVAL) {
		error = open_anew();
		if (error == 0)
			error = os_watch_register(watch, range->base, range->end - range->base);
	}
	return error;
}

static int scan_once(struct os_scan *scan)
{
	int list = os_written_open(), error;

	if (list < 0)
		return list;
	error = os_written_scan(list, scan);
	os_close(list);
	return error;
}

/* With our userfaultfd, if it lives, an addition that had failed is made good. */
int watch_system_scan(struct os_scan *scan, bool (*add_all)(void))
{
	int error = scan_once(scan);

	if (error == -EPERM && add_all())
		error = scan_once(scan);
	if (error == -EPERM && open_anew() == 0 && add_all())
		error = scan_once(scan);
	return error;
}

int watch_system_reset(const struct vm_range *range, bool (*add_all)(void))
{
	struct os_scan scan = { .base = range->base, .end = range->end, .resets = true };

	return watch_system_scan(&scan, add_all);
}

/* Goes the whole way for one page. */
bool watch_system_start(void)
{
	intptr_t page = os_map(NULL, OS_PAGE_SIZE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, /* fd */ -1, /* offset */ 0);
	struct os_written_run run;
	struct os_scan scan = { .base = (uintptr_t)page,
				.end = (uintptr_t)page + OS_PAGE_SIZE,
				.page_count = 1,
				.resets = true,
				.runs = &run,
				.run_count = 1 };
	bool is_right;

	if (page < 0)
		return false;
	is_right = open_anew() == 0 && os_watch_register(watch, scan.base, OS_PAGE_SIZE) == 0;
	*(volatile char *)page = 1;
	is_right = is_right && scan_once(&scan) == 0 && scan.run_count == 1;
	os_unmap((void *)page, OS_PAGE_SIZE);
	if (!is_right)
		watch_system_renew();
	return is_right;
}

void watch_system_renew(void)
{
	if (watch >= 0)
		os_watch_close(watch);
	watch = -1;
}
