/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The engine with the answers of another memory manager: a window of real memory plays that
 * manager, and a second window, where nothing is mapped, is its model. After each random call both
 * have the same status, the same answers to VirtualQuery, and the same events. Then: what the
 * manager refused, what core itself does not have, views, and regions that are taken in. */

#include "core/os/pager_model.h"

#include "core/base/status.h"
#include "core/vm/vad.h"
#include "core/vm/view.h"
#include "core/vm/virtual.h"
#include "tests/lib/tap.h"
#include "tests/unit/core/random.h"
#include "tests/unit/core/vm/replay.h"

#define PAGES 128
#define PAGE OS_PAGE_SIZE
#define GRANULE (16 * PAGE)
#define STEPS 20000

static const struct vm_request real = { .api = API_VirtualAlloc };
static const struct vm_request modelled = { .api = API_NtAllocateVirtualMemory,
					    .pager = &pager_model };
static char *window, *shadow;

/* A call, on the window or on its shadow. */
struct call {
	int kind;
	uint64_t page, pages;
	uint32_t type, protect;
};

static NTSTATUS perform(const struct call *call, char *where, const struct vm_request *request,
			uintptr_t *offset, size_t *size_bytes, uint32_t *old_protect)
{
	void *base = where + call->page * PAGE;
	NTSTATUS status;

	*size_bytes = call->pages * PAGE;
	switch (call->kind) {
	case 0:
		status = vm_allocate(&base, size_bytes, call->type, call->protect, request);
		break;
	case 1:
		status = vm_free(&base, size_bytes, call->type, request);
		break;
	default:
		status = vm_protect(&base, size_bytes, call->protect, old_protect, request);
	}
	*offset = (uintptr_t)base - (uintptr_t)where;
	return status;
}

static struct call random_call(void)
{
	static const uint32_t types[] = { MEM_RESERVE, MEM_COMMIT, MEM_RESERVE | MEM_COMMIT,
					  MEM_RESET, MEM_RESET_UNDO };
	static const uint32_t protects[] = { PAGE_READWRITE, PAGE_READONLY, PAGE_NOACCESS,
					     PAGE_EXECUTE_READ, PAGE_READWRITE | PAGE_NOCACHE };
	struct call call = { .kind = (int)random_below(3),
			     .page = random_below(PAGES),
			     .pages = random_below(24),
			     .type = types[random_below(5)],
			     .protect = protects[random_below(5)] };

	if (call.kind == 1)
		call.type = random_below(2) ? MEM_RELEASE : MEM_DECOMMIT;
	if (call.kind == 1 && random_below(2))
		call.pages = 0;
	if (random_below(2))
		call.page &= ~(uint64_t)15;
	if (call.page + call.pages > PAGES)
		call.pages = PAGES - call.page;
	return call;
}

static bool are_queries_equal(void)
{
	for (uint64_t page = 0; page < PAGES; page++) {
		MEMORY_BASIC_INFORMATION a, b;
		size_t end;

		vm_query(window + page * PAGE, &a);
		vm_query(shadow + page * PAGE, &b);
		end = page * PAGE + a.RegionSize;
		if (a.State == MEM_FREE && b.State == MEM_FREE)
			continue;
		if (a.State != b.State || a.Protect != b.Protect || a.Type != b.Type ||
		    a.AllocationProtect != b.AllocationProtect || a.RegionSize != b.RegionSize ||
		    (char *)a.AllocationBase - window != (char *)b.AllocationBase - shadow ||
		    end > PAGES * PAGE)
			return false;
	}
	return true;
}

/* A range of the shadow that the window's manager will not see. */
static bool does_one_step(void)
{
	uintptr_t offset, model_offset;
	size_t size_bytes, model_size_bytes;
	uint32_t old = 0, model_old = 0;
	struct call call = random_call();
	NTSTATUS status = perform(&call, window, &real, &offset, &size_bytes, &old), model_status;
	struct model_answer answer = { status < 0 ? MODEL_REFUSED : MODEL_DONE,
				       (uintptr_t)shadow + offset };

	pager_model_answer(&answer);
	model_status =
		perform(&call, shadow, &modelled, &model_offset, &model_size_bytes, &model_old);
	if (status != model_status)
		printf("# kind %d type 0x%x page %d + %d: 0x%x, model 0x%x\n", call.kind, call.type,
		       (int)call.page, (int)call.pages, (unsigned)status, (unsigned)model_status);
	return status == model_status && old == model_old &&
	       (status < 0 || (offset == model_offset && size_bytes == model_size_bytes));
}

