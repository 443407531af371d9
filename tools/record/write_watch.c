/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Asks what core/vm/watch_system.c will ask; registers nothing. The kernel's numbers are given
 * here: not all systems have headers of Linux 6.7. */

#include "tools/record/write_watch.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define USER_MODE_ONLY 1
#define FEATURE_UNPOPULATED ((__u64)1 << 13)
#define FEATURE_ASYNC ((__u64)1 << 15)
#define FEATURES (UFFD_FEATURE_PAGEFAULT_FLAG_WP | FEATURE_UNPOPULATED | FEATURE_ASYNC)

static bool has_asynchronous_protection(void)
{
	struct uffdio_api api = { .api = UFFD_API, .features = FEATURES };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | USER_MODE_ONLY);
	bool has;

	if (fd < 0)
		return false;
	has = ioctl(fd, UFFDIO_API, &api) == 0 && (api.features & FEATURES) == FEATURES;
	close(fd);
	return has;
}

bool write_watch_is_by_kernel(void)
{
	return access("/proc/self/pagemap", R_OK) == 0 && has_asynchronous_protection();
}
