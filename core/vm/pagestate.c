/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Page states as a tree of changes:
 *
 *   first_page                                        end_page
 *   | first_state   | change: state   | change: state |
 *                   ^ page            ^ page
 *
 * Setting a range removes the changes inside and puts at most two, at its ends. New ones come from
 * two spare nodes that pagestate_prepare fills, so setting never fails. Guarded by: vm_lock. */

#include "core/vm/pagestate.h"

#include "core/base/arena.h"
#include "core/base/check.h"
#include "core/vm/charge.h"
#include "core/vm/sequence.h"

static struct page_change *spares[PAGESTATE_CHANGES_MAX];
/* More of them, linked by node.left. */
static struct rb_node *more_spares;
static size_t more_count;

static struct page_change *change_of(struct rb_node *node)
{
	return node ? rb_entry(node, struct page_change, node) : NULL;
}

bool pagestate_prepare(void)
{
	for (int i = 0; i < PAGESTATE_CHANGES_MAX; i++) {
		if (!spares[i])
			spares[i] = arena_allocate(sizeof *spares[i]);
		if (!spares[i])
			return false;
	}
	return true;
}

bool pagestate_prepare_many(size_t set_count)
{
	while (more_count < set_count * PAGESTATE_CHANGES_MAX) {
		struct page_change *change = arena_allocate(sizeof *change);

		if (!change) {
			pagestate_drop_spares();
			return false;
		}
		change->node.left = more_spares;
		more_spares = &change->node;
		more_count++;
	}
	return true;
}

static struct page_change *take_more(void)
{
	struct page_change *change = change_of(more_spares);

	if (change) {
		more_spares = change->node.left;
		more_count--;
	}
	return change;
}

void pagestate_drop_spares(void)
{
	struct page_change *change;

	while ((change = take_more()))
		arena_free(change, sizeof *change);
}

static struct page_change *take_spare(void)
{
	struct page_change *more = take_more();

	if (more)
		return more;
	for (int i = 0; i < PAGESTATE_CHANGES_MAX; i++) {
		struct page_change *change = spares[i];

		if (change) {
			spares[i] = NULL;
			return change;
		}
	}
	check_fail("page states changed without preparation");
}

static void give_back(struct page_change *change)
{
	for (int i = 0; i < PAGESTATE_CHANGES_MAX; i++) {
		if (!spares[i]) {
			spares[i] = change;
			return;
		}
	}
	arena_free(change, sizeof *change);
}

void pagestate_init(struct pagestate *pages, uint64_t first_page, uint64_t end_page, uint32_t state)
{
	*pages = (struct pagestate){ .first_page = first_page,
				     .end_page = end_page,
				     .first_state = state };
}

static void remove_change(struct pagestate *pages, struct page_change *change)
{
	rb_remove(&pages->changes, &change->node);
	give_back(change);
}

void pagestate_clear(struct pagestate *pages)
{
	sequence_begin_change();
	while (pages->changes.root)
		remove_change(pages, change_of(pages->changes.root));
	sequence_end_change();
}

/* The last change at or before `page`; NULL: first_state holds there. */
static struct page_change *find_at_or_before(const struct pagestate *pages, uint64_t page)
{
	struct rb_node *node = pages->changes.root;
	struct page_change *found = NULL;

	while (node) {
		struct page_change *change = change_of(node);

		if (change->page <= page) {
			found = change;
			node = node->right;
		} else {
			node = node->left;
		}
	}
	return found;
}

static struct page_change *next_change(const struct pagestate *pages, struct page_change *change)
{
	return change_of(change ? rb_next(&change->node) : rb_first(&pages->changes));
}

struct page_run pagestate_run(const struct pagestate *pages, uint64_t page)
{
	struct page_change *change = find_at_or_before(pages, page);
	struct page_change *next = next_change(pages, change);

	return (struct page_run){
		.first_page = change ? change->page : pages->first_page,
		.end_page = next ? next->page : pages->end_page,
		.state = change ? change->state : pages->first_state,
	};
}

