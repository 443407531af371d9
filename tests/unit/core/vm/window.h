/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A window of pages in which the system, or a pager, refuses: what lies in it at first, and the
 * calls that more than one test tries there. Each answers an error (NTSTATUS or -errno), or at
 * least 0. Whoever includes this has os.h or a fake of it. */

#ifndef VADTRACE_TESTS_UNIT_CORE_VM_WINDOW_H
#define VADTRACE_TESTS_UNIT_CORE_VM_WINDOW_H

#include <linux/mman.h>
#include <string.h>

#include "core/api.h"
#include "core/os/os.h"
#include "core/vm/posix.h"
#include "core/vm/virtual.h"

#define PAGES 64
#define PAGE OS_PAGE_SIZE

static struct vm_request request = { .api = API_VirtualAlloc };
static char *window;

static long allocate(int page, int count, uint32_t type, uint32_t protect)
{
	void *base = window + page * (long)PAGE;
	size_t size_bytes = (size_t)count * PAGE;

	return vm_allocate(&base, &size_bytes, type, protect, &request);
}

static long change(int page, int count, uint32_t protect)
{
	void *base = window + page * (long)PAGE;
	size_t size_bytes = (size_t)count * PAGE;
	uint32_t old;

	return vm_protect(&base, &size_bytes, protect, &old, &request);
}

/* A region of so many pages at the window's start: 4-7 read-write, 8-11 read-only, both full of
 * 'x'; the rest is reserved. */
static void lay_out_region(int count)
{
	allocate(0, count, MEM_RESERVE, PAGE_READWRITE);
	allocate(4, 8, MEM_COMMIT, PAGE_READWRITE);
	memset(window + 4 * PAGE, 'x', 8 * PAGE);
	change(8, 4, PAGE_READONLY);
}

/* Such a region of 32 pages, and a mapping of four behind it, full of 'y'. The rest is free. */
__attribute__((unused)) static void lay_out_window(void)
{
	lay_out_region(32);
	posix_mmap(window + 32 * PAGE, 4 * PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, /* fd */ -1, /* offset */ 0, API_mmap);
	memset(window + 32 * PAGE, 'y', 4 * PAGE);
}

__attribute__((unused)) static void clear_window(void)
{
	posix_munmap(window, PAGES * PAGE, API_munmap);
}

static long reserve(void)
{
	return allocate(48, 8, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
}

static long decommit(void)
{
	void *base = window + 5 * PAGE;
	size_t size_bytes = 4 * PAGE;

	return vm_free(&base, &size_bytes, MEM_DECOMMIT, &request);
}

static long release(void)
{
	void *base = window;
	size_t size_bytes = 0;

	return vm_free(&base, &size_bytes, MEM_RELEASE, &request);
}

__attribute__((unused)) static long reset_pages(void)
{
	return allocate(4, 4, MEM_RESET, PAGE_READWRITE);
}

__attribute__((unused)) static long discard_pages(void)
{
	return vm_discard(window + 4 * PAGE, 4 * PAGE, &request);
}

__attribute__((unused)) static long map_over(void)
{
	return posix_mmap(window + 6 * PAGE, 28 * PAGE, PROT_READ,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, /* fd */ -1, /* offset */ 0,
			  API_mmap);
}

__attribute__((unused)) static long unmap_part(void)
{
	return posix_munmap(window + 6 * PAGE, 28 * PAGE, API_munmap);
}

__attribute__((unused)) static long protect_one(void)
{
	return posix_mprotect(window + 33 * PAGE, PAGE, PROT_READ, API_mprotect);
}

__attribute__((unused)) static long shrink(void)
{
	return posix_mremap(window + 32 * PAGE, 4 * PAGE, PAGE, 0, NULL, API_mremap);
}

#endif
