/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* VirtualAlloc2 and the other forms of VirtualAlloc: where a region may lie, on which node, and
 * what store applications may not have. The same source is a native test of core and a Windows
 * program.
 */

#include "tests/conformance/both.h"

#define REGION (4 * GRANULE)
#define HIGHEST ((ULONG_PTR)0x7ffffffeffff)
#define NO_TYPE 200

typedef PVOID(
#ifdef _WIN32
	WINAPI
#endif
		*allocate_function)(HANDLE, PVOID, SIZE_T, ULONG, ULONG, MEM_EXTENDED_PARAMETER *,
				    ULONG);

static allocate_function allocate, allocate_app;

static void find_functions(void)
{
	allocate = (allocate_function)FUNCTION("kernelbase.dll", VirtualAlloc2);
	allocate_app = (allocate_function)FUNCTION("kernelbase.dll", VirtualAlloc2FromApp);
}

static MEM_EXTENDED_PARAMETER of_requirements(MEM_ADDRESS_REQUIREMENTS *requirements)
{
	MEM_EXTENDED_PARAMETER parameter = { .ULong64 = 0 };

	parameter.Type = MemExtendedParameterAddressRequirements;
	parameter.Pointer = requirements;
	return parameter;
}

static void test_plain(void)
{
	char *base =
		allocate(NULL, NULL, REGION, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE, NULL, 0);

	ok(base && query(base).RegionSize == REGION && can_write(base), "VirtualAlloc2");
	VirtualFree(base, 0, MEM_RELEASE);
	base = allocate(GetCurrentProcess(), NULL, REGION, MEM_RESERVE, PAGE_READWRITE, NULL, 0);
	ok(base && query(base).State == MEM_RESERVE, "VirtualAlloc2 with a process");
	ok(allocate(NULL, base + PAGE, PAGE, MEM_COMMIT, PAGE_READONLY, NULL, 0) == base + PAGE,
	   "VirtualAlloc2 commits");
	VirtualFree(base, 0, MEM_RELEASE);
	ok_error(!allocate(NULL, NULL, 0, MEM_RESERVE, PAGE_READWRITE, NULL, 0),
		 ERROR_INVALID_PARAMETER, "VirtualAlloc2 without a size");
	ok_error(!allocate((HANDLE)(ULONG_PTR)0xbad0, NULL, PAGE, MEM_RESERVE, PAGE_READWRITE, NULL,
			   0),
		 ERROR_INVALID_HANDLE, "VirtualAlloc2 in no process");
	ok_error(!allocate(NULL, NULL, PAGE, MEM_RESERVE, PAGE_READWRITE, NULL, 1),
		 ERROR_INVALID_PARAMETER, "a count without parameters");
}

/* "Specifies the lowest acceptable address. This address must be a multiple of the allocation
 * granularity", "the highest acceptable address (inclusive). This address must not exceed
 * lpMaximumApplicationAddress", "power-of-2 alignment ... greater than or equal to the system
 * allocation granularity". */
static const struct {
	ULONG_PTR lowest, highest;
	SIZE_T alignment, size;
	DWORD error;
} requirements[] = {
	{ 0, 0, 0, PAGE, 0 },
	{ 0, HIGHEST, 0, GRANULE, 0 },
	{ 0, 0x20000fff, 0, REGION, 0 },
	{ 0, 0x20000fff, GRANULE, PAGE, 0 },
	{ 0, 0, 0x40000, PAGE, 0 },
	{ 0, 0, 0x40000000, 3 * GRANULE, 0 },
	{ 0x20000000, 0, 0, PAGE, 0 },
	{ 0x20000000, 0x2fffffff, 0, PAGE, 0 },
	{ 0x20000000, 0x2fffffff, 0x1000000, 0x1000000, 0 },
	{ 0x600000000000, 0, 0, REGION, 0 },
	{ 0, 0x20001001, 0, GRANULE, ERROR_INVALID_PARAMETER },
	{ 0, 0x20000ffe, 0, GRANULE, ERROR_INVALID_PARAMETER },
	{ 0, 0x200007ff, 0, GRANULE, ERROR_INVALID_PARAMETER },
	{ 0, HIGHEST + PAGE, 0, GRANULE, ERROR_INVALID_PARAMETER },
	{ 0, 0, 0x8000, PAGE, ERROR_INVALID_PARAMETER },
	{ 0, 0, 0x30000, PAGE, ERROR_INVALID_PARAMETER },
	{ 0x20001000, 0, 0, PAGE, ERROR_INVALID_PARAMETER },
	{ 0x20000fff, 0, 0, PAGE, ERROR_INVALID_PARAMETER },
	{ 0x30000000, 0x20000fff, 0, PAGE, ERROR_INVALID_PARAMETER },
	{ HIGHEST + 1, 0, 0, GRANULE, ERROR_INVALID_PARAMETER },
	/* Right in themselves, but nothing can be like that. */
	{ 0, 0x20000fff, 0x20000000, 2 * PAGE, ERROR_NOT_ENOUGH_MEMORY },
	{ 0x20000000, 0x2000ffff, 0, 2 * GRANULE, ERROR_NOT_ENOUGH_MEMORY },
};

