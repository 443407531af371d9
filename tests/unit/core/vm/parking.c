/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Regions that were released and that the kernel still has mapped: free for everybody, the thread's
 * own again at its next allocation, out of the way of all others. Linked with os_fake.c. */

#include "core/vm/parking.h"

#include <errno.h>
#include <linux/mman.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/status.h"
#include "core/host.h"
#include "core/os/os_fake.h"
#include "core/vm/charge.h"
#include "core/vm/glimpse.h"
#include "core/vm/posix.h"
#include "core/vm/virtual.h"
#include "tests/lib/core_fork.h"
#include "tests/lib/tap.h"
#include "tests/unit/core/vm/replay.h"

#define PAGE OS_PAGE_SIZE
#define SIZE ((size_t)0x10000)
#define OTHER_SIZE ((size_t)0x23000)

static const struct vm_request request = { .api = API_VirtualAlloc };

static char *allocate_at(void *base, size_t size_bytes)
{
	return vm_allocate(&base, &size_bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE, &request) <
			       0
		       ? NULL
		       : base;
}

static char *allocate(size_t size_bytes)
{
	return allocate_at(NULL, size_bytes);
}

static NTSTATUS release(void *base)
{
	size_t size_bytes = 0;

	return vm_free(&base, &size_bytes, MEM_RELEASE, &request);
}

static void clear_all(void)
{
	lock_acquire(&vm_lock);
	parking_clear_all();
	lock_release(&vm_lock);
}

/* A region that was written to and is parked. */
static char *park(size_t size_bytes)
{
	char *base;

	clear_all();
	base = allocate(size_bytes);
	memset(base, 'x', size_bytes);
	if (release(base) != STATUS_SUCCESS || parking_bytes() != size_bytes)
		printf("# not parked: %llu bytes are\n", (unsigned long long)parking_bytes());
	return base;
}

static uint32_t state_at(const void *address)
{
	MEMORY_BASIC_INFORMATION info;

	return vm_query(address, &info) < 0 ? 0 : info.State;
}

static bool is_mapped(void *base)
{
	unsigned char pages[SIZE / PAGE];

	return mincore(base, SIZE, pages) == 0;
}

static void test_release(void)
{
	struct charge before, after, again;
	char *base, *other;

	clear_all();
	charge_read(&before);
	base = park(SIZE);
	charge_read(&after);
	ok_equal(parking_bytes(), SIZE, "the region is parked");
	ok(is_mapped(base), "and mapped");
	ok(!os_can_read(base) && !os_can_read(base + SIZE - PAGE), "nobody can read it");
	ok_equal(memcmp(&before, &after, sizeof before), 0, "the totals are those from before");
	ok(!vm_knows(base) && !vm_owns(base) && !vm_pager_at(base), "nobody has it");
	other = allocate(OTHER_SIZE);
	ok(other && other != base, "another size lies elsewhere");
	ok(allocate(SIZE - 1) == base, "the same size, rounded up, lies there again");
	ok_equal(parking_bytes(), 0, "nothing is parked any more");
	ok(base[0] == 0 && base[SIZE - 1] == 0, "its pages are zero");
	memset(base, 'y', SIZE);
	release(other);
	ok_equal(release(base), STATUS_SUCCESS, "it can be released again");
	clear_all();
	charge_read(&again);
	ok_equal(memcmp(&before, &again, sizeof before), 0, "the totals stay right");
	ok(!is_mapped(base), "what is cleared is mapped no more");
	vm_check();
}

/* Each call on a parked region answers what it answers where nothing is: at a region that was
 * cleared. */
static const char *const calls[] = { "release",  "decommit",  "commit", "protect", "reset",
				     "mprotect", "madvise",   "mremap", "munmap",  "reserve there",
				     "query",    "map there", "discard" };

static NTSTATUS protect(void *base)
{
	size_t size_bytes = PAGE;
	uint32_t old;

	return vm_protect(&base, &size_bytes, PAGE_READONLY, &old, &request);
}

