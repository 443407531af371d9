/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Random reserve, commit, decommit, protect, reset, discard and release calls against an array with
 * one entry per page: status, states, contents, what VirtualQuery says, and what a reader of the
 * events believes are the same after each step. */

#include "core/vm/virtual.h"

#include "core/base/status.h"
#include "core/vm/vad.h"
#include "tests/lib/tap.h"
#include "tests/unit/core/random.h"
#include "tests/unit/core/vm/replay.h"

#define PAGES 256
#define STEPS 100000
#define PAGE OS_PAGE_SIZE
#define GRANULE_PAGES 16

static const struct vm_request request = { .api = API_VirtualAlloc };

/* One page, as simply as can be. */
struct model_page {
	uint32_t state;         /* 0: free */
	uint64_t region;        /* the first page of its region, when not free */
	uint32_t alloc_protect; /* of the region */
	unsigned char value;    /* its first byte */
};

static struct model_page model[PAGES];
static char *window;

static const uint32_t protects[] = { PAGE_READWRITE, PAGE_READONLY, PAGE_NOACCESS,
				     PAGE_EXECUTE_READ, PAGE_READWRITE | PAGE_NOCACHE };

/* A range that a call means, in pages. */
struct range {
	uint64_t first, end;
};

static bool is_writable(uint64_t page)
{
	return model[page].state & MEM_COMMIT && model[page].state & PAGE_READWRITE;
}

static bool is_readable(uint64_t page)
{
	return model[page].state & MEM_COMMIT && !(model[page].state & PAGE_NOACCESS);
}

static bool is_in_one_region(struct range range)
{
	for (uint64_t i = range.first; i < range.end; i++) {
		if (!model[i].state || model[i].region != model[range.first].region)
			return false;
	}
	return true;
}

static bool is_free(struct range range)
{
	for (uint64_t i = range.first; i < range.end; i++) {
		if (model[i].state)
			return false;
	}
	return true;
}

static bool is_committed(struct range range)
{
	for (uint64_t i = range.first; i < range.end; i++) {
		if (!(model[i].state & MEM_COMMIT))
			return false;
	}
	return true;
}

static uint64_t region_end(uint64_t first)
{
	uint64_t end = first;

	while (end < PAGES && model[end].state && model[end].region == model[first].region)
		end++;
	return end;
}

static void set_states(struct range range, uint32_t state)
{
	for (uint64_t i = range.first; i < range.end; i++) {
		if (!(state & MEM_COMMIT) || !(model[i].state & MEM_COMMIT))
			model[i].value = 0;
		model[i].state = state;
	}
}

/* Each call: what the model expects, then the engine's answer; whether they are the same. */

static bool reserve(struct range range, uint32_t type, uint32_t protect)
{
	struct range rounded = { range.first / GRANULE_PAGES * GRANULE_PAGES, range.end };
	void *base = window + range.first * PAGE;
	size_t size_bytes = (range.end - range.first) * PAGE;
	NTSTATUS expected = STATUS_SUCCESS, got;

	if (protect & PAGE_NOCACHE && !(type & MEM_COMMIT))
		expected = STATUS_INVALID_PAGE_PROTECTION;
	else if (!is_free(rounded))
		expected = STATUS_CONFLICTING_ADDRESSES;
	got = vm_allocate(&base, &size_bytes, type, protect, &request);
	if (got != expected)
		return false;
	if (got < 0)
		return base == window + range.first * PAGE;
	set_states(rounded, type & MEM_COMMIT ? MEM_COMMIT | protect : MEM_RESERVE);
	for (uint64_t i = rounded.first; i < rounded.end; i++) {
		model[i].region = rounded.first;
		model[i].alloc_protect = protect;
	}
	return base == window + rounded.first * PAGE &&
	       size_bytes == (rounded.end - rounded.first) * PAGE;
}

static bool commit(struct range range, uint32_t protect)
{
	/* One byte into the first page, and one byte of the last. */
	void *base = window + range.first * PAGE + 1;
	size_t size_bytes = (range.end - range.first - 1) * PAGE + 1;
	NTSTATUS expected = is_in_one_region(range) ? STATUS_SUCCESS : STATUS_CONFLICTING_ADDRESSES;

	if (vm_allocate(&base, &size_bytes, MEM_COMMIT, protect, &request) != expected)
		return false;
	if (expected == STATUS_SUCCESS)
		set_states(range, MEM_COMMIT | protect);
	return true;
}

static bool decommit(struct range range)
{
	void *base = window + range.first * PAGE + 5;
	size_t size_bytes = (range.end - range.first - 1) * PAGE + 1;
	NTSTATUS expected = STATUS_SUCCESS;

	if (!model[range.first].state)
		expected = STATUS_MEMORY_NOT_ALLOCATED;
	else if (!is_in_one_region(range))
		expected = STATUS_UNABLE_TO_FREE_VM;
	if (vm_free(&base, &size_bytes, MEM_DECOMMIT, &request) != expected)
		return false;
	if (expected == STATUS_SUCCESS)
		set_states(range, MEM_RESERVE);
	return true;
}

static bool free_whole(uint64_t page, uint32_t type)
{
	void *base = window + page * PAGE;
	size_t size_bytes = 0;
	struct range region = { page, region_end(page) };
	NTSTATUS expected = STATUS_SUCCESS;

	if (!model[page].state)
		expected = STATUS_MEMORY_NOT_ALLOCATED;
	else if (model[page].region != page)
		expected = STATUS_FREE_VM_NOT_AT_BASE;
	if (vm_free(&base, &size_bytes, type, &request) != expected)
		return false;
	if (expected == STATUS_SUCCESS)
		set_states(region, type == MEM_RELEASE ? 0 : MEM_RESERVE);
	return true;
}

