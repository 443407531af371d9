/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* LTTng's file descriptors, out of the program's way.
 *
 *   0 ........ program ........ HIGH_BEGIN .. LTTng's, and the program's when it opens that many ..
 *
 * LTTng passes each descriptor that it keeps through lttng_ust_add_fd_to_tracker and uses the
 * number that comes back. There we move it up, so that the program's numbers are what they are
 * without us, and what it puts on a number of its choice does not hit us. What closes descriptors
 * wholesale finds ours closed already. A program that closes them by bare system calls ends its
 * tracing; LTTng would abort when its own close then fails, so it never hears of that.
 *
 * The number of Wine's own socket, which it closes before it exits, is kept: see wine/server.c. */

#include <errno.h>
#include <fcntl.h>
#include <dlfcn.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/os/syscall.h"
#include "preload/native/real.h"
#include "preload/pe/modules.h"
#include "preload/start.h"
#include "preload/wine/server.h"

#define HIGH_BEGIN 512
#define HIGH_END 65536
#define WORD_BITS 64
#define LTTNG_NAME "/liblttng-ust.so"

/* Of liblttng-ust-common; it has no header. */
CORE_API int lttng_ust_add_fd_to_tracker(int fd);
CORE_API void lttng_ust_delete_fd_from_tracker(int fd);

/* One bit for each descriptor below HIGH_END that is LTTng's. */
static _Atomic uint64_t tracked[HIGH_END / WORD_BITS];

static inline bool is_tracked(unsigned int fd)
{
	return unlikely(fd >= HIGH_BEGIN) && fd < HIGH_END &&
	       (atomic_load_explicit(&tracked[fd / WORD_BITS], memory_order_relaxed) >>
			(fd % WORD_BITS) &
		1);
}

static void track(int fd)
{
	if (fd >= HIGH_BEGIN && fd < HIGH_END)
		atomic_fetch_or(&tracked[fd / WORD_BITS], UINT64_C(1) << (fd % WORD_BITS));
}

static void untrack(int fd)
{
	if (fd >= HIGH_BEGIN && fd < HIGH_END)
		atomic_fetch_and(&tracked[fd / WORD_BITS], ~(UINT64_C(1) << (fd % WORD_BITS)));
}

/* Moves `fd` up if the process may have such numbers; returns where it is now. */
static int move_up(int fd)
{
	int moved = fd < HIGH_BEGIN ? fcntl(fd, F_DUPFD_CLOEXEC, HIGH_BEGIN) : -1;

	if (moved < 0)
		return fd;
	(void)real.close(fd);
	return moved;
}

CORE_API int lttng_ust_add_fd_to_tracker(int fd)
{
	if (serve_now() == SERVE_NONE || fd < 0 || !real.lttng_ust_add_fd_to_tracker)
		return fd;
	fd = real.lttng_ust_add_fd_to_tracker(move_up(fd));
	track(fd);
	return fd;
}

CORE_API void lttng_ust_delete_fd_from_tracker(int fd)
{
	if (serve_now() == SERVE_NONE || !real.lttng_ust_delete_fd_from_tracker)
		return;
	untrack(fd);
	real.lttng_ust_delete_fd_from_tracker(fd);
}

/* Whether code of LTTng's library calls, by whatever path that was loaded. */
static bool is_lttng(void *caller)
{
	struct dl_find_object found;
	const char *name;

	if (_dl_find_object(caller, &found) != 0)
		return false;
	name = strrchr(found.dlfo_link_map->l_name, '/');
	return name && strncmp(name, LTTNG_NAME, strlen(LTTNG_NAME)) == 0;
}

static int fail(int error)
{
	errno = error;
	return -1;
}

CORE_API int close(int fd)
{
	if (serve_now() == SERVE_NONE)
		return fail(EBADF);
	if (unlikely(pe_is_wine_code(__builtin_return_address(0))) && server_close(fd))
		return 0;
	if (likely(!is_tracked((unsigned int)fd)))
		return real.close(fd);
	if (!is_lttng(__builtin_return_address(0)))
		return fail(EBADF);
	(void)real.close(fd);
	return 0;
}

/* Who calls before the next symbols are known gets what the kernel answers. */
CORE_API ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	intptr_t result;

	if (unlikely(pe_is_wine_code(__builtin_return_address(0))))
		server_message_noticed(fd);
	if (likely(real.sendmsg != NULL))
		return real.sendmsg(fd, message, flags);
	result = system_call3(SYS_sendmsg, fd, (long)message, flags);
	return result < 0 ? fail((int)-result) : result;
}

CORE_API int dup2(int old_fd, int new_fd)
{
	if (serve_now() == SERVE_NONE || is_tracked((unsigned int)new_fd))
		return fail(EBADF);
	return real.dup2(old_fd, new_fd);
}

CORE_API int dup3(int old_fd, int new_fd, int flags)
{
	if (serve_now() == SERVE_NONE || is_tracked((unsigned int)new_fd))
		return fail(EBADF);
	return real.dup3(old_fd, new_fd, flags);
}

/* The first tracked descriptor from `fd` on; HIGH_END if there is none. */
static unsigned int next_tracked(unsigned int fd)
{
	fd = fd < HIGH_BEGIN ? HIGH_BEGIN : fd;
	while (fd < HIGH_END && !is_tracked(fd))
		fd++;
	return fd < HIGH_END ? fd : HIGH_END;
}

/* Around ours, piece by piece. */
CORE_API int close_range(unsigned int first, unsigned int last, int flags)
{
	if (serve_now() == SERVE_NONE)
		return fail(EBADF);
	for (;;) {
		unsigned int ours = next_tracked(first);

		if (first > last || ours > last || ours == HIGH_END)
			return real.close_range(first, last, flags);
		if (ours > first && real.close_range(first, ours - 1, flags) != 0)
			return -1;
		if (ours == last)
			return 0;
		first = ours + 1;
	}
}

CORE_API void closefrom(int low)
{
	(void)close_range(low < 0 ? 0 : (unsigned int)low, ~0u, 0);
}
