/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Handles to processes, and what they allow. A call on the own process is vm's, one on another a
 * request to it; copies are the system's. No lock of its own. */

#include "core/process/process.h"

#include "core/base/arena.h"
#include "core/base/status.h"
#include "core/os/os.h"
#include "core/process/caller.h"
#include "core/process/copy.h"
#include "core/process/perform.h"

#define CURRENT_PROCESS ((HANDLE)(intptr_t)-1)
#define CURRENT_THREAD ((HANDLE)(intptr_t)-2)

/* What the generic rights are for a process, as WinNT.h documents them. */
static const struct {
	uint32_t generic;
	uint32_t rights;
} generic_rights[] = {
	{ GENERIC_READ, READ_CONTROL | PROCESS_QUERY_INFORMATION | PROCESS_VM_READ },
	{ GENERIC_WRITE, READ_CONTROL | PROCESS_CREATE_PROCESS | PROCESS_CREATE_THREAD |
				 PROCESS_DUP_HANDLE | PROCESS_SET_INFORMATION | PROCESS_SET_QUOTA |
				 PROCESS_SUSPEND_RESUME | PROCESS_VM_OPERATION | PROCESS_VM_WRITE },
	{ GENERIC_EXECUTE,
	  READ_CONTROL | SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION | PROCESS_TERMINATE },
	{ GENERIC_ALL | MAXIMUM_ALLOWED, PROCESS_ALL_ACCESS },
};

static uint32_t specific_access(uint32_t access)
{
	uint32_t specific = access & PROCESS_ALL_ACCESS;

	for (size_t i = 0; i < sizeof generic_rights / sizeof generic_rights[0]; i++)
		if (access & generic_rights[i].generic)
			specific |= generic_rights[i].rights;
	if (specific & PROCESS_QUERY_INFORMATION)
		specific |= PROCESS_QUERY_LIMITED_INFORMATION;
	return specific;
}

static void end_process(void *body)
{
	arena_free(body, sizeof(struct process));
}

/* A process is waited for until it has ended. */
static bool has_ended(const void *body)
{
	return identity_has_ended(&((const struct process *)body)->identity);
}

static NTSTATUS find_process(uint32_t id, struct process *process)
{
	process->is_own = id == os_process_id();
	if (!process->is_own)
		return identity_find(id, &process->identity);
	identity_of_own(&process->identity);
	return STATUS_SUCCESS;
}

NTSTATUS process_open(uint32_t access, uint32_t id, HANDLE *handle)
{
	struct process found = { .object = { .destroy = end_process, .is_signaled = has_ended } };
	struct process *process;
	NTSTATUS status = find_process(id, &found);
	HANDLE opened;

	if (!status_is_success(status))
		return status;
	process = arena_allocate(sizeof *process);
	if (!process)
		return STATUS_NO_MEMORY;
	*process = found;
	opened = object_open(OBJECT_PROCESS, process, specific_access(access));
	if (!opened) {
		end_process(process);
		return STATUS_NO_MEMORY;
	}
	*handle = opened;
	return STATUS_SUCCESS;
}

/* The process that the handle leads to when it allows `access`; NULL: this one. To be given back
 * with leave(). */
static NTSTATUS enter(HANDLE handle, uint32_t access, struct process **process)
{
	void *body;
	NTSTATUS status;

	*process = NULL;
	if (handle == CURRENT_PROCESS)
		return STATUS_SUCCESS;
	status = object_get(handle, OBJECT_PROCESS, access, &body);
	if (status_is_success(status))
		*process = body;
	return status;
}

static void leave(struct process *process)
{
	if (process)
		object_put(process);
}

/* A handle that a parent opened to itself leads its forked child to the parent. */
static bool is_this(const struct process *process)
{
	return !process || (process->is_own && process->identity.id == os_process_id());
}

