/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The contract with the machine, for unit tests: each call that can fail is counted, and one of
 * them is refused. The others go to the real system, whose functions are here under other names.
 * Threads may call; which call is which is only certain with one. */

#include "core/os/os_fake.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

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
#define os_break real_break
#define os_unlock_pages real_unlock_pages
#define os_sync_pages real_sync_pages
#define os_node_of_page real_node_of_page
/* Not the struct of that name. */
#define os_signal_action(signal, action, old) real_signal_action(signal, action, old)
#define os_signal_raise real_signal_raise
#define os_read real_read
#define os_read_at real_read_at
#define os_write real_write
#define os_close real_close
#define os_written_open real_written_open
#include "core/os/os_fault.c"
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
#undef os_break
#undef os_unlock_pages
#undef os_sync_pages
#undef os_node_of_page
#undef os_signal_action
#undef os_signal_raise
#undef os_read
#undef os_read_at
#undef os_write
#undef os_close
#undef os_written_open

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
intptr_t os_break(void *address);
int os_unlock_pages(const void *address, size_t size_bytes);
int os_sync_pages(void *address, size_t size_bytes, int flags);
int os_node_of_page(const void *address);
int os_signal_action(int signal, const struct os_signal_action *action,
		     struct os_signal_action *old);
int os_signal_raise(int signal, const void *info);
ssize_t os_read(int fd, void *buffer, size_t size_bytes);
ssize_t os_read_at(int fd, void *buffer, size_t size_bytes, off_t offset);
ssize_t os_write(int fd, const void *buffer, size_t size_bytes);
int os_close(int fd);
int os_written_open(void);

struct counters {
	int calls;
	int refusals[OS_FAKE_COUNT];
};

static struct counters own_counters, *counters = &own_counters;
static int failing_call, failing_error;
static enum os_fake_call failing_function; /* OS_FAKE_NONE: any */
static bool is_lasting;                    /* all calls behind the failing one fail, too */

void os_fake_share(void)
{
	intptr_t shared = real_map(NULL, sizeof *counters, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, /* fd */ -1, /* offset */ 0);

	if (shared < 0)
		return;
	*(struct counters *)shared = *counters;
	counters = (struct counters *)shared;
}

void os_fake_fail_one(enum os_fake_call call, int number, int error)
{
	__atomic_store_n(&counters->calls, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&is_lasting, false, __ATOMIC_RELAXED);
	__atomic_store_n(&failing_function, call, __ATOMIC_RELAXED);
	__atomic_store_n(&failing_error, error, __ATOMIC_RELAXED);
	__atomic_store_n(&failing_call, number, __ATOMIC_RELAXED);
}

void os_fake_fail(int number, int error)
{
	os_fake_fail_one(OS_FAKE_NONE, number, error);
}

void os_fake_fail_from(int number, int error)
{
	os_fake_fail(number, error);
	__atomic_store_n(&is_lasting, true, __ATOMIC_RELAXED);
}

int os_fake_calls(void)
{
	return __atomic_load_n(&counters->calls, __ATOMIC_RELAXED);
}

int os_fake_refusals(enum os_fake_call call)
{
	return __atomic_load_n(&counters->refusals[call], __ATOMIC_RELAXED);
}

static bool is_refused(enum os_fake_call call)
{
	enum os_fake_call function = __atomic_load_n(&failing_function, __ATOMIC_RELAXED);
	int failing = __atomic_load_n(&failing_call, __ATOMIC_RELAXED), number;

	if (function && function != call)
		return false;
	number = __atomic_add_fetch(&counters->calls, 1, __ATOMIC_RELAXED);
	if (number < failing || !failing ||
	    (number > failing && !__atomic_load_n(&is_lasting, __ATOMIC_RELAXED)))
		return false;
	__atomic_add_fetch(&counters->refusals[call], 1, __ATOMIC_RELAXED);
	return true;
}

static int refusal_error(void)
{
	return __atomic_load_n(&failing_error, __ATOMIC_RELAXED);
}

int os_fake_refusal(enum os_fake_call call)
{
	return is_refused(call) ? refusal_error() : 0;
}

intptr_t os_map(void *address, size_t size_bytes, int prot, int flags, int fd, off_t offset)
{
	return is_refused(OS_FAKE_map) ? refusal_error()
				       : real_map(address, size_bytes, prot, flags, fd, offset);
}

int os_unmap(void *address, size_t size_bytes)
{
	return is_refused(OS_FAKE_unmap) ? refusal_error() : real_unmap(address, size_bytes);
}

