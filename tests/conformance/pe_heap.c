/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* heapapi.h beyond the functions of heap.c, and the Rtl functions under them: locks, walks, checks,
 * information, what a user may keep with a block, exceptions instead of NULL. */

#include "tests/conformance/pe.h"

struct rtl_entry {
	PVOID data;
	SIZE_T size;
	BYTE overhead, region;
	WORD flags;
	ULONG padding;
	ULONG_PTR more[3];
};

HANDLE NTAPI RtlCreateHeap(ULONG, PVOID, SIZE_T, SIZE_T, PVOID, PRTL_HEAP_PARAMETERS);
HANDLE NTAPI RtlDestroyHeap(HANDLE);
PVOID NTAPI RtlAllocateHeap(PVOID, ULONG, SIZE_T);
PVOID NTAPI RtlReAllocateHeap(HANDLE, ULONG, PVOID, SIZE_T);
SIZE_T NTAPI RtlSizeHeap(HANDLE, ULONG, LPCVOID);
BOOLEAN NTAPI RtlLockHeap(HANDLE);
BOOLEAN NTAPI RtlUnlockHeap(HANDLE);
ULONG NTAPI RtlCompactHeap(HANDLE, ULONG);
BOOLEAN NTAPI RtlValidateHeap(HANDLE, ULONG, LPCVOID);
NTSTATUS NTAPI RtlWalkHeap(HANDLE, struct rtl_entry *);
ULONG NTAPI RtlGetProcessHeaps(ULONG, HANDLE *);
BOOLEAN NTAPI RtlGetUserInfoHeap(HANDLE, ULONG, PVOID, PVOID *, ULONG *);
BOOLEAN NTAPI RtlSetUserValueHeap(HANDLE, ULONG, PVOID, PVOID);
BOOLEAN NTAPI RtlSetUserFlagsHeap(HANDLE, ULONG, PVOID, ULONG, ULONG);

/* The only settable flags of a block, and one that is given when it is allocated. */
#define SETTABLE_FLAG1 0x200u
#define SETTABLE_FLAG2 0x400u
#define SETTABLE_VALUE 0x100u
#define BUSY 1

static HANDLE heap;

/* --- Locks and checks ------------------------------------------------------------------------ */

static DWORD WINAPI allocate_elsewhere(PVOID is_done)
{
	HeapFree(heap, 0, HeapAlloc(heap, 0, 100));
	*(volatile LONG *)is_done = TRUE;
	return 0;
}

static void test_lock(void)
{
	volatile LONG is_done = FALSE;
	HANDLE thread;
	PVOID block;

	ok(HeapLock(heap), "HeapLock");
	ok(HeapLock(heap), "twice by the same thread");
	thread = CreateThread(NULL, 0, allocate_elsewhere, (PVOID)&is_done, 0, NULL);
	Sleep(100);
	ok(!is_done, "another thread waits");
	block = HeapAlloc(heap, 0, 100);
	ok(block && HeapFree(heap, 0, block), "this thread does not");
	ok(HeapUnlock(heap), "HeapUnlock");
	Sleep(50);
	ok(!is_done, "it waits for the last unlock");
	ok(HeapUnlock(heap), "the last");
	WaitForSingleObject(thread, INFINITE);
	ok(is_done, "then it goes on");
	CloseHandle(thread);
	ok(RtlLockHeap(heap) && RtlUnlockHeap(heap), "RtlLockHeap and RtlUnlockHeap");
}

static void test_checks(void)
{
	PVOID block = HeapAlloc(heap, 0, 100);

	ok(HeapValidate(heap, 0, NULL), "HeapValidate of a heap");
	ok(HeapValidate(heap, 0, block), "HeapValidate of a block");
	ok(!HeapValidate(GetProcessHeap(), 0, block), "of another heap's block");
	ok(!HeapValidate(heap, 0, (char *)block + 16), "of the inside of a block");
	ok(RtlValidateHeap(heap, 0, block), "RtlValidateHeap");
	HeapFree(heap, 0, block);
	ok(!HeapValidate(heap, 0, block), "of a freed block");
	SetLastError(UNTOUCHED);
	HeapCompact(heap, 0);
	ok(RtlCompactHeap(heap, 0) == HeapCompact(heap, 0), "HeapCompact and RtlCompactHeap");
}

/* --- Walks ----------------------------------------------------------------------------------- */

static const SIZE_T walked_sizes[] = { 1, 16, 100, 1000, 5000, 40000, 300000, 2000000 };

