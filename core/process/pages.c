/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What fits into one request is one, for this process and for others. Lists are the engine's whole
 * for this process, and PROTOCOL_WORDS at a time for others. No lock of its own. */

#include "core/process/pages.h"

#include <string.h>

#include "core/base/status.h"
#include "core/os/os.h"
#include "core/process/process.h"
#include "core/vm/awe.h"
#include "core/vm/writewatch.h"

/* A call on a range that becomes the pages it took. */
static NTSTATUS change(HANDLE process, uint16_t operation, uint16_t api, void **base,
		       size_t *size_bytes)
{
	struct protocol_request request = { .operation = operation, .api = api };

	return process_ask_range(process, &request, base, size_bytes);
}

/* A call on a range, or on the whole process, that answers nothing but a status. */
static NTSTATUS order(HANDLE process, uint32_t access, uint16_t operation, uint16_t api,
		      const void *base, size_t size_bytes)
{
	struct protocol_request request = {
		.operation = operation,
		.api = api,
		.base = (uint64_t)base,
		.size_bytes = size_bytes,
	};
	struct protocol_reply reply;

	return process_ask(process, access, &request, &reply);
}

NTSTATUS pages_lock(HANDLE process, void **base, size_t *size_bytes)
{
	return change(process, PROTOCOL_LOCK, API_NtLockVirtualMemory, base, size_bytes);
}

NTSTATUS pages_unlock(HANDLE process, void **base, size_t *size_bytes)
{
	return change(process, PROTOCOL_UNLOCK, API_NtUnlockVirtualMemory, base, size_bytes);
}

NTSTATUS pages_prefetch(HANDLE process, const void *base, size_t size_bytes)
{
	return order(process, /* access */ 0, PROTOCOL_PREFETCH, API_PrefetchVirtualMemory, base,
		     size_bytes);
}

/* --- The working set ------------------------------------------------------------------------- */

NTSTATUS pages_limits(HANDLE process, struct working_set_limits *limits)
{
	struct protocol_request request = {
		.operation = PROTOCOL_GET_LIMITS,
		.api = API_GetProcessWorkingSetSizeEx,
	};
	struct protocol_reply reply;
	NTSTATUS status = process_ask(process, PROCESS_QUERY_LIMITED_INFORMATION, &request, &reply);

	if (!status_is_success(status))
		return status;
	*limits = (struct working_set_limits){
		.minimum_bytes = reply.words[PROTOCOL_LIMIT_MINIMUM],
		.maximum_bytes = reply.words[PROTOCOL_LIMIT_MAXIMUM],
		.flags = (uint32_t)reply.words[PROTOCOL_LIMIT_FLAGS],
	};
	return status;
}

NTSTATUS pages_set_limits(HANDLE process, const struct working_set_limits *limits)
{
	struct protocol_request request = {
		.operation = PROTOCOL_SET_LIMITS,
		.api = API_SetProcessWorkingSetSizeEx,
		.word_count = PROTOCOL_LIMIT_WORDS,
		.words = { [PROTOCOL_LIMIT_MINIMUM] = limits->minimum_bytes,
			   [PROTOCOL_LIMIT_MAXIMUM] = limits->maximum_bytes,
			   [PROTOCOL_LIMIT_FLAGS] = limits->flags },
	};
	struct protocol_reply reply;

	return process_ask(process, PROCESS_SET_QUOTA, &request, &reply);
}

NTSTATUS pages_empty(HANDLE process)
{
	return order(process, PROCESS_SET_QUOTA, PROTOCOL_EMPTY, API_SetProcessWorkingSetSizeEx,
		     /* base */ NULL, /* size_bytes */ 0);
}

/* --- Lists ----------------------------------------------------------------------------------- */

static uint32_t part_of(size_t count)
{
	return count < PROTOCOL_WORDS ? (uint32_t)count : PROTOCOL_WORDS;
}

/* A list of another process's, whatever it says: no more than there is room for. */
static size_t answered(const struct protocol_request *request, const struct protocol_reply *reply)
{
	return reply->word_count < request->word_count ? (size_t)reply->word_count
						       : request->word_count;
}

static NTSTATUS query_part(HANDLE process, PSAPI_WORKING_SET_EX_INFORMATION *pages, uint32_t count)
{
	struct protocol_request request = {
		.operation = PROTOCOL_PAGES,
		.api = API_QueryWorkingSetEx,
		.word_count = count,
	};
	struct protocol_reply reply;
	NTSTATUS status;

	for (uint32_t i = 0; i < count; i++)
		request.words[i] = (uint64_t)pages[i].VirtualAddress;
	status = process_ask(process, PROCESS_QUERY_INFORMATION, &request, &reply);
	if (!status_is_success(status))
		return status;
	for (size_t i = 0; i < answered(&request, &reply); i++)
		pages[i].VirtualAttributes.Flags = reply.words[i];
	return status;
}

NTSTATUS pages_query(HANDLE process, PSAPI_WORKING_SET_EX_INFORMATION *pages, size_t count)
{
	bool is_own = false;
	NTSTATUS status = process_is_this(process, PROCESS_QUERY_INFORMATION, &is_own);

	if (!status_is_success(status))
		return status;
	if (is_own)
		return working_set_query(pages, count);
	for (size_t done = 0; status_is_success(status) && done < count; done += PROTOCOL_WORDS)
		status = query_part(process, pages + done, part_of(count - done));
	return status;
}

