/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Random reserve, commit, decommit, protect, reset, discard and release calls, and placeholders,
 * against an array with one entry per page: status, states, contents, what VirtualQuery says, and
 * what a reader of the events believes are the same after each step. When they are not, calls are
 * left out one after the other while it still goes wrong, and the rest is printed. Then the same
 * without a reader of the events: small regions are parked then (parking.h) when they are released.
 *
 * VADTRACE_SEED repeats a run, VADTRACE_STEPS is its length, VADTRACE_SEEDS runs so many seeds. */

#include "core/vm/virtual.h"

#include <sys/wait.h>
#include <unistd.h>

#include "core/base/status.h"
#include "core/vm/vad.h"
#include "tests/lib/tap.h"
#include "tests/unit/core/random.h"
#include "tests/unit/core/vm/replay.h"

#define PAGES 256
#define STEPS 100000
#define PAGE OS_PAGE_SIZE
#define GRANULE_PAGES 16

#define TRIES_MAX 3000
#define PART_MAX 4096

static const struct vm_request request = { .api = API_VirtualAlloc2, .takes_placeholders = true };

/* One page, as simply as can be. */
struct model_page {
	uint32_t state;         /* 0: free */
	uint64_t region;        /* the first page of its region, when not free */
	uint32_t alloc_protect; /* of the region */
	unsigned char value;    /* its first byte */
	bool is_kept;           /* of a placeholder */
	bool was_kept;          /* of a placeholder, or of a region that took its place */
};

static struct model_page model[PAGES];
static char *window;
static bool is_heard; /* somebody reads the events */

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

