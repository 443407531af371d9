/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Windows and frames against a simple model: two windows, an array of which frame each page has,
 * and a number in each frame that tells it. Then the same with a system that refuses call after
 * call: each time a call succeeds, or all is as before. Linked with os_fake.c. */

#include "core/vm/awe.h"

#include <errno.h>

#include "core/base/status.h"
#include "core/os/os_fake.h"
#include "core/vm/frames.h"
#include "tests/lib/tap.h"
#include "tests/unit/core/random.h"
#include "tests/unit/core/vm/replay.h"

#define PAGE OS_PAGE_SIZE
#define PAGES 32 /* of both windows */
#define FRAMES 24
#define STEPS 3000

static const struct vm_request request = { .api = API_MapUserPhysicalPages };
static char *windows;
static uintptr_t frames[FRAMES];
/* Which frame each page has: an index of `frames`, -1: none. Where each frame is, -1: nowhere. */
static int frame_at[PAGES], page_of[FRAMES];

static void make_windows(void)
{
	for (int i = 0; i < 2; i++) {
		void *base = windows + i * PAGES / 2 * (int)PAGE;
		size_t size_bytes = PAGES / 2 * PAGE;

		vm_allocate(&base, &size_bytes, MEM_RESERVE | MEM_PHYSICAL, PAGE_READWRITE,
			    &request);
	}
	memset(frame_at, -1, sizeof frame_at);
	memset(page_of, -1, sizeof page_of);
}

static void release_windows(void)
{
	for (int i = 0; i < 2; i++) {
		void *base = windows + i * PAGES / 2 * (int)PAGE;
		size_t size_bytes = 0;

		vm_free(&base, &size_bytes, MEM_RELEASE, &request);
	}
}

static bool is_page_right(int page)
{
	uint32_t state = frame_at[page] < 0 ? MEM_RESERVE : MEM_COMMIT | PAGE_READWRITE;
	MEMORY_BASIC_INFORMATION info;

	vm_query(windows + page * (int)PAGE, &info);
	if ((info.State | info.Protect) != state || replay.state[page] != state) {
		printf("# page %d: 0x%x, replay 0x%x, expected 0x%x\n", page,
		       info.State | info.Protect, replay.state[page], state);
		return false;
	}
	return frame_at[page] < 0 || *(int *)(windows + page * (int)PAGE) == frame_at[page];
}

static bool is_all_right(void)
{
	bool is_right = replay.impossible == 0;

	vm_check();
	for (int page = 0; page < PAGES; page++)
		is_right = is_page_right(page) && is_right;
	return is_right;
}

/* --- One call on both sides ------------------------------------------------------------------ */

struct call {
	void *addresses[PAGES];
	uintptr_t numbers[PAGES];
	int pages[PAGES], indices[PAGES];
	size_t count;
	bool unmaps;
};

/* What the document allows. */
static bool is_allowed(const struct call *call)
{
	bool is_named[PAGES] = { false }, is_used[FRAMES] = { false };

	for (size_t i = 0; i < call->count; i++) {
		if (is_named[call->pages[i]])
			return false;
		is_named[call->pages[i]] = true;
	}
	for (size_t i = 0; !call->unmaps && i < call->count; i++) {
		int page = page_of[call->indices[i]];

		if (is_used[call->indices[i]] || (page >= 0 && !is_named[page]))
			return false;
		is_used[call->indices[i]] = true;
	}
	return true;
}

static void apply_to_model(const struct call *call)
{
	for (size_t i = 0; i < call->count; i++) {
		int old = frame_at[call->pages[i]];

		if (old >= 0)
			page_of[old] = -1;
		frame_at[call->pages[i]] = -1;
	}
	for (size_t i = 0; !call->unmaps && i < call->count; i++) {
		frame_at[call->pages[i]] = call->indices[i];
		page_of[call->indices[i]] = call->pages[i];
	}
}

/* Mostly side by side, and mostly frames that nobody has: else most calls would be refused. */
static void make_call(struct call *call)
{
	int page = (int)(random_next() % PAGES), index = (int)(random_next() % FRAMES);

	call->count = 1 + random_next() % 8;
	call->unmaps = random_next() % 4 == 0;
	for (size_t i = 0; i < call->count; i++) {
		if (random_next() % 4 == 0)
			page = (int)(random_next() % PAGES);
		if (random_next() % 4 == 0)
			index = (int)(random_next() % FRAMES);
		call->pages[i] = page;
		call->indices[i] = index;
		call->addresses[i] = windows + page * (int)PAGE + (int)(random_next() % PAGE);
		call->numbers[i] = frames[index];
		page = (page + 1) % PAGES;
		index = (index + 1) % FRAMES;
	}
}

static NTSTATUS do_call(const struct call *call)
{
	const struct awe_mapping mapping = { .addresses = call->addresses,
					     .numbers = call->unmaps ? NULL : call->numbers,
					     .count = call->count };

	return awe_map(&mapping, &request);
}

/* Each frame has its index in it. */
static void number_frames(void)
{
	struct call call = { .count = FRAMES };

	make_windows();
	for (int i = 0; i < FRAMES; i++) {
		call.addresses[i] = windows + i * (int)PAGE;
		call.numbers[i] = frames[i];
		call.pages[i] = call.indices[i] = i;
	}
	ok(do_call(&call) == STATUS_SUCCESS, "all frames in both windows");
	for (int i = 0; i < FRAMES; i++)
		*(int *)(windows + i * (int)PAGE) = i;
	release_windows();
}

/* --- Tests ----------------------------------------------------------------------------------- */

