/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Address requirements, node and attributes, from the documentation of VirtualAlloc2 and
 * MEM_ADDRESS_REQUIREMENTS (memoryapi.h, winnt.h). Holds no state and no lock. */

#include "core/vm/parameters.h"

#include <assert.h>

#include "core/base/status.h"
#include "core/os/os.h"
#include "core/vm/numa.h"
#include "core/vm/space.h"

#define LAST_ADDRESS (SPACE_END - 1)
/* That pages need not be zero: they are all the same. */
#define ATTRIBUTES_WITHOUT_MEANING ((uint64_t)MEM_EXTENDED_PARAMETER_ZERO_PAGES_OPTIONAL)

static_assert(sizeof(MEM_EXTENDED_PARAMETER) == 16, "as in winnt.h");
static_assert(sizeof(MEM_ADDRESS_REQUIREMENTS) == 24, "as in winnt.h");

static bool is_alignment(size_t alignment_bytes)
{
	return alignment_bytes == 0 || (alignment_bytes >= SPACE_GRANULARITY &&
					(alignment_bytes & (alignment_bytes - 1)) == 0);
}

static bool are_bounds(uintptr_t lowest, uintptr_t highest)
{
	if (lowest % SPACE_GRANULARITY || lowest > LAST_ADDRESS || highest > LAST_ADDRESS)
		return false;
	return !highest || ((highest + 1) % OS_PAGE_SIZE == 0 && lowest < highest);
}

static NTSTATUS read_requirements(const MEM_ADDRESS_REQUIREMENTS *requirements, const void *base,
				  struct vm_request *request)
{
	uintptr_t lowest, highest;

	if (!requirements)
		return STATUS_INVALID_PARAMETER;
	lowest = (uintptr_t)requirements->LowestStartingAddress;
	highest = (uintptr_t)requirements->HighestEndingAddress;
	if (!is_alignment(requirements->Alignment) || !are_bounds(lowest, highest))
		return STATUS_INVALID_PARAMETER;
	if (base && (lowest || highest || requirements->Alignment))
		return STATUS_INVALID_PARAMETER;
	request->lowest = lowest;
	request->limit = highest ? highest + 1 : 0;
	request->alignment_bytes = requirements->Alignment;
	return STATUS_SUCCESS;
}

static NTSTATUS read_one(const MEM_EXTENDED_PARAMETER *parameter, const void *base,
			 struct vm_request *request)
{
	switch (parameter->Type) {
	case MemExtendedParameterAddressRequirements:
		return read_requirements(parameter->Pointer, base, request);
	case MemExtendedParameterNumaNode:
		return numa_prefer(parameter->ULong, request);
	case MemExtendedParameterPartitionHandle:
	case MemExtendedParameterUserPhysicalHandle:
		return STATUS_INVALID_HANDLE;
	case MemExtendedParameterAttributeFlags:
		return parameter->ULong64 & ~ATTRIBUTES_WITHOUT_MEANING ? STATUS_NOT_SUPPORTED
									: STATUS_SUCCESS;
	default:
		return STATUS_INVALID_PARAMETER;
	}
}

NTSTATUS parameters_read(const MEM_EXTENDED_PARAMETER *parameters, uint32_t count, const void *base,
			 struct vm_request *request)
{
	uint32_t seen = 0;

	if (count && !parameters)
		return STATUS_INVALID_PARAMETER;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t type = parameters[i].Type;
		NTSTATUS status;

		if (type >= MemExtendedParameterMax || seen & (1u << type) ||
		    parameters[i].Reserved)
			return STATUS_INVALID_PARAMETER;
		seen |= 1u << type;
		status = read_one(&parameters[i], base, request);
		if (!status_is_success(status))
			return status;
	}
	return STATUS_SUCCESS;
}