/* Counts the blocks found among `blocks`, each once, with its size. */
static void test_walk(void)
{
	PROCESS_HEAP_ENTRY entry = { 0 };
	PVOID blocks[COUNT(walked_sizes)];
	unsigned found[COUNT(walked_sizes)] = { 0 }, others = 0, regions = 0;

	for (size_t i = 0; i < COUNT(walked_sizes); i++)
		blocks[i] = HeapAlloc(heap, 0, walked_sizes[i]);
	while (HeapWalk(heap, &entry)) {
		size_t i = 0;

		regions += entry.wFlags == PROCESS_HEAP_REGION;
		if (!(entry.wFlags & PROCESS_HEAP_ENTRY_BUSY))
			continue;
		while (i < COUNT(walked_sizes) && blocks[i] != entry.lpData)
			i++;
		if (i == COUNT(walked_sizes))
			others++;
		else
			found[i] += entry.cbData == walked_sizes[i];
	}
	ok_equal(GetLastError(), ERROR_NO_MORE_ITEMS, "the end of a walk");
	ok(regions > 0, "a walk finds regions");
	ok_equal(others, 0, "and no block that nobody has");
	for (size_t i = 0; i < COUNT(walked_sizes); i++) {
		ok_equal(found[i], 1, "row %zu: a walk finds the block and its size", i);
		HeapFree(heap, 0, blocks[i]);
	}
}

static void test_rtl_walk(void)
{
	struct rtl_entry entry = { 0 };
	PVOID block = HeapAlloc(heap, 0, 12345);
	unsigned found = 0;
	NTSTATUS status;

	while (!(status = RtlWalkHeap(heap, &entry)))
		found += entry.data == block && entry.flags & BUSY && entry.size == 12345;
	ok_status(status, STATUS_NO_MORE_ENTRIES, "the end of RtlWalkHeap");
	ok_equal(found, 1, "RtlWalkHeap finds the block and its size");
	HeapFree(heap, 0, block);
}

struct summary {
	HANDLE heap;
	typeof(&HeapSummary) function;
	HEAP_SUMMARY result;
	BOOL is_done;
};

static void call_summary(void *argument)
{
	struct summary *summary = argument;

	summary->result.cb = sizeof summary->result;
	summary->is_done = summary->function(summary->heap, 0, &summary->result);
}

static void test_summary(void)
{
	struct summary summary = { heap, FUNCTION("kernelbase.dll", HeapSummary), { 0 }, FALSE };

	if (!summary.function || exception_of(call_summary, &summary) == STATUS_WINE_STUB) {
		skip_absent("HeapSummary");
		return;
	}
	ok(summary.is_done && summary.result.cbReserved, "HeapSummary");
}

/* --- All heaps, and information about one ---------------------------------------------------- */

static BOOL is_listed(HANDLE which)
{
	HANDLE heaps[256];
	DWORD count = GetProcessHeaps(COUNT(heaps), heaps);

	for (DWORD i = 0; i < count && i < COUNT(heaps); i++) {
		if (heaps[i] == which)
			return TRUE;
	}
	return FALSE;
}

static void test_many_heaps(void)
{
	HANDLE heaps[200];

	for (size_t i = 0; i < COUNT(heaps); i++)
		heaps[i] = HeapCreate(0, 0, 0);
	ok(is_listed(heaps[0]) && is_listed(heaps[COUNT(heaps) - 1]), "many heaps are listed");
	for (size_t i = 0; i < COUNT(heaps); i++)
		HeapDestroy(heaps[i]);
}

static void test_heaps(void)
{
	HANDLE other = HeapCreate(0, 0, 0), only[1] = { (HANDLE)UNTOUCHED };
	DWORD count = GetProcessHeaps(0, NULL);

	ok(count >= 3, "GetProcessHeaps counts");
	ok_equal(RtlGetProcessHeaps(0, NULL), count, "so does RtlGetProcessHeaps");
	ok_equal(GetProcessHeaps(1, only), count, "also with too little room");
	ok(is_listed(GetProcessHeap()) && is_listed(heap) && is_listed(other), "all are listed");
	HeapDestroy(other);
	ok(!is_listed(other), "a destroyed one is not");
	ok_equal(GetProcessHeaps(0, NULL), count - 1, "nor counted");
}