static uint32_t state_of(const struct pagestate *pages, uint64_t page)
{
	struct page_change *change = find_at_or_before(pages, page);

	return change ? change->state : pages->first_state;
}

static void insert_change(struct pagestate *pages, struct page_change *change)
{
	struct rb_node **link = &pages->changes.root, *parent = NULL;

	while (*link) {
		parent = *link;
		link = change->page < change_of(parent)->page ? &parent->left : &parent->right;
	}
	rb_insert(&pages->changes, &change->node, parent, link);
}

static void add_change(struct pagestate *pages, uint64_t page, uint32_t state)
{
	struct page_change *change = take_spare();

	change->page = page;
	change->state = state;
	insert_change(pages, change);
}

/* Removes the changes at [first_page, end_page], the end's too. */
static void remove_changes(struct pagestate *pages, uint64_t first_page, uint64_t end_page)
{
	struct page_change *change = find_at_or_before(pages, end_page);

	while (change && change->page >= first_page) {
		struct page_change *before = change_of(rb_prev(&change->node));

		remove_change(pages, change);
		change = before;
	}
}

void pagestate_set(struct pagestate *pages, uint64_t first_page, uint64_t end_page, uint32_t state)
{
	bool has_before = first_page > pages->first_page, has_after = end_page < pages->end_page;
	uint32_t before = has_before ? state_of(pages, first_page - 1) : state;
	uint32_t after = has_after ? state_of(pages, end_page) : state;

	check_debug(first_page >= pages->first_page && first_page < end_page &&
			    end_page <= pages->end_page,
		    "page states set outside of their region");
	if (pages->charge_class) {
		charge_subtract(pages, first_page, end_page);
		charge_add_state(pages, end_page - first_page, state);
	}
	sequence_begin_change();
	remove_changes(pages, first_page, end_page);
	if (!has_before)
		pages->first_state = state;
	else if (before != state)
		add_change(pages, first_page, state);
	if (after != state)
		add_change(pages, end_page, after);
	sequence_end_change();
}

bool pagestate_is_uniform(const struct pagestate *pages, uint64_t first_page, uint64_t end_page,
			  uint32_t *state)
{
	struct page_run run = pagestate_run(pages, first_page);

	*state = run.state;
	return run.end_page >= end_page;
}

void pagestate_split(struct pagestate *pages, uint64_t page, struct pagestate *upper)
{
	struct page_change *change, *before;

	if (pages->charge_class)
		charge_subtract(pages, page, pages->end_page);
	pagestate_init(upper, page, pages->end_page, state_of(pages, page));
	sequence_begin_change();
	change = change_of(rb_last(&pages->changes));
	while (change && change->page >= page) {
		before = change_of(rb_prev(&change->node));
		rb_remove(&pages->changes, &change->node);
		if (change->page > page)
			insert_change(upper, change);
		else
			give_back(change);
		change = before;
	}
	pages->end_page = page;
	sequence_end_change();
}

void pagestate_extend(struct pagestate *pages, uint64_t end_page)
{
	check(end_page >= pages->end_page, "a region extended downwards");
	if (pages->charge_class)
		charge_add_state(pages, end_page - pages->end_page,
				 state_of(pages, pages->end_page - 1));
	sequence_begin_change();
	pages->end_page = end_page;
	sequence_end_change();
}

void pagestate_check(const struct pagestate *pages)
{
	uint64_t page = pages->first_page;
	uint32_t state = pages->first_state;
	struct page_change *change = next_change(pages, NULL);

	check(pages->first_page < pages->end_page, "a region without pages");
	check(rb_is_valid(&pages->changes), "the tree of page states is out of balance");
	for (; change; change = next_change(pages, change)) {
		check(change->page > page && change->page < pages->end_page,
		      "page states out of order");
		check(change->state != state, "neighbouring page states are equal");
		page = change->page;
		state = change->state;
	}
}
