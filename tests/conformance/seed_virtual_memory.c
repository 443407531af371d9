/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A course in virtual memory, in the order of a well-known article on memory management in Windows
 * ("Windows provides three ways to manage memory"): reserve a region, commit storage in it, do both
 * at once, give storage back, give the region back. Each step says which sentence it shows. The
 * same source is a native test of core and a Windows program. */

#include "tests/conformance/both.h"

#define KIB ((SIZE_T)1024)

/* "Reserving a region in an address space" */
static void test_reserve(void)
{
	char *base = VirtualAlloc(NULL, 128 * KIB, MEM_RESERVE, PAGE_READWRITE), *odd, *high;

	ok(base != NULL, "VirtualAlloc reserves a region of the address space");
	ok(query(base).State == MEM_RESERVE && !can_read(base), "which has no storage yet");
	SetLastError(UNTOUCHED);
	ok(!VirtualAlloc(base, 64 * KIB, MEM_RESERVE, PAGE_READWRITE),
	   "where no free region is at the address that was asked for, NULL is returned");
	SetLastError(UNTOUCHED);
	ok(!VirtualAlloc((PVOID)(ULONG_PTR)0xffff800000000000, 64 * KIB, MEM_RESERVE,
			 PAGE_READWRITE),
	   "so it is where the address is not in the user-mode partition");
	ok((ULONG_PTR)base % (64 * KIB) == 0, "regions begin at multiples of 64 KiB");
	VirtualFree(base, 0, MEM_RELEASE);
	odd = VirtualAlloc(base + 64 * KIB + 12345, 1, MEM_RESERVE, PAGE_READWRITE);
	ok(odd == base + 64 * KIB, "an address is rounded down to one");
	ok_equal(query(odd).RegionSize, 16 * KIB, "a size is rounded up to whole pages");
	VirtualFree(odd, 0, MEM_RELEASE);
	high = VirtualAlloc(NULL, 64 * KIB, MEM_RESERVE | MEM_TOP_DOWN, PAGE_READWRITE);
	ok(high != NULL, "MEM_TOP_DOWN asks for the highest address there is");
	VirtualFree(high, 0, MEM_RELEASE);
}

/* "The last parameter is the protection attribute of the region" */
static void test_protections(void)
{
	static const DWORD allowed[] = { PAGE_NOACCESS, PAGE_READWRITE,    PAGE_READONLY,
					 PAGE_EXECUTE,  PAGE_EXECUTE_READ, PAGE_EXECUTE_READWRITE };
	static const DWORD refused[] = { PAGE_WRITECOPY, PAGE_EXECUTE_WRITECOPY };
	static const DWORD modifiers[] = { PAGE_GUARD, PAGE_NOCACHE, PAGE_WRITECOMBINE };

	for (size_t i = 0; i < COUNT(allowed); i++) {
		char *base = VirtualAlloc(NULL, 64 * KIB, MEM_RESERVE, allowed[i]);

		ok(base != NULL, "a region can have protection 0x%02x", (unsigned)allowed[i]);
		ok(VirtualAlloc(base, PAGE, MEM_COMMIT, PAGE_READWRITE) && can_write(base),
		   "which has no effect on what is committed in it");
		VirtualFree(base, 0, MEM_RELEASE);
	}
	for (size_t i = 0; i < COUNT(refused); i++)
		ok(!VirtualAlloc(NULL, 64 * KIB, MEM_RESERVE, refused[i]),
		   "copy-on-write is nothing for VirtualAlloc (0x%02x)", (unsigned)refused[i]);
	for (size_t i = 0; i < COUNT(modifiers); i++) {
		/* The article: when a region is reserved, PAGE_GUARD, PAGE_NOCACHE and
		 * PAGE_WRITECOMBINE cannot be used, they apply to committed storage only. */
		todo_wine("takes it");
		ok(!VirtualAlloc(NULL, 64 * KIB, MEM_RESERVE, PAGE_READWRITE | modifiers[i]),
		   "the flag 0x%03x is for committed storage only", (unsigned)modifiers[i]);
	}
}

