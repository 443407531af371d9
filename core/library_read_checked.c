/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What _FORTIFY_SOURCE makes of library_read.c's calls: each with the size of the buffer, which the
 * C library looks at. Only in libvadcore.so. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "core/base/hints.h"
#include "core/host.h"
#include "core/library.h"

CORE_API ssize_t __read_chk(int fd, void *buffer, size_t size, size_t buffer_size);
CORE_API ssize_t __pread_chk(int fd, void *buffer, size_t size, off_t offset, size_t buffer_size);
CORE_API ssize_t __pread64_chk(int fd, void *buffer, size_t size, off_t offset, size_t buffer_size);
CORE_API ssize_t __recv_chk(int socket, void *buffer, size_t size, size_t buffer_size, int flags);
CORE_API ssize_t __recvfrom_chk(int socket, void *buffer, size_t size, size_t buffer_size,
				int flags, struct sockaddr *address, socklen_t *address_size);
CORE_API size_t __fread_chk(void *buffer, size_t buffer_size, size_t size, size_t count,
			    void *file);

CORE_API ssize_t __read_chk(int fd, void *buffer, size_t size, size_t buffer_size)
{
	static void *known;
	ssize_t (*next)(int, void *, size_t, size_t) = library_next(&known, "__read_chk");
	ssize_t result;
	bool is_begun = core_write_begins(&result, buffer, size);

	result = next(fd, buffer, size, buffer_size);
	library_write_ends(is_begun, &result);
	return result;
}

CORE_API ssize_t __pread_chk(int fd, void *buffer, size_t size, off_t offset, size_t buffer_size)
{
	static void *known;
	ssize_t (*next)(int, void *, size_t, off_t, size_t) = library_next(&known, "__pread_chk");
	ssize_t result;
	bool is_begun = core_write_begins(&result, buffer, size);

	result = next(fd, buffer, size, offset, buffer_size);
	library_write_ends(is_begun, &result);
	return result;
}

CORE_API ssize_t __pread64_chk(int fd, void *buffer, size_t size, off_t offset, size_t buffer_size)
{
	return __pread_chk(fd, buffer, size, offset, buffer_size);
}

CORE_API ssize_t __recv_chk(int socket, void *buffer, size_t size, size_t buffer_size, int flags)
{
	static void *known;
	ssize_t (*next)(int, void *, size_t, size_t, int) = library_next(&known, "__recv_chk");
	ssize_t result;
	bool is_begun = core_write_begins(&result, buffer, size);

	result = next(socket, buffer, size, buffer_size, flags);
	library_write_ends(is_begun, &result);
	return result;
}

CORE_API ssize_t __recvfrom_chk(int socket, void *buffer, size_t size, size_t buffer_size,
				int flags, struct sockaddr *address, socklen_t *address_size)
{
	static void *known;
	ssize_t (*next)(int, void *, size_t, size_t, int, struct sockaddr *, socklen_t *) =
		library_next(&known, "__recvfrom_chk");
	ssize_t result;
	bool is_begun = core_write_begins(&result, buffer, size);

	result = next(socket, buffer, size, buffer_size, flags, address, address_size);
	library_write_ends(is_begun, &result);
	return result;
}

CORE_API size_t __fread_chk(void *buffer, size_t buffer_size, size_t size, size_t count, void *file)
{
	static void *known;
	size_t (*next)(void *, size_t, size_t, size_t, void *) =
		library_next(&known, "__fread_chk");
	size_t result;
	bool is_begun = core_write_begins(&result, buffer, library_item_bytes(size, count));

	result = next(buffer, buffer_size, size, count, file);
	library_write_ends(is_begun, &result);
	return result;
}
