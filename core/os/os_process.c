/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The contract with the machine about other processes, on Linux: raw system calls, one function
 * each. */

#include "core/os/os_process.h"

#include <sys/syscall.h>

#include "core/os/syscall.h"

ssize_t os_process_read(uint32_t process_id, const struct iovec *buffer, const struct iovec *pieces,
			size_t count)
{
	return system_call6(SYS_process_vm_readv, process_id, (long)buffer, 1, (long)pieces,
			    (long)count, 0);
}

ssize_t os_process_write(uint32_t process_id, const struct iovec *buffer,
			 const struct iovec *pieces, size_t count)
{
	return system_call6(SYS_process_vm_writev, process_id, (long)buffer, 1, (long)pieces,
			    (long)count, 0);
}

/* A thread's id is in the process's group of threads; only the first one has the group's number. */
int os_process_find(uint32_t process_id)
{
	return (int)system_call3(SYS_tgkill, process_id, process_id, /* signal */ 0);
}

uint32_t os_user_id(void)
{
	return (uint32_t)system_call3(SYS_geteuid, 0, 0, 0);
}

ssize_t os_read_link(const char *path, char *text, size_t size_bytes)
{
	return system_call3(SYS_readlink, (long)path, (long)text, (long)size_bytes);
}
