/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The faces of virtual memory: arguments from the call, the operation, its outputs back.
 *
 * Everything meets in ntdll; VirtualAlloc, VirtualFree, VirtualProtect and VirtualQuery are
 * answered in kernelbase already, the shorter way. Calls on other processes are left to Wine, and
 * so are those with a pointer that cannot be followed. */

#include "core/base/hints.h"
#include "core/base/status.h"
#include "core/vm/extent.h"
#include "core/vm/numa.h"
#include "core/vm/parameters.h"
#include "core/vm/virtual.h"
#include "preload/wine/difference.h"
#include "preload/wine/guest.h"
#include "preload/wine/model.h"
#include "preload/wine/operation.h"
#include "preload/wine/pager_wine.h"
#include "preload/wine/serve.h"

#define HANDLER(name) bool serve_##name(struct hook_call *call, enum api api)

#define THIS_PROCESS UINT64_MAX

static bool is_this_process(const struct hook_call *call)
{
	return call->arguments[0] == THIS_PROCESS;
}

static uint32_t low(uint64_t argument)
{
	return (uint32_t)argument;
}

static bool answer_status(struct hook_call *call, NTSTATUS status)
{
	return serve_answer(call, (uint32_t)status);
}

static bool answer_bool(struct hook_call *call, NTSTATUS status)
{
	return serve_answer(call, serve_set_last_error(status));
}

/* --- kernelbase ------------------------------------------------------------------------------ */

/* VirtualAlloc(address, size, type, protect) */
HANDLER(VirtualAlloc)
{
	struct operation operation = {
		.api = api,
		.call = call,
		.base = (void *)call->arguments[0],
		.size_bytes = call->arguments[1],
		.type = low(call->arguments[2]),
		.protect = low(call->arguments[3]),
	};
	NTSTATUS status = operation_allocate(&operation);

	return serve_answer(call, serve_set_last_error(status) ? (uintptr_t)operation.base : 0);
}

/* Wine 8.0 takes any node. */
static void node_was_ignored(struct hook_call *call, enum api api)
{
	struct vm_request request;
	NTSTATUS status;

	if (!call->result || !numa_is_asked((void *)call->arguments[1], low(call->arguments[3])))
		return;
	status = numa_prefer(low(hook_argument(call, 5)), &request);
	difference_in(call, "status", STATUS_SUCCESS, (uint32_t)status);
}

/* VirtualAllocExNuma(process, address, size, type, protect, node): of the node Wine asks nobody. */
HANDLER(VirtualAllocExNuma)
{
	struct operation operation = {
		.api = api,
		.call = call,
		.base = (void *)call->arguments[1],
		.size_bytes = call->arguments[2],
		.type = low(call->arguments[3]),
		.protect = low(hook_argument(call, 4)),
	};
	NTSTATUS status = STATUS_SUCCESS;

	if (!is_this_process(call))
		return false;
	if (!operation_is_allocated_by_core(&operation))
		return serve_pass(call, node_was_ignored);
	if (numa_is_asked(operation.base, operation.type))
		status = numa_prefer(low(hook_argument(call, 5)), &operation.bounds);
	if (status_is_success(status))
		status = operation_allocate(&operation);
	return serve_answer(call, serve_set_last_error(status) ? (uintptr_t)operation.base : 0);
}

/* VirtualFree(address, size, type): a release names the whole region by its base. */
HANDLER(VirtualFree)
{
	struct operation operation = {
		.api = api,
		.call = call,
		.base = (void *)call->arguments[0],
		.size_bytes = call->arguments[1],
		.type = low(call->arguments[2]),
	};

	if (operation.type == MEM_RELEASE && operation.size_bytes)
		return answer_bool(call, STATUS_INVALID_PARAMETER);
	return answer_bool(call, operation_free(&operation));
}

/* VirtualProtect(address, size, protect, old protect) */
HANDLER(VirtualProtect)
{
	struct operation operation = {
		.api = api,
		.call = call,
		.base = (void *)call->arguments[0],
		.size_bytes = call->arguments[1],
		.protect = low(call->arguments[2]),
	};
	uint32_t old_protect;
	NTSTATUS status;

	if (!guest_read(&old_protect, call->arguments[3], sizeof(old_protect)))
		return answer_bool(call, STATUS_ACCESS_VIOLATION);
	status = operation_protect(&operation);
	if (status_is_success(status) &&
	    !guest_write(call->arguments[3], &operation.old_protect, sizeof(operation.old_protect)))
		status = STATUS_ACCESS_VIOLATION;
	return answer_bool(call, status);
}

