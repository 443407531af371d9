/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The system refuses the first call that an operation makes, then the second, and so on until the
 * operation no longer makes so many. Each time: a documented error and everything as before
 * (states, contents, mappings, events), or success. Linked with os_fake.c. */

#include "core/os/os_fake.h"

#include <errno.h>
#include <linux/mman.h>

#include "core/base/status.h"
#include "core/vm/posix.h"
#include "core/vm/vad.h"
#include "core/vm/virtual.h"
#include "tests/lib/tap.h"
#include "tests/unit/core/vm/replay.h"
#include "tests/unit/core/vm/window.h"

static const struct vm_request aligned = { .alignment_bytes = 4 << 20 };
static const struct vm_request extended = { .api = API_VirtualAlloc2, .takes_placeholders = true };
static int zeros; /* /dev/zero */

static uint32_t expected_state(int page)
{
	if (page >= 4 && page < 8)
		return MEM_COMMIT | PAGE_READWRITE;
	if (page >= 8 && page < 12)
		return MEM_COMMIT | PAGE_READONLY;
	if (page < 32)
		return MEM_RESERVE;
	return page < 36 ? MEM_COMMIT | PAGE_READWRITE : 0;
}

/* Writes a zero to the page's first byte, which no test looks at, by a system call: that answers
 * EFAULT where it may not. */
static bool can_system_write(int page)
{
	return os_read(zeros, window + page * PAGE, 1) != -EFAULT;
}

static bool is_page_as_before(int page)
{
	const struct vad *vad = vad_find((uintptr_t)window + (size_t)page * PAGE);
	uint32_t state = expected_state(page), in_tree = 0;

	if (vad)
		in_tree = pagestate_run(&vad->pages, (uintptr_t)window / PAGE + (size_t)page).state;
	if (in_tree != state || replay.state[page] != state) {
		printf("# page %d: tree 0x%x, replay 0x%x, expected 0x%x\n", page, in_tree,
		       replay.state[page], state);
		return false;
	}
	if (state & MEM_COMMIT && window[page * PAGE + 1] != (page < 32 ? 'x' : 'y'))
		return false;
	return can_system_write(page) == (state == (MEM_COMMIT | PAGE_READWRITE));
}

static bool is_as_before(void)
{
	bool is_same = replay.impossible == 0;

	lock_acquire(&vm_lock);
	vad_check();
	for (int page = 0; page < PAGES; page++)
		is_same = is_same && is_page_as_before(page);
	lock_release(&vm_lock);
	return is_same;
}

/* The operations: whether each succeeded. */

static void *elsewhere;

static long reserve_anywhere(void)
{
	size_t size_bytes = 4 << 20;

	elsewhere = NULL;
	return vm_allocate(&elsewhere, &size_bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE,
			   &aligned);
}

static void free_elsewhere(void)
{
	size_t size_bytes = 0;

	vm_free(&elsewhere, &size_bytes, MEM_RELEASE, &request);
}

static long commit(void)
{
	return allocate(2, 20, MEM_COMMIT, PAGE_EXECUTE_READWRITE);
}

static long protect(void)
{
	return change(6, 4, PAGE_NOACCESS);
}

static void *kept;

/* Four pages at page 48 are a placeholder. */
static void keep(void)
{
	size_t size_bytes = 4 * PAGE;

	kept = window + 48 * PAGE;
	vm_allocate(&kept, &size_bytes, MEM_RESERVE | MEM_RESERVE_PLACEHOLDER, PAGE_NOACCESS,
		    &extended);
}

static long replace(void)
{
	size_t size_bytes = 4 * PAGE;

	return vm_allocate(&kept, &size_bytes, MEM_RESERVE | MEM_COMMIT | MEM_REPLACE_PLACEHOLDER,
			   PAGE_READWRITE, &extended);
}

/* What was replaced goes back, a page of it. */
static long preserve(void)
{
	void *base = window + 49 * PAGE;
	size_t size_bytes = PAGE;

	return vm_free(&base, &size_bytes, MEM_RELEASE | MEM_PRESERVE_PLACEHOLDER, &extended);
}

static long release_kept_part(void)
{
	void *base = window + 49 * PAGE;
	size_t size_bytes = PAGE;

	return vm_free(&base, &size_bytes, MEM_RELEASE, &extended);
}

static long reserve_between(void)
{
	const struct vm_request bounds = { .lowest = (uintptr_t)window + 48 * PAGE,
					   .limit = (uintptr_t)window + 64 * PAGE };
	void *base = NULL;
	size_t size_bytes = 8 * PAGE;

	return vm_allocate(&base, &size_bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE, &bounds);
}

/* Machines of one node bind nothing; a wish that is refused is no failure. */
static long reserve_on_node(void)
{
	const struct vm_request node = { .node = 1 };
	void *base = window + 48 * PAGE;
	size_t size_bytes = 8 * PAGE;

	return vm_allocate(&base, &size_bytes, MEM_RESERVE, PAGE_READWRITE, &node);
}

static long move(void)
{
	return posix_mremap(window + 32 * PAGE, 4 * PAGE, 6 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			    window + 40 * PAGE, API_mremap);
}

static long query_foreign(void)
{
	MEMORY_BASIC_INFORMATION info;

	return vm_query((void *)query_foreign, &info);
}

