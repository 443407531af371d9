/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/*   [ run | run | run ]    all with one AllocationBase: the region
 *
 * Run after run is asked for from the region's base. Holds no lock, knows no process. */

#include "core/vm/extent.h"

#include <assert.h>

#include "core/base/status.h"
#include "core/vm/virtual.h"

static_assert(sizeof(WIN32_MEMORY_REGION_INFORMATION) == 32, "as in memoryapi.h");

#define COPIED_WHEN_WRITTEN (PAGE_WRITECOPY | PAGE_EXECUTE_WRITECOPY)

static uint32_t flags_of_type(uint32_t type)
{
	WIN32_MEMORY_REGION_INFORMATION info = { .Flags = 0 };

	info.Private = type == MEM_PRIVATE;
	info.MappedDataFile = type == MEM_MAPPED;
	info.MappedImage = type == MEM_IMAGE;
	return info.Flags;
}

static size_t charge_of(const MEMORY_BASIC_INFORMATION *run)
{
	bool is_charged = run->State == MEM_COMMIT &&
			  (run->Type == MEM_PRIVATE || run->Protect & COPIED_WHEN_WRITTEN);

	return is_charged ? run->RegionSize : 0;
}

NTSTATUS extent_query(const struct extent_source *source, const void *address,
		      WIN32_MEMORY_REGION_INFORMATION *info)
{
	WIN32_MEMORY_REGION_INFORMATION answer = { .AllocationBase = NULL };
	MEMORY_BASIC_INFORMATION run;
	NTSTATUS status = source->query(source->process, address, &run);

	if (!status_is_success(status))
		return status;
	if (run.State == MEM_FREE)
		return STATUS_INVALID_PARAMETER;
	answer.AllocationBase = run.AllocationBase;
	answer.AllocationProtect = run.AllocationProtect;
	answer.Flags = flags_of_type(run.Type);
	for (char *at = answer.AllocationBase;
	     status_is_success(source->query(source->process, at, &run)) &&
	     run.AllocationBase == answer.AllocationBase;
	     at += run.RegionSize) {
		answer.RegionSize += run.RegionSize;
		answer.CommitSize += charge_of(&run);
	}
	*info = answer;
	return STATUS_SUCCESS;
}

static NTSTATUS query_own(void *unused, const void *address, MEMORY_BASIC_INFORMATION *info)
{
	(void)unused;
	return vm_query(address, info);
}

NTSTATUS extent_query_own(const void *address, WIN32_MEMORY_REGION_INFORMATION *info)
{
	static const struct extent_source source = { .query = query_own };

	return extent_query(&source, address, info);
}