static void test_model(void)
{
	int done = 0, refused = 0;
	bool is_right = true;

	make_windows();
	for (int step = 0; is_right && step < STEPS; step++) {
		struct call call;
		NTSTATUS status;
		bool expected;

		if (step % 100 == 99) {
			release_windows();
			make_windows();
		}
		make_call(&call);
		expected = is_allowed(&call);
		status = do_call(&call);
		if (expected)
			apply_to_model(&call);
		is_right = status == (expected ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER) &&
			   is_all_right();
		done += expected;
		refused += !expected;
		if (!is_right)
			printf("# step %d: status 0x%08x\n", step, (unsigned)status);
	}
	ok(is_right && done > STEPS / 8 && refused > STEPS / 8,
	   "%d calls done and %d refused, all as in the model", done, refused);
	release_windows();
}

/* The windows with frames 0-7 in pages 12-19, and a call that moves half of these, and maps others
 * over the rest. */
static void set_up(struct call *call)
{
	struct call first = { .count = 8 };

	make_windows();
	for (int i = 0; i < 8; i++) {
		first.pages[i] = 12 + i;
		first.indices[i] = i;
		first.addresses[i] = windows + (12 + i) * (int)PAGE;
		first.numbers[i] = frames[i];
	}
	do_call(&first);
	apply_to_model(&first);
	*call = first;
	for (int i = 0; i < 8; i++) {
		call->indices[i] = i < 4 ? 7 - i : 2 + 2 * i;
		call->numbers[i] = frames[call->indices[i]];
	}
}

static void test_refused_map(void)
{
	int failures = 0, number = 0, made;
	bool is_right = true;

	do {
		struct call call;
		NTSTATUS status;

		set_up(&call);
		os_fake_fail(++number, -ENOMEM);
		status = do_call(&call);
		made = os_fake_calls();
		os_fake_fail(0, 0);
		if (status == STATUS_SUCCESS)
			apply_to_model(&call);
		else
			failures++;
		is_right = is_right && is_all_right() &&
			   (status == STATUS_SUCCESS || status == STATUS_NO_MEMORY);
		release_windows();
	} while (made >= number);
	ok(is_right && failures > 3, "map: %d refusals, each leaves all as before", failures);
}

static void test_refused_free(void)
{
	int failures = 0, number = 0, made;
	bool is_right = true;

	do {
		struct call call;
		uintptr_t numbers[8];
		size_t count = 8, freed;
		NTSTATUS status;

		set_up(&call);
		memcpy(numbers, frames, sizeof numbers);
		freed = count;
		os_fake_fail(++number, -ENOMEM);
		status = awe_free(numbers, &freed, &request);
		made = os_fake_calls();
		os_fake_fail(0, 0);
		if (status == STATUS_SUCCESS) {
			call.unmaps = true;
			for (int i = 0; i < 8; i++)
				call.pages[i] = 12 + i;
			apply_to_model(&call);
			is_right = is_right && freed == 8 &&
				   awe_allocate(frames, &count, 0) == STATUS_SUCCESS && count == 8;
		} else {
			failures++;
			is_right = is_right && freed == 0 && status == STATUS_NO_MEMORY;
		}
		is_right = is_right && is_all_right();
		release_windows();
	} while (made >= number);
	number_frames();
	ok(is_right && failures > 2, "free: %d refusals, each leaves all as before", failures);
}

/* Whatever is refused, what was taken is told and can be given back. */
static void test_refused_allocate(void)
{
	int failures = 0, number = 0, made;
	bool is_right = true;

	do {
		uintptr_t numbers[40];
		size_t count = 40, before = frames_count();
		NTSTATUS status;

		os_fake_fail(++number, -ENOMEM);
		status = awe_allocate(numbers, &count, 0);
		made = os_fake_calls();
		os_fake_fail(0, 0);
		if (status == STATUS_SUCCESS)
			is_right = is_right && frames_count() == before + count &&
				   awe_free(numbers, &count, &request) == STATUS_SUCCESS;
		else
			failures++;
		is_right = is_right && frames_count() == before;
		vm_check();
	} while (made >= number);
	ok(is_right && failures > 1, "allocate: %d refusals, nothing is lost", failures);
}

/* A window that is cut by munmap is none any more, and its frames can be mapped elsewhere. */
static void test_cut(void)
{
	struct call call;

	set_up(&call);
	lock_acquire(&vm_lock);
	if (vad_prepare())
		vad_cut((uintptr_t)windows, (uintptr_t)windows + PAGE);
	if (vad_prepare())
		vad_cut((uintptr_t)windows + (PAGES - 1) * PAGE, (uintptr_t)windows + PAGES * PAGE);
	lock_release(&vm_lock);
	vm_check();
	ok(do_call(&call) == STATUS_INVALID_PARAMETER, "what is left is no window");
	os_unmap(windows, PAGES * PAGE);
	lock_acquire(&vm_lock);
	if (vad_prepare())
		vad_cut((uintptr_t)windows, (uintptr_t)windows + PAGES * PAGE);
	lock_release(&vm_lock);
	memset(replay.state, 0, sizeof replay.state);
	set_up(&call);
	ok(is_all_right(), "its frames can be mapped elsewhere");
	release_windows();
}

int main(void)
{
	size_t count = FRAMES;

	random_start();
	windows = replay_find_window(PAGES * PAGE);
	replay_start((uintptr_t)windows, PAGES);
	ok(awe_allocate(frames, &count, 0) == STATUS_SUCCESS && count == FRAMES, "frames");
	number_frames();
	test_model();
	test_refused_map();
	test_refused_allocate();
	test_refused_free();
	test_cut();
	ok(awe_free(frames, &count, &request) == STATUS_SUCCESS && frames_count() == 0, "the end");
	vm_check();
	return tap_done();
}
