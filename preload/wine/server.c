/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A closed number is taken by the next descriptor that anybody opens: LTTng does when a process
 * ends. A thread of the program that starts in this moment sends its pipes to the server, on that
 * number, and Wine complains of what it finds. Of a socket with a closed end it thinks that the
 * server has gone, and ends the thread without a word.
 *
 * The server kills a process that is still there a second after its socket was closed. So the trace
 * is brought to its end before.
 *
 * One number, set once by the process's first thread; no lock. */

#include "preload/wine/server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "preload/native/real.h"
#include "preload/process.h"

#define NONE (-1)

static _Atomic int server = NONE;

void server_message_noticed(int fd)
{
	int none = NONE;

	if (atomic_load_explicit(&server, memory_order_relaxed) == NONE)
		atomic_compare_exchange_strong(&server, &none, fd);
}

bool server_close(int fd)
{
	int ends[2], saved_errno = errno;
	bool is_done;

	if (fd != server || !process_is_own())
		return false;
	process_leave();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
		errno = saved_errno;
		return false;
	}
	(void)real.close(ends[1]);
	is_done = real.dup3(ends[0], fd, O_CLOEXEC) == fd;
	(void)real.close(ends[0]);
	errno = saved_errno;
	return is_done;
}