static bool protect(struct range range, uint32_t new_protect)
{
	void *base = window + range.first * PAGE;
	size_t size_bytes = (range.end - range.first) * PAGE;
	uint32_t old = 0, old_expected = model[range.first].state & ~MEM_COMMIT;
	NTSTATUS expected = STATUS_SUCCESS;

	if (!is_in_one_region(range))
		expected = STATUS_CONFLICTING_ADDRESSES;
	else if (!is_committed(range))
		expected = STATUS_NOT_COMMITTED;
	if (vm_protect(&base, &size_bytes, new_protect, &old, &request) != expected)
		return false;
	if (expected != STATUS_SUCCESS)
		return old == 0;
	set_states(range, MEM_COMMIT | new_protect);
	return old == old_expected;
}

static bool reset(struct range range)
{
	void *base = window + range.first * PAGE;
	size_t size_bytes = (range.end - range.first) * PAGE;
	NTSTATUS expected = is_in_one_region(range) ? STATUS_SUCCESS : STATUS_CONFLICTING_ADDRESSES;
	uint32_t type = random_below(2) ? MEM_RESET : MEM_RESET_UNDO;

	return vm_allocate(&base, &size_bytes, type, PAGE_NOACCESS, &request) == expected;
}

static bool discard(struct range range)
{
	NTSTATUS expected = STATUS_SUCCESS;

	if (!is_in_one_region(range))
		expected = STATUS_CONFLICTING_ADDRESSES;
	else if (!is_committed(range))
		expected = STATUS_NOT_COMMITTED;
	if (vm_discard(window + range.first * PAGE, (range.end - range.first) * PAGE, &request) !=
	    expected)
		return false;
	for (uint64_t i = range.first; expected == STATUS_SUCCESS && i < range.end; i++)
		model[i].value = 0;
	return true;
}

static bool write_pages(struct range range)
{
	for (uint64_t i = range.first; i < range.end; i++) {
		if (is_writable(i))
			window[i * PAGE] =
				(char)(model[i].value = (unsigned char)random_below(256));
	}
	return true;
}

static bool do_something(void)
{
	uint64_t first = random_below(PAGES);
	uint64_t limit = PAGES - first < 40 ? PAGES - first : 40;
	struct range range = { first, first + 1 + random_below(limit) };
	uint32_t any = protects[random_below(5)];

	switch (random_below(12)) {
	case 0:
		return reserve(range, MEM_RESERVE, any);
	case 1:
		return reserve(range, MEM_RESERVE | MEM_COMMIT, any);
	case 2:
	case 3:
		return commit(range, any);
	case 4:
		return decommit(range);
	case 5:
		return free_whole(model[first].state ? model[first].region : first,
				  random_below(8) ? MEM_RELEASE : MEM_DECOMMIT);
	case 6:
		return free_whole(first, MEM_RELEASE);
	case 7:
	case 8:
		return protect(range, any);
	case 9:
		return reset(range);
	case 10:
		return discard(range);
	default:
		return write_pages(range);
	}
}

/* The pages after `page` that VirtualQuery must join with it. */
static uint64_t run_end(uint64_t page)
{
	uint64_t end = page;

	while (end < PAGES && model[end].state == model[page].state &&
	       (!model[page].state || model[end].region == model[page].region))
		end++;
	return end;
}

static bool is_query_right(uint64_t page)
{
	const struct model_page *expected = &model[page];
	bool is_committed_page = expected->state & MEM_COMMIT;
	MEMORY_BASIC_INFORMATION info;

	if (vm_query(window + page * PAGE + 7, &info) < 0 ||
	    info.BaseAddress != window + page * PAGE)
		return false;
	if (!expected->state)
		return info.State == MEM_FREE && info.Protect == PAGE_NOACCESS &&
		       !info.AllocationBase && info.RegionSize >= (run_end(page) - page) * PAGE;
	return info.State == (is_committed_page ? MEM_COMMIT : MEM_RESERVE) &&
	       info.Protect == (is_committed_page ? expected->state & ~MEM_COMMIT : 0) &&
	       info.AllocationBase == window + expected->region * PAGE &&
	       info.AllocationProtect == expected->alloc_protect && info.Type == MEM_PRIVATE &&
	       info.RegionSize == (run_end(page) - page) * PAGE;
}

static bool is_as_modelled(void)
{
	for (uint64_t page = 0; page < PAGES; page++) {
		if (model[page].state != replay.state[page])
			return false;
		if (is_readable(page) && (unsigned char)window[page * PAGE] != model[page].value)
			return false;
	}
	return true;
}

static int first_wrong_step(int steps)
{
	for (int step = 0; step < steps; step++) {
		if (!do_something() || replay.impossible || !is_query_right(random_below(PAGES)))
			return step;
		vm_check();
		if (step % 32 == 0 && !is_as_modelled())
			return step;
	}
	return is_as_modelled() ? -1 : steps;
}

int main(void)
{
	const char *steps = getenv("VADTRACE_STEPS");

	random_start();
	window = replay_find_window(PAGES * PAGE);
	replay_start((uintptr_t)window, PAGES);
	ok_equal(first_wrong_step(steps ? atoi(steps) : STEPS), -1,
		 "random calls and their model agree");
	return tap_done();
}
