/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* ntdll's heap functions in a process whose pages come from another memory manager: the process
 * heap is the first one that is made, headers and handles are as programs expect them, a walk shows
 * exactly the blocks that live, a locked heap stands still, and everything goes back. */

#include "core/win32/rtl_heap.h"

#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/status.h"
#include "core/heap/heap.h"
#include "core/host.h"
#include "core/os/os.h"
#include "core/vm/virtual.h"
#include "tests/lib/tap.h"
#include "tests/unit/core/random.h"

#define BLOCKS 2000
#define LARGE 0x200000

/* Pages of Linux's, at multiples of 64 KiB, given back as they were taken. */
static int ranges;

static intptr_t get(void *address, size_t size_bytes, uint32_t state)
{
	intptr_t got = pager_linux.get(address, size_bytes + (address ? 0 : 0x10000),
				       state & ~MEM_TOP_DOWN);
	uintptr_t base = ((uintptr_t)got + 0xffff) & ~(uintptr_t)0xffff;

	if (got >= 0 && !address) {
		os_unmap((void *)got, base - (uintptr_t)got);
		os_unmap((char *)base + size_bytes, (uintptr_t)got + 0x10000 - base);
		got = (intptr_t)base;
	}
	ranges += got >= 0;
	return got;
}

static int put(void *address, size_t size_bytes)
{
	ranges--;
	return pager_linux.put(address, size_bytes);
}

static int set(void *address, size_t size_bytes, uint32_t state)
{
	return pager_linux.set(address, size_bytes, state);
}

static int drop(void *address, size_t size_bytes)
{
	return pager_linux.drop(address, size_bytes);
}

static const struct pager host = { .get = get, .put = put, .set = set, .drop = drop };

static uint32_t word_at(HANDLE heap, size_t offset)
{
	uint32_t word;

	memcpy(&word, (char *)heap + offset, sizeof word);
	return word;
}

static HANDLE create(ULONG flags, SIZE_T maximum_bytes)
{
	NTSTATUS status;
	HANDLE heap = rtl_create_heap(API_HeapCreate, flags, 0, maximum_bytes, &status);

	ok(heap && status == STATUS_SUCCESS && rtl_owns_heap(heap), "a heap of flags 0x%x", flags);
	return heap;
}

static void *allocate(HANDLE heap, ULONG flags, SIZE_T size_bytes)
{
	NTSTATUS status;

	return rtl_allocate_heap(API_HeapAlloc, heap, flags, size_bytes, &status);
}

static bool release(HANDLE heap, void *block)
{
	NTSTATUS status;

	return rtl_free_heap(API_HeapFree, heap, 0, block, &status);
}

static HANDLE test_process_heap(void)
{
	void *native = heap_malloc(100);
	int before;
	HANDLE heap;

	ok(!ranges, "malloc's blocks are not the host's");
	heap = create(HEAP_GROWABLE, 0);
	ok(heap == (HANDLE)heap_process(), "the first heap is the process heap");
	ok(heap != (HANDLE)heap_native(), "which malloc's is not");
	ok_equal(word_at(heap, 0x70), HEAP_GROWABLE, "its flags");
	before = ranges;
	ok(release(heap, allocate(heap, 0, 100)) && ranges > before, "its blocks are the host's");
	before = ranges;
	heap_free(native);
	native = heap_malloc(3 << 20);
	ok(native && ranges == before, "malloc's still are not");
	heap_free(native);
	return heap;
}