/* Asks for the written pages from *at on; *at becomes where to go on. */
static NTSTATUS list_part(HANDLE process, uintptr_t *at, uintptr_t end, bool resets, void **pages,
			  size_t *count)
{
	struct protocol_request request = {
		.operation = PROTOCOL_WRITTEN,
		.api = API_NtGetWriteWatch,
		.base = *at,
		.size_bytes = end - *at,
		.type = resets,
		.word_count = part_of(*count),
	};
	struct protocol_reply reply;
	NTSTATUS status = process_ask(process, PROCESS_VM_OPERATION, &request, &reply);

	if (!status_is_success(status))
		return status;
	*count = answered(&request, &reply);
	for (size_t i = 0; i < *count; i++)
		pages[i] = (void *)reply.words[i];
	*at = *count == request.word_count ? reply.words[*count - 1] + OS_PAGE_SIZE : end;
	return status;
}

static NTSTATUS list_there(HANDLE process, uintptr_t base, size_t size_bytes, bool resets,
			   void **pages, size_t *count)
{
	uintptr_t at = base, end = base + size_bytes;
	NTSTATUS status;
	size_t done = 0, part;

	do {
		part = *count - done;
		status = list_part(process, &at, end, resets, pages + done, &part);
		if (!status_is_success(status))
			return status;
		done += part;
	} while (done < *count && at > base && at < end);
	*count = done;
	return status;
}

NTSTATUS pages_written(HANDLE process, const void *base, size_t size_bytes, bool resets,
		       void **pages, size_t *count)
{
	bool is_own = false;
	NTSTATUS status = process_is_this(process, PROCESS_VM_OPERATION, &is_own);

	if (!status_is_success(status))
		return status;
	if (is_own)
		return vm_get_write_watch(base, size_bytes, resets, pages, count);
	if (*count == 0 || size_bytes > OS_USER_END || (uintptr_t)base > OS_USER_END - size_bytes)
		return STATUS_INVALID_PARAMETER;
	return list_there(process, (uintptr_t)base, size_bytes, resets, pages, count);
}

NTSTATUS pages_forget_written(HANDLE process, const void *base, size_t size_bytes)
{
	return order(process, PROCESS_VM_OPERATION, PROTOCOL_NOT_WRITTEN, API_NtResetWriteWatch,
		     base, size_bytes);
}

/* --- Physical pages -------------------------------------------------------------------------- */

static NTSTATUS take_part(HANDLE process, uintptr_t *numbers, uint32_t *count,
			  const struct vm_request *call)
{
	struct protocol_request request = {
		.operation = PROTOCOL_TAKE_FRAMES,
		.api = call->api,
		.node = call->node,
		.word_count = *count,
	};
	struct protocol_reply reply;
	NTSTATUS status = process_ask(process, PROCESS_VM_OPERATION, &request, &reply);

	if (!status_is_success(status))
		return status;
	*count = (uint32_t)answered(&request, &reply);
	memcpy(numbers, reply.words, *count * sizeof *numbers);
	return status;
}

/* What could be had is a success, unless it is nothing. */
static NTSTATUS take_there(HANDLE process, uintptr_t *numbers, size_t *count,
			   const struct vm_request *request)
{
	NTSTATUS status;
	size_t done = 0;
	uint32_t wanted, part;

	do {
		wanted = part = part_of(*count - done);
		status = take_part(process, numbers + done, &part, request);
		if (!status_is_success(status))
			break;
		done += part;
	} while (part == wanted && done < *count);
	if (done == 0)
		return status;
	*count = done;
	return STATUS_SUCCESS;
}

NTSTATUS pages_take_frames(HANDLE process, uintptr_t *numbers, size_t *count,
			   const struct vm_request *request)
{
	bool is_own = false;
	NTSTATUS status = process_is_this(process, PROCESS_VM_OPERATION, &is_own);

	if (!status_is_success(status))
		return status;
	return is_own ? awe_allocate(numbers, count, request->node)
		      : take_there(process, numbers, count, request);
}

static NTSTATUS give_part(HANDLE process, const uintptr_t *numbers, uint32_t *count,
			  const struct vm_request *call)
{
	struct protocol_request request = {
		.operation = PROTOCOL_GIVE_FRAMES,
		.api = call->api,
		.word_count = *count,
	};
	struct protocol_reply reply = { .word_count = 0 };
	NTSTATUS status;

	memcpy(request.words, numbers, *count * sizeof *numbers);
	status = process_ask(process, PROCESS_VM_OPERATION, &request, &reply);
	*count = (uint32_t)answered(&request, &reply);
	return status;
}

static NTSTATUS give_there(HANDLE process, const uintptr_t *numbers, size_t *count,
			   const struct vm_request *request)
{
	NTSTATUS status;
	size_t done = 0;
	uint32_t part;

	do {
		part = part_of(*count - done);
		status = give_part(process, numbers + done, &part, request);
		done += part;
	} while (status_is_success(status) && done < *count);
	*count = done;
	return status;
}

NTSTATUS pages_give_frames(HANDLE process, const uintptr_t *numbers, size_t *count,
			   const struct vm_request *request)
{
	bool is_own = false;
	NTSTATUS status = process_is_this(process, PROCESS_VM_OPERATION, &is_own);

	if (!status_is_success(status))
		return status;
	return is_own ? awe_free(numbers, count, request)
		      : give_there(process, numbers, count, request);
}
