/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* All VADs, in one tree by address.
 *
 *   [ vad ][ vad ]      [ vad ]   [ vad ]
 *   cut:      [..........)           what lies inside goes, two cuts at most
 *
 * New vads come from spares that vad_prepare fills, so that a change that the system has already
 * made can always be written down. Guarded by: vm_lock. Knows no system and tells no events. */

#include "core/vm/vad.h"

#include <assert.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/check.h"
#include "core/types.h"
#include "core/vm/awe.h"
#include "core/vm/charge.h"
#include "core/vm/offer.h"
#include "core/vm/parking.h"
#include "core/vm/sequence.h"
#include "core/vm/writewatch.h"

#define GRANULARITY ((uintptr_t)0x10000)
/* One new range, and the pieces of two ranges that are cut out (mremap to a fixed address). */
#define SPARES_MAX 5
/* Two cache lines, which processors fetch together. */
#define VAD_BYTES ((size_t)128)
/* In one piece, so that regions between two of them are one mapping of the kernel's. */
#define FRESH_BYTES (8192 * VAD_BYTES)

static_assert(sizeof(struct vad) <= VAD_BYTES, "a vad has room");

struct lock vm_lock = LOCK_INITIALIZER(LOCK_RANK_VM);

struct rb_tree vad_tree;
static struct vad *spares[SPARES_MAX];
static int spare_count;

static struct vad *vad_of(struct rb_node *node)
{
	return node ? rb_entry(node, struct vad, node) : NULL;
}

/* Vads that nobody uses, chained by node.right and otherwise zero. Readers without a lock may hold
 * a pointer to one (glimpse.c): its memory is never anything but a vad. */
static struct vad *unused;

/* What was not used yet. Two vads never share a cache line: threads work on their own. */
static char *fresh, *fresh_end;

static struct vad *take_fresh(void)
{
	if (fresh == fresh_end) {
		fresh = arena_pages(FRESH_BYTES);
		fresh_end = fresh ? fresh + FRESH_BYTES : NULL;
	}
	if (!fresh)
		return NULL;
	fresh += VAD_BYTES;
	return (struct vad *)(fresh - VAD_BYTES);
}

static struct vad *take_unused(void)
{
	struct vad *vad = unused;

	if (!vad)
		return take_fresh();
	unused = vad_of(vad->node.right);
	vad->node.right = NULL;
	return vad;
}

bool vad_prepare(void)
{
	while (spare_count < SPARES_MAX) {
		struct vad *vad = take_unused();

		if (!vad)
			return false;
		spares[spare_count++] = vad;
	}
	return pagestate_prepare();
}

struct vad *vad_take(void)
{
	check(spare_count > 0, "a range taken without preparation");
	return spares[--spare_count];
}

static bool has_window(const struct vad *vad)
{
	return vad->pager == &awe_pager;
}

void vad_give_back(struct vad *vad)
{
	pagestate_clear(&vad->pages);
	watch_end(vad->watch);
	if (has_window(vad))
		awe_end(vad->window);
	else
		offer_free(vad->offers);
	parking_take_over(vad);
	memset(vad, 0, offsetof(struct vad, life));
	if (spare_count < SPARES_MAX) {
		spares[spare_count++] = vad;
		return;
	}
	vad->node.right = unused ? &unused->node : NULL;
	unused = vad;
}

struct vad *vad_find_from(uintptr_t address)
{
	struct rb_node *node = vad_tree.root;
	struct vad *found = NULL;

	while (node) {
		struct vad *vad = vad_of(node);

		if (vad_end(vad) > address) {
			found = vad;
			node = node->left;
		} else {
			node = node->right;
		}
	}
	return found;
}

struct vad *vad_find(uintptr_t address)
{
	struct vad *vad = vad_find_from(address);

	return vad && vad_base(vad) <= address && parking_hold(vad) ? vad : NULL;
}

struct vad *vad_find_below(uintptr_t address)
{
	struct rb_node *node = vad_tree.root;
	struct vad *found = NULL;

	while (node) {
		struct vad *vad = vad_of(node);

		if (vad_base(vad) < address) {
			found = vad;
			node = node->right;
		} else {
			node = node->left;
		}
	}
	return found;
}

struct vad *vad_next(const struct vad *vad)
{
	return vad_of(rb_next(&vad->node));
}

struct vad *vad_previous(const struct vad *vad)
{
	return vad_of(rb_prev(&vad->node));
}

bool vad_is_any_in(uintptr_t base, uintptr_t end)
{
	struct vad *vad = vad_find_from(base);

	return vad && vad_base(vad) < end;
}

static enum charge_class charge_class_of(const struct vad *vad)
{
	if (!vad->is_file)
		return CHARGE_ALL;
	return vad->is_copied ? CHARGE_COPIED : CHARGE_NOTHING;
}