static void test_random(void)
{
	int step;

	for (step = 0; step < STEPS; step++) {
		if (!does_one_step() || (step % 64 == 0 && !are_queries_equal()))
			break;
	}
	ok_equal(step, STEPS, "the model gives the answers of the real engine");
	ok(are_queries_equal(), "and ends in the same state");
	ok_equal(replay.impossible, 0, "its events can be replayed");
	vm_check();
}

/* The state of the shadow's pages as the events have it, in one number. */
static uint64_t digest(void)
{
	uint64_t sum = 0;

	for (uint64_t page = 0; page < PAGES; page++)
		sum = sum * 31 + replay.state[page];
	return sum;
}

static void clear(char *where, const struct vm_request *request)
{
	pager_model_answer(&(struct model_answer){ MODEL_DONE, 0 });
	for (char *at = where; at < where + PAGES * PAGE; at += GRANULE) {
		void *base = at;
		size_t whole = 0;

		vm_free(&base, &whole, MEM_RELEASE, request);
	}
}

static bool reserve(char *at, size_t size_bytes, uint32_t type, uint32_t protect)
{
	void *base = at;

	pager_model_answer(&(struct model_answer){ MODEL_DONE, (uintptr_t)at });
	return vm_allocate(&base, &size_bytes, type, protect, &modelled) >= 0 && base == at;
}

/* What the manager refused, core would have done: nothing changes, nothing is told. */
static void test_refused(void)
{
	static const struct call calls[] = {
		{ 0, 64, 16, MEM_RESERVE, PAGE_READWRITE },
		{ 0, 0, 0, MEM_RESERVE, PAGE_READWRITE },
		{ 0, 4, 4, MEM_COMMIT, PAGE_READONLY },
		{ 0, 4, 4, MEM_RESET, PAGE_READONLY },
		{ 1, 0, 0, MEM_RELEASE, 0 },
		{ 1, 2, 4, MEM_DECOMMIT, 0 },
		{ 2, 0, 4, 0, PAGE_READONLY },
	};
	uintptr_t offset;
	size_t size_bytes;
	uint32_t old;

	ok(reserve(shadow, 32 * PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE), "a region");
	for (size_t row = 0; row < sizeof calls / sizeof calls[0]; row++) {
		uint64_t before = digest();
		struct call call = calls[row];
		NTSTATUS status;

		if (!call.pages && call.kind == 0)
			call.pages = 16; /* in the way of the region */
		pager_model_answer(&(struct model_answer){ MODEL_REFUSED, 0 });
		status = perform(&call, shadow, &modelled, &offset, &size_bytes, &old);
		ok_equal((unsigned)status,
			 (unsigned)(row == 1 ? STATUS_CONFLICTING_ADDRESSES : STATUS_CANCELLED),
			 "row %zu: refused", row);
		ok(digest() == before && replay.impossible == 0, "row %zu: nothing is told", row);
	}
	vm_check();
	clear(shadow, &modelled);
	ok_equal(digest(), 0, "all is free again");
}

static void test_what_core_lacks(void)
{
	void *base = shadow;
	size_t size_bytes = PAGE;
	uint32_t old = 0;
	MEMORY_BASIC_INFORMATION info;

	ok(!reserve(shadow, GRANULE, MEM_WRITE_WATCH, PAGE_READWRITE), "watch needs reserve");
	ok(reserve(shadow, GRANULE, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH, PAGE_READWRITE),
	   "a watched region of the other manager's is modelled");
	ok(vm_protect(&base, &size_bytes, PAGE_READWRITE | PAGE_GUARD, &old, &modelled) >= 0,
	   "so are guard pages");
	vm_query(shadow, &info);
	ok_equal(info.Protect, PAGE_READWRITE | PAGE_GUARD, "the query shows them");
	ok_equal(info.RegionSize, PAGE, "where they are");
	ok(vm_knows(shadow) && !vm_owns(shadow), "core knows the region and does not own it");
	ok(!vm_knows(shadow + GRANULE), "behind it is nothing");
	clear(shadow, &modelled);
}