static void test_information(void)
{
	ULONG value = UNTOUCHED, low_fragmentation = 2;
	HANDLE other = HeapCreate(0, 0, 0);
	SIZE_T length = 0;

	ok(HeapQueryInformation(heap, HeapCompatibilityInformation, &value, sizeof value, &length),
	   "HeapQueryInformation");
	ok(length == sizeof value && value <= 2, "its value");
	ok(HeapSetInformation(heap, HeapCompatibilityInformation, &low_fragmentation,
			      sizeof low_fragmentation),
	   "HeapSetInformation");
	ok(HeapSetInformation(NULL, HeapEnableTerminationOnCorruption, NULL, 0),
	   "termination on corruption");
	ok_error(!HeapQueryInformation(heap, HeapCompatibilityInformation, &value, 1, &length),
		 ERROR_INSUFFICIENT_BUFFER, "too little room");
	ok_equal(length, sizeof value, "the room that is needed");
	ok_status(RtlQueryHeapInformation(heap, HeapCompatibilityInformation, &value, sizeof value,
					  &length),
		  STATUS_SUCCESS, "RtlQueryHeapInformation");
	ok_status(RtlSetHeapInformation(other, HeapCompatibilityInformation, &low_fragmentation,
					sizeof low_fragmentation),
		  STATUS_SUCCESS, "RtlSetHeapInformation");
	HeapDestroy(other);
}

/* --- The functions of ntdll ------------------------------------------------------------------ */

static void test_rtl(void)
{
	HANDLE other = RtlCreateHeap(HEAP_GROWABLE, NULL, 0, 0, NULL, NULL);
	char *block = RtlAllocateHeap(other, HEAP_ZERO_MEMORY, 100);

	ok(other && block && !block[99], "RtlCreateHeap and RtlAllocateHeap");
	ok_equal(RtlSizeHeap(other, 0, block), 100, "RtlSizeHeap");
	block = RtlReAllocateHeap(other, HEAP_ZERO_MEMORY, block, 10000);
	ok(block && !block[9999] && HeapSize(other, 0, block) == 10000, "RtlReAllocateHeap");
	ok_error(!RtlReAllocateHeap(other, 0, NULL, 10), UNTOUCHED, "of no block gives none");
	ok(RtlFreeHeap(other, 0, block), "RtlFreeHeap");
	ok_equal(RtlSizeHeap(other, 0, block), (SIZE_T)-1, "RtlSizeHeap of a freed block");
	ok(RtlDestroyHeap(other) == NULL, "RtlDestroyHeap");
	ok(RtlDestroyHeap(GetProcessHeap()) == GetProcessHeap(), "not of the process heap");
}

