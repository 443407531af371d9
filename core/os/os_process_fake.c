/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* os_fake.c for the calls that concern other processes; both count together. */

#include "core/os/os_fake.h"

#define os_socket real_socket
#define os_socket_bind real_socket_bind
#define os_socket_listen real_socket_listen
#define os_socket_accept real_socket_accept
#define os_socket_connect real_socket_connect
#define os_socket_peer real_socket_peer
#define os_socket_send real_socket_send
#define os_socket_receive real_socket_receive
#define os_descriptors_leave real_descriptors_leave
#define os_read_link real_read_link
#define os_process_read real_process_read
#define os_process_write real_process_write
#define os_process_find real_process_find
#define os_poll real_poll
#define os_thread_name real_thread_name
#include "core/os/os_process.c"
#undef os_socket
#undef os_socket_bind
#undef os_socket_listen
#undef os_socket_accept
#undef os_socket_connect
#undef os_socket_peer
#undef os_socket_send
#undef os_socket_receive
#undef os_descriptors_leave
#undef os_read_link
#undef os_process_read
#undef os_process_write
#undef os_process_find
#undef os_poll
#undef os_thread_name

int os_socket(void);
int os_socket_bind(int fd, const char *name);
int os_socket_listen(int fd, int waiting_connections);
int os_socket_accept(int fd);
int os_socket_connect(int fd, const char *name);
int os_socket_peer(int fd, uint32_t *process_id, uint32_t *user_id);
ssize_t os_socket_send(int fd, const void *message, size_t size_bytes);
ssize_t os_socket_receive(int fd, void *message, size_t size_bytes);
int os_descriptors_leave(void);
ssize_t os_read_link(const char *path, char *text, size_t size_bytes);
ssize_t os_process_read(uint32_t process_id, const struct iovec *buffer, const struct iovec *pieces,
			size_t count);
ssize_t os_process_write(uint32_t process_id, const struct iovec *buffer,
			 const struct iovec *pieces, size_t count);
int os_process_find(uint32_t process_id);
int os_poll(struct pollfd *fds, size_t count, int timeout_ms);
int os_thread_name(const char *name);

int os_socket(void)
{
	int error = os_fake_refusal(OS_FAKE_socket);

	return error ? error : real_socket();
}

int os_socket_bind(int fd, const char *name)
{
	int error = os_fake_refusal(OS_FAKE_socket_bind);

	return error ? error : real_socket_bind(fd, name);
}

int os_socket_listen(int fd, int waiting_connections)
{
	int error = os_fake_refusal(OS_FAKE_socket_listen);

	return error ? error : real_socket_listen(fd, waiting_connections);
}

int os_socket_accept(int fd)
{
	int error = os_fake_refusal(OS_FAKE_socket_accept);

	return error ? error : real_socket_accept(fd);
}

int os_socket_connect(int fd, const char *name)
{
	int error = os_fake_refusal(OS_FAKE_socket_connect);

	return error ? error : real_socket_connect(fd, name);
}

int os_socket_peer(int fd, uint32_t *process_id, uint32_t *user_id)
{
	int error = os_fake_refusal(OS_FAKE_socket_peer);

	return error ? error : real_socket_peer(fd, process_id, user_id);
}

ssize_t os_socket_send(int fd, const void *message, size_t size_bytes)
{
	int error = os_fake_refusal(OS_FAKE_socket_send);

	return error ? error : real_socket_send(fd, message, size_bytes);
}

ssize_t os_socket_receive(int fd, void *message, size_t size_bytes)
{
	int error = os_fake_refusal(OS_FAKE_socket_receive);

	return error ? error : real_socket_receive(fd, message, size_bytes);
}

int os_descriptors_leave(void)
{
	int error = os_fake_refusal(OS_FAKE_descriptors_leave);

	return error ? error : real_descriptors_leave();
}

ssize_t os_read_link(const char *path, char *text, size_t size_bytes)
{
	int error = os_fake_refusal(OS_FAKE_read_link);

	return error ? error : real_read_link(path, text, size_bytes);
}

ssize_t os_process_read(uint32_t process_id, const struct iovec *buffer, const struct iovec *pieces,
			size_t count)
{
	int error = os_fake_refusal(OS_FAKE_process_read);

	return error ? error : real_process_read(process_id, buffer, pieces, count);
}

ssize_t os_process_write(uint32_t process_id, const struct iovec *buffer,
			 const struct iovec *pieces, size_t count)
{
	int error = os_fake_refusal(OS_FAKE_process_write);

	return error ? error : real_process_write(process_id, buffer, pieces, count);
}

int os_process_find(uint32_t process_id)
{
	int error = os_fake_refusal(OS_FAKE_process_find);

	return error ? error : real_process_find(process_id);
}

int os_poll(struct pollfd *fds, size_t count, int timeout_ms)
{
	int error = os_fake_refusal(OS_FAKE_poll);

	return error ? error : real_poll(fds, count, timeout_ms);
}

int os_thread_name(const char *name)
{
	int error = os_fake_refusal(OS_FAKE_thread_name);

	return error ? error : real_thread_name(name);
}