static void test_ownership(void)
{
	void *base = window;
	size_t size_bytes = GRANULE;

	vm_allocate(&base, &size_bytes, MEM_RESERVE, PAGE_READWRITE, &real);
	ok(vm_owns(window) && vm_owns(window + GRANULE - 1), "a region of core's is its own");
	ok(!vm_owns(window + GRANULE) && !vm_owns(&base) && !vm_owns(NULL) &&
		   !vm_owns((void *)UINTPTR_MAX),
	   "other addresses are not");
	clear(window, &real);
	ok(!vm_owns(window), "nor is it after its release");
}

static void test_views(void)
{
	struct vm_view view = { (uintptr_t)shadow, 3 * PAGE, PAGE_READONLY, 0x10000, false, false },
		       gone;
	struct vm_view image = {
		(uintptr_t)shadow + GRANULE, PAGE, PAGE_EXECUTE_WRITECOPY, 0, true, false
	};
	struct vm_view bad = { (uintptr_t)shadow + 1, PAGE, PAGE_READONLY, 0, false, false };
	MEMORY_BASIC_INFORMATION info;

	ok(vm_map_view(&view, &modelled) >= 0 && vm_map_view(&image, &modelled) >= 0, "two views");
	ok_equal((unsigned)vm_map_view(&bad, &modelled), (unsigned)STATUS_INVALID_PARAMETER,
		 "no view inside a page");
	vm_query(shadow + PAGE, &info);
	ok(info.Type == MEM_MAPPED && info.AllocationBase == shadow && info.RegionSize == 2 * PAGE,
	   "the query knows a view");
	vm_query(shadow + GRANULE, &info);
	ok(info.Type == MEM_IMAGE && info.Protect == PAGE_EXECUTE_WRITECOPY, "and an image");
	ok(!vm_owns(shadow) && !vm_knows(shadow), "neither is VirtualAlloc's");
	ok_equal(replay.state[1], MEM_COMMIT | PAGE_READONLY, "it is told");
	ok(vm_unmap_view(shadow + 2 * PAGE, &gone, &modelled) >= 0 && gone.base == view.base &&
		   gone.size_bytes == view.size_bytes && gone.offset == view.offset,
	   "an inner pointer ends a view");
	ok_equal((unsigned)vm_unmap_view(shadow, NULL, &modelled), (unsigned)STATUS_NOT_MAPPED_VIEW,
		 "only once");
	ok_equal(replay.state[1], 0, "its end is told");
	ok(vm_map_view(&(struct vm_view){ .base = (uintptr_t)shadow + GRANULE,
					  .size_bytes = 2 * PAGE,
					  .is_reserved = true },
		       &modelled) >= 0,
	   "a view replaces one that ended unseen");
	ok(vm_unmap_view(shadow + GRANULE, NULL, &modelled) >= 0, "and ends");
	ok_equal(digest(), 0, "all is free again");
	ok_equal(replay.impossible, 0, "in a possible order");
}

/* What the other manager says: a letter a page, a capital one begins a region. f free, r reserved,
 * w read-write, o read-only, g guarded. */
static const char *map_of_manager;

static uint32_t protect_of(char letter)
{
	switch (letter | 0x20) {
	case 'w':
		return PAGE_READWRITE;
	case 'o':
		return PAGE_READONLY;
	case 'g':
		return PAGE_READWRITE | PAGE_GUARD;
	default:
		return 0;
	}
}