/* One region, no placeholder. */
static bool is_usable(struct range range)
{
	return is_in_one_region(range) && !model[range.first].is_kept;
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
		if (!state)
			model[i].is_kept = model[i].was_kept = false;
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

/* Anywhere: in the window when a region was released there just now, or is parked there. */
static bool allocate(struct range range)
{
	void *base = NULL;
	size_t size_bytes = (range.end - range.first) * PAGE, whole = 0;
	uint64_t first;

	if (vm_allocate(&base, &size_bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE, &request) < 0)
		return false;
	first = (uint64_t)((char *)base - window) / PAGE;
	if ((char *)base < window || first + size_bytes / PAGE > PAGES)
		return vm_free(&base, &whole, MEM_RELEASE, &request) >= 0;
	range = (struct range){ first, first + size_bytes / PAGE };
	if (!is_free(range))
		return false;
	set_states(range, MEM_COMMIT | PAGE_READWRITE);
	for (uint64_t i = range.first; i < range.end; i++) {
		model[i].region = range.first;
		model[i].alloc_protect = PAGE_READWRITE;
	}
	return true;
}

static bool commit(struct range range, uint32_t protect)
{
	/* One byte into the first page, and one byte of the last. */
	void *base = window + range.first * PAGE + 1;
	size_t size_bytes = (range.end - range.first - 1) * PAGE + 1;
	NTSTATUS expected = is_usable(range) ? STATUS_SUCCESS : STATUS_CONFLICTING_ADDRESSES;

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

	if (!is_usable(range))
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

static bool reset(struct range range, uint32_t type)
{
	void *base = window + range.first * PAGE;
	size_t size_bytes = (range.end - range.first) * PAGE;
	NTSTATUS expected = is_usable(range) ? STATUS_SUCCESS : STATUS_CONFLICTING_ADDRESSES;

	return vm_allocate(&base, &size_bytes, type, PAGE_NOACCESS, &request) == expected;
}

static bool discard(struct range range)
{
	NTSTATUS expected = STATUS_SUCCESS;

	if (!is_usable(range))
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

/* Placeholders: the range becomes a region of its own in the model. */
static void isolate(struct range range)
{
	uint64_t end = region_end(model[range.first].region);

	for (uint64_t i = range.first; i < range.end; i++)
		model[i].region = range.first;
	for (uint64_t i = range.end; i < end; i++)
		model[i].region = range.end;
}

static bool is_whole(struct range range)
{
	return model[range.first].region == range.first && region_end(range.first) == range.end;
}

static void set_kept(struct range range, bool is_kept, uint32_t alloc_protect)
{
	for (uint64_t i = range.first; i < range.end; i++) {
		model[i].is_kept = is_kept;
		model[i].was_kept = true;
		model[i].alloc_protect = alloc_protect;
	}
}

static bool keep(struct range range)
{
	struct range rounded = { range.first / GRANULE_PAGES * GRANULE_PAGES, range.end };

	if (!is_free(rounded))
		return reserve(range, MEM_RESERVE | MEM_RESERVE_PLACEHOLDER, PAGE_NOACCESS);
	if (!reserve(range, MEM_RESERVE | MEM_RESERVE_PLACEHOLDER, PAGE_NOACCESS))
		return false;
	set_kept(rounded, true, PAGE_NOACCESS);
	return true;
}

static bool replace(struct range range, uint32_t state, uint32_t new_protect)
{
	void *base = window + range.first * PAGE;
	size_t size_bytes = (range.end - range.first) * PAGE;
	uint32_t type = MEM_RESERVE | MEM_REPLACE_PLACEHOLDER | (state & MEM_COMMIT);
	NTSTATUS expected = STATUS_SUCCESS;

	if (new_protect & PAGE_NOCACHE && !(state & MEM_COMMIT))
		expected = STATUS_INVALID_PAGE_PROTECTION;
	else if (!model[range.first].is_kept || !is_whole(range))
		expected = STATUS_CONFLICTING_ADDRESSES;
	if (vm_allocate(&base, &size_bytes, type, new_protect, &request) != expected)
		return false;
	if (expected != STATUS_SUCCESS)
		return true;
	set_states(range, state & MEM_COMMIT ? MEM_COMMIT | new_protect : MEM_RESERVE);
	set_kept(range, false, new_protect);
	return true;
}

static bool preserve(struct range range)
{
	void *base = window + range.first * PAGE;
	size_t size_bytes = (range.end - range.first) * PAGE;
	const struct model_page *first = &model[range.first];
	NTSTATUS expected = STATUS_SUCCESS;

	if (!first->state)
		expected = STATUS_MEMORY_NOT_ALLOCATED;
	else if (!is_in_one_region(range))
		expected = STATUS_UNABLE_TO_FREE_VM;
	else if (!first->was_kept || (first->is_kept && is_whole(range)))
		expected = STATUS_CONFLICTING_ADDRESSES;
	if (vm_free(&base, &size_bytes, MEM_RELEASE | MEM_PRESERVE_PLACEHOLDER, &request) !=
	    expected)
		return false;
	if (expected != STATUS_SUCCESS)
		return true;
	isolate(range);
	set_states(range, MEM_RESERVE);
	set_kept(range, true, PAGE_NOACCESS);
	return true;
}

static bool is_filled_by_several(struct range range)
{
	uint64_t at = range.first;

	while (at < range.end && model[at].is_kept && model[at].region == at)
		at = region_end(at);
	return at == range.end && !is_whole(range);
}

static bool coalesce(struct range range)
{
	void *base = window + range.first * PAGE;
	size_t size_bytes = (range.end - range.first) * PAGE;
	NTSTATUS expected =
		is_filled_by_several(range) ? STATUS_SUCCESS : STATUS_CONFLICTING_ADDRESSES;

	if (vm_free(&base, &size_bytes, MEM_RELEASE | MEM_COALESCE_PLACEHOLDERS, &request) !=
	    expected)
		return false;
	for (uint64_t i = range.first; expected == STATUS_SUCCESS && i < range.end; i++)
		model[i].region = range.first;
	return true;
}

static bool release_part(struct range range)
{
	void *base = window + range.first * PAGE;
	size_t size_bytes = (range.end - range.first) * PAGE;
	NTSTATUS expected = STATUS_SUCCESS;

	if (!model[range.first].state)
		expected = STATUS_MEMORY_NOT_ALLOCATED;
	else if (!is_in_one_region(range) || (!model[range.first].is_kept && !is_whole(range)))
		expected = STATUS_UNABLE_TO_FREE_VM;
	if (vm_free(&base, &size_bytes, MEM_RELEASE, &request) != expected)
		return false;
	if (expected != STATUS_SUCCESS)
		return true;
	isolate(range);
	set_states(range, 0);
	return true;
}

static bool write_pages(struct range range, unsigned char value)
{
	for (uint64_t i = range.first; i < range.end; i++) {
		if (is_writable(i))
			window[i * PAGE] = (char)(model[i].value = value);
	}
	return true;
}

/* One call, before it is known what it will meet. */
struct call {
	uint8_t kind;
	uint8_t value;
	uint8_t choice;
	bool aims; /* at what is there, instead of anywhere */
	struct range range;
	uint32_t protect;
};

enum { KINDS = 19 };

static struct call random_call(void)
{
	uint64_t first = random_below(PAGES);
	uint64_t limit = PAGES - first < 40 ? PAGES - first : 40;

	return (struct call){ .kind = (uint8_t)random_below(KINDS),
			      .value = (uint8_t)random_below(256),
			      .choice = (uint8_t)random_below(8),
			      .aims = random_below(2),
			      .range = { first, first + 1 + random_below(limit) },
			      .protect = protects[random_below(5)] };
}

/* The region that the range begins in, and for some kinds the next one too. */
static struct range aimed(const struct call *call)
{
	struct range range = call->range;

	if (!call->aims || !model[range.first].state)
		return range;
	range.first = model[range.first].region;
	range.end = region_end(range.first);
	if (call->choice & 1 && range.end < PAGES && model[range.end].state)
		range.end = region_end(range.end);
	return range;
}

/* The part of the range that is in the region where it begins. */
static struct range inside(const struct call *call)
{
	struct range range = call->range;
	uint64_t end = call->aims && model[range.first].state ? region_end(range.first) : PAGES;

	range.end = range.end < end ? range.end : end;
	return range;
}

/* The part of the range that is free from its beginning on. */
static struct range room(const struct call *call)
{
	struct range range = call->range;
	uint64_t end = range.first;

	while (call->aims && end < range.end && !model[end].state)
		end++;
	range.end = end > range.first ? end : range.end;
	return range;
}

static bool perform_on_placeholders(const struct call *call)
{
	uint32_t state = call->choice & 2 ? MEM_COMMIT : MEM_RESERVE;

	switch (call->kind) {
	case 12:
		return keep(room(call));
	case 13:
		return replace(aimed(call), state, call->protect);
	case 14:
	case 15:
		return preserve(call->choice < 6 ? inside(call) : aimed(call));
	case 16:
		return coalesce(aimed(call));
	default:
		return release_part(inside(call));
	}
}

static bool perform(const struct call *call)
{
	struct range range = inside(call);
	uint64_t first = range.first;

	switch (call->kind) {
	case 0:
		return reserve(room(call), MEM_RESERVE, call->protect);
	case 1:
		return reserve(room(call), MEM_RESERVE | MEM_COMMIT, call->protect);
	case 2:
	case 3:
		return commit(range, call->protect);
	case 4:
		return decommit(range);
	case 5:
		return free_whole(model[first].state ? model[first].region : first,
				  call->choice < 2 ? MEM_RELEASE : MEM_DECOMMIT);
	case 6:
		return free_whole(first, MEM_RELEASE);
	case 7:
	case 8:
		return protect(range, call->protect);
	case 9:
		return reset(range, call->choice & 1 ? MEM_RESET : MEM_RESET_UNDO);
	case 10:
		return discard(range);
	case 11:
		return write_pages(range, call->value);
	case 18:
		return allocate(call->range);
	default:
		return perform_on_placeholders(call);
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
		if (is_heard && model[page].state != replay.state[page])
			return false;
		if (!model[page].state && os_can_read(window + page * PAGE))
			return false;
		if (is_readable(page) && (unsigned char)window[page * PAGE] != model[page].value)
			return false;
	}
	return true;
}

/* The first call after which something is wrong; -1: none. */
static int first_wrong(const struct call *calls, int count, const bool *left_out)
{
	for (int i = 0; i < count; i++) {
		uint64_t page = calls[i].range.end % PAGES;

		if (left_out && left_out[i])
			continue;
		if (!perform(&calls[i]) || replay.impossible)
			return i;
		/* A query of a free page ends all parked regions. */
		if ((is_heard || model[page].state || i % 32 == 0) && !is_query_right(page))
			return i;
		vm_check();
		if ((i % 32 == 0 || left_out) && !is_as_modelled())
			return i;
	}
	return is_as_modelled() ? -1 : count - 1;
}

/* Whether something is wrong without those calls, in a process that has done nothing yet. */
static bool is_wrong_without(const struct call *calls, int count, const bool *left_out)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		if (!freopen("/dev/null", "w", stdout))
			_exit(0);
		_exit(first_wrong(calls, count, left_out) < 0 ? 0 : 1);
	}
	return child > 0 && waitpid(child, &status, 0) == child && status != 0;
}

/* Tries to leave out [at, end). */
static void leave_out(const struct call *calls, int count, bool *left_out, int at, int end)
{
	bool before[PART_MAX];

	memcpy(before, left_out + at, (size_t)(end - at) * sizeof *before);
	memset(left_out + at, true, (size_t)(end - at) * sizeof *left_out);
	if (!is_wrong_without(calls, count, left_out))
		memcpy(left_out + at, before, (size_t)(end - at) * sizeof *before);
}

/* Leaves out as many calls as can be, many at once first. */
static void minimise(const struct call *calls, int count, bool *left_out)
{
	int tries = 0;

	for (int part = PART_MAX; part > 0; part /= 2) {
		for (int at = 0; at < count && tries < TRIES_MAX; at += part) {
			int end = at + part < count ? at + part : count;

			if (memchr(left_out + at, false, (size_t)(end - at))) {
				leave_out(calls, count, left_out, at, end);
				tries++;
			}
		}
	}
}

static void print_rest(const struct call *calls, int count)
{
	bool *left_out = calloc((size_t)count, sizeof *left_out);

	if (!left_out || !is_wrong_without(calls, count, left_out)) {
		printf("# it does not go wrong again\n");
		return;
	}
	minimise(calls, count, left_out);
	for (int i = 0; i < count; i++) {
		if (!left_out[i])
			printf("# call %d: kind %d, pages %d to %d, protection 0x%x, choice %d%s\n",
			       i, calls[i].kind, (int)calls[i].range.first, (int)calls[i].range.end,
			       calls[i].protect, calls[i].choice, calls[i].aims ? ", aimed" : "");
	}
	free(left_out);
}

/* A whole run in a process of its own: the number of the first call after which something is wrong;
 * -1: none; the last one when the process died. */
static int first_wrong_apart(const struct call *calls, int count)
{
	int ends[2], status = 0, wrong = count - 1;
	pid_t child;

	if (pipe(ends) < 0)
		return wrong;
	fflush(stdout);
	child = fork();
	if (child == 0) {
		wrong = first_wrong(calls, count, NULL);
		fflush(stdout);
		_exit(write(ends[1], &wrong, sizeof wrong) != sizeof wrong);
	}
	close(ends[1]);
	if (read(ends[0], &wrong, sizeof wrong) != sizeof wrong)
		wrong = count - 1;
	close(ends[0]);
	waitpid(child, &status, 0);
	return wrong;
}

static bool is_seed_right(int steps)
{
	struct call *calls = malloc((size_t)steps * sizeof *calls);
	int wrong = 0;

	for (int i = 0; calls && i < steps; i++)
		calls[i] = random_call();
	if (calls)
		wrong = first_wrong_apart(calls, steps);
	if (calls && wrong >= 0) {
		printf("# after call %d\n", wrong);
		print_rest(calls, wrong + 1);
	}
	free(calls);
	return wrong < 0;
}

static bool are_seeds_right(int seeds, int steps)
{
	bool is_right = true;

	for (int i = 0; i < seeds && is_right; i++) {
		uint64_t seed = random_state;

		is_right = is_seed_right(steps);
		if (!is_right)
			printf("# VADTRACE_SEED=%llu\n", (unsigned long long)seed);
		random_state = seed + 1;
	}
	return is_right;
}

static int number_of(const char *name, int otherwise)
{
	const char *text = getenv(name);

	return text ? atoi(text) : otherwise;
}

int main(void)
{
	int steps = number_of("VADTRACE_STEPS", STEPS), seeds = number_of("VADTRACE_SEEDS", 1);
	uint64_t start;

	random_start();
	start = random_state;
	window = replay_find_window(PAGES * PAGE);
	replay_start((uintptr_t)window, PAGES);
	is_heard = true;
	ok(are_seeds_right(seeds, steps), "random calls and their model agree");
	event_set_sink(NULL, NULL);
	is_heard = false;
	random_state = start;
	ok(are_seeds_right(seeds, steps), "and when nobody listens");
	return tap_done();
}
