/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The contract with the machine, as os.h: what concerns other processes. Answers are a value, 0, or
 * -errno. */

#ifndef VADTRACE_CORE_OS_OS_PROCESS_H
#define VADTRACE_CORE_OS_OS_PROCESS_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

/* Copies between `buffer`, and `count` pieces of the memory of a process, as its page protections
 * allow. Bytes copied, which may be fewer than wanted. */
ssize_t os_process_read(uint32_t process_id, const struct iovec *buffer, const struct iovec *pieces,
			size_t count);
ssize_t os_process_write(uint32_t process_id, const struct iovec *buffer,
			 const struct iovec *pieces, size_t count);

/* Whether it is a process (and no thread of one): 0, -ESRCH, or -EPERM when it is one that we may
 * not even send a signal. */
int os_process_find(uint32_t process_id);

/* The user that counts for permissions. */
uint32_t os_user_id(void);
/* The text of a symbolic link, not ended by 0; its length. */
ssize_t os_read_link(const char *path, char *text, size_t size_bytes);

#endif
