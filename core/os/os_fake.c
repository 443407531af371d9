/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The contract with the machine, for unit tests: each call that can fail is counted, and one of
 * them is refused. The others go to the real system, whose functions are here under other names.
 * Threads may call; which call is which is only certain with one. */

#include "core/os/os_fake.h"

#include <errno.h>
#include <string.h>

#define os_map real_map
#define os_unmap real_unmap
#define os_protect real_protect
#define os_advise real_advise
#define os_remap real_remap
#define os_shm_attach real_shm_attach
#define os_shm_detach real_shm_detach
#define os_lock_pages real_lock_pages
#define os_open real_open
#define os_prefer_nodes real_prefer_nodes
#define os_watch_open real_watch_open
#define os_watch_register real_watch_register
#define os_written_scan real_written_scan
#include "core/os/os_linux.c"
#include "core/os/os_watch.c"
#undef os_map
#undef os_unmap
#undef os_protect
#undef os_advise
#undef os_remap
#undef os_shm_attach
#undef os_shm_detach
#undef os_lock_pages
#undef os_open
#undef os_prefer_nodes
#undef os_watch_open
#undef os_watch_register
#undef os_written_scan

intptr_t os_map(void *address, size_t size_bytes, int prot, int flags, int fd, off_t offset);
int os_unmap(void *address, size_t size_bytes);
int os_protect(void *address, size_t size_bytes, int prot);
int os_advise(void *address, size_t size_bytes, int advice);
intptr_t os_remap(void *address, size_t old_size_bytes, size_t new_size_bytes, int flags,
		  void *new_address);
intptr_t os_shm_attach(int id, const void *address, int flags);
int os_shm_detach(const void *address);
int os_lock_pages(const void *address, size_t size_bytes);
int os_open(const char *path, int flags, int mode);
int os_prefer_nodes(void *address, size_t size_bytes, uint64_t nodes);
int os_watch_open(void);
int os_watch_register(int watch, uintptr_t base, size_t size_bytes);
int os_written_scan(int list, struct os_scan *scan);

static int calls, failing_call, failing_error;

void os_fake_fail(int number, int error)
{
	__atomic_store_n(&calls, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&failing_call, number, __ATOMIC_RELAXED);
	failing_error = error;
}

int os_fake_calls(void)
{
	return __atomic_load_n(&calls, __ATOMIC_RELAXED);
}

static bool is_refused(void)
{
	return __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED) ==
	       __atomic_load_n(&failing_call, __ATOMIC_RELAXED);
}

int os_fake_refusal(void)
{
	return is_refused() ? failing_error : 0;
}

intptr_t os_map(void *address, size_t size_bytes, int prot, int flags, int fd, off_t offset)
{
	return is_refused() ? failing_error
			    : real_map(address, size_bytes, prot, flags, fd, offset);
}

int os_unmap(void *address, size_t size_bytes)
{
	return is_refused() ? failing_error : real_unmap(address, size_bytes);
}

/* The system may have done the first part of a range when it gives up. */
int os_protect(void *address, size_t size_bytes, int prot)
{
	if (!is_refused())
		return real_protect(address, size_bytes, prot);
	if (size_bytes > OS_PAGE_SIZE)
		real_protect(address, OS_PAGE_SIZE, prot);
	return failing_error;
}

int os_advise(void *address, size_t size_bytes, int advice)
{
	return is_refused() ? failing_error : real_advise(address, size_bytes, advice);
}

intptr_t os_remap(void *address, size_t old_size_bytes, size_t new_size_bytes, int flags,
		  void *new_address)
{
	return is_refused()
		       ? failing_error
		       : real_remap(address, old_size_bytes, new_size_bytes, flags, new_address);
}

intptr_t os_shm_attach(int id, const void *address, int flags)
{
	return is_refused() ? failing_error : real_shm_attach(id, address, flags);
}

int os_shm_detach(const void *address)
{
	return is_refused() ? failing_error : real_shm_detach(address);
}

int os_prefer_nodes(void *address, size_t size_bytes, uint64_t nodes)
{
	return is_refused() ? failing_error : real_prefer_nodes(address, size_bytes, nodes);
}

int os_lock_pages(const void *address, size_t size_bytes)
{
	if (!is_refused())
		return real_lock_pages(address, size_bytes);
	/* Pages that it came to before are locked. */
	if (size_bytes > OS_PAGE_SIZE)
		real_lock_pages(address, OS_PAGE_SIZE);
	return failing_error;
}

static const char *root;

void os_fake_root(const char *folder)
{
	root = folder;
}

int os_open(const char *path, int flags, int mode)
{
	char moved[4096];

	if (is_refused())
		return failing_error;
	if (!root || (strncmp(path, "/proc/", 6) != 0 && strncmp(path, "/sys/", 5) != 0))
		return real_open(path, flags, mode);
	if (strlen(root) + strlen(path) >= sizeof moved)
		return -ENAMETOOLONG;
	strcpy(moved, root);
	strcat(moved, path);
	return real_open(moved, flags, mode);
}

int os_watch_open(void)
{
	return is_refused() ? failing_error : real_watch_open();
}

int os_watch_register(int watch, uintptr_t base, size_t size_bytes)
{
	return is_refused() ? failing_error : real_watch_register(watch, base, size_bytes);
}

int os_written_scan(int list, struct os_scan *scan)
{
	return is_refused() ? failing_error : real_written_scan(list, scan);
}