NTSTATUS process_id(HANDLE handle, uint32_t *id)
{
	struct process *process;
	NTSTATUS status = enter(handle, PROCESS_QUERY_LIMITED_INFORMATION, &process);

	if (!status_is_success(status))
		return status;
	*id = process ? process->identity.id : os_process_id();
	leave(process);
	return STATUS_SUCCESS;
}

NTSTATUS process_close(HANDLE handle)
{
	if (handle == CURRENT_PROCESS || handle == CURRENT_THREAD)
		return STATUS_SUCCESS;
	return object_close(handle);
}

NTSTATUS process_is_this(HANDLE handle, uint32_t access, bool *is_own)
{
	struct process *process;
	NTSTATUS status = enter(handle, access, &process);

	if (!status_is_success(status))
		return status;
	*is_own = is_this(process);
	leave(process);
	return status;
}

static NTSTATUS check_own(HANDLE handle)
{
	bool is_own = false;
	NTSTATUS status = process_is_this(handle, PROCESS_DUP_HANDLE, &is_own);

	return status_is_success(status) && !is_own ? STATUS_NOT_SUPPORTED : status;
}

static NTSTATUS duplicate_one(HANDLE source, uint32_t access, uint32_t options, HANDLE *duplicate)
{
	bool is_same = options & DUPLICATE_SAME_ACCESS;

	if (source == CURRENT_PROCESS)
		return process_open(is_same ? PROCESS_ALL_ACCESS : access, os_process_id(),
				    duplicate);
	access = specific_access(access);
	return object_duplicate(source, is_same ? NULL : &access, duplicate);
}

NTSTATUS process_duplicate(HANDLE source_process, HANDLE source, HANDLE target_process,
			   HANDLE *duplicate, uint32_t access, uint32_t options)
{
	NTSTATUS status = check_own(source_process);
	HANDLE made = NULL;

	if (!status_is_success(status))
		return status;
	status = check_own(target_process);
	if (status_is_success(status))
		status = duplicate_one(source, access, options, &made);
	if (options & DUPLICATE_CLOSE_SOURCE)
		(void)object_close(source);
	if (status_is_success(status) && duplicate)
		*duplicate = made;
	else if (status_is_success(status))
		(void)object_close(made);
	return status;
}

/* --- Requests -------------------------------------------------------------------------------- */

static NTSTATUS ask(const struct process *process, struct protocol_request *request,
		    struct protocol_reply *reply)
{
	return is_this(process) ? perform_own(request, reply)
				: caller_ask(&process->identity, request, reply);
}

NTSTATUS process_ask(HANDLE handle, uint32_t access, struct protocol_request *request,
		     struct protocol_reply *reply)
{
	struct process *process;
	NTSTATUS status = enter(handle, access, &process);

	if (!status_is_success(status))
		return status;
	status = ask(process, request, reply);
	leave(process);
	return status;
}

NTSTATUS process_ask_range(HANDLE handle, struct protocol_request *request, void **base,
			   size_t *size_bytes)
{
	struct protocol_reply reply;
	NTSTATUS status;

	request->base = (uint64_t)*base;
	request->size_bytes = *size_bytes;
	status = process_ask(handle, PROCESS_VM_OPERATION, request, &reply);
	if (!status_is_success(status))
		return status;
	*base = (void *)reply.base;
	*size_bytes = reply.size_bytes;
	return status;
}

/* --- The calls on ranges --------------------------------------------------------------------- */

NTSTATUS process_allocate(HANDLE handle, void **base, size_t *size_bytes, uint32_t type,
			  uint32_t protect, const struct vm_request *request)
{
	struct protocol_request there = {
		.operation = PROTOCOL_ALLOCATE,
		.api = request->api,
		.node = request->node,
		.type = type,
		.protect = protect,
		.alignment_bytes = request->alignment_bytes,
		.lowest = request->lowest,
		.limit = request->limit,
		.takes_placeholders = request->takes_placeholders,
	};

	return process_ask_range(handle, &there, base, size_bytes);
}

