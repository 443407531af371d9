/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* VirtualQuery for memory that is not ours, and where ours and others' lie side by side. */

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/status.h"
#include "core/vm/posix.h"
#include "core/vm/virtual.h"
#include "tests/lib/tap.h"
#include "tests/unit/core/vm/replay.h"

#define PAGE OS_PAGE_SIZE

static char *window;

/* A mapping that nobody told core about. */
static char *map_raw(size_t page, size_t pages, int prot)
{
	return (char *)os_map(window + page * PAGE, pages * PAGE, prot,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, /* fd */ -1, /* offset */ 0);
}

static MEMORY_BASIC_INFORMATION query(const void *address)
{
	MEMORY_BASIC_INFORMATION info = { .State = 0 };

	vm_query(address, &info);
	return info;
}

/* The kernel makes one mapping of all eight pages; the middle is ours. */
static void test_side_by_side(void)
{
	const struct vm_request request = { .api = API_VirtualAlloc };
	void *base = window + 16 * PAGE;
	size_t size_bytes = 16 * PAGE;
	MEMORY_BASIC_INFORMATION info;

	map_raw(12, 4, PROT_READ | PROT_WRITE);
	ok(vm_allocate(&base, &size_bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE, &request) >= 0,
	   "a region between others' mappings");
	map_raw(32, 4, PROT_READ | PROT_WRITE);
	info = query(window + 13 * PAGE);
	ok(info.AllocationBase == window + 12 * PAGE && info.RegionSize == 3 * PAGE,
	   "what is below ends where ours begins");
	info = query(window + 33 * PAGE);
	ok(info.AllocationBase == window + 32 * PAGE && info.RegionSize == 3 * PAGE,
	   "what is above begins where ours ends");
	info = query(window + 20 * PAGE);
	ok(info.AllocationBase == base && info.RegionSize == 12 * PAGE, "ours is ours");
	posix_munmap(window, 64 * PAGE, API_munmap);
}

/* What was taken in may change unseen: the system is asked again. */
static void test_foreign(void)
{
	MEMORY_BASIC_INFORMATION info;

	map_raw(4, 8, PROT_NONE);
	posix_take_in_maps();
	info = query(window + 4 * PAGE);
	ok(info.State == MEM_RESERVE && info.Type == MEM_PRIVATE && info.Protect == 0 &&
		   info.RegionSize == 8 * PAGE,
	   "no access is reserved");
	os_protect(window + 6 * PAGE, PAGE, PROT_READ);
	info = query(window + 6 * PAGE);
	ok(info.State == MEM_COMMIT && info.Protect == PAGE_READONLY && info.RegionSize == PAGE,
	   "a change behind our back is seen");
	os_unmap(window + 4 * PAGE, 8 * PAGE);
	info = query(window + 6 * PAGE);
	ok(info.State == MEM_FREE, "and an end");
}

static void test_file(void)
{
	MEMORY_BASIC_INFORMATION info;
	int file = memfd_create("test", MFD_CLOEXEC);
	char *view;

	ok(ftruncate(file, 4 * PAGE) == 0, "a file of four pages");
	view = (char *)posix_mmap(window, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
				  file, 0, API_mmap);
	info = query(view + PAGE);
	ok(info.Type == MEM_MAPPED && info.Protect == PAGE_READWRITE && info.AllocationBase == view,
	   "a shared mapping of a file is mapped");
	posix_mmap(window, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, file, 0,
		   API_mmap);
	ok_equal(query(view).Protect, PAGE_WRITECOPY, "a private one is copied on write");
	posix_mprotect(view, PAGE, PROT_NONE, API_mprotect);
	info = query(view);
	ok(info.State == MEM_COMMIT && info.Protect == PAGE_NOACCESS,
	   "a file's pages without access stay committed");
	posix_munmap(view, 4 * PAGE, API_munmap);
	close(file);
}

static void test_free(void)
{
	MEMORY_BASIC_INFORMATION info;

	map_raw(20, 1, PROT_READ);
	info = query(window + 10 * PAGE + 3);
	ok(info.State == MEM_FREE && info.BaseAddress == window + 10 * PAGE &&
		   info.RegionSize == 10 * PAGE,
	   "free memory ends where the next mapping begins");
	os_unmap(window + 20 * PAGE, PAGE);
	info = query((void *)(OS_USER_END - PAGE));
	ok(info.State == MEM_FREE && info.RegionSize == PAGE, "the last page of all");
}

/* Going from run to run covers all addresses, without overlap or end. */
static void test_walk(void)
{
	MEMORY_BASIC_INFORMATION info;
	uintptr_t at = 0;
	int runs = 0, wrong = 0;

	while (at < OS_USER_END && runs < 100000) {
		if (vm_query((void *)at, &info) < 0 || info.BaseAddress != (void *)at ||
		    info.RegionSize == 0 || info.RegionSize % PAGE)
			wrong++;
		if (wrong)
			break;
		at += info.RegionSize;
		runs++;
	}
	ok(!wrong && at == OS_USER_END, "a walk meets the end after %d runs", runs);
}

int main(void)
{
	window = replay_find_window(64 * PAGE);
	test_side_by_side();
	test_foreign();
	test_file();
	test_free();
	test_walk();
	return tap_done();
}
