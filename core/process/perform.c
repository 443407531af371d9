/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A request is believed in nothing: its shape is looked at here, its ranges and flags by the same
 * rules of vm that hold for the program itself. What it may reach are this process's regions, by
 * the calls that the program could make. No lock of its own. */

#include "core/process/perform.h"

#include <stdbool.h>
#include <string.h>

#include "core/base/status.h"
#include "core/event.h"
#include "core/os/os.h"
#include "core/vm/advise.h"
#include "core/vm/awe.h"
#include "core/vm/lockpages.h"
#include "core/vm/virtual.h"
#include "core/vm/working_set.h"
#include "core/vm/writewatch.h"

/* The functions that come as each operation. */
static const struct {
	uint16_t operation;
	uint16_t api;
} known_calls[] = {
	{ PROTOCOL_ALLOCATE, API_VirtualAllocEx },
	{ PROTOCOL_ALLOCATE, API_VirtualAllocExNuma },
	{ PROTOCOL_ALLOCATE, API_VirtualAlloc2 },
	{ PROTOCOL_ALLOCATE, API_VirtualAlloc2FromApp },
	{ PROTOCOL_ALLOCATE, API_NtAllocateVirtualMemory },
	{ PROTOCOL_ALLOCATE, API_NtAllocateVirtualMemoryEx },
	{ PROTOCOL_FREE, API_VirtualFreeEx },
	{ PROTOCOL_FREE, API_NtFreeVirtualMemory },
	{ PROTOCOL_PROTECT, API_VirtualProtectEx },
	{ PROTOCOL_PROTECT, API_NtProtectVirtualMemory },
	{ PROTOCOL_PROTECT, API_WriteProcessMemory },
	{ PROTOCOL_QUERY, API_VirtualQueryEx },
	{ PROTOCOL_EXPECT, API_WriteProcessMemory },
	{ PROTOCOL_LOCK, API_NtLockVirtualMemory },
	{ PROTOCOL_UNLOCK, API_NtUnlockVirtualMemory },
	{ PROTOCOL_PREFETCH, API_PrefetchVirtualMemory },
	{ PROTOCOL_GET_LIMITS, API_GetProcessWorkingSetSizeEx },
	{ PROTOCOL_SET_LIMITS, API_SetProcessWorkingSetSizeEx },
	{ PROTOCOL_EMPTY, API_SetProcessWorkingSetSizeEx },
	{ PROTOCOL_PAGES, API_QueryWorkingSetEx },
	{ PROTOCOL_WRITTEN, API_NtGetWriteWatch },
	{ PROTOCOL_NOT_WRITTEN, API_NtResetWriteWatch },
	{ PROTOCOL_TAKE_FRAMES, API_AllocateUserPhysicalPages },
	{ PROTOCOL_TAKE_FRAMES, API_AllocateUserPhysicalPagesNuma },
	{ PROTOCOL_GIVE_FRAMES, API_FreeUserPhysicalPages },
};

static bool is_known(const struct protocol_request *request)
{
	for (size_t i = 0; i < sizeof known_calls / sizeof known_calls[0]; i++)
		if (known_calls[i].operation == request->operation &&
		    known_calls[i].api == request->api)
			return true;
	return false;
}

/* Small enough that no sum of two leaves 64 bits; vm looks at what they mean. */
static bool has_addresses(const struct protocol_request *request)
{
	uint64_t alignment_bytes = request->alignment_bytes;

	return (alignment_bytes & (alignment_bytes - 1)) == 0 && alignment_bytes < OS_USER_END &&
	       request->lowest <= OS_USER_END && request->limit <= OS_USER_END;
}

static bool has_shape(const struct protocol_request *request)
{
	return request->mark == PROTOCOL_REQUEST_MARK && is_known(request) &&
	       has_addresses(request) && request->takes_placeholders <= 1 &&
	       request->word_count <= PROTOCOL_WORDS;
}

/* Pages that a watch has made read-only are let through, and noted. How long the other process will
 * write nobody knows: who is refused asks again. */