static NTSTATUS change(void *base, uint32_t type)
{
	size_t size_bytes = PAGE;

	if (type == MEM_DECOMMIT)
		return vm_free(&base, &size_bytes, type, &request);
	return vm_allocate(&base, &size_bytes, type, PAGE_READWRITE, &request);
}

static intptr_t map_there(char *base)
{
	intptr_t got = posix_mmap(base, SIZE, PROT_READ,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, /* fd */ -1,
				  /* offset */ 0, API_mmap);

	if (got >= 0)
		posix_munmap(base, SIZE, API_munmap);
	return got - (intptr_t)base;
}

static intptr_t reserve_there(char *base)
{
	char *got = allocate_at(base, SIZE);

	if (got)
		release(got);
	return got - base;
}

static intptr_t call(size_t number, char *base)
{
	switch (number) {
	case 0:
		return release(base);
	case 1:
		return change(base, MEM_DECOMMIT);
	case 2:
		return change(base, MEM_COMMIT);
	case 3:
		return protect(base);
	case 4:
		return change(base, MEM_RESET);
	case 5:
		return posix_mprotect(base, SIZE, PROT_READ, API_mprotect);
	case 6:
		return posix_advise(base, SIZE, MADV_DONTNEED, API_madvise);
	case 7:
		return posix_mremap(base, SIZE, SIZE / 2, /* flags */ 0, NULL, API_mremap);
	case 8:
		return posix_munmap(base, SIZE, API_munmap);
	case 9:
		return reserve_there(base);
	case 10:
		return state_at(base + PAGE);
	case 11:
		return map_there(base);
	default:
		return vm_discard(base, SIZE, &request);
	}
}

static void test_calls(void)
{
	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
		char *base = park(SIZE);
		intptr_t parked = call(i, base), cleared;

		base = park(SIZE);
		clear_all();
		cleared = call(i, base);
		ok_equal(parked, cleared, "%s: as where nothing is", calls[i]);
		vm_check();
	}
}

/* Free addresses below a parked region, and above, are one hole with it. */
static void test_query(void)
{
	char *window = replay_find_window(3 * SIZE);
	MEMORY_BASIC_INFORMATION info;

	clear_all();
	release(allocate_at(window + SIZE, SIZE));
	ok(parking_bytes() == SIZE && is_mapped(window + SIZE), "a region in a hole is parked");
	vm_query(window + PAGE, &info);
	ok(info.State == MEM_FREE && info.RegionSize >= 3 * SIZE - PAGE,
	   "a query below it answers with the whole of the hole");
	release(allocate_at(window + SIZE, SIZE));
	vm_query(window + SIZE + PAGE, &info);
	ok(info.State == MEM_FREE && info.BaseAddress == window + SIZE + PAGE &&
		   info.RegionSize >= 2 * SIZE - PAGE,
	   "a query in it with the rest of the hole");
	ok_equal(parking_bytes(), 0, "nothing is parked any more");
}

/* What a call does to a region, so that it is unmapped when it is released. */
static void touch(int kind, char *base)
{
	void *at = base;
	size_t size_bytes = PAGE;

	switch (kind) {
	case 0:
		protect(base);
		break;
	case 1:
		change(base, MEM_DECOMMIT);
		break;
	case 2:
		posix_mprotect(base, PAGE, PROT_READ, API_mprotect);
		break;
	case 3:
		posix_advise(base, SIZE, MADV_DONTFORK, API_madvise);
		break;
	case 4:
		vm_allocate(&at, &size_bytes, MEM_RESET, PAGE_READWRITE, &request);
		break;
	default:
		os_lock_pages(base, PAGE);
	}
}

static void test_plain(void)
{
	for (int kind = 0; kind < 6; kind++) {
		char *base;

		clear_all();
		base = allocate(SIZE);
		touch(kind, base);
		ok_equal(release(base), STATUS_SUCCESS, "touched in way %d: released", kind);
		ok(parking_bytes() == 0 && !is_mapped(base), "and not parked");
	}
	vm_check();
}

