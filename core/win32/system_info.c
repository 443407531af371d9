/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* GetSystemInfo and its kin (sysinfoapi.h): what the machine and the address space are like. */

#include <cpuid.h>

#include "core/base/hints.h"
#include "core/core.h"
#include "core/os/os.h"
#include "core/vm/machine.h"
#include "core/vm/space.h"

/* As on every Windows for x64: 64 KiB free at both ends. */
#define LOWEST_ADDRESS ((uintptr_t)0x10000)
#define HIGHEST_ADDRESS (SPACE_END - 1)

/* Family; model and stepping. The extended family counts only with family 15. */
static void take_processor(SYSTEM_INFO *info)
{
	unsigned signature = 0, b, c, d, family, model;

	__get_cpuid(1, &signature, &b, &c, &d);
	family = signature >> 8 & 0xf;
	model = signature >> 4 & 0xf;
	if (family == 6 || family == 15)
		model |= signature >> 12 & 0xf0;
	if (family == 15)
		family += signature >> 20 & 0xff;
	info->wProcessorLevel = (WORD)family;
	info->wProcessorRevision = (WORD)(model << 8 | (signature & 0xf));
}

CORE_API VOID GetSystemInfo(LPSYSTEM_INFO lpSystemInfo)
{
	SYSTEM_INFO info = {
		.wProcessorArchitecture = PROCESSOR_ARCHITECTURE_AMD64,
		.dwPageSize = OS_PAGE_SIZE,
		.lpMinimumApplicationAddress = (void *)LOWEST_ADDRESS,
		.lpMaximumApplicationAddress = (void *)HIGHEST_ADDRESS,
		.dwProcessorType = PROCESSOR_AMD_X8664,
		.dwAllocationGranularity = SPACE_GRANULARITY,
	};
	uint64_t mask;

	info.dwNumberOfProcessors = machine_processors(&mask);
	info.dwActiveProcessorMask = mask;
	take_processor(&info);
	*lpSystemInfo = info;
}

/* No program of ours is one of another architecture's. */
CORE_API VOID GetNativeSystemInfo(LPSYSTEM_INFO lpSystemInfo)
{
	GetSystemInfo(lpSystemInfo);
}

CORE_API SIZE_T GetLargePageMinimum(void)
{
	return machine_large_page_bytes();
}