/* What is at an address, if core or the model is to be asked. False: Wine's alone. */
static bool query(struct hook_call *call, enum api api, uint64_t address,
		  MEMORY_BASIC_INFORMATION *info, NTSTATUS *status)
{
	if (serve_mode() == CONFIG_ROUTE && vm_owns((void *)address)) {
		*status = vm_query((void *)address, info);
		return true;
	}
	if (serve_mode() != CONFIG_VERIFY || !vm_knows((void *)address))
		return false;
	*status = wine_query((void *)address, info);
	model_queried(call, api, (void *)address, info, *status);
	return true;
}

/* VirtualQuery(address, info, size) */
HANDLER(VirtualQuery)
{
	MEMORY_BASIC_INFORMATION info;
	NTSTATUS status;

	if (call->arguments[2] < sizeof(info) ||
	    !query(call, api, call->arguments[0], &info, &status))
		return false;
	if (status_is_success(status) && !guest_write(call->arguments[1], &info, sizeof(info)))
		status = STATUS_ACCESS_VIOLATION;
	return serve_answer(call, serve_set_last_error(status) ? sizeof(info) : 0);
}

/* --- ntdll ----------------------------------------------------------------------------------- */

/* Base and size are both in and out, behind pointers. */
static bool read_range(struct operation *operation, uint64_t base_pointer, uint64_t size_pointer)
{
	return guest_read(&operation->base, base_pointer, sizeof(operation->base)) &&
	       guest_read(&operation->size_bytes, size_pointer, sizeof(operation->size_bytes));
}

static NTSTATUS write_range(const struct operation *operation, uint64_t base_pointer,
			    uint64_t size_pointer)
{
	if (guest_write(base_pointer, &operation->base, sizeof(operation->base)) &&
	    guest_write(size_pointer, &operation->size_bytes, sizeof(operation->size_bytes)))
		return STATUS_SUCCESS;
	return STATUS_ACCESS_VIOLATION;
}

/* A call of ntdll's on a range: the process and the pointer to its base come first. */
static bool serve_range(struct hook_call *call, struct operation *operation, uint64_t size_pointer,
			NTSTATUS (*perform)(struct operation *))
{
	uint64_t base_pointer = call->arguments[1];
	NTSTATUS status;

	if (!is_this_process(call) || !read_range(operation, base_pointer, size_pointer))
		return false;
	status = perform(operation);
	if (status == STATUS_SUCCESS)
		status = write_range(operation, base_pointer, size_pointer);
	return answer_status(call, status);
}

/* NtAllocateVirtualMemory(process, base, zero bits, size, type, protect) */
HANDLER(NtAllocateVirtualMemory)
{
	struct operation operation = {
		.api = api,
		.call = call,
		.type = low(hook_argument(call, 4)),
		.protect = low(hook_argument(call, 5)),
		.zero_bits = call->arguments[2],
	};

	return serve_range(call, &operation, call->arguments[3], operation_allocate);
}

/* Wine was given requirements that core's engine was not asked about. */
static void allocated_by_wine(struct hook_call *call, enum api api)
{
	struct operation operation;

	if ((NTSTATUS)call->result == STATUS_SUCCESS &&
	    read_range(&operation, call->arguments[1], call->arguments[2]))
		model_take_in(api, operation.base, operation.size_bytes);
}

/* What NtAllocateVirtualMemoryEx takes besides, as core reads it: copies of the program's. */
struct extended {
	MEM_EXTENDED_PARAMETER parameters[MemExtendedParameterMax];
	MEM_ADDRESS_REQUIREMENTS requirements;
	uint32_t count;
};

/* False: they cannot be followed, or are more than there can be. */
static bool read_extended(struct extended *extended, uint64_t parameters, uint64_t count)
{
	if (count > MemExtendedParameterMax ||
	    !guest_read(extended->parameters, parameters, count * sizeof(*extended->parameters)))
		return false;
	extended->count = (uint32_t)count;
	for (uint32_t i = 0; i < count; i++) {
		MEM_EXTENDED_PARAMETER *parameter = &extended->parameters[i];

		if (parameter->Type != MemExtendedParameterAddressRequirements ||
		    !parameter->Pointer)
			continue;
		if (!guest_read(&extended->requirements, (uintptr_t)parameter->Pointer,
				sizeof(extended->requirements)))
			return false;
		parameter->Pointer = &extended->requirements;
	}
	return true;
}