static void test_kinds(void)
{
	static const struct {
		size_t size_bytes;
		uint32_t type, protect;
		struct vm_request request;
	} rows[] = {
		{ PARKING_REGION_BYTES_MAX + PAGE,
		  MEM_RESERVE | MEM_COMMIT,
		  PAGE_READWRITE,
		  { 0 } },
		{ SIZE, MEM_RESERVE, PAGE_READWRITE, { 0 } },
		{ SIZE, MEM_RESERVE | MEM_COMMIT, PAGE_READONLY, { 0 } },
		{ SIZE, MEM_RESERVE | MEM_COMMIT, PAGE_EXECUTE_READWRITE, { 0 } },
		{ SIZE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE, { .owner = EVENT_OWNER_HEAP } },
		{ SIZE, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH, PAGE_READWRITE, { 0 } },
	};

	clear_all();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		void *base = NULL;
		size_t size_bytes = rows[i].size_bytes, whole = 0;

		vm_allocate(&base, &size_bytes, rows[i].type, rows[i].protect, &rows[i].request);
		ok_equal(vm_free(&base, &whole, MEM_RELEASE, &rows[i].request), STATUS_SUCCESS,
			 "row %zu: released", i);
		ok_equal(parking_bytes(), 0, "row %zu: not parked", i);
	}
	allocate(0);
	ok(!allocate(0), "no size is refused as ever");
}

/* The request decides, too: what is parked is not what it asks for. */
static void test_requests(void)
{
	struct vm_request bounded = { .limit = (uintptr_t)1 << 46 };
	void *found = NULL;
	size_t size_bytes = SIZE;
	char *base = park(SIZE);
	uint32_t old;

	vm_allocate(&found, &size_bytes, MEM_RESERVE, PAGE_READWRITE, &request);
	ok(found && found != base, "a reservation lies elsewhere");
	release(found);
	found = NULL;
	vm_allocate(&found, &size_bytes, MEM_RESERVE | MEM_COMMIT, PAGE_EXECUTE_READ, &request);
	ok(found && vm_protect(&found, &size_bytes, PAGE_READONLY, &old, &request) >= 0 &&
		   old == PAGE_EXECUTE_READ,
	   "another protection is kept");
	release(found);
	found = NULL;
	ok_equal(vm_allocate(&found, &size_bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE,
			     &bounded),
		 STATUS_SUCCESS, "below a limit there is room");
	ok((uintptr_t)found < bounded.limit, "and the limit is kept");
	release(found);
	clear_all();
}

static void test_limit(void)
{
	struct charge totals;
	char *base = park(SIZE), *first, *second;

	charge_read(&totals);
	charge_set_limit(totals.committed_bytes + SIZE);
	first = allocate(SIZE);
	second = allocate(SIZE);
	ok(first && !second, "a parked region is not charged, one that is allocated is");
	charge_set_limit(0);
	release(first);
	clear_all();
	ok(!is_mapped(base) && !is_mapped(first), "nothing is left");
}

static void test_bounds(void)
{
	enum { COUNT = 40 };
	char *regions[COUNT];
	uint64_t most = 0;

	clear_all();
	for (int i = 0; i < COUNT; i++)
		regions[i] = allocate(PARKING_REGION_BYTES_MAX);
	for (int i = 0; i < COUNT; i++) {
		release(regions[i]);
		most = parking_bytes() > most ? parking_bytes() : most;
	}
	ok(most && most <= 2 << 20, "at most 2 MiB are parked: %llu bytes",
	   (unsigned long long)most);
	for (int i = 0; i < COUNT; i++)
		regions[i] = allocate(SIZE);
	for (int i = 0; i < COUNT; i++)
		release(regions[i]);
	ok(parking_bytes() <= 2 << 20, "of small ones, too");
	clear_all();
	ok_equal(parking_bytes(), 0, "all can be cleared");
	vm_check();
}

static void *use_and_end(void *base)
{
	*(char **)base = allocate(SIZE);
	release(*(char **)base);
	core_thread_exit();
	return NULL;
}

static void test_thread_end(void)
{
	pthread_t thread;
	char *base;

	clear_all();
	pthread_create(&thread, NULL, use_and_end, &base);
	pthread_join(thread, NULL);
	ok(parking_bytes() == 0 && !is_mapped(base), "what a thread has parked goes with it");
}