/* The system may have done the first part of a range when it gives up. */
int os_protect(void *address, size_t size_bytes, int prot)
{
	if (!is_refused(OS_FAKE_protect))
		return real_protect(address, size_bytes, prot);
	if (size_bytes > OS_PAGE_SIZE)
		real_protect(address, OS_PAGE_SIZE, prot);
	return refusal_error();
}

int os_advise(void *address, size_t size_bytes, int advice)
{
	return is_refused(OS_FAKE_advise) ? refusal_error()
					  : real_advise(address, size_bytes, advice);
}

intptr_t os_remap(void *address, size_t old_size_bytes, size_t new_size_bytes, int flags,
		  void *new_address)
{
	return is_refused(OS_FAKE_remap)
		       ? refusal_error()
		       : real_remap(address, old_size_bytes, new_size_bytes, flags, new_address);
}

intptr_t os_shm_attach(int id, const void *address, int flags)
{
	return is_refused(OS_FAKE_shm_attach) ? refusal_error()
					      : real_shm_attach(id, address, flags);
}

int os_shm_detach(const void *address)
{
	return is_refused(OS_FAKE_shm_detach) ? refusal_error() : real_shm_detach(address);
}

struct os_fake_preference os_fake_preference;

int os_prefer_nodes(void *address, size_t size_bytes, uint64_t nodes)
{
	os_fake_preference = (struct os_fake_preference){ address, size_bytes, nodes };
	return is_refused(OS_FAKE_prefer_nodes) ? refusal_error()
						: real_prefer_nodes(address, size_bytes, nodes);
}

int os_lock_pages(const void *address, size_t size_bytes)
{
	if (!is_refused(OS_FAKE_lock_pages))
		return real_lock_pages(address, size_bytes);
	/* Pages that it came to before are locked. */
	if (size_bytes > OS_PAGE_SIZE)
		real_lock_pages(address, OS_PAGE_SIZE);
	return refusal_error();
}

static const char *root;

void os_fake_root(const char *folder)
{
	root = folder;
}

int os_open(const char *path, int flags, int mode)
{
	char moved[4096];

	if (is_refused(OS_FAKE_open))
		return refusal_error();
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
	return is_refused(OS_FAKE_watch_open) ? refusal_error() : real_watch_open();
}

int os_watch_register(int watch, uintptr_t base, size_t size_bytes)
{
	return is_refused(OS_FAKE_watch_register) ? refusal_error()
						  : real_watch_register(watch, base, size_bytes);
}

int os_written_scan(int list, struct os_scan *scan)
{
	return is_refused(OS_FAKE_written_scan) ? refusal_error() : real_written_scan(list, scan);
}

/* The system tells of a refusal by the break staying where it is. */
intptr_t os_break(void *address)
{
	return real_break(is_refused(OS_FAKE_break) ? NULL : address);
}

int os_unlock_pages(const void *address, size_t size_bytes)
{
	if (!is_refused(OS_FAKE_unlock_pages))
		return real_unlock_pages(address, size_bytes);
	if (size_bytes > OS_PAGE_SIZE)
		real_unlock_pages(address, OS_PAGE_SIZE);
	return refusal_error();
}

int os_sync_pages(void *address, size_t size_bytes, int flags)
{
	return is_refused(OS_FAKE_sync_pages) ? refusal_error()
					      : real_sync_pages(address, size_bytes, flags);
}

int os_node_of_page(const void *address)
{
	return is_refused(OS_FAKE_node_of_page) ? refusal_error() : real_node_of_page(address);
}

int os_signal_action(int signal, const struct os_signal_action *action,
		     struct os_signal_action *old)
{
	return is_refused(OS_FAKE_signal_action) ? refusal_error()
						 : real_signal_action(signal, action, old);
}

int os_signal_raise(int signal, const void *info)
{
	return is_refused(OS_FAKE_signal_raise) ? refusal_error() : real_signal_raise(signal, info);
}

ssize_t os_read(int fd, void *buffer, size_t size_bytes)
{
	return is_refused(OS_FAKE_read) ? refusal_error() : real_read(fd, buffer, size_bytes);
}

ssize_t os_read_at(int fd, void *buffer, size_t size_bytes, off_t offset)
{
	return is_refused(OS_FAKE_read_at) ? refusal_error()
					   : real_read_at(fd, buffer, size_bytes, offset);
}

ssize_t os_write(int fd, const void *buffer, size_t size_bytes)
{
	return is_refused(OS_FAKE_write) ? refusal_error() : real_write(fd, buffer, size_bytes);
}

/* The number is free again even when the system says that something went wrong. */
int os_close(int fd)
{
	int error = real_close(fd);

	return is_refused(OS_FAKE_close) ? refusal_error() : error;
}

int os_written_open(void)
{
	return is_refused(OS_FAKE_written_open) ? refusal_error() : real_written_open();
}