static void test_header(void)
{
	static const struct {
		ULONG flags;
		SIZE_T maximum_bytes;
		uint32_t expected, forced;
		DWORD protect;
	} rows[] = {
		{ 0, 0, 0x1002, 0, PAGE_READWRITE },
		{ 0, 0x100000, 0x1000, 0, PAGE_READWRITE },
		{ HEAP_NO_SERIALIZE, 0, 0x1003, 1, PAGE_READWRITE },
		{ HEAP_GENERATE_EXCEPTIONS, 0, 0x1006, 4, PAGE_READWRITE },
		{ HEAP_CREATE_ENABLE_EXECUTE, 0, 0x41002, 0x40000, PAGE_EXECUTE_READWRITE },
	};

	for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
		HANDLE heap = create(rows[row].flags, rows[row].maximum_bytes);
		MEMORY_BASIC_INFORMATION info;

		ok((uintptr_t)heap % 0x10000 == 0, "row %zu: the handle is aligned", row);
		ok_equal(word_at(heap, 0x10), 0xffeeffee, "row %zu: the signature", row);
		ok_equal(word_at(heap, 0x70), rows[row].expected, "row %zu: the flags", row);
		ok_equal(word_at(heap, 0x74), rows[row].forced, "row %zu: the forced flags", row);
		vm_query(allocate(heap, 0, 10), &info);
		ok_equal(info.Protect, rows[row].protect, "row %zu: blocks' protection", row);
		ok_equal((unsigned)rtl_destroy_heap(API_HeapDestroy, heap), STATUS_SUCCESS,
			 "row %zu: it is destroyed", row);
		ok(!rtl_owns_heap(heap), "row %zu: it is gone", row);
	}
}

static void test_user_info(HANDLE heap)
{
	static const struct {
		ULONG flags;
		SIZE_T size_bytes;
		bool has_value;
	} rows[] = { { 0, 40, false },    { 0x100, 40, true },    { 0x300, 1000, true },
		     { 0xf00, 1, true },  { 0x200, 1, false },    { 0x100, 200000, true },
		     { 0, LARGE, false }, { 0x500, LARGE, true }, { 0x100, 131056, true },
		     { 0, 131056, false } };

	for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
		char *block = allocate(heap, rows[row].flags, rows[row].size_bytes);
		ULONG flags = 0x55, expected = rows[row].flags & 0xe00;
		PVOID value = block;
		NTSTATUS status;

		memset(block, 0xff, rows[row].size_bytes);
		ok(rtl_get_user_info_heap(heap, 0, block, &value, &flags, &status),
		   "row %zu: the user information", row);
		ok(value == (rows[row].has_value ? NULL : block) && flags == expected,
		   "row %zu: is what it was at first", row);
		ok(rtl_set_user_value_heap(heap, 0, block, heap, &status) == rows[row].has_value &&
			   status == STATUS_SUCCESS,
		   "row %zu: the value is set, if there is room", row);
		ok(rtl_set_user_flags_heap(heap, 0, block, 0x200, 0x800, &status) ==
			   rows[row].has_value,
		   "row %zu: so are the flags", row);
		ok(!rtl_set_user_flags_heap(heap, 0, block, 0, 0x100, &status) &&
			   status == STATUS_INVALID_PARAMETER,
		   "row %zu: other flags are not", row);
		if (rows[row].has_value)
			expected = (expected & ~0x200u) | 0x800;
		ok_equal(rtl_size_heap(heap, 0, block, NULL), rows[row].size_bytes,
			 "row %zu: the size is as it was", row);
		block = rtl_reallocate_heap(API_HeapReAlloc, heap, 0, block,
					    rows[row].size_bytes * 3, &status);
		value = NULL;
		ok(rtl_get_user_info_heap(heap, 0, block, &value, &flags, &status) &&
			   value == (rows[row].has_value ? heap : NULL) && flags == expected,
		   "row %zu: all of it moves with the block", row);
		ok((unsigned char)block[rows[row].size_bytes - 1] == 0xff,
		   "row %zu: the contents too", row);
		ok(release(heap, block), "row %zu: it is freed", row);
		ok(!rtl_get_user_info_heap(heap, 0, block, &value, &flags, &status),
		   "row %zu: and has nothing any more", row);
	}
}

/* The blocks that live, by index. */
static struct {
	char *block;
	SIZE_T size_bytes;
	bool is_seen;
} live[BLOCKS];

static int find_live(const void *address)
{
	for (int i = 0; i < BLOCKS; i++) {
		if (live[i].block == address)
			return i;
	}
	return -1;
}

static void make_blocks(HANDLE heap)
{
	for (int i = 0; i < BLOCKS; i++) {
		live[i].size_bytes = random_below(random_below(8) ? 600 : 200000);
		if (i == 7)
			live[i].size_bytes = LARGE;
		live[i].block = allocate(heap, i % 3 ? 0 : 0x100, live[i].size_bytes);
		live[i].is_seen = false;
	}
	for (int i = 0; i < BLOCKS; i++) {
		if (random_below(2)) {
			release(heap, live[i].block);
			live[i].block = NULL;
		}
	}
}