#define PAGE_TABLE ((uintptr_t)0x200000)

static void *use_first(void *base)
{
	*(char **)base = allocate(SIZE);
	return NULL;
}

/* Whether anything but [base, base + SIZE) is mapped in its page table. */
static bool has_neighbours(const char *base)
{
	char *table = (char *)((uintptr_t)base & ~(PAGE_TABLE - 1));
	unsigned char page;

	for (char *at = table; at < table + PAGE_TABLE; at += PAGE) {
		bool is_inside = at >= base && at < base + SIZE;

		if (!is_inside && mincore(at, PAGE, &page) == 0)
			return true;
	}
	return false;
}

/* Where the place below the last region is somebody else's, as the loader's libraries are. The
 * thread is the first one beside this. */
static void test_first_of_thread(void)
{
	const size_t below_bytes = 4 * PAGE_TABLE;
	char *own = allocate(SIZE), *below = own - below_bytes, *base = NULL;
	pthread_t thread;
	intptr_t got;

	got = os_map(below, below_bytes, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, /* fd */ -1,
		     /* offset */ 0);
	pthread_create(&thread, NULL, use_first, &base);
	pthread_join(thread, NULL);
	ok(base && !has_neighbours(base), "a thread's first region has a page table of its own");
	release(own);
	release(base);
	if (got > 0)
		os_unmap((void *)got, below_bytes);
	clear_all();
}

/* --- Steps of other threads, between which anything may come ---------------------------------- */

static struct vad *vad_at(char *base)
{
	return glimpse_vad((uintptr_t)base / PAGE);
}

/* As a thread leaves it that is between two steps. */
static struct vad *set_state(char *base, enum vad_life state)
{
	struct vad *vad = vad_at(base);

	vad->life = (vad->life & ~UINT64_C(3)) | state;
	return vad;
}

static void test_releasing(void)
{
	char *base = allocate(SIZE);
	struct vad *vad = set_state(base, LIFE_CHANGING);

	ok_equal(state_at(base), MEM_COMMIT, "in the middle of a release: still there");
	ok_equal(release(base), STATUS_MEMORY_NOT_ALLOCATED, "nobody else can release it");
	ok_equal(protect(base), STATUS_CONFLICTING_ADDRESSES, "nor change it");
	ok(!allocate_at(base, SIZE), "nor have its addresses");
	vm_check();
	ok_equal(posix_munmap(base, SIZE, API_munmap), 0, "but unmap them");
	ok_equal(vad_life(vad), LIFE_HELD, "then it is not the releasing thread's any more");
	ok_equal(state_at(base), MEM_FREE, "it is gone");
	vm_check();
}

static int run_in_child(int (*check)(char *), char *base)
{
	int status = -1;
	pid_t child = core_fork();

	if (child == 0)
		_exit(check(base));
	waitpid(child, &status, 0);
	return status;
}

static int check_child(char *base)
{
	struct charge totals;
	char *own;

	vm_check();
	charge_read(&totals);
	if (is_mapped(base) || parking_bytes() != 0 || state_at(base) != MEM_FREE)
		return 1;
	own = allocate(SIZE);
	return !own || release(own) != STATUS_SUCCESS || parking_bytes() != SIZE;
}

static void test_fork(void)
{
	char *base = park(SIZE);

	ok_equal(run_in_child(check_child, base), 0, "a child has nothing of what is parked");
	ok(is_mapped(base) && parking_bytes() == SIZE, "its parent has");
	set_state(base, LIFE_CHANGING);
	ok_equal(run_in_child(check_child, base), 0, "nor of what was being released");
	set_state(base, LIFE_PARKED);
	clear_all();
	vm_check();
}

/* --- Who listens ------------------------------------------------------------------------------ */

static int reserves, releases, maps_of_live, maps_of_parked;
static uintptr_t live_base, parked_base;
static volatile int gate;