static void test_own_memory(void)
{
	char *memory = VirtualAlloc(NULL, 0x100000, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
	HANDLE heap = RtlCreateHeap(0, memory, 0x100000, 0x100000, NULL, NULL);
	char *block = HeapAlloc(heap, HEAP_ZERO_MEMORY, 100);

	ok(heap == (HANDLE)memory, "a heap is made in the caller's memory");
	ok(block > memory && block < memory + 0x100000 && !block[99], "its blocks are there");
	ok_equal(HeapSize(heap, 0, block), 100, "with their size");
	ok(is_listed(heap), "it is among the process's heaps");
	ok(HeapFree(heap, 0, block), "its blocks are freed");
	ok(RtlDestroyHeap(heap) == NULL, "it is destroyed");
	ok(!is_listed(heap), "and no longer among them");
}

static void test_user_values(void)
{
	PVOID block = HeapAlloc(heap, SETTABLE_VALUE | SETTABLE_FLAG1, 100), value = (PVOID)1;
	ULONG flags = UNTOUCHED;

	ok(RtlGetUserInfoHeap(heap, 0, block, &value, &flags), "RtlGetUserInfoHeap");
	ok(value == NULL && (flags & ~SETTABLE_VALUE) == SETTABLE_FLAG1, "no value yet (0x%lx)",
	   flags);
	ok(RtlSetUserValueHeap(heap, 0, block, (PVOID)0x1234), "RtlSetUserValueHeap");
	ok(RtlSetUserFlagsHeap(heap, 0, block, SETTABLE_FLAG1, SETTABLE_FLAG2),
	   "RtlSetUserFlagsHeap");
	RtlGetUserInfoHeap(heap, 0, block, &value, &flags);
	ok(value == (PVOID)0x1234 && (flags & ~SETTABLE_VALUE) == SETTABLE_FLAG2,
	   "value and flags are there (%p, 0x%lx)", value, flags);
	ok_equal(HeapSize(heap, 0, block), 100, "the block has its size");
	HeapFree(heap, 0, block);
	block = HeapAlloc(heap, 0, 100);
	ok(!RtlSetUserValueHeap(heap, 0, block, (PVOID)1), "a block without room for a value");
	HeapFree(heap, 0, block);
}

static void test_value_of_handle(void)
{
	HGLOBAL handle = GlobalAlloc(GMEM_MOVEABLE, 100);
	PVOID value = NULL;
	ULONG flags;

	ok(RtlGetUserInfoHeap(GetProcessHeap(), 0, *(PVOID *)handle, &value, &flags),
	   "moveable memory has a value");
	ok(value == handle, "which is its handle");
	GlobalFree(handle);
}

/* --- What programs read of a heap ------------------------------------------------------------ */

static BOOL is_filled(const void *bytes, unsigned char value, SIZE_T count)
{
	const unsigned char *byte = bytes;

	while (count > 0 && *byte == value)
		byte++, count--;
	return count == 0;
}

static DWORD word_at(const void *base, size_t offset)
{
	return *(const DWORD *)((const char *)base + offset);
}

static void test_header(void)
{
	HANDLE fixed = HeapCreate(0, 0, 0x100000), other = HeapCreate(HEAP_NO_SERIALIZE, 0, 0);
	HANDLE heaps[] = { GetProcessHeap(), heap, fixed, other };

	for (size_t row = 0; row < COUNT(heaps); row++) {
		ok_equal((ULONG_PTR)heaps[row] & 0xffff, 0, "row %zu: the handle's alignment", row);
		ok_equal(word_at(heaps[row], 0x10), 0xffeeffee, "row %zu: the signature", row);
	}
	ok_equal(word_at(heap, 0x70) & HEAP_GROWABLE, HEAP_GROWABLE,
		 "the flags of a growable heap");
	ok_equal(word_at(fixed, 0x70) & HEAP_GROWABLE, 0, "of one of fixed size");
	ok_equal(word_at(other, 0x70) & HEAP_NO_SERIALIZE, HEAP_NO_SERIALIZE, "as it was made");
	ok_equal(word_at(other, 0x74) & HEAP_NO_SERIALIZE, HEAP_NO_SERIALIZE, "its forced flags");
	HeapDestroy(fixed);
	HeapDestroy(other);
}

/* Larger blocks are separate, and lie at multiples of 64. */
static void test_large_alignment(void)
{
	static const SIZE_T large[] = { 0xff001, 0x100000, 1500000, 5000000 };

	for (size_t row = 0; row < COUNT(large); row++) {
		char *block = HeapAlloc(heap, 0, large[row]);

		ok_equal((ULONG_PTR)block & 63, 0, "row %zu: a large block's alignment", row);
		ok(query(block).AllocationBase != heap, "row %zu: it is separate", row);
		HeapFree(heap, 0, block);
	}
}

/* A heap that is made while the process has these flags. */
static HANDLE create_with(DWORD global_flags)
{
	DWORD *place = (DWORD *)(*(char **)((char *)NtCurrentTeb() + 0x60) + 0xbc), before = *place;
	HANDLE made;

	*place = global_flags;
	made = HeapCreate(0, 0, 0);
	*place = before;
	return made;
}

/* The heap's flags, and what every call has besides its own, are the same. */
static const struct {
	DWORD global, flags;
} debugging[] = {
	{ 0, 0 },       { 0x10, 0x20 },       { 0x20, 0x40 },
	{ 0x30, 0x60 }, { 0x40, 0x40000060 }, { 0x80, 0x20000060 },
};

static void check_fills(HANDLE checked, size_t row)
{
	BOOL has_tail = debugging[row].flags & 0x20, has_fill = debugging[row].flags & 0x40;

	for (SIZE_T size = 1; size < 5000; size = size * 2 + 7) {
		char *block = HeapAlloc(checked, 0, size), *zero;

		ok(!has_fill || is_filled(block, 0x55, size), "row %zu: %zu fresh bytes", row,
		   (size_t)size);
		ok(!has_tail || is_filled(block + size, 0xab, 8), "row %zu: behind them", row);
		block = HeapReAlloc(checked, 0, block, size + 100);
		ok(!has_fill || is_filled(block + size, 0x55, 100), "row %zu: grown", row);
		ok(!has_tail || is_filled(block + size + 100, 0xab, 8), "row %zu: behind that",
		   row);
		ok_equal(HeapSize(checked, 0, block), size + 100, "row %zu: its size", row);
		zero = HeapAlloc(checked, HEAP_ZERO_MEMORY, size);
		ok(is_filled(zero, 0, size), "row %zu: zero on demand", row);
		ok(HeapFree(checked, 0, block) && HeapFree(checked, 0, zero), "row %zu: freed",
		   row);
	}
}

static void test_debugging(void)
{
	for (size_t row = 0; row < COUNT(debugging); row++) {
		HANDLE checked = create_with(debugging[row].global);
		DWORD *freed = HeapAlloc(checked, 0, 256);

		ok_equal(word_at(checked, 0x70) & 0xf0000060, debugging[row].flags,
			 "row %zu: flags", row);
		ok_equal(word_at(checked, 0x74) & 0xf0000060, debugging[row].flags,
			 "row %zu: forced flags", row);
		check_fills(checked, row);
		HeapFree(checked, 0, freed);
		ok(!(debugging[row].flags & 0x40) || freed[32] == 0xfeeefeee,
		   "row %zu: freed bytes", row);
		ok(HeapValidate(checked, 0, NULL), "row %zu: it is whole", row);
		ok(HeapDestroy(checked), "row %zu: it is destroyed", row);
	}
}

/* A write behind the end of a block is met when it is freed. */
static void test_tail(void)
{
	HANDLE checked = create_with(0x40);
	char *block = HeapAlloc(checked, 0, 20), kept;

	kept = block[20];
	block[20] = 'x';
	ok(!HeapValidate(checked, 0, block), "a written tail is not valid");
	/* HeapFree: "If the function fails, the return value is zero": a block that was written
	 * over is not given back, as HeapValidate, which finds it, says. */
	todo_wine("frees it");
	ok_error(!HeapFree(checked, 0, block), ERROR_INVALID_PARAMETER, "and the block not freed");
	block[20] = kept;
	todo_wine("has freed it");
	ok(HeapFree(checked, 0, block), "put right, it is");
	HeapDestroy(checked);
}

/* --- Exceptions instead of NULL -------------------------------------------------------------- */

static void allocate_too_much(void *which)
{
	HeapAlloc(*(HANDLE *)which, HEAP_GENERATE_EXCEPTIONS, (SIZE_T)1 << 47);
}

static void resize_too_much(void *which)
{
	PVOID block = HeapAlloc(*(HANDLE *)which, 0, 100);

	HeapReAlloc(*(HANDLE *)which, HEAP_GENERATE_EXCEPTIONS, block, (SIZE_T)1 << 47);
}

static void allocate_plainly(void *which)
{
	HeapAlloc(*(HANDLE *)which, 0, (SIZE_T)1 << 47);
}

static void test_exceptions(void)
{
	HANDLE raising = HeapCreate(HEAP_GENERATE_EXCEPTIONS, 0, 0);

	ok_status(exception_of(allocate_too_much, &heap), STATUS_NO_MEMORY, "of an allocation");
	ok_status(exception_of(resize_too_much, &heap), STATUS_NO_MEMORY, "of a growth");
	/* HeapCreate: with HEAP_GENERATE_EXCEPTIONS "the system raises an exception to indicate
	 * failure, such as an out-of-memory condition, for calls to HeapAlloc and HeapReAlloc". */
	todo_wine("forgets the heap's flag");
	ok_status(exception_of(allocate_plainly, &raising), STATUS_NO_MEMORY, "of a raising heap");
	ok_status(exception_of(allocate_plainly, &heap), 0, "not without being asked");
	HeapFree(raising, 0, HeapAlloc(raising, 0, 100));
	ok(HeapValidate(raising, 0, NULL) && HeapValidate(heap, 0, NULL), "the heaps are whole");
	HeapDestroy(raising);
}

static void call_block(void *block)
{
	((void (*)(void))block)();
}

static void test_executable(void)
{
	HANDLE executable = HeapCreate(HEAP_CREATE_ENABLE_EXECUTE, 0, 0);
	unsigned char *code = HeapAlloc(executable, 0, 16), *data = HeapAlloc(heap, 0, 16);

	*code = *data = 0xc3; /* ret */
	ok_equal(query(code).Protect, PAGE_EXECUTE_READWRITE, "an executable heap's pages");
	ok_status(exception_of(call_block, code), 0, "its blocks can be run");
	ok_equal(query(data).Protect, PAGE_READWRITE, "a plain heap's pages");
	ok_status(exception_of(call_block, data), STATUS_ACCESS_VIOLATION, "its blocks cannot");
	HeapFree(heap, 0, data);
	HeapDestroy(executable);
}

int main(void)
{
	heap = HeapCreate(0, 0, 0);
	test_lock();
	test_checks();
	test_walk();
	test_rtl_walk();
	test_summary();
	test_heaps();
	test_many_heaps();
	test_information();
	test_rtl();
	test_own_memory();
	test_user_values();
	test_value_of_handle();
	test_header();
	test_large_alignment();
	test_debugging();
	test_tail();
	test_exceptions();
	test_executable();
	ok(HeapDestroy(heap), "the heap is destroyed");
	return tap_done();
}