NTSTATUS process_free(HANDLE handle, void **base, size_t *size_bytes, uint32_t free_type,
		      const struct vm_request *request)
{
	struct protocol_request there = {
		.operation = PROTOCOL_FREE,
		.api = request->api,
		.type = free_type,
	};

	return process_ask_range(handle, &there, base, size_bytes);
}

static NTSTATUS protect_in(const struct process *process, void **base, size_t *size_bytes,
			   uint32_t protect, uint32_t *old_protect,
			   const struct vm_request *request)
{
	struct protocol_request there = {
		.operation = PROTOCOL_PROTECT,
		.api = request->api,
		.base = (uint64_t)*base,
		.size_bytes = *size_bytes,
		.protect = protect,
	};
	struct protocol_reply reply;
	NTSTATUS status = ask(process, &there, &reply);

	if (!status_is_success(status))
		return status;
	*base = (void *)reply.base;
	*size_bytes = reply.size_bytes;
	*old_protect = reply.old_protect;
	return status;
}

NTSTATUS process_protect(HANDLE handle, void **base, size_t *size_bytes, uint32_t protect,
			 uint32_t *old_protect, const struct vm_request *request)
{
	struct process *process;
	NTSTATUS status = enter(handle, PROCESS_VM_OPERATION, &process);

	if (!status_is_success(status))
		return status;
	status = protect_in(process, base, size_bytes, protect, old_protect, request);
	leave(process);
	return status;
}

static NTSTATUS query_in(const struct process *process, const void *address,
			 MEMORY_BASIC_INFORMATION *info)
{
	struct protocol_request there = {
		.operation = PROTOCOL_QUERY,
		.api = API_VirtualQueryEx,
		.base = (uint64_t)address,
	};
	struct protocol_reply reply;
	NTSTATUS status;

	if (is_this(process))
		return vm_query(address, info);
	status = caller_ask(&process->identity, &there, &reply);
	if (status_is_success(status))
		*info = reply.info;
	return status;
}

NTSTATUS process_query(HANDLE handle, uint32_t access, const void *address,
		       MEMORY_BASIC_INFORMATION *info)
{
	struct process *process;
	NTSTATUS status = enter(handle, access, &process);

	if (!status_is_success(status))
		return status;
	status = query_in(process, address, info);
	leave(process);
	return status;
}

/* --- Copies ---------------------------------------------------------------------------------- */

/* The number is another process's once this one has ended: what was read there is not handed out as
 * this one's. */
static NTSTATUS read_in(const struct process *process, const void *address, void *buffer,
			size_t size_bytes, size_t *copied)
{
	NTSTATUS status;

	if (is_this(process))
		return copy_from(os_process_id(), address, buffer, size_bytes, copied);
	status = copy_from(process->identity.id, address, buffer, size_bytes, copied);
	if (identity_is_alive(&process->identity))
		return status;
	*copied = 0;
	return STATUS_PROCESS_IS_TERMINATING;
}

/* Whether the other process has let a write through that its write watch had stopped. */
static bool is_expected(const struct process *process, const char *address, size_t size_bytes)
{
	struct protocol_request there = {
		.operation = PROTOCOL_EXPECT,
		.api = API_WriteProcessMemory,
		.base = (uint64_t)address,
		.size_bytes = size_bytes,
	};
	struct protocol_reply reply;

	return status_is_success(caller_ask(&process->identity, &there, &reply));
}

static NTSTATUS write_there(const struct process *process, char *address, const char *buffer,
			    size_t size_bytes, size_t *copied)
{
	size_t before;
	NTSTATUS status = copy_to(process->identity.id, address, buffer, size_bytes, copied);

	if (status != STATUS_PARTIAL_COPY ||
	    !is_expected(process, address + *copied, size_bytes - *copied))
		return status;
	before = *copied;
	status = copy_to(process->identity.id, address + before, buffer + before,
			 size_bytes - before, copied);
	*copied += before;
	return status;
}