static void expect_placed(size_t i, ULONG_PTR base)
{
	SIZE_T alignment = requirements[i].alignment ? requirements[i].alignment : GRANULE;

	ok(base != 0, "row %zu: a region is given", i);
	ok(base % alignment == 0, "row %zu: aligned", i);
	/* MEM_ADDRESS_REQUIREMENTS: "LowestStartingAddress specifies the lowest acceptable address.
	 * This address must be a multiple of the allocation granularity". */
	if (requirements[i].lowest)
		todo_wine("knows no lowest address");
	ok(base >= requirements[i].lowest, "row %zu: not too low", i);
	ok(!requirements[i].highest || base + requirements[i].size - 1 <= requirements[i].highest,
	   "row %zu: not too high", i);
	ok(VirtualFree((PVOID)base, 0, MEM_RELEASE), "row %zu: released", i);
}

static void test_requirements(void)
{
	for (size_t i = 0; i < COUNT(requirements); i++) {
		MEM_ADDRESS_REQUIREMENTS asked = { (PVOID)requirements[i].lowest,
						   (PVOID)requirements[i].highest,
						   requirements[i].alignment };
		MEM_EXTENDED_PARAMETER parameter = of_requirements(&asked);
		ULONG_PTR base;

		SetLastError(UNTOUCHED);
		base = (ULONG_PTR)allocate(NULL, NULL, requirements[i].size, MEM_RESERVE,
					   PAGE_READWRITE, &parameter, 1);
		if (!requirements[i].error) {
			expect_placed(i, base);
			continue;
		}
		/* The same of a lowest address that cannot be met. */
		if (requirements[i].lowest)
			todo_wine("knows no lowest address");
		ok(!base, "row %zu: refused", i);
		if (requirements[i].lowest)
			todo_wine("knows no lowest address");
		ok_equal(GetLastError(), requirements[i].error, "row %zu: the error", i);
	}
}

/* "If BaseAddress is not NULL, then any provided MEM_ADDRESS_REQUIREMENTS structure must consist of
 * all zeroes". */
static void test_requirements_at(void)
{
	MEM_ADDRESS_REQUIREMENTS asked = { 0 };
	MEM_EXTENDED_PARAMETER parameter = of_requirements(&asked);
	char *base = VirtualAlloc(NULL, REGION, MEM_RESERVE, PAGE_READWRITE);

	ok(allocate(NULL, base, PAGE, MEM_COMMIT, PAGE_READWRITE, &parameter, 1) == base,
	   "an address with requirements that are all zero");
	asked.Alignment = GRANULE;
	ok_error(!allocate(NULL, base, PAGE, MEM_COMMIT, PAGE_READWRITE, &parameter, 1),
		 ERROR_INVALID_PARAMETER, "an address with an alignment");
	asked.Alignment = 0;
	asked.HighestEndingAddress = (PVOID)HIGHEST;
	ok_error(!allocate(NULL, base, PAGE, MEM_COMMIT, PAGE_READWRITE, &parameter, 1),
		 ERROR_INVALID_PARAMETER, "an address with a highest one");
	VirtualFree(base, 0, MEM_RELEASE);
}