/* Wine 8.0 knows no lowest address, no node and no attributes: core does. */
static bool allocate_extended(struct hook_call *call, struct operation *operation)
{
	struct extended extended;
	NTSTATUS status;

	if (!is_this_process(call))
		return false;
	if (!read_range(operation, call->arguments[1], call->arguments[2]) ||
	    !operation_is_allocated_by_core(operation) ||
	    !read_extended(&extended, hook_argument(call, 5), low(hook_argument(call, 6))))
		return serve_pass(call, allocated_by_wine);
	status = parameters_read(extended.parameters, extended.count, operation->base,
				 &operation->bounds);
	if (!status_is_success(status))
		return answer_status(call, status);
	return serve_range(call, operation, call->arguments[2], operation_allocate);
}

/* NtAllocateVirtualMemoryEx(process, base, size, type, protect, parameters, count) */
HANDLER(NtAllocateVirtualMemoryEx)
{
	struct operation operation = {
		.api = api,
		.call = call,
		.type = low(call->arguments[3]),
		.protect = low(hook_argument(call, 4)),
	};

	if (low(hook_argument(call, 6)))
		return allocate_extended(call, &operation);
	return serve_range(call, &operation, call->arguments[2], operation_allocate);
}

/* NtFreeVirtualMemory(process, base, size, type) */
HANDLER(NtFreeVirtualMemory)
{
	struct operation operation = { .api = api, .call = call, .type = low(call->arguments[3]) };

	return serve_range(call, &operation, call->arguments[2], operation_free);
}

/* NtProtectVirtualMemory(process, base, size, protect, old protect) */
HANDLER(NtProtectVirtualMemory)
{
	struct operation operation = { .api = api,
				       .call = call,
				       .protect = low(call->arguments[3]) };
	uint64_t old_pointer = hook_argument(call, 4);
	uint32_t old_protect;

	if (!guest_read(&old_protect, old_pointer, sizeof(old_protect)) ||
	    !serve_range(call, &operation, call->arguments[2], operation_protect))
		return false;
	if (call->result == STATUS_SUCCESS &&
	    !guest_write(old_pointer, &operation.old_protect, sizeof(operation.old_protect)))
		return answer_status(call, STATUS_ACCESS_VIOLATION);
	return true;
}

/* To the two places of an NtQueryVirtualMemory's, of which the second may be missing. */
static bool answer_query(struct hook_call *call, NTSTATUS status, const void *info,
			 uint64_t size_bytes)
{
	uint64_t answered = hook_argument(call, 5);

	if (!status_is_success(status))
		return answer_status(call, status);
	if (!guest_write(call->arguments[3], info, size_bytes) ||
	    (answered && !guest_write(answered, &size_bytes, sizeof(size_bytes))))
		status = STATUS_ACCESS_VIOLATION;
	return answer_status(call, status);
}

static bool query_basic(struct hook_call *call, enum api api)
{
	MEMORY_BASIC_INFORMATION info;
	NTSTATUS status;

	if (hook_argument(call, 4) < sizeof(info) ||
	    !query(call, api, call->arguments[1], &info, &status))
		return false;
	return answer_query(call, status, &info, sizeof(info));
}

/* Of a whole region Wine 8.0 tells one run, and nothing of its kind. */
static bool query_extent(struct hook_call *call)
{
	WIN32_MEMORY_REGION_INFORMATION info;
	void *address = (void *)call->arguments[1];

	if (serve_mode() != CONFIG_ROUTE || !vm_owns(address) ||
	    hook_argument(call, 4) < sizeof(info))
		return false;
	return answer_query(call, extent_query_own(address, &info), &info, sizeof(info));
}

/* NtQueryVirtualMemory(process, address, class, info, size, answered size) */
HANDLER(NtQueryVirtualMemory)
{
	if (!is_this_process(call))
		return false;
	switch (low(call->arguments[2])) {
	case MemoryBasicInformation:
		return query_basic(call, api);
	case MemoryRegionInformation:
		return query_extent(call);
	}
	return false;
}
