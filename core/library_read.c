/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The C library's calls that have the kernel write into the program's memory. Where a write watch
 * works by protection the kernel would refuse (EFAULT), so core is told before and after. With the
 * preload in the process, it is the preload's core that is told. Only in libvadcore.so. */

/* recvmmsg. */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "core/base/hints.h"
#include "core/host.h"
#include "core/library.h"

/* Unlike their headers' own, these have no conditions on what is 64 bits wide. The header of fread
 * is stdio's, which core does without. */
CORE_API ssize_t read(int fd, void *buffer, size_t size);
CORE_API ssize_t pread(int fd, void *buffer, size_t size, off_t offset);
CORE_API ssize_t pread64(int fd, void *buffer, size_t size, off_t offset);
CORE_API size_t read_items(void *buffer, size_t size, size_t count, void *file) __asm__("fread");
CORE_API char *read_line(char *buffer, int size, void *file) __asm__("fgets");
CORE_API ssize_t getrandom(void *buffer, size_t size, unsigned int flags);
CORE_API ssize_t read_pieces(int fd, const struct iovec *vector, int count,
			     off_t offset) __asm__("preadv");
CORE_API ssize_t read_pieces_64(int fd, const struct iovec *vector, int count,
				off_t offset) __asm__("preadv64");
CORE_API ssize_t read_pieces_with(int fd, const struct iovec *vector, int count, off_t offset,
				  int flags) __asm__("preadv2");
CORE_API ssize_t read_pieces_with_64(int fd, const struct iovec *vector, int count, off_t offset,
				     int flags) __asm__("preadv64v2");

static bool begin_vector(const void *call, const struct iovec *vector, size_t count)
{
	bool is_begun = false;

	for (size_t i = 0; i < count; i++)
		is_begun = core_write_begins(call, vector[i].iov_base, vector[i].iov_len);
	return is_begun;
}

/* Of a count that the system will refuse. */
static size_t at_least_none(int count)
{
	return count > 0 ? (size_t)count : 0;
}

CORE_API ssize_t read(int fd, void *buffer, size_t size)
{
	static void *known;
	ssize_t (*next)(int, void *, size_t) = library_next(&known, "read");
	ssize_t result;
	bool is_begun = core_write_begins(&result, buffer, size);

	result = next(fd, buffer, size);
	library_write_ends(is_begun, &result);
	return result;
}

CORE_API ssize_t pread(int fd, void *buffer, size_t size, off_t offset)
{
	static void *known;
	ssize_t (*next)(int, void *, size_t, off_t) = library_next(&known, "pread");
	ssize_t result;
	bool is_begun = core_write_begins(&result, buffer, size);

	result = next(fd, buffer, size, offset);
	library_write_ends(is_begun, &result);
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
	bool is_begun = begin_vector(&result, vector, at_least_none(count));

	result = next(fd, vector, count);
	library_write_ends(is_begun, &result);
	return result;
}

CORE_API ssize_t recv(int socket, void *buffer, size_t size, int flags)
{
	static void *known;
	ssize_t (*next)(int, void *, size_t, int) = library_next(&known, "recv");
	ssize_t result;
	bool is_begun = core_write_begins(&result, buffer, size);

	result = next(socket, buffer, size, flags);
	library_write_ends(is_begun, &result);
	return result;
}

CORE_API ssize_t recvfrom(int socket, void *buffer, size_t size, int flags,
			  struct sockaddr *address, socklen_t *address_size)
{
	static void *known;
	ssize_t (*next)(int, void *, size_t, int, struct sockaddr *, socklen_t *) =
		library_next(&known, "recvfrom");
	ssize_t result;
	bool is_begun = core_write_begins(&result, buffer, size);

	result = next(socket, buffer, size, flags, address, address_size);
	library_write_ends(is_begun, &result);
	return result;
}

CORE_API ssize_t recvmsg(int socket, struct msghdr *message, int flags)
{
	static void *known;
	ssize_t (*next)(int, struct msghdr *, int) = library_next(&known, "recvmsg");
	ssize_t result;
	bool is_begun = begin_vector(&result, message->msg_iov, message->msg_iovlen);

	result = next(socket, message, flags);
	library_write_ends(is_begun, &result);
	return result;
}

CORE_API int recvmmsg(int socket, struct mmsghdr *messages, unsigned int count, int flags,
		      struct timespec *timeout)
{
	static void *known;
	int (*next)(int, struct mmsghdr *, unsigned int, int, struct timespec *) =
		library_next(&known, "recvmmsg");
	bool is_begun = false;
	int result;

	for (unsigned int i = 0; i < count; i++)
		if (begin_vector(&result, messages[i].msg_hdr.msg_iov,
				 messages[i].msg_hdr.msg_iovlen))
			is_begun = true;
	result = next(socket, messages, count, flags, timeout);
	library_write_ends(is_begun, &result);
	return result;
}

CORE_API ssize_t read_pieces(int fd, const struct iovec *vector, int count, off_t offset)
{
	static void *known;
	ssize_t (*next)(int, const struct iovec *, int, off_t) = library_next(&known, "preadv");
	ssize_t result;
	bool is_begun = begin_vector(&result, vector, at_least_none(count));

	result = next(fd, vector, count, offset);
	library_write_ends(is_begun, &result);
	return result;
}

CORE_API ssize_t read_pieces_64(int fd, const struct iovec *vector, int count, off_t offset)
{
	return read_pieces(fd, vector, count, offset);
}

CORE_API ssize_t read_pieces_with(int fd, const struct iovec *vector, int count, off_t offset,
				  int flags)
{
	static void *known;
	ssize_t (*next)(int, const struct iovec *, int, off_t, int) =
		library_next(&known, "preadv2");
	ssize_t result;
	bool is_begun = begin_vector(&result, vector, at_least_none(count));

	result = next(fd, vector, count, offset, flags);
	library_write_ends(is_begun, &result);
	return result;
}

CORE_API ssize_t read_pieces_with_64(int fd, const struct iovec *vector, int count, off_t offset,
				     int flags)
{
	return read_pieces_with(fd, vector, count, offset, flags);
}

CORE_API ssize_t getrandom(void *buffer, size_t size, unsigned int flags)
{
	static void *known;
	ssize_t (*next)(void *, size_t, unsigned int) = library_next(&known, "getrandom");
	ssize_t result;
	bool is_begun = core_write_begins(&result, buffer, size);

	result = next(buffer, size, flags);
	library_write_ends(is_begun, &result);
	return result;
}

/* The C library reads large parts right into the buffer. */
CORE_API size_t read_items(void *buffer, size_t size, size_t count, void *file)
{
	static void *known;
	size_t (*next)(void *, size_t, size_t, void *) = library_next(&known, "fread");
	size_t result;
	bool is_begun = core_write_begins(&result, buffer, library_item_bytes(size, count));

	result = next(buffer, size, count, file);
	library_write_ends(is_begun, &result);
	return result;
}

CORE_API char *read_line(char *buffer, int size, void *file)
{
	static void *known;
	char *(*next)(char *, int, void *) = library_next(&known, "fgets");
	char *result;
	bool is_begun = core_write_begins(&result, buffer, at_least_none(size));

	result = next(buffer, size, file);
	library_write_ends(is_begun, &result);
	return result;
}