/* Whether the entry is a live block of the right size, seen for the first time. */
static bool is_right(const struct rtl_heap_entry *entry)
{
	int i = find_live(entry->lpData);

	if (i < 0 || live[i].is_seen || live[i].size_bytes != entry->cbData)
		return false;
	live[i].is_seen = true;
	return true;
}

static void test_walk(HANDLE heap)
{
	struct rtl_heap_entry entry = { .lpData = NULL };
	int busy = 0, wrong = 0, living = 0, unused = 0;
	const char *last = NULL;
	NTSTATUS status;

	make_blocks(heap);
	for (int i = 0; i < BLOCKS; i++)
		living += live[i].block != NULL;
	rtl_lock_heap(heap);
	status = rtl_walk_heap(heap, &entry);
	ok(status == STATUS_SUCCESS && entry.lpData == heap &&
		   entry.wFlags == RTL_HEAP_ENTRY_REGION,
	   "a walk begins with the heap's region");
	while ((status = rtl_walk_heap(heap, &entry)) == STATUS_SUCCESS) {
		unused += entry.wFlags == 0;
		busy += entry.wFlags & RTL_HEAP_ENTRY_BUSY;
		if (entry.wFlags & RTL_HEAP_ENTRY_BUSY)
			wrong += !is_right(&entry);
		wrong += (const char *)entry.lpData < last;
		last = entry.lpData;
	}
	ok_equal((unsigned)status, (unsigned)STATUS_NO_MORE_ENTRIES, "it ends");
	ok_equal(busy, living, "it shows the blocks that live");
	ok_equal(wrong, 0, "each once, with its size, in rising order");
	ok(unused > 0, "and what is free");
	ok(rtl_validate_heap(API_HeapValidate, heap, 0, NULL), "the heap is valid");
	ok_equal((unsigned)rtl_unlock_heap(heap), STATUS_SUCCESS, "it is unlocked");
	entry.lpData = &entry;
	ok_equal((unsigned)rtl_walk_heap(heap, &entry), (unsigned)STATUS_INVALID_PARAMETER,
		 "a walk does not begin elsewhere");
	for (int i = 0; i < BLOCKS; i++)
		release(heap, live[i].block);
}

static void test_damage(void)
{
	static const SIZE_T sizes[] = { 24, 1000 };
	HANDLE heap = create(0, 0);

	for (size_t row = 0; row < sizeof sizes / sizeof sizes[0]; row++) {
		unsigned char *block = allocate(heap, 0, sizes[row]), saved[64];
		NTSTATUS status;

		memcpy(saved, block + sizes[row], sizeof saved);
		ok(rtl_validate_heap(API_HeapValidate, heap, 0, block), "row %zu: a block is valid",
		   row);
		ok(!rtl_validate_heap(API_HeapValidate, heap, 0, block + 16),
		   "row %zu: its inside is not", row);
		memset(block + sizes[row], 0xcc, 32);
		ok(!rtl_validate_heap(API_HeapValidate, heap, 0, block),
		   "row %zu: written past, it is not", row);
		ok(!rtl_validate_heap(API_HeapValidate, heap, 0, NULL), "row %zu: nor is the heap",
		   row);
		ok(!rtl_free_heap(API_HeapFree, heap, 0, block, &status) &&
			   status == STATUS_INVALID_PARAMETER,
		   "row %zu: it is not freed", row);
		memcpy(block + sizes[row], saved, 32);
		ok(release(heap, block), "row %zu: repaired, it is", row);
	}
	ok_equal((unsigned)rtl_destroy_heap(API_HeapDestroy, heap), STATUS_SUCCESS, "destroyed");
}

/* A thread that allocates and frees; what it does while the heap is locked shows in `steps`. */
struct worker {
	HANDLE heap;
	uint64_t steps;
	int is_over;
};

