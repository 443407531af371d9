/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Asks what core/vm/parking.c will ask. The kernel's numbers are given here: not all systems have
 * headers of Linux 6.13. */

#include "tools/record/guard_markers.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#define GUARD_INSTALL 102

/* A system call looks at the page: an emulator may take the advice and do nothing. */
static bool is_guarded(const void *page)
{
	return access(page, F_OK) < 0 && errno == EFAULT;
}

bool guard_markers_work(void)
{
	size_t size_bytes = (size_t)sysconf(_SC_PAGESIZE);
	void *page = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  /* fd */ -1, /* offset */ 0);
	bool work;

	if (page == MAP_FAILED)
		return false;
	work = madvise(page, size_bytes, GUARD_INSTALL) == 0 && is_guarded(page);
	munmap(page, size_bytes);
	return work;
}
