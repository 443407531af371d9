/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* One connection for each call:
 *
 *   connect -> is it that process? -> request -> wait -> reply -> close
 *
 * So there is nothing to share between threads, to lose in a fork, or to be closed by the program
 * between calls, and a caller that dies leaves nothing behind. The wait ends when the connection
 * does: the system closes it with the process. */

#include "core/process/caller.h"

#include <errno.h>

#include "core/base/status.h"
#include "core/os/os.h"
#include "core/os/os_process.h"
#include "core/process/text.h"

#define NANOSECONDS_PER_MS UINT64_C(1000000)

uint32_t caller_patience_ms = PROTOCOL_PATIENCE_MS;

/* Milliseconds until then; at least 0. */
static int remaining_ms(uint64_t deadline_ns)
{
	uint64_t now_ns = os_clock_ns();

	return now_ns < deadline_ns ? (int)((deadline_ns - now_ns) / NANOSECONDS_PER_MS) + 1 : 0;
}

/* What it means that nobody is there, or is there no longer. */
static NTSTATUS status_of_absence(const struct identity *process, NTSTATUS status)
{
	return identity_is_alive(process) ? status : STATUS_PROCESS_IS_TERMINATING;
}

static NTSTATUS connect_until(int fd, const struct identity *process, uint64_t deadline_ns)
{
	char name[TEXT_BYTES_MAX];
	int error;

	text_serving_name(name, process->id);
	if (!*name)
		return STATUS_NOT_SUPPORTED;
	while ((error = os_socket_connect(fd, name)) < 0) {
		if (error == -ECONNREFUSED)
			return status_of_absence(process, STATUS_NOT_SUPPORTED);
		if (error != -EAGAIN && error != -EINTR)
			return status_from_os(error);
		if (!remaining_ms(deadline_ns))
			return status_of_absence(process, STATUS_IO_TIMEOUT);
		os_sleep(NANOSECONDS_PER_MS);
	}
	return STATUS_SUCCESS;
}

/* The name could be anybody's. That the connected process has the number now, and the number's
 * process began when ours did, makes it ours: it lived when it was connected. */
static NTSTATUS check_peer(int fd, const struct identity *process)
{
	uint32_t id, user;
	int error = os_socket_peer(fd, &id, &user);

	if (error < 0)
		return status_from_os(error);
	if (!identity_is_alive(process))
		return STATUS_PROCESS_IS_TERMINATING;
	return id == process->id && user == os_user_id() ? STATUS_SUCCESS : STATUS_ACCESS_DENIED;
}

/* Waits for an answer or the end of the connection. */
static NTSTATUS wait_until(int fd, uint64_t deadline_ns)
{
	struct pollfd poll = { .fd = fd, .events = POLLIN };
	int count;

	do {
		count = os_poll(&poll, 1, remaining_ms(deadline_ns));
		if (count < 0 && count != -EINTR)
			return status_from_os(count);
	} while (count <= 0 && remaining_ms(deadline_ns));
	return count > 0 ? STATUS_SUCCESS : STATUS_IO_TIMEOUT;
}

static NTSTATUS talk(int fd, const struct identity *process, const struct protocol_request *request,
		     struct protocol_reply *reply)
{
	uint64_t deadline_ns = os_clock_ns() + caller_patience_ms * NANOSECONDS_PER_MS;
	NTSTATUS status = connect_until(fd, process, deadline_ns);

	if (status_is_success(status))
		status = check_peer(fd, process);
	if (!status_is_success(status))
		return status;
	if (os_socket_send(fd, request, sizeof *request) != sizeof *request)
		return status_of_absence(process, STATUS_ACCESS_DENIED);
	status = wait_until(fd, deadline_ns);
	if (!status_is_success(status))
		return status;
	if (os_socket_receive(fd, reply, sizeof *reply) != sizeof *reply ||
	    reply->mark != PROTOCOL_REPLY_MARK)
		return status_of_absence(process, STATUS_ACCESS_DENIED);
	return reply->status;
}

NTSTATUS caller_ask(const struct identity *process, struct protocol_request *request,
		    struct protocol_reply *reply)
{
	NTSTATUS status;
	int fd = os_socket();

	if (fd < 0)
		return status_from_os(fd);
	request->mark = PROTOCOL_REQUEST_MARK;
	status = talk(fd, process, request, reply);
	os_close(fd);
	return status;
}