static void *work(void *context)
{
	struct worker *worker = context;
	void *blocks[16] = { NULL };

	for (uint64_t i = 0; !__atomic_load_n(&worker->is_over, __ATOMIC_RELAXED); i++) {
		release(worker->heap, blocks[i % 16]);
		blocks[i % 16] = allocate(worker->heap, 0, i % 3000);
		__atomic_fetch_add(&worker->steps, 1, __ATOMIC_RELAXED);
	}
	for (int i = 0; i < 16; i++)
		release(worker->heap, blocks[i]);
	core_thread_exit();
	return NULL;
}

static uint64_t steps_of(struct worker *worker)
{
	return __atomic_load_n(&worker->steps, __ATOMIC_RELAXED);
}

/* The blocks that a walk shows, and their bytes, in one number. */
static uint64_t picture(HANDLE heap)
{
	struct rtl_heap_entry entry = { .lpData = NULL };
	uint64_t sum = 0;

	while (rtl_walk_heap(heap, &entry) == STATUS_SUCCESS)
		sum = sum * 31 + (uintptr_t)entry.lpData + entry.cbData + entry.wFlags;
	return sum;
}

static void check_standstill(struct worker *worker, int round)
{
	uint64_t steps, before;
	void *own;

	ok_equal((unsigned)rtl_lock_heap(worker->heap), STATUS_SUCCESS, "round %d: locked", round);
	rtl_lock_heap(worker->heap);
	before = picture(worker->heap);
	steps = steps_of(worker);
	usleep(20000);
	ok(steps_of(worker) - steps <= 1, "round %d: other threads wait", round);
	ok_equal(picture(worker->heap), before, "round %d: nothing moves", round);
	ok(rtl_validate_heap(API_HeapValidate, worker->heap, 0, NULL), "round %d: all is valid",
	   round);
	own = allocate(worker->heap, 0, 50);
	ok(own && release(worker->heap, own), "round %d: the holder goes on", round);
	rtl_unlock_heap(worker->heap);
	usleep(1000);
	ok(steps_of(worker) - steps <= 1, "round %d: locked twice", round);
	ok_equal((unsigned)rtl_unlock_heap(worker->heap), STATUS_SUCCESS, "round %d: unlocked",
		 round);
	for (int i = 0; i < 300000 && steps_of(worker) - steps <= 1; i++)
		usleep(1000);
	ok(steps_of(worker) - steps > 1, "round %d: the others go on", round);
}