static NTSTATUS write_in(const struct process *process, void *address, const void *buffer,
			 size_t size_bytes, size_t *copied)
{
	*copied = 0;
	if (is_this(process))
		return copy_to(os_process_id(), address, buffer, size_bytes, copied);
	if (!identity_is_alive(&process->identity))
		return STATUS_PROCESS_IS_TERMINATING;
	return write_there(process, address, buffer, size_bytes, copied);
}

NTSTATUS process_read(HANDLE handle, const void *address, void *buffer, size_t size_bytes,
		      size_t *count)
{
	struct process *process;
	NTSTATUS status = enter(handle, PROCESS_VM_READ, &process);
	size_t copied = 0;

	if (status_is_success(status))
		status = read_in(process, address, buffer, size_bytes, &copied);
	if (count)
		*count = copied;
	leave(process);
	return status;
}

NTSTATUS process_write(HANDLE handle, void *address, const void *buffer, size_t size_bytes,
		       size_t *count)
{
	struct process *process;
	NTSTATUS status = enter(handle, PROCESS_VM_WRITE | PROCESS_VM_OPERATION, &process);
	size_t copied = 0;

	if (status_is_success(status))
		status = write_in(process, address, buffer, size_bytes, &copied);
	if (count)
		*count = copied;
	leave(process);
	return status;
}

static size_t smaller(size_t one, size_t other)
{
	return one < other ? one : other;
}

/* Writes to a run of pages of code, which are writable meanwhile. STATUS_PARTIAL_COPY when it is
 * none. */
static NTSTATUS write_code(const struct process *process, char *address, const char *buffer,
			   size_t size_bytes, size_t *copied)
{
	static const struct vm_request request = { .api = API_WriteProcessMemory };
	MEMORY_BASIC_INFORMATION run;
	uint32_t old_protect, unused;
	size_t run_bytes;
	void *base = address;
	NTSTATUS status;

	*copied = 0;
	if (!status_is_success(query_in(process, address, &run)) ||
	    !(run.Protect & (PAGE_EXECUTE | PAGE_EXECUTE_READ)))
		return STATUS_PARTIAL_COPY;
	run_bytes =
		smaller(size_bytes, (size_t)((char *)run.BaseAddress + run.RegionSize - address));
	size_bytes = run_bytes;
	if (!status_is_success(protect_in(process, &base, &run_bytes, PAGE_EXECUTE_READWRITE,
					  &old_protect, &request)))
		return STATUS_PARTIAL_COPY;
	status = write_in(process, address, buffer, size_bytes, copied);
	(void)protect_in(process, &base, &run_bytes, old_protect, &unused, &request);
	return status;
}

static NTSTATUS write_all(const struct process *process, char *address, const char *buffer,
			  size_t size_bytes, size_t *copied)
{
	size_t more;
	NTSTATUS status = write_in(process, address, buffer, size_bytes, copied);

	while (status == STATUS_PARTIAL_COPY && *copied < size_bytes) {
		status = write_code(process, address + *copied, buffer + *copied,
				    size_bytes - *copied, &more);
		*copied += more;
		if (!status_is_success(status) || *copied == size_bytes)
			break;
		status = write_in(process, address + *copied, buffer + *copied,
				  size_bytes - *copied, &more);
		*copied += more;
	}
	return status;
}

static bool is_readable(const struct process *process, const void *address)
{
	size_t copied;
	char byte;

	return status_is_success(read_in(process, address, &byte, /* size_bytes */ 1, &copied));
}

NTSTATUS process_patch(HANDLE handle, void *address, const void *buffer, size_t size_bytes,
		       size_t *count)
{
	struct process *process;
	NTSTATUS status = enter(handle, PROCESS_VM_WRITE | PROCESS_VM_OPERATION, &process);
	size_t copied = 0;

	if (status_is_success(status))
		status = write_all(process, address, buffer, size_bytes, &copied);
	if (status == STATUS_PARTIAL_COPY && copied == 0 && is_readable(process, address))
		status = STATUS_ACCESS_VIOLATION;
	if (count)
		*count = copied;
	leave(process);
	return status;
}
