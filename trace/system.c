/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The longer system requests. */

#include "trace/system.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/uio.h>

#define PAGE 4096u

void system_thread_name(char name[16])
{
	name[0] = 0;
	system_call4(SYS_prctl, PR_GET_NAME, (long)name, 0, 0);
	name[15] = 0;
}

/* Where the kernel does not copy: page by page, after asking. */
static bool read_checked(uint64_t address, char *to, size_t size_bytes)
{
	while (size_bytes > 0) {
		size_t part = PAGE - address % PAGE;

		part = part < size_bytes ? part : size_bytes;
		if (!system_can_read(address & ~(uint64_t)7))
			return false;
		memcpy(to, (const void *)address, part);
		address += part;
		to += part;
		size_bytes -= part;
	}
	return true;
}

bool system_read_memory(uint64_t address, void *to, size_t size_bytes)
{
	struct iovec local = { to, size_bytes }, remote = { (void *)address, size_bytes };
	long count = system_call6(SYS_process_vm_readv, system_pid(), (long)&local, 1,
				  (long)&remote, 1, 0);

	if (count == -EPERM || count == -ENOSYS)
		return read_checked(address, to, size_bytes);
	return count == (long)size_bytes;
}

long system_read_file(const char *path, char *text, size_t capacity)
{
	long file = system_call4(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0);
	size_t used = 0;
	long count;

	text[0] = 0;
	if (file < 0)
		return file;
	do {
		count = system_call4(SYS_read, file, (long)(text + used),
				     (long)(capacity - 1 - used), 0);
		used += count > 0 ? (size_t)count : 0;
	} while (count > 0 && used < capacity - 1);
	system_call4(SYS_close, file, 0, 0, 0);
	text[used] = 0;
	return (long)used;
}

long system_read_link(const char *path, char *text, size_t capacity)
{
	long count = system_call4(SYS_readlink, (long)path, (long)text, (long)capacity - 1, 0);

	text[count > 0 ? count : 0] = 0;
	return count;
}