static void test_types(void)
{
	MEM_ADDRESS_REQUIREMENTS asked = { 0 };
	MEM_EXTENDED_PARAMETER twice[2] = { of_requirements(&asked), of_requirements(&asked) };
	MEM_EXTENDED_PARAMETER other = { .ULong64 = 0 };

	ok_error(!allocate(NULL, NULL, PAGE, MEM_RESERVE, PAGE_READWRITE, twice, 2),
		 ERROR_INVALID_PARAMETER, "the same parameter twice");
	ok_error(!allocate(NULL, NULL, PAGE, MEM_RESERVE, PAGE_READWRITE, &other, 1),
		 ERROR_INVALID_PARAMETER, "a parameter of no type");
	other.Type = NO_TYPE;
	ok_error(!allocate(NULL, NULL, PAGE, MEM_RESERVE, PAGE_READWRITE, &other, 1),
		 ERROR_INVALID_PARAMETER, "a type that is not known");
}

/* A parameter that has one number. */
static BOOL is_allowed(int type, DWORD64 value)
{
	MEM_EXTENDED_PARAMETER parameter = { .ULong64 = 0 };
	PVOID base;

	parameter.Type = type;
	parameter.ULong64 = value;
	SetLastError(UNTOUCHED);
	base = allocate(NULL, NULL, PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE, &parameter, 1);
	return base && can_write(base) && VirtualFree(base, 0, MEM_RELEASE);
}

static void test_nodes(void)
{
	char *base = VirtualAllocExNuma(GetCurrentProcess(), NULL, REGION, MEM_RESERVE | MEM_COMMIT,
					PAGE_READWRITE, /* node */ 0);
	ULONG highest = UNTOUCHED;
	ULONGLONG available = 0;
	GROUP_AFFINITY mask = { 0 };

	ok(base && (ULONG_PTR)base % GRANULE == 0 && can_write(base), "VirtualAllocExNuma");
	VirtualFree(base, 0, MEM_RELEASE);
	ok(GetNumaHighestNodeNumber(&highest) && highest < 64, "GetNumaHighestNodeNumber");
	/* The one "retrieves the processor mask for a node", the other "the amount of memory
	 * available in the specified node": node 0 is on every system. */
	todo_wine("knows no nodes");
	ok(GetNumaNodeProcessorMaskEx(0, &mask) && mask.Mask && !mask.Group,
	   "GetNumaNodeProcessorMaskEx");
	todo_wine("knows no nodes");
	ok(GetNumaAvailableMemoryNodeEx(0, &available) && available,
	   "GetNumaAvailableMemoryNodeEx");
	/* The same two sentences: of a node that is not there they retrieve nothing. */
	todo_wine("knows no nodes");
	ok_error(!GetNumaNodeProcessorMaskEx(4711, &mask), ERROR_INVALID_PARAMETER,
		 "the processors of a node that does not exist");
	todo_wine("knows no nodes");
	ok_error(!GetNumaAvailableMemoryNodeEx(4711, &available), ERROR_INVALID_PARAMETER,
		 "the memory of a node that does not exist");
}

/* "nndPreferred: the NUMA node where the physical memory should reside", "used only when allocating
 * a new VA region". */
static void test_preferred_node(void)
{
	HANDLE self = GetCurrentProcess();
	char *base;

	/* "nndPreferred: the NUMA node where the physical memory should reside": this one is not
	 * there. */
	todo_wine("asks for no node");
	ok_error(!VirtualAllocExNuma(self, NULL, PAGE, MEM_RESERVE, PAGE_READWRITE, 4711),
		 ERROR_INVALID_PARAMETER, "a node that does not exist");
	base = VirtualAllocExNuma(self, NULL, PAGE, MEM_RESERVE, PAGE_READWRITE, (DWORD)-1);
	ok(base != NULL, "no node is a wish, too");
	ok(VirtualAllocExNuma(self, base, PAGE, MEM_COMMIT, PAGE_READWRITE, 0) == base,
	   "commit with a node");
	/* "Otherwise, this parameter is ignored when the API is used to commit pages in a region
	 * that already exists." */
	ok(VirtualAllocExNuma(self, base, PAGE, MEM_COMMIT, PAGE_READWRITE, 4711) == base,
	   "commit with a node that does not exist");
	VirtualFree(base, 0, MEM_RELEASE);
	ok(is_allowed(MemExtendedParameterNumaNode, 0), "VirtualAlloc2 with a node");
	/* MemExtendedParameterNumaNode is "the desired node number", with the same sense. */
	todo_wine("asks for no node");
	ok(!is_allowed(MemExtendedParameterNumaNode, 4711), "VirtualAlloc2 with no such node");
	todo_wine("asks for no node");
	ok_equal(GetLastError(), ERROR_INVALID_PARAMETER, "its error");
	ok_error(!VirtualAllocExNuma((HANDLE)(ULONG_PTR)0xbad0, NULL, PAGE, MEM_RESERVE,
				     PAGE_READWRITE, 0),
		 ERROR_INVALID_HANDLE, "VirtualAllocExNuma in no process");
}

