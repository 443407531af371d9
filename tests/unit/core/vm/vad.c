/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The tree of ranges against an array with one entry per page: insert, cut, find. */

#include "core/vm/vad.h"

#include "core/types.h"
#include "tests/lib/tap.h"
#include "tests/unit/core/random.h"

#define FIRST ((uintptr_t)0x100000)
#define PAGES 300
#define STEPS 50000

/* The number of the range that each page is in; 0: none. */
static int model[PAGES];
static int last_number;

static uintptr_t address_of(uint64_t page)
{
	return FIRST + page * OS_PAGE_SIZE;
}

static void insert(uint64_t first, uint64_t end)
{
	struct vad *vad = vad_take();

	last_number++;
	vad->type = MEM_MAPPED;
	vad->origin = VAD_ORIGIN_POSIX;
	vad->pager = &pager_linux;
	vad->is_file = true;
	/* The offset names the range and the page: a piece can be told apart. */
	vad->file_offset = (uint64_t)last_number << 40;
	pagestate_init(&vad->pages, address_of(first) / OS_PAGE_SIZE,
		       address_of(end) / OS_PAGE_SIZE, MEM_COMMIT | PAGE_READWRITE);
	vad_insert(vad);
	for (uint64_t i = first; i < end; i++)
		model[i] = last_number;
}

static int number_at(uint64_t page)
{
	struct vad *vad = vad_find(address_of(page));

	return vad ? (int)(vad->file_offset >> 40) : 0;
}

static bool is_same_as_array(void)
{
	for (uint64_t page = 0; page < PAGES; page++) {
		if (number_at(page) != model[page])
			return false;
	}
	return true;
}

static bool are_neighbours_right(uint64_t page)
{
	struct vad *from = vad_find_from(address_of(page));
	struct vad *below = vad_find_below(address_of(page));

	for (uint64_t i = page; i < PAGES; i++) {
		if (model[i])
			return from && (int)(from->file_offset >> 40) == model[i] &&
			       vad_previous(from) == (vad_base(from) < address_of(page)
							      ? vad_previous(below)
							      : below);
	}
	return from == NULL;
}

static int first_wrong_step(void)
{
	for (int step = 0; step < STEPS; step++) {
		uint64_t first = random_below(PAGES);
		uint64_t end = first + 1 + random_below(PAGES - first < 20 ? PAGES - first : 20);

		vad_prepare();
		vad_cut(address_of(first), address_of(end));
		for (uint64_t i = first; i < end; i++)
			model[i] = 0;
		if (vad_is_any_in(address_of(first), address_of(end)))
			return step;
		if (random_below(2))
			insert(first, end);
		vad_check();
		if (!are_neighbours_right(random_below(PAGES)) ||
		    (step % 16 == 0 && !is_same_as_array()))
			return step;
	}
	return -1;
}

/* The piece above a cut knows where in the file it begins. */
static void test_offset(void)
{
	struct vad *upper;

	vad_prepare();
	vad_cut(FIRST, address_of(PAGES));
	insert(10, 20);
	vad_cut(address_of(12), address_of(15));
	upper = vad_find(address_of(15));
	ok(upper && vad_base(upper) == address_of(15) && vad_end(upper) == address_of(20),
	   "the upper piece is the rest");
	ok_equal(upper->file_offset & 0xffffff, 5 * OS_PAGE_SIZE, "its file offset moved along");
	ok_equal(vad_end(vad_find(address_of(10))), address_of(12), "the lower piece ends there");
}

int main(void)
{
	random_start();
	lock_acquire(&vm_lock);
	ok_equal(first_wrong_step(), -1, "%d random steps equal the array", STEPS);
	test_offset();
	lock_release(&vm_lock);
	return tap_done();
}
