/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Page states against a plain array with one entry per page. */

#include "core/vm/pagestate.h"

#include "core/types.h"
#include "tests/lib/tap.h"
#include "tests/unit/core/random.h"

#define FIRST 1000
#define PAGES 200
#define STEPS 100000

static const uint32_t states[] = { MEM_RESERVE, MEM_COMMIT | PAGE_READWRITE,
				   MEM_COMMIT | PAGE_READONLY, MEM_COMMIT | PAGE_NOACCESS };

static struct pagestate pages;
static uint32_t model[PAGES];

/* Whether every run is what the array says, and as long as can be. */
static bool is_same_as_array(void)
{
	uint64_t page = FIRST;

	while (page < FIRST + PAGES) {
		struct page_run run = pagestate_run(&pages, page);

		if (run.first_page != page || run.end_page > FIRST + PAGES)
			return false;
		for (uint64_t i = run.first_page; i < run.end_page; i++) {
			if (model[i - FIRST] != run.state)
				return false;
		}
		page = run.end_page;
		if (page < FIRST + PAGES && model[page - FIRST] == run.state)
			return false;
	}
	return true;
}

static bool is_uniform_right(uint64_t first, uint64_t end)
{
	uint32_t state, expected = model[first - FIRST];
	bool is_uniform = true;

	for (uint64_t i = first; i < end; i++)
		is_uniform = is_uniform && model[i - FIRST] == expected;
	return pagestate_is_uniform(&pages, first, end, &state) == is_uniform && state == expected;
}

static void set(uint64_t first, uint64_t end, uint32_t state)
{
	for (uint64_t i = first; i < end; i++)
		model[i - FIRST] = state;
	pagestate_prepare();
	pagestate_set(&pages, first, end, state);
	pagestate_check(&pages);
}

static int first_wrong_step(void)
{
	for (int step = 0; step < STEPS; step++) {
		uint64_t first = FIRST + random_below(PAGES);
		uint64_t end = first + 1 + random_below(FIRST + PAGES - first);

		if (random_below(3) == 0)
			end = first + 1;
		set(first, end, states[random_below(4)]);
		if (!is_uniform_right(first, end) || (step % 8 == 0 && !is_same_as_array()))
			return step;
	}
	return -1;
}

/* Cuts at each page of a mixed range, looks at both halves, and joins them again by setting. */
static int wrong_splits(void)
{
	int wrong = 0;

	for (uint64_t at = FIRST + 1; at < FIRST + PAGES; at++) {
		struct pagestate upper;

		for (int i = 0; i < 20; i++)
			set(FIRST + random_below(PAGES - 1), FIRST + PAGES,
			    states[random_below(4)]);
		pagestate_split(&pages, at, &upper);
		pagestate_check(&pages);
		pagestate_check(&upper);
		for (uint64_t i = FIRST; i < FIRST + PAGES; i++)
			wrong += pagestate_run(i < at ? &pages : &upper, i).state !=
				 model[i - FIRST];
		wrong += pages.end_page != at || upper.first_page != at;
		pagestate_clear(&upper);
		pagestate_extend(&pages, FIRST + PAGES);
		for (uint64_t i = at; i < FIRST + PAGES; i++)
			model[i - FIRST] = model[at - 1 - FIRST];
	}
	return wrong;
}

int main(void)
{
	random_start();
	pagestate_init(&pages, FIRST, FIRST + PAGES, MEM_RESERVE);
	for (int i = 0; i < PAGES; i++)
		model[i] = MEM_RESERVE;
	ok(is_same_as_array(), "at first all pages are in one run");
	ok_equal(first_wrong_step(), -1, "%d random steps equal the array", STEPS);
	ok(is_same_as_array(), "and the end result does");
	ok_equal(wrong_splits(), 0, "both halves of a cut keep their states");
	set(FIRST, FIRST + PAGES, MEM_RESERVE);
	ok(pages.changes.root == NULL, "pages that are all alike need no memory");
	return tap_done();
}
