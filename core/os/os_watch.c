/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* userfaultfd and PAGEMAP_SCAN by raw system calls. The kernel's own numbers are given here: not
 * all systems that this is built on have headers of Linux 6.7.
 *
 * A page that nobody has touched yet is not in the page table; one that was only read there is the
 * shared page of zeros. Neither was written. No state, no lock. */

#include "core/os/os_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "core/os/os.h"
#include "core/os/syscall.h"

#define USER_MODE_ONLY 1
#define FEATURE_UNPOPULATED ((uint64_t)1 << 13)
#define FEATURE_ASYNC ((uint64_t)1 << 15)
#define FEATURES (UFFD_FEATURE_PAGEFAULT_FLAG_WP | FEATURE_UNPOPULATED | FEATURE_ASYNC)
#define ADVICE_NO_HUGE_PAGES 15
/* Where a watch's number goes, if the process may have such numbers. */
#define HIGH_BEGIN 900

/* What the kernel calls struct pm_scan_arg. */
struct scan_argument {
	uint64_t size, flags, base, end, walk_end, runs, run_count, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};
#define SCAN _IOWR('f', 16, struct scan_argument)
#define SCAN_RESETS 1
#define SCAN_CHECKS 2
#define PAGE_WRITTEN 0x2
#define PAGE_PRESENT 0x8
#define PAGE_SWAPPED 0x10
#define PAGE_ZERO 0x20

_Static_assert(sizeof(struct scan_argument) == 96, "the kernel's size");
_Static_assert(sizeof(struct os_written_run) == 24, "the kernel's size");

static int control(int fd, unsigned long request, void *argument)
{
	return (int)system_call3(SYS_ioctl, fd, (long)request, (long)argument);
}

static int move_up(int fd)
{
	int moved = (int)system_call3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, HIGH_BEGIN);

	if (moved < 0)
		return fd;
	os_close(fd);
	return moved;
}

/* Whoever may not handle faults of the kernel's needs not: nobody is asked. */
int os_watch_open(void)
{
	struct uffdio_api api = { .api = UFFD_API, .features = FEATURES };
	int fd = (int)system_call3(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | USER_MODE_ONLY, 0, 0);
	int error;

	if (fd < 0)
		return fd;
	error = control(fd, UFFDIO_API, &api);
	if (error == 0 && (api.features & FEATURES) == FEATURES)
		return move_up(fd);
	os_close(fd);
	return error ? error : -ENOSYS;
}

int os_watch_register(int watch, uintptr_t base, size_t size_bytes)
{
	struct uffdio_register range = { .range = { base, size_bytes },
					 .mode = UFFDIO_REGISTER_MODE_WP };
	int error = control(watch, UFFDIO_REGISTER, &range);

	/* A kernel without huge pages does not know the advice. */
	if (error == 0)
		os_advise((void *)base, size_bytes, ADVICE_NO_HUGE_PAGES);
	return error;
}

/* One that works already refuses to be set up again. */
void os_watch_close(int watch)
{
	struct uffdio_api api = { .api = UFFD_API, .features = FEATURES };

	if (control(watch, UFFDIO_API, &api) == -EINVAL)
		os_close(watch);
}

int os_written_open(void)
{
	return os_open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC, 0);
}

int os_written_scan(int list, struct os_scan *scan)
{
	struct scan_argument argument = {
		.size = sizeof argument,
		.flags = SCAN_CHECKS | (scan->resets ? SCAN_RESETS : 0),
		.base = scan->base,
		.end = scan->end,
		.runs = (uintptr_t)scan->runs,
		.run_count = scan->run_count,
		.max_pages = scan->page_count,
		.category_inverted = PAGE_ZERO,
		.category_mask = PAGE_WRITTEN | PAGE_ZERO,
		.category_anyof_mask = PAGE_PRESENT | PAGE_SWAPPED,
		.return_mask = PAGE_WRITTEN,
	};
	int count = control(list, SCAN, &argument);

	if (count < 0)
		return count;
	scan->run_count = (size_t)count;
	scan->read_end = argument.walk_end;
	return 0;
}
