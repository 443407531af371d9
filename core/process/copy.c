/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Copies page by page of the other process, so that the system's count is exact:
 *
 *   other   ...|..######|########|###.....|...     pieces end at page boundaries
 *   buffer     [##################]
 *
 * Where it stops short, one byte is tried with memory of our own in place of the buffer: that tells
 * whose memory it was. Holds no state. */

#include "core/process/copy.h"

#include <errno.h>
#include <stdbool.h>

#include "core/base/status.h"
#include "core/os/os.h"
#include "core/os/os_process.h"
#include "core/vm/writewatch.h"

/* Pieces of one call. */
#define PIECES 64u

/* One copy: which way, and what is still to be done. */
struct copy {
	uint32_t process_id;
	bool is_write;
	uintptr_t address;
	uintptr_t buffer;
	size_t size_bytes;
};

static size_t smaller(size_t one, size_t other)
{
	return one < other ? one : other;
}

/* The other's next pages; returns how many, and in *size_bytes their bytes. */
static size_t cut(const struct copy *copy, struct iovec *pieces, size_t *size_bytes)
{
	size_t count = 0;

	for (*size_bytes = 0; count < PIECES && *size_bytes < copy->size_bytes; count++) {
		uintptr_t address = copy->address + *size_bytes;
		size_t length = smaller(OS_PAGE_SIZE - address % OS_PAGE_SIZE,
					copy->size_bytes - *size_bytes);

		pieces[count] = (struct iovec){ (void *)address, length };
		*size_bytes += length;
	}
	return count;
}

static ssize_t transfer(const struct copy *copy, const struct iovec *pieces, size_t count,
			size_t size_bytes)
{
	const struct iovec buffer = { (void *)copy->buffer, size_bytes };

	if (copy->is_write)
		return os_process_write(copy->process_id, &buffer, pieces, count);
	return os_process_read(copy->process_id, &buffer, pieces, count);
}

/* Whether the buffer's next byte is what stopped the copy. A byte of the other's is read to a place
 * of ours; a byte of the buffer's that is to be written there is read by ourselves. */
static bool is_buffer_bad(const struct copy *copy)
{
	char byte;
	struct copy one = { .address = copy->address, .buffer = (uintptr_t)&byte, .size_bytes = 1 };
	struct iovec piece = { (void *)one.address, 1 };

	one.process_id = copy->process_id;
	if (!copy->is_write)
		return transfer(&one, &piece, /* count */ 1, one.size_bytes) == 1;
	one.process_id = os_process_id();
	piece.iov_base = (void *)copy->buffer;
	return transfer(&one, &piece, /* count */ 1, one.size_bytes) != 1;
}

static NTSTATUS status_of_stop(const struct copy *copy, int error)
{
	switch (error) {
	case -ESRCH:
		return STATUS_PROCESS_IS_TERMINATING;
	case -EPERM:
		return STATUS_ACCESS_DENIED;
	case -ENOMEM:
		return STATUS_NO_MEMORY;
	case -ENOSYS:
		return STATUS_NOT_SUPPORTED;
	default:
		return is_buffer_bad(copy) ? STATUS_ACCESS_VIOLATION : STATUS_PARTIAL_COPY;
	}
}

static NTSTATUS run(struct copy *copy)
{
	while (copy->size_bytes) {
		struct iovec pieces[PIECES];
		size_t wanted, count = cut(copy, pieces, &wanted);
		ssize_t got = transfer(copy, pieces, count, wanted);

		if (got <= 0)
			return status_of_stop(copy, (int)got);
		copy->address += (size_t)got;
		copy->buffer += (size_t)got;
		copy->size_bytes -= (size_t)got;
	}
	return STATUS_SUCCESS;
}

/* Where the system is about to write in this process. */
static void tell_watch(const struct copy *copy)
{
	if (!copy->is_write)
		watch_expect(copy, (void *)copy->buffer, copy->size_bytes);
	else if (copy->process_id == os_process_id())
		watch_expect(copy, (void *)copy->address, copy->size_bytes);
}

static NTSTATUS run_watched(struct copy *copy)
{
	NTSTATUS status;

	if (!watch_foresees())
		return run(copy);
	tell_watch(copy);
	status = run(copy);
	watch_expect_no_more(copy);
	return status;
}

/* The addresses of the system's own half are nobody's to copy; the end must not wrap. */
static NTSTATUS start(struct copy *copy, size_t *copied)
{
	const size_t size_bytes = copy->size_bytes;
	NTSTATUS status;

	*copied = 0;
	if (copy->address + size_bytes < copy->address || copy->address + size_bytes > OS_USER_END)
		return STATUS_ACCESS_VIOLATION;
	if (copy->buffer + size_bytes < copy->buffer || copy->buffer + size_bytes > OS_USER_END)
		return STATUS_ACCESS_VIOLATION;
	status = run_watched(copy);
	*copied = size_bytes - copy->size_bytes;
	return status;
}

NTSTATUS copy_from(uint32_t process_id, const void *address, void *buffer, size_t size_bytes,
		   size_t *copied)
{
	struct copy copy = {
		.process_id = process_id,
		.address = (uintptr_t)address,
		.buffer = (uintptr_t)buffer,
		.size_bytes = size_bytes,
	};

	return start(&copy, copied);
}

NTSTATUS copy_to(uint32_t process_id, void *address, const void *buffer, size_t size_bytes,
		 size_t *copied)
{
	struct copy copy = {
		.process_id = process_id,
		.is_write = true,
		.address = (uintptr_t)address,
		.buffer = (uintptr_t)buffer,
		.size_bytes = size_bytes,
	};

	return start(&copy, copied);
}
