/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The state of each page of one region: MEM_RESERVE, or MEM_COMMIT with PAGE_* bits. Memory is
 * proportional to the number of runs that differ from their neighbours, not to the region's size.
 *
 * All functions are called with vm_lock held. Pages are numbered by address / page size. */

#ifndef VADTRACE_CORE_VM_PAGESTATE_H
#define VADTRACE_CORE_VM_PAGESTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/rbtree.h"

/* The pages [first_page, end_page) of a region.
 *  - first_state holds from first_page up to the first change, each change up to the next one;
 *  - changes lie in (first_page, end_page), ordered by page;
 *  - neighbouring runs differ.
 * Guarded by: vm_lock. */
struct pagestate {
	uint64_t first_page;
	uint64_t end_page;
	struct rb_tree changes; /* of struct page_change */
	uint32_t first_state;
	uint8_t charge_class; /* enum charge_class: each change is counted, while in a tree */
};

/* From `page` up to the next change. Guarded by: vm_lock. */
struct page_change {
	struct rb_node node;
	uint64_t page;
	uint32_t state;
};

/* Pages of one state, as long as can be. */
struct page_run {
	uint64_t first_page;
	uint64_t end_page;
	uint32_t state;
};

/* The most changes that one pagestate_set can need. */
#define PAGESTATE_CHANGES_MAX 2

/* Makes sure that the next PAGESTATE_CHANGES_MAX new changes cannot fail; false: no memory. */
bool pagestate_prepare(void);

/* The same for so many pagestate_sets; what is left of it goes back with pagestate_drop_spares. */
bool pagestate_prepare_many(size_t set_count);
void pagestate_drop_spares(void);

void pagestate_init(struct pagestate *pages, uint64_t first_page, uint64_t end_page,
		    uint32_t state);
/* Gives back all changes. */
void pagestate_clear(struct pagestate *pages);
/* The whole run that `page` is in. */
struct page_run pagestate_run(const struct pagestate *pages, uint64_t page);
/* Sets [first_page, end_page), not empty and inside. Needs pagestate_prepare before. */
void pagestate_set(struct pagestate *pages, uint64_t first_page, uint64_t end_page, uint32_t state);
/* Whether all of [first_page, end_page) is in one state; which one. */
bool pagestate_is_uniform(const struct pagestate *pages, uint64_t first_page, uint64_t end_page,
			  uint32_t *state);
/* Cuts at `page`, strictly inside: `upper` (not initialised before) gets the pages from there on,
 * which are counted no more. */
void pagestate_split(struct pagestate *pages, uint64_t page, struct pagestate *upper);
/* More pages at the end, in the state of the last one. */
void pagestate_extend(struct pagestate *pages, uint64_t end_page);

void pagestate_check(const struct pagestate *pages);

#endif