static void count_event(const struct event *event)
{
	reserves += event->kind == EVENT_VAD_RESERVE;
	releases += event->kind == EVENT_VAD_RELEASE;
	maps_of_live += event->kind == EVENT_VAD_MAP && event->address == live_base;
	maps_of_parked += event->kind == EVENT_VAD_MAP && event->address == parked_base;
}

static void test_events(void)
{
	char *live, *base;

	clear_all();
	event_set_sink(count_event, &gate);
	live = allocate(SIZE);
	base = allocate(SIZE);
	release(base);
	ok(parking_bytes() == SIZE && reserves + releases == 0, "unheard: parked");
	live_base = (uintptr_t)live;
	parked_base = (uintptr_t)base;
	gate = 1;
	posix_take_in_maps();
	ok(maps_of_live == 1 && maps_of_parked == 0,
	   "a listener is told of what is there, not of what is parked");
	ok(allocate(SIZE) != base && reserves == 1, "heard: allocations are told");
	release(live);
	ok(releases == 1 && !is_mapped(live), "releases too, of what was there before");
	gate = 0;
	clear_all();
	event_set_sink(NULL, NULL);
	vm_check();
}

/* --- The system refuses ----------------------------------------------------------------------- */

static void test_refusals(void)
{
	for (int number = 1; number < 6; number++) {
		char *base, *again;
		NTSTATUS status;

		clear_all();
		base = allocate(SIZE);
		base[0] = 'x';
		os_fake_fail(number, -EINVAL);
		status = release(base);
		again = status == STATUS_SUCCESS ? allocate(SIZE) : NULL;
		os_fake_fail(0, 0);
		vm_check();
		ok(status == STATUS_SUCCESS && (again || number > 1),
		   "call %d refused: released all the same", number);
		ok(!again || (again[0] == 0 && state_at(again) == MEM_COMMIT),
		   "what is allocated can be used");
		if (again)
			release(again);
		clear_all();
		ok(!is_mapped(base), "nothing is left");
	}
}

static rlim_t address_space_bytes(void)
{
	unsigned long pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	if (file && fscanf(file, "%lu", &pages) != 1)
		pages = 0;
	if (file)
		fclose(file);
	return (rlim_t)pages * PAGE;
}

/* There is no room but where the parked region is. */
static void test_no_room(void)
{
	char *base = park(SIZE), *got, *mapped;
	struct rlimit before, tight;

	getrlimit(RLIMIT_AS, &before);
	tight = (struct rlimit){ address_space_bytes(), before.rlim_max };
	setrlimit(RLIMIT_AS, &tight);
	got = allocate(SIZE / 2);
	setrlimit(RLIMIT_AS, &before);
	ok(got && !is_mapped(base), "no room for a region: parked ones go");
	release(got);
	base = park(SIZE);
	setrlimit(RLIMIT_AS, &tight);
	mapped = (char *)posix_mmap(NULL, SIZE / 2, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
				    /* fd */ -1, /* offset */ 0, API_mmap);
	setrlimit(RLIMIT_AS, &before);
	ok((intptr_t)mapped > 0 && !is_mapped(base), "nor for a mapping: the same");
	posix_munmap(mapped, SIZE / 2, API_munmap);
	vm_check();
}

static void test_shortage(void)
{
	char *base = park(SIZE);
	void *region = NULL;
	size_t size_bytes = SIZE;

	vm_allocate(&region, &size_bytes, MEM_RESERVE, PAGE_READWRITE, &request);
	os_fake_fail(1, -ENOMEM);
	ok_equal(change(region, MEM_COMMIT), STATUS_SUCCESS, "no memory for a commit: it has some");
	os_fake_fail(0, 0);
	ok(!is_mapped(base), "when the parked region is gone");
	release(region);
	vm_check();
}

int main(void)
{
	printf("# by %s\n", parking_is_by_markers() ? "markers" : "protection");
	test_first_of_thread();
	test_release();
	test_calls();
	test_query();
	test_plain();
	test_kinds();
	test_requests();
	test_limit();
	test_bounds();
	test_thread_end();
	test_releasing();
	test_fork();
	test_events();
	test_refusals();
	test_shortage();
	test_no_room();
	return tap_done();
}