void vad_insert(struct vad *vad)
{
	struct rb_node **link = &vad_tree.root, *parent = NULL;

	check_debug(lock_is_mine(&vm_lock), "a range inserted without the lock");
	check_debug(!vad_is_any_in(vad_base(vad), vad_end(vad)), "two ranges overlap");
	while (*link) {
		parent = *link;
		link = vad_base(vad) < vad_base(vad_of(parent)) ? &parent->left : &parent->right;
	}
	sequence_begin_change();
	vad->pages.charge_class = charge_class_of(vad);
	charge_add(&vad->pages, vad->pages.first_page, vad->pages.end_page);
	rb_insert(&vad_tree, &vad->node, parent, link);
	sequence_end_change();
}

void vad_remove(struct vad *vad)
{
	check_debug(lock_is_mine(&vm_lock), "a range removed without the lock");
	sequence_begin_change();
	charge_subtract(&vad->pages, vad->pages.first_page, vad->pages.end_page);
	vad->pages.charge_class = CHARGE_UNCOUNTED;
	rb_remove(&vad_tree, &vad->node);
	sequence_end_change();
}

struct vad *vad_split(struct vad *vad, uintptr_t address)
{
	struct vad *upper = vad_take();
	uintptr_t base = vad_base(vad);

	watch_end(vad->watch);
	vad->watch = NULL;
	if (has_window(vad)) {
		awe_end(vad->window);
		vad->window = NULL;
	}
	memcpy(upper, vad, offsetof(struct vad, life));
	if (!has_window(vad))
		upper->offers = offer_split(vad->offers, (address - base) / OS_PAGE_SIZE);
	sequence_begin_change();
	pagestate_split(&vad->pages, address / OS_PAGE_SIZE, &upper->pages);
	if (vad->is_file)
		upper->file_offset += address - base;
	vad_insert(upper);
	sequence_end_change();
	return upper;
}

static void make_plain(struct vad *vad)
{
	if (vad->origin == VAD_ORIGIN_VIRTUAL)
		vad->origin = VAD_ORIGIN_POSIX;
	vad->is_placeholder = vad->was_placeholder = false;
}

/* Cuts for good: the parts are no regions of VirtualAlloc's any more. */
static struct vad *split(struct vad *vad, uintptr_t address)
{
	struct vad *upper;

	sequence_begin_change();
	make_plain(vad);
	upper = vad_split(vad, address);
	sequence_end_change();
	return upper;
}

void vad_cut(uintptr_t base, uintptr_t end)
{
	struct vad *vad = vad_find_from(base), *next;

	sequence_begin_change();
	if (vad && vad_base(vad) < base) {
		parking_take_over(vad);
		vad = split(vad, base);
	}
	for (; vad && vad_base(vad) < end; vad = next) {
		parking_take_over(vad);
		if (vad_end(vad) > end)
			split(vad, end);
		next = vad_next(vad);
		vad_remove(vad);
		vad_give_back(vad);
	}
	sequence_end_change();
}

static void check_one(const struct vad *vad)
{
	pagestate_check(&vad->pages);
	parking_check(vad);
	check(vad_end(vad) <= OS_USER_END, "a range outside of the program's addresses");
	check(vad->type == MEM_PRIVATE || vad->type == MEM_MAPPED || vad->type == MEM_IMAGE,
	      "a range of no type");
	check(vad->pager != NULL, "a range without a pager");
	if (vad->origin == VAD_ORIGIN_VIRTUAL) {
		check(vad_base(vad) % GRANULARITY == 0 || vad->was_placeholder,
		      "a region off the granularity");
		check(vad->type == MEM_PRIVATE, "a region that is not private");
	}
	if (!has_window(vad))
		offer_check(vad);
	if (vad->is_placeholder)
		check(vad->origin == VAD_ORIGIN_VIRTUAL && vad->was_placeholder &&
			      !vad->pages.changes.root && vad->pages.first_state == MEM_RESERVE &&
			      vad->protect == PAGE_NOACCESS,
		      "a placeholder that holds something");
}

void vad_check(void)
{
	const struct vad *previous = NULL;
	struct charge counted = { 0 }, kept;

	check(rb_is_valid(&vad_tree), "the tree of ranges is out of balance");
	for (struct vad *vad = vad_of(rb_first(&vad_tree)); vad; vad = vad_next(vad)) {
		check_one(vad);
		check(!previous || vad_end(previous) <= vad_base(vad), "two ranges overlap");
		previous = vad;
		charge_count(&counted, &vad->pages);
	}
	charge_read_all(&kept);
	check(memcmp(&counted, &kept, sizeof kept) == 0, "the totals are not those of the ranges");
}