/* "Committing storage in a reserved region" */
static void test_commit(void)
{
	char *base = VirtualAlloc(NULL, 128 * KIB, MEM_RESERVE, PAGE_READWRITE);

	ok(VirtualAlloc(base + 8 * KIB, 6 * KIB, MEM_COMMIT, PAGE_READWRITE) == base + 8 * KIB,
	   "a part of the region can be committed first");
	ok(can_write(base + 8 * KIB) && can_write(base + 16 * KIB - 1), "in whole pages");
	ok(!can_read(base + 8 * KIB - 1) && !can_read(base + 16 * KIB), "and no more than those");
	ok(VirtualAlloc(base + 32 * KIB - 1, 2, MEM_COMMIT, PAGE_READONLY) == base + 28 * KIB,
	   "two bytes across a page boundary");
	ok_equal(query(base + 28 * KIB).RegionSize, 8 * KIB, "commit both pages");
	ok(can_read(base + 28 * KIB) && !can_write(base + 28 * KIB),
	   "one page of a region may have one protection, another page another one");
	VirtualFree(base, 0, MEM_RELEASE);
}

/* "Reserving a region and committing storage at the same time": 99 KiB. */
static void test_both(void)
{
	char *memory = VirtualAlloc(NULL, 99 * KIB, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
	MEMORY_BASIC_INFORMATION info = query(memory);

	ok(memory != NULL, "99 KiB are reserved and committed in one call");
	ok_equal(info.RegionSize, 100 * KIB, "as 25 pages");
	ok(info.State == MEM_COMMIT && info.Protect == PAGE_READWRITE &&
		   info.AllocationBase == memory,
	   "all of them committed");
	ok(memory[0] == 0 && memory[100 * KIB - 1] == 0, "zero filled");
	memset(memory, 'x', 100 * KIB);
	ok(memory[99 * KIB] == 'x', "and usable to the end of the last page");
	ok(VirtualFree(memory, 0, MEM_RELEASE), "they are given back in one call, too");
}

/* "Decommitting storage and releasing a region" */
static void test_free(void)
{
	char *base = VirtualAlloc(NULL, 128 * KIB, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

	memset(base, 'x', 128 * KIB);
	ok_error(!VirtualFree(base, 64 * KIB, MEM_RELEASE), ERROR_INVALID_PARAMETER,
		 "of 128 KiB, 64 KiB cannot be released: the size must be 0");
	ok_error(!VirtualFree(base + 64 * KIB, 0, MEM_RELEASE), ERROR_INVALID_ADDRESS,
		 "the address must be the region's base");
	ok(VirtualFree(base + 5000, 1, MEM_DECOMMIT), "storage is given back with MEM_DECOMMIT");
	ok(!can_read(base + PAGE) && can_read(base) && can_read(base + 2 * PAGE),
	   "the whole page that holds the address");
	ok(VirtualFree(base + 16 * KIB - 1, 2, MEM_DECOMMIT), "two bytes across a page boundary");
	ok(!can_read(base + 12 * KIB) && !can_read(base + 16 * KIB), "give back both pages");
	ok_equal(query(base + PAGE).State, MEM_RESERVE, "their addresses stay reserved");
	ok(VirtualAlloc(base + PAGE, PAGE, MEM_COMMIT, PAGE_READWRITE) && base[PAGE] == 0,
	   "committed again they are zero");
	ok(base[0] == 'x' && base[2 * PAGE] == 'x', "the others were never touched");
	ok(VirtualFree(base, 0, MEM_RELEASE), "the region is released with all its storage");
	ok_equal(query(base).State, MEM_FREE, "and its addresses are free");
}

int main(void)
{
	test_reserve();
	test_protections();
	test_commit();
	test_both();
	test_free();
	return tap_done();
}
