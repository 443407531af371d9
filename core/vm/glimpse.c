/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A table of what was found before, then two walks down, of the tree of ranges and of the changes
 * in one range (sequence.h says why they may be walked). What is read here is raced for on purpose,
 * and checked before it is used. */

#include "core/vm/glimpse.h"

#include "core/base/hints.h"
#include "core/vm/charge.h"
#include "core/vm/parking.h"
#include "core/vm/sequence.h"

#define ATTEMPTS 8
/* A megabyte, of which only what is used is there. */
#define KNOWN_VADS ((size_t)1 << 17)
#define PAGES_PER_GRANULE 16

#define peek(field) __atomic_load_n(&(field), __ATOMIC_RELAXED)

/* The first vad that ends above the page; false: not of one moment. */
static RACES_ON_PURPOSE bool find_vad(uint64_t page, uintptr_t sequence, struct vad **found)
{
	struct rb_node *node = peek(vad_tree.root);

	*found = NULL;
	while (node) {
		struct vad *vad = rb_entry(node, struct vad, node);

		if (!sequence_is_same(sequence))
			return false;
		if (peek(vad->pages.end_page) > page) {
			*found = vad;
			node = peek(node->left);
		} else {
			node = peek(node->right);
		}
	}
	return sequence_is_same(sequence);
}

/* The run that the page is in. */
static RACES_ON_PURPOSE bool find_run(const struct vad *vad, uint64_t page, uintptr_t sequence,
				      struct page_run *run)
{
	struct rb_node *node = peek(vad->pages.changes.root);

	run->first_page = peek(vad->pages.first_page);
	run->end_page = peek(vad->pages.end_page);
	run->state = peek(vad->pages.first_state);
	while (node) {
		struct page_change *change = rb_entry(node, struct page_change, node);

		if (!sequence_is_same(sequence))
			return false;
		if (peek(change->page) <= page) {
			run->first_page = peek(change->page);
			run->state = peek(change->state);
			node = peek(node->right);
		} else {
			run->end_page = peek(change->page);
			node = peek(node->left);
		}
	}
	return sequence_is_same(sequence);
}

/* Where the vad of an address was found last, by the address's place in the table. Any vad may be
 * there, also one that is in no tree any more: what it says of itself decides. */
static struct vad *known_vads[KNOWN_VADS];

/* False: not of one moment. NULL: the tree has to be asked. */
static RACES_ON_PURPOSE bool find_known(uint64_t page, uintptr_t sequence, struct vad **found)
{
	struct vad *vad = peek(known_vads[page / PAGES_PER_GRANULE % KNOWN_VADS]);

	if (vad && (peek(vad->pages.charge_class) == CHARGE_UNCOUNTED ||
		    peek(vad->pages.first_page) > page || peek(vad->pages.end_page) <= page))
		vad = NULL;
	*found = vad;
	return sequence_is_same(sequence);
}

static RACES_ON_PURPOSE bool find(uint64_t page, uintptr_t sequence, struct vad **found)
{
	if (!find_known(page, sequence, found))
		return false;
	if (likely(*found))
		return true;
	if (!find_vad(page, sequence, found))
		return false;
	if (*found)
		__atomic_store_n(&known_vads[page / PAGES_PER_GRANULE % KNOWN_VADS], *found,
				 __ATOMIC_RELAXED);
	return true;
}

static RACES_ON_PURPOSE bool look(uint64_t page, struct glimpse *glimpse)
{
	uintptr_t sequence;
	struct vad *vad;

	if (!sequence_begin_reading(&sequence) || !find(page, sequence, &vad))
		return false;
	glimpse->is_known =
		vad && peek(vad->pages.first_page) <= page && vad_life(vad) != LIFE_PARKED;
	if (!glimpse->is_known)
		return sequence_is_same(sequence);
	glimpse->base = peek(vad->pages.first_page) * OS_PAGE_SIZE;
	glimpse->type = peek(vad->type);
	glimpse->protect = peek(vad->protect);
	glimpse->origin = peek(vad->origin);
	glimpse->pager = peek(vad->pager);
	return find_run(vad, page, sequence, &glimpse->run);
}

struct vad *glimpse_vad(uint64_t page)
{
	uintptr_t sequence;
	struct vad *vad;

	return sequence_begin_reading(&sequence) && find(page, sequence, &vad) ? vad : NULL;
}

bool glimpse_page(uint64_t page, struct glimpse *glimpse)
{
	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		if (likely(look(page, glimpse)))
			return true;
	}
	return false;
}
