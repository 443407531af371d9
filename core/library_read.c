/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The C library's calls that have the kernel write into the program's memory. Where a write watch
 * works by protection the kernel would refuse (EFAULT), so the pages are noted as written first.
 * Another thread may reset the watch between: then once more. With the preload in the process, it
 * is the preload's core that core_expect_write reaches. Only in libvadcore.so. */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "core/base/hints.h"
#include "core/host.h"
#include "core/library.h"

struct _IO_FILE;

/* Unlike their headers' own, these have no conditions on what is 64 bits wide. */
CORE_API ssize_t read(int fd, void *buffer, size_t size);
CORE_API ssize_t pread(int fd, void *buffer, size_t size, off_t offset);
CORE_API ssize_t pread64(int fd, void *buffer, size_t size, off_t offset);
CORE_API size_t fread(void *buffer, size_t size, size_t count, struct _IO_FILE *file);

static bool expect_vector(const struct iovec *vector, int count)
{
	bool is_any = false;

	for (int i = 0; i < count; i++)
		is_any = core_expect_write(vector[i].iov_base, vector[i].iov_len) || is_any;
	return is_any;
}

/* Whether a call is to be made once more: it was refused, and pages were noted since. */
static bool is_refused(ssize_t result)
{
	return unlikely(result < 0) && errno == EFAULT;
}

CORE_API ssize_t read(int fd, void *buffer, size_t size)
{
	static void *known;
	ssize_t (*next)(int, void *, size_t) = library_next(&known, "read");
	ssize_t result;

	core_expect_write(buffer, size);
	do
		result = next(fd, buffer, size);
	while (is_refused(result) && core_expect_write(buffer, size));
	return result;
}

CORE_API ssize_t pread(int fd, void *buffer, size_t size, off_t offset)
{
	static void *known;
	ssize_t (*next)(int, void *, size_t, off_t) = library_next(&known, "pread");
	ssize_t result;

	core_expect_write(buffer, size);
	do
		result = next(fd, buffer, size, offset);
	while (is_refused(result) && core_expect_write(buffer, size));
	return result;
}

CORE_API ssize_t pread64(int fd, void *buffer, size_t size, off_t offset)
{
	return pread(fd, buffer, size, offset);
}

CORE_API ssize_t readv(int fd, const struct iovec *vector, int count)
{
	static void *known;
	ssize_t (*next)(int, const struct iovec *, int) = library_next(&known, "readv");
	ssize_t result;

	expect_vector(vector, count);
	do
		result = next(fd, vector, count);
	while (is_refused(result) && expect_vector(vector, count));
	return result;
}

CORE_API ssize_t recv(int socket, void *buffer, size_t size, int flags)
{
	static void *known;
	ssize_t (*next)(int, void *, size_t, int) = library_next(&known, "recv");
	ssize_t result;

	core_expect_write(buffer, size);
	do
		result = next(socket, buffer, size, flags);
	while (is_refused(result) && core_expect_write(buffer, size));
	return result;
}

CORE_API ssize_t recvfrom(int socket, void *buffer, size_t size, int flags,
			  struct sockaddr *address, socklen_t *address_size)
{
	static void *known;
	ssize_t (*next)(int, void *, size_t, int, struct sockaddr *, socklen_t *) =
		library_next(&known, "recvfrom");
	ssize_t result;

	core_expect_write(buffer, size);
	do
		result = next(socket, buffer, size, flags, address, address_size);
	while (is_refused(result) && core_expect_write(buffer, size));
	return result;
}

CORE_API ssize_t recvmsg(int socket, struct msghdr *message, int flags)
{
	static void *known;
	ssize_t (*next)(int, struct msghdr *, int) = library_next(&known, "recvmsg");
	ssize_t result;

	expect_vector(message->msg_iov, (int)message->msg_iovlen);
	do
		result = next(socket, message, flags);
	while (is_refused(result) && expect_vector(message->msg_iov, (int)message->msg_iovlen));
	return result;
}

/* The C library reads large parts right into the buffer. */
CORE_API size_t fread(void *buffer, size_t size, size_t count, struct _IO_FILE *file)
{
	static void *known;
	size_t (*next)(void *, size_t, size_t, struct _IO_FILE *) = library_next(&known, "fread");

	if (count == 0 || size <= SIZE_MAX / count)
		core_expect_write(buffer, size * count);
	return next(buffer, size, count, file);
}
