/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Two walks down, of the tree of ranges and of the changes in one range (sequence.h says why they
 * may be walked). What is read here is raced for on purpose, and checked before it is used. */

#include "core/vm/glimpse.h"

#include "core/base/hints.h"
#include "core/vm/sequence.h"

#define ATTEMPTS 8

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

static RACES_ON_PURPOSE bool look(uint64_t page, struct glimpse *glimpse)
{
	uintptr_t sequence;
	struct vad *vad;

	if (!sequence_begin_reading(&sequence) || !find_vad(page, sequence, &vad))
		return false;
	glimpse->is_known = vad && peek(vad->pages.first_page) <= page;
	if (!glimpse->is_known)
		return sequence_is_same(sequence);
	glimpse->base = peek(vad->pages.first_page) * OS_PAGE_SIZE;
	glimpse->type = peek(vad->type);
	glimpse->protect = peek(vad->protect);
	glimpse->origin = peek(vad->origin);
	glimpse->pager = peek(vad->pager);
	return find_run(vad, page, sequence, &glimpse->run);
}

bool glimpse_page(uint64_t page, struct glimpse *glimpse)
{
	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		if (likely(look(page, glimpse)))
			return true;
	}
	return false;
}