static NTSTATUS query_manager(const void *address, MEMORY_BASIC_INFORMATION *info)
{
	size_t page = (size_t)((const char *)address - shadow) / PAGE, first = page, end = page + 1;
	char letter = map_of_manager[page] | 0x20;

	if (page >= strlen(map_of_manager))
		return STATUS_INVALID_PARAMETER;
	while (map_of_manager[end] == letter)
		end++;
	while (letter != 'f' && first > 0 && map_of_manager[first] & 0x20)
		first--;
	*info = (MEMORY_BASIC_INFORMATION){ .BaseAddress = shadow + page * PAGE,
					    .RegionSize = (end - page) * PAGE,
					    .State = letter == 'f'   ? MEM_FREE
						     : letter == 'r' ? MEM_RESERVE
								     : MEM_COMMIT,
					    .Protect = protect_of(letter) };
	if (letter != 'f') {
		info->AllocationBase = shadow + first * PAGE;
		info->AllocationProtect = PAGE_READWRITE;
		info->Type = MEM_PRIVATE;
	}
	return STATUS_SUCCESS;
}

static bool is_as_manager_says(void)
{
	for (size_t page = 0; map_of_manager[page]; page++) {
		char letter = map_of_manager[page] | 0x20;
		uint32_t expected = letter == 'f'   ? 0
				    : letter == 'r' ? MEM_RESERVE
						    : MEM_COMMIT | protect_of(letter);
		MEMORY_BASIC_INFORMATION said, known;

		query_manager(shadow + page * PAGE, &said);
		vm_query(shadow + page * PAGE, &known);
		if (replay.state[page] != expected || said.AllocationBase != known.AllocationBase ||
		    said.State != known.State ||
		    (said.State == MEM_COMMIT && said.Protect != known.Protect)) {
			printf("# page %zu: told 0x%x, expected 0x%x; state 0x%x, known 0x%x\n",
			       page, replay.state[page], expected, said.State, known.State);
			return false;
		}
	}
	return true;
}

static void test_take_in(void)
{
	static const char *const maps[] = {
		"fffffffffffffffffffffffffffffffffffffffffffffffff",
		"Wwwwfffffffffffffffffffffffffffffffffffffffffffff",
		"Wgoofffffffffffffffffffffffffffffffffffffffffffff",
		"WgoorrrrrrrrrrrrRrrrrrrrrrrrrrrrfffffffffffffffff",
		"WwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwFffffffffffffffff",
		"FfffffffffffffffOoooooooooooooooWwwwwwwwwwwwwwwwf",
		"RwowrgrwoffffffffffffffffffffffffGggggggggggggggf",
		"fffffffffffffffffffffffffffffffffffffffffffffffff",
	};

	for (size_t row = 0; row < sizeof maps / sizeof maps[0]; row++) {
		map_of_manager = maps[row];
		if (row == 6)
			map_of_manager = "RwowrgrwoffffffffffffffffffffffffffffffffffffffffF";
		ok(vm_take_in(shadow, strlen(maps[row]) * PAGE, query_manager, &modelled) >= 0,
		   "row %zu: taken in", row);
		ok(is_as_manager_says(), "row %zu: tree and events are as it says", row);
		vm_check();
	}
	ok_equal(replay.impossible, 0, "in a possible order");
	map_of_manager = "";
	ok_equal((unsigned)vm_take_in(shadow, PAGE, query_manager, &modelled),
		 (unsigned)STATUS_INVALID_PARAMETER, "its failure is passed on");
}

/* A region of core's own goes over to the other manager. */
static void test_hand_over(void)
{
	ok(reserve(shadow, 4 * PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE), "a region");
	map_of_manager = "Wwwg";
	ok(vm_take_in(shadow + 3 * PAGE, 1, query_manager, &modelled) >= 0,
	   "one page is looked at");
	ok(is_as_manager_says() && !vm_owns(shadow), "the region is the other's, as it is");
	clear(shadow, &modelled);
	ok_equal(digest(), 0, "all is free again");
}

int main(void)
{
	random_start();
	window = replay_find_window(PAGES * PAGE);
	shadow = replay_find_window(PAGES * PAGE) + ((size_t)64 << 20);
	replay_start((uintptr_t)shadow, PAGES);
	test_random();
	clear(window, &real);
	clear(shadow, &modelled);
	test_refused();
	test_what_core_lacks();
	test_ownership();
	test_views();
	test_take_in();
	test_hand_over();
	return tap_done();
}
