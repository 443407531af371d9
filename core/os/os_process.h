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

/* Local sockets that pass whole messages, under names that are no files (the abstract namespace of
 * the network namespace). None blocks but os_poll; none raises SIGPIPE; exec closes them. */
int os_socket(void);
int os_socket_bind(int fd, const char *name);
int os_socket_listen(int fd, int waiting_connections);
int os_socket_accept(int fd);
/* -ECONNREFUSED: nobody has the name; -EAGAIN: too many wait there already. */
int os_socket_connect(int fd, const char *name);
/* Who connected, or who made the name that was connected to; 0: a process that we cannot see. */
int os_socket_peer(int fd, uint32_t *process_id, uint32_t *user_id);
ssize_t os_socket_send(int fd, const void *message, size_t size_bytes);
/* The size of the message, also of one that is longer than the buffer; 0: the other has left. */
ssize_t os_socket_receive(int fd, void *message, size_t size_bytes);
int os_poll(struct pollfd *fds, size_t count, int timeout_ms);

/* The calling thread gets a table of file descriptors of its own, which is empty. */
int os_descriptors_leave(void);
/* Where the system lets only a process's parents trace it (Yama), all of its user's may from now
 * on, and so copy its memory. */
void os_tracers_allow(void);
/* Of the calling thread; 15 characters at most. */
int os_thread_name(const char *name);

/* The user that counts for permissions. */
uint32_t os_user_id(void);
/* The text of a symbolic link, not ended by 0; its length. */
ssize_t os_read_link(const char *path, char *text, size_t size_bytes);

#endif