static void test_attributes(void)
{
	ok(is_allowed(MemExtendedParameterAttributeFlags, 0), "no attributes");
	/* MemExtendedParameterAttributeFlags lists the flags that there are; this is none. */
	todo_wine("looks at no attributes");
	ok(!is_allowed(MemExtendedParameterAttributeFlags, 0x80000000), "an unknown attribute");
	/* MEM_EXTENDED_PARAMETER: "The allocation is non-pageable", "is mapped using large pages",
	 * "is mapped using huge pages", "will contain emulation-compatible code": a system that
	 * cannot have it so does not pretend to. */
	for (DWORD64 attribute = 2; attribute <= 0x40; attribute *= 2) {
		if (attribute == MEM_EXTENDED_PARAMETER_ZERO_PAGES_OPTIONAL || attribute == 0x20)
			continue;
		todo_wine("looks at no attributes");
		ok(!is_allowed(MemExtendedParameterAttributeFlags, attribute), "the attribute 0x%x",
		   (unsigned)attribute);
		todo_wine("looks at no attributes");
		ok_equal(GetLastError(), ERROR_NOT_SUPPORTED, "its error");
	}
	ok(is_allowed(MemExtendedParameterAttributeFlags,
		      MEM_EXTENDED_PARAMETER_ZERO_PAGES_OPTIONAL),
	   "pages that may be, but need not be, zero");
}

static void test_application(void)
{
	typeof(&VirtualAlloc) allocate_simply =
		(typeof(&VirtualAlloc))(PVOID)FUNCTION("kernelbase.dll", VirtualAllocFromApp);
	typeof(&VirtualProtect) protect =
		(typeof(&VirtualProtect))(PVOID)FUNCTION("kernelbase.dll", VirtualProtectFromApp);
	char *base = allocate_app(NULL, NULL, REGION, MEM_RESERVE, PAGE_READWRITE, NULL, 0);
	DWORD old = 0;

	ok(base != NULL, "VirtualAlloc2FromApp");
	VirtualFree(base, 0, MEM_RELEASE);
	ok_error(!allocate_app(NULL, NULL, REGION, MEM_RESERVE, PAGE_EXECUTE_READWRITE, NULL, 0),
		 ERROR_INVALID_PARAMETER, "VirtualAlloc2FromApp makes nothing executable");
	base = allocate_simply(NULL, REGION, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
	ok(base != NULL, "VirtualAllocFromApp");
	ok_error(!allocate_simply(NULL, REGION, MEM_RESERVE, PAGE_EXECUTE_READWRITE),
		 ERROR_INVALID_PARAMETER, "VirtualAllocFromApp makes nothing executable");
	if (!protect) {
		printf("# this system has no VirtualProtectFromApp\n");
		VirtualFree(base, 0, MEM_RELEASE);
		return;
	}
	ok(protect(base, PAGE, PAGE_READONLY, &old) && old == PAGE_READWRITE,
	   "VirtualProtectFromApp");
	ok_error(!protect(base, PAGE, PAGE_EXECUTE_READWRITE, &old), ERROR_INVALID_PARAMETER,
		 "VirtualProtectFromApp makes nothing executable");
	ok_equal(query(base).Protect, PAGE_READONLY, "all is as before");
	VirtualFree(base, 0, MEM_RELEASE);
}

int main(void)
{
	find_functions();
	test_plain();
	test_requirements();
	test_requirements_at();
	test_types();
	test_nodes();
	test_preferred_node();
	test_attributes();
	test_application();
	return tap_done();
}