static NTSTATUS expect(uint64_t base, uint64_t size_bytes)
{
	bool is_noted = false;

	if (size_bytes > OS_USER_END || base > OS_USER_END - size_bytes)
		return STATUS_INVALID_PARAMETER;
	if (watch_foresees()) {
		is_noted = watch_expect(&is_noted, (void *)base, size_bytes);
		watch_expect_no_more(&is_noted);
	}
	return is_noted ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

/* --- Working set ----------------------------------------------------------------------------- */

static NTSTATUS get_limits(struct protocol_reply *reply)
{
	struct working_set_limits limits;

	working_set_limits(&limits);
	reply->words[PROTOCOL_LIMIT_MINIMUM] = limits.minimum_bytes;
	reply->words[PROTOCOL_LIMIT_MAXIMUM] = limits.maximum_bytes;
	reply->words[PROTOCOL_LIMIT_FLAGS] = limits.flags;
	reply->word_count = PROTOCOL_LIMIT_WORDS;
	return STATUS_SUCCESS;
}

static NTSTATUS set_limits(const struct protocol_request *request)
{
	if (request->word_count != PROTOCOL_LIMIT_WORDS ||
	    request->words[PROTOCOL_LIMIT_FLAGS] > UINT32_MAX)
		return STATUS_INVALID_PARAMETER;
	return working_set_set_limits(request->words[PROTOCOL_LIMIT_MINIMUM],
				      request->words[PROTOCOL_LIMIT_MAXIMUM],
				      (uint32_t)request->words[PROTOCOL_LIMIT_FLAGS]);
}

static NTSTATUS empty(void)
{
	working_set_empty();
	return STATUS_SUCCESS;
}

static NTSTATUS query_pages(const struct protocol_request *request, struct protocol_reply *reply)
{
	PSAPI_WORKING_SET_EX_INFORMATION pages[PROTOCOL_WORDS];
	NTSTATUS status;

	for (size_t i = 0; i < request->word_count; i++)
		pages[i].VirtualAddress = (void *)request->words[i];
	status = working_set_query(pages, request->word_count);
	if (!status_is_success(status))
		return status;
	for (size_t i = 0; i < request->word_count; i++)
		reply->words[i] = pages[i].VirtualAttributes.Flags;
	reply->word_count = request->word_count;
	return STATUS_SUCCESS;
}

/* --- Lists ----------------------------------------------------------------------------------- */

static NTSTATUS list_written(const struct protocol_request *request, struct protocol_reply *reply)
{
	void *pages[PROTOCOL_WORDS];
	size_t count = request->word_count;
	NTSTATUS status = vm_get_write_watch((void *)request->base, request->size_bytes,
					     /* resets */ request->type != 0, pages, &count);

	if (!status_is_success(status))
		return status;
	for (size_t i = 0; i < count; i++)
		reply->words[i] = (uint64_t)pages[i];
	reply->word_count = count;
	return STATUS_SUCCESS;
}

static NTSTATUS take_frames(const struct protocol_request *request, struct protocol_reply *reply)
{
	size_t count = request->word_count;
	NTSTATUS status = awe_allocate(reply->words, &count, request->node);

	if (status_is_success(status))
		reply->word_count = count;
	return status;
}

/* How many were given back is answered also when not all were. */
static NTSTATUS give_frames(const struct protocol_request *request, const struct vm_request *call,
			    struct protocol_reply *reply)
{
	size_t count = request->word_count;
	NTSTATUS status = awe_free(request->words, &count, call);

	reply->word_count = count;
	return status;
}

/* --- One request ----------------------------------------------------------------------------- */

/* The calls on a range that answer a range. */
static NTSTATUS do_range(const struct protocol_request *request, const struct vm_request *call,
			 struct protocol_reply *reply)
{
	void *base = (void *)request->base;
	size_t size_bytes = request->size_bytes;
	NTSTATUS status = STATUS_INVALID_PARAMETER;

	switch (request->operation) {
	case PROTOCOL_ALLOCATE:
		status = vm_allocate(&base, &size_bytes, request->type, request->protect, call);
		break;
	case PROTOCOL_FREE:
		status = vm_free(&base, &size_bytes, request->type, call);
		break;
	case PROTOCOL_PROTECT:
		status =
			vm_protect(&base, &size_bytes, request->protect, &reply->old_protect, call);
		break;
	case PROTOCOL_LOCK:
		status = lockpages_lock(&base, &size_bytes);
		break;
	case PROTOCOL_UNLOCK:
		status = lockpages_unlock(&base, &size_bytes);
		break;
	}
	reply->base = (uint64_t)base;
	reply->size_bytes = size_bytes;
	return status;
}

static NTSTATUS do_request(const struct protocol_request *request, const struct vm_request *call,
			   struct protocol_reply *reply)
{
	void *base = (void *)request->base;

	switch (request->operation) {
	case PROTOCOL_QUERY:
		return vm_query(base, &reply->info);
	case PROTOCOL_EXPECT:
		return expect(request->base, request->size_bytes);
	case PROTOCOL_PREFETCH:
		return advise_prefetch(base, request->size_bytes);
	case PROTOCOL_GET_LIMITS:
		return get_limits(reply);
	case PROTOCOL_SET_LIMITS:
		return set_limits(request);
	case PROTOCOL_EMPTY:
		return empty();
	case PROTOCOL_PAGES:
		return query_pages(request, reply);
	case PROTOCOL_WRITTEN:
		return list_written(request, reply);
	case PROTOCOL_NOT_WRITTEN:
		return vm_reset_write_watch(base, request->size_bytes);
	case PROTOCOL_TAKE_FRAMES:
		return take_frames(request, reply);
	case PROTOCOL_GIVE_FRAMES:
		return give_frames(request, call, reply);
	default:
		return do_range(request, call, reply);
	}
}

static NTSTATUS perform_for(const struct protocol_request *request, uint8_t owner,
			    struct protocol_reply *reply)
{
	const struct vm_request call = {
		.api = request->api,
		.owner = owner,
		.alignment_bytes = request->alignment_bytes,
		.limit = request->limit,
		.lowest = request->lowest,
		.node = request->node,
		.takes_placeholders = request->takes_placeholders,
	};

	return do_request(request, &call, reply);
}

NTSTATUS perform_own(const struct protocol_request *request, struct protocol_reply *reply)
{
	return perform_for(request, EVENT_OWNER_PROGRAM, reply);
}

void perform(const void *message, size_t size_bytes, struct protocol_reply *reply)
{
	struct protocol_request request;

	memset(reply, 0, sizeof *reply);
	reply->mark = PROTOCOL_REPLY_MARK;
	reply->status = STATUS_INVALID_PARAMETER;
	if (size_bytes != sizeof request)
		return;
	memcpy(&request, message, sizeof request);
	if (has_shape(&request))
		reply->status = perform_for(&request, EVENT_OWNER_OUTSIDE, reply);
}