static const struct {
	const char *name;
	long (*operate)(void);
	void (*undo)(void); /* what clear_window does not */
} rows[] = {
	{ "reserve and commit at an address", reserve, NULL },
	{ "reserve and commit anywhere, aligned", reserve_anywhere, free_elsewhere },
	{ "commit over several states", commit, NULL },
	{ "decommit", decommit, NULL },
	{ "release", release, NULL },
	{ "protect", protect, NULL },
	{ "mmap over others", map_over, NULL },
	{ "munmap of parts", unmap_part, NULL },
	{ "mprotect", protect_one, NULL },
	{ "mremap to an address", move, NULL },
	{ "mremap to a smaller size", shrink, NULL },
	{ "query of foreign memory", query_foreign, NULL },
	{ "reserve between bounds", reserve_between, NULL },
	{ "reserve on a node", reserve_on_node, NULL },
};

/* On a placeholder, whose four pages are in this state before and after a refusal. */
static const struct {
	const char *name;
	bool is_replaced;
	long (*operate)(void);
} kept_rows[] = {
	{ "replace a placeholder", false, replace },
	{ "preserve a part of what replaced one", true, preserve },
	{ "preserve a part of one", false, preserve },
	{ "release a part of one", false, release_kept_part },
};

static bool is_kept_as_before(bool is_replaced)
{
	uint32_t state = is_replaced ? MEM_COMMIT | PAGE_READWRITE : MEM_RESERVE;
	bool is_same = replay.impossible == 0;
	MEMORY_BASIC_INFORMATION info;

	vm_check();
	for (int page = 48; page < 52; page++)
		is_same = is_same && replay.state[page] == state &&
			  can_system_write(page) == is_replaced;
	vm_query(kept, &info);
	return is_same && info.AllocationBase == kept && info.RegionSize == 4 * PAGE &&
	       (!is_replaced || window[49 * PAGE + 1] == 'z');
}

static bool refuse_each_call_on_kept(size_t row, int *failures)
{
	bool is_replaced = kept_rows[row].is_replaced, is_success, is_right = true;
	int number = 0, made;

	do {
		keep();
		if (is_replaced) {
			replace();
			memset(kept, 'z', 4 * PAGE);
		}
		os_fake_fail(++number, -ENOMEM);
		is_success = kept_rows[row].operate() >= 0;
		made = os_fake_calls();
		os_fake_fail(0, 0);
		*failures += !is_success;
		is_right = is_right && (is_success || is_kept_as_before(is_replaced));
		clear_window();
	} while (made >= number && is_right);
	return is_right && is_success;
}

/* Refuses call after call; returns how many refusals made the operation fail as it should, or -1.
 */
static int refuse_each_call(size_t row)
{
	int failures = 0, number = 0, made;
	bool is_success;

	do {
		lay_out_window();
		os_fake_fail(++number, -ENOMEM);
		is_success = rows[row].operate() >= 0;
		made = os_fake_calls();
		os_fake_fail(0, 0);
		failures += !is_success;
		if (!is_success && !is_as_before()) {
			printf("# call %d refused: something has changed\n", number);
			return -1;
		}
		if (is_success && rows[row].undo)
			rows[row].undo();
		clear_window();
	} while (made >= number);
	return replay.impossible || !is_success ? -1 : failures;
}

/* vm_resize tells and moves outside of the window. */
static void test_resize(void)
{
	size_t big = 8 << 20, whole = 0;
	int failures = 0, number = 0, made;
	bool is_right = true;

	do {
		void *base = NULL, *moved = NULL;
		size_t size_bytes = 4 << 20;

		vm_allocate(&base, &size_bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE, &aligned);
		memset(base, 'z', PAGE);
		/* No room behind: it has to move. */
		os_map((char *)base + size_bytes, PAGE, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, /* fd */ -1,
		       /* offset */ 0);
		os_fake_fail(++number, -ENOMEM);
		moved = base;
		if (vm_resize(base, size_bytes, big, &moved, &aligned) < 0) {
			failures++;
			is_right = is_right && moved == base;
		}
		made = os_fake_calls();
		os_fake_fail(0, 0);
		is_right = is_right && *(char *)moved == 'z';
		vm_check();
		is_right = is_right && vm_free(&moved, &whole, MEM_RELEASE, &aligned) >= 0;
		whole = 0;
	} while (made >= number);
	ok(is_right && failures > 0, "resize: %d refusals, the region is whole each time",
	   failures);
}

int main(void)
{
	zeros = os_open("/dev/zero", /* O_RDONLY */ 0, /* mode */ 0);
	ok(zeros >= 0, "there is a source of bytes");
	window = replay_find_window(PAGES * PAGE);
	replay_start((uintptr_t)window, PAGES);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int failures = refuse_each_call(i);

		ok(failures >= 0, "row %zu: %s, %d refusals, each leaves all as before", i,
		   rows[i].name, failures);
		clear_window();
	}
	for (size_t i = 0; i < sizeof kept_rows / sizeof kept_rows[0]; i++) {
		int failures = 0;
		bool is_right = refuse_each_call_on_kept(i, &failures);

		ok(is_right, "row %zu: %s, %d refusals, each leaves all as before", i,
		   kept_rows[i].name, failures);
	}
	test_resize();
	return tap_done();
}
