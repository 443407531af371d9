/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The contract with the machine about other processes, on Linux: raw system calls, one function
 * each. */

#include "core/os/os_process.h"

#include <linux/close_range.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "core/os/os.h"
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

int os_socket(void)
{
	return (int)system_call3(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
				 0);
}

/* Names that are no files begin with 0, and end with the address. The size of it. */
static long name_address(struct sockaddr_un *address, const char *name)
{
	size_t length = strlen(name);

	if (length > sizeof address->sun_path - 1)
		length = sizeof address->sun_path - 1;
	memset(address, 0, sizeof *address);
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path + 1, name, length);
	return (long)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
}

int os_socket_bind(int fd, const char *name)
{
	struct sockaddr_un address;
	long size = name_address(&address, name);

	return (int)system_call3(SYS_bind, fd, (long)&address, size);
}

int os_socket_listen(int fd, int waiting_connections)
{
	return (int)system_call3(SYS_listen, fd, waiting_connections, 0);
}

int os_socket_accept(int fd)
{
	return (int)system_call4(SYS_accept4, fd, 0, 0, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

int os_socket_connect(int fd, const char *name)
{
	struct sockaddr_un address;
	long size = name_address(&address, name);

	return (int)system_call3(SYS_connect, fd, (long)&address, size);
}

int os_socket_peer(int fd, uint32_t *process_id, uint32_t *user_id)
{
	struct {
		uint32_t process_id, user_id, group_id;
	} peer = { 0, 0, 0 }; /* as the system's struct ucred */
	socklen_t size = sizeof peer;
	int error = (int)system_call6(SYS_getsockopt, fd, SOL_SOCKET, SO_PEERCRED, (long)&peer,
				      (long)&size, 0);

	if (error < 0)
		return error;
	*process_id = peer.process_id;
	*user_id = peer.user_id;
	return 0;
}

ssize_t os_socket_send(int fd, const void *message, size_t size_bytes)
{
	return system_call6(SYS_sendto, fd, (long)message, (long)size_bytes,
			    MSG_NOSIGNAL | MSG_DONTWAIT, 0, 0);
}

ssize_t os_socket_receive(int fd, void *message, size_t size_bytes)
{
	return system_call6(SYS_recvfrom, fd, (long)message, (long)size_bytes,
			    MSG_TRUNC | MSG_DONTWAIT, 0, 0);
}

int os_poll(struct pollfd *fds, size_t count, int timeout_ms)
{
	return (int)system_call3(SYS_poll, (long)fds, (long)count, timeout_ms);
}

int os_descriptors_leave(void)
{
	return (int)system_call3(SYS_close_range, 0, (long)~0u, CLOSE_RANGE_UNSHARE);
}

void os_tracers_allow(void)
{
	system_call4(SYS_prctl, PR_SET_PTRACER, (long)PR_SET_PTRACER_ANY, 0, 0);
}

int os_thread_name(const char *name)
{
	return (int)system_call3(SYS_prctl, PR_SET_NAME, (long)name, 0);
}

uint32_t os_user_id(void)
{
	return (uint32_t)system_call3(SYS_geteuid, 0, 0, 0);
}

ssize_t os_read_link(const char *path, char *text, size_t size_bytes)
{
	return system_call3(SYS_readlink, (long)path, (long)text, (long)size_bytes);
}