static void test_lock(HANDLE heap, const char *name)
{
	struct worker worker = { .heap = heap };
	pthread_t thread;

	ok_equal((unsigned)rtl_unlock_heap(heap), (unsigned)STATUS_RESOURCE_NOT_OWNED,
		 "%s: nobody has locked it", name);
	pthread_create(&thread, NULL, work, &worker);
	while (steps_of(&worker) < 100)
		usleep(100);
	for (int round = 0; round < 5; round++)
		check_standstill(&worker, round);
	__atomic_store_n(&worker.is_over, 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	heap_check();
}

/* A child has no other threads: what they held is free, and what it held is its own. */
static void *hold_for_ever(void *context)
{
	rtl_lock_heap(context);
	return NULL;
}

static int exit_status_of(pid_t child)
{
	int status = -1;

	waitpid(child, &status, 0);
	return status;
}

static void test_fork(HANDLE process, HANDLE heap)
{
	pthread_t thread;
	pid_t child;

	pthread_create(&thread, NULL, hold_for_ever, heap);
	pthread_join(thread, NULL);
	rtl_lock_heap(process);
	core_fork_prepare();
	child = fork();
	if (child == 0) {
		core_fork_child();
		alarm(600);
		_exit(!(allocate(heap, 0, 10) && allocate(process, 0, 10) &&
			rtl_unlock_heap(process) == STATUS_SUCCESS &&
			rtl_unlock_heap(heap) == STATUS_RESOURCE_NOT_OWNED));
	}
	core_fork_parent();
	rtl_unlock_heap(process);
	ok_equal(exit_status_of(child), 0, "a child is not kept waiting by its parent's threads");
}

static void test_information(HANDLE heap)
{
	HANDLE fixed = create(0, 0x100000), list[3] = { NULL };
	ULONG value = 77;
	SIZE_T needed = 0;

	ok(rtl_query_heap_information(heap, 0, &value, sizeof value, &needed) == STATUS_SUCCESS &&
		   value == 0 && needed == 4,
	   "a heap is a standard one");
	value = 2;
	ok(rtl_set_heap_information(heap, 0, &value, sizeof value) == STATUS_SUCCESS,
	   "it becomes a low-fragmentation heap");
	value = 0;
	ok(rtl_set_heap_information(heap, 0, &value, sizeof value) != STATUS_SUCCESS,
	   "and stays one");
	ok(rtl_query_heap_information(heap, 0, &value, 4, NULL) == STATUS_SUCCESS && value == 2,
	   "as it says");
	ok(rtl_set_heap_information(fixed, 0, &value, 4) != STATUS_SUCCESS,
	   "one of fixed size does not");
	ok_equal((unsigned)rtl_query_heap_information(heap, 0, &value, 2, &needed),
		 (unsigned)STATUS_BUFFER_TOO_SMALL, "the value needs room");
	ok_equal((unsigned)rtl_query_heap_information(heap, 9, &value, 4, NULL),
		 (unsigned)STATUS_INVALID_INFO_CLASS, "there is no class 9");
	ok(rtl_get_process_heaps(3, list) >= 3 && list[0] == heap_process() && list[1] == fixed,
	   "the list of heaps begins with the process heap, then the newest");
	ok_equal((unsigned)rtl_destroy_heap(API_HeapDestroy, fixed), STATUS_SUCCESS, "destroyed");
	ok_equal((unsigned)rtl_destroy_heap(API_HeapDestroy, heap_process()),
		 (unsigned)STATUS_INVALID_HANDLE, "the process heap is not");
}

/* More heaps than a thread has places for fronts. */
static void test_many_heaps(void)
{
	enum { HEAPS = 300 };
	static HANDLE heaps[HEAPS];
	static void *blocks[HEAPS];
	int wrong = 0;

	for (int i = 0; i < HEAPS; i++) {
		NTSTATUS status;

		heaps[i] = rtl_create_heap(API_HeapCreate, 0, 0, 0, &status);
		blocks[i] = allocate(heaps[i], 0, 100);
	}
	for (int i = 0; i < HEAPS; i++) {
		wrong += release(heaps[(i + 1) % HEAPS], blocks[i]);
		wrong += !rtl_validate_heap(API_HeapValidate, heaps[i], 0, NULL);
		wrong += rtl_size_heap(heaps[i], 0, blocks[i], NULL) != 100;
	}
	heap_check();
	for (int i = 0; i < HEAPS; i++) {
		wrong += !release(heaps[i], blocks[i]);
		wrong += rtl_destroy_heap(API_HeapDestroy, heaps[i]) != STATUS_SUCCESS;
	}
	ok_equal(wrong, 0, "hundreds of heaps live side by side");
}

int main(void)
{
	HANDLE process, heap, fixed, held;
	int at_first;

	random_start();
	rtl_heap_use_pager(&host);
	process = test_process_heap();
	test_header();
	heap_trim();
	at_first = ranges;
	heap = create(0, 0);
	fixed = create(0, 0x400000);
	test_user_info(process);
	test_user_info(heap);
	test_walk(process);
	test_walk(heap);
	test_lock(process, "process heap");
	test_lock(heap, "growable heap");
	test_lock(fixed, "fixed heap");
	test_damage();
	test_information(process);
	test_many_heaps();
	held = create(0, 0);
	test_fork(process, held);
	ok_equal((unsigned)rtl_destroy_heap(API_HeapDestroy, held), STATUS_SUCCESS,
		 "a heap is destroyed that a thread held when it ended");
	ok_equal((unsigned)rtl_destroy_heap(API_HeapDestroy, fixed), STATUS_SUCCESS, "destroyed");
	ok_equal((unsigned)rtl_destroy_heap(API_HeapDestroy, heap), STATUS_SUCCESS, "destroyed");
	heap_check();
	heap_trim();
	ok(ranges <= at_first + 1, "what was taken for heaps goes back (%d, %d)", ranges, at_first);
	ok_equal((unsigned)rtl_set_heap_information(NULL, 1, NULL, 0), STATUS_SUCCESS,
		 "to end at corruption is agreed to");
	return tap_done();
}
