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
#include "core/vm/virtual.h"
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
	       has_addresses(request) && request->takes_placeholders <= 1 && request->reserved == 0;
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

static NTSTATUS dispatch(const struct protocol_request *request, struct protocol_reply *reply)
{
	const struct vm_request call = {
		.api = request->api,
		.owner = EVENT_OWNER_OUTSIDE,
		.alignment_bytes = request->alignment_bytes,
		.limit = request->limit,
		.lowest = request->lowest,
		.node = request->node,
		.takes_placeholders = request->takes_placeholders,
	};
	void *base = (void *)request->base;
	size_t size_bytes = request->size_bytes;
	NTSTATUS status = STATUS_INVALID_PARAMETER;

	switch (request->operation) {
	case PROTOCOL_ALLOCATE:
		status = vm_allocate(&base, &size_bytes, request->type, request->protect, &call);
		break;
	case PROTOCOL_FREE:
		status = vm_free(&base, &size_bytes, request->type, &call);
		break;
	case PROTOCOL_PROTECT:
		status = vm_protect(&base, &size_bytes, request->protect, &reply->old_protect,
				    &call);
		break;
	case PROTOCOL_QUERY:
		status = vm_query(base, &reply->info);
		break;
	case PROTOCOL_EXPECT:
		status = expect(request->base, request->size_bytes);
		break;
	}
	reply->base = (uint64_t)base;
	reply->size_bytes = size_bytes;
	return status;
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
		reply->status = dispatch(&request, reply);
}
