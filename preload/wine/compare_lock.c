/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A row for each heap that is locked, with its owner:
 *
 *   heap | thread | depth        heap is 0: free
 *
 * A row is taken, changed and given back by the thread that has Wine's lock of the heap. Others
 * read it at most, and find that it is not theirs. When all rows were taken once, an answer may be
 * missing: from then on nothing is compared. */

#include "preload/wine/compare_lock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/wine/difference.h"
#include "preload/wine/teb.h"

#define ROWS 64
/* Of what a function answers as BOOLEAN. */
#define BOOLEAN_MASK 0xff

static struct row {
	_Atomic uint64_t heap;
	_Atomic uint64_t thread;
	uint32_t depth;
} rows[ROWS];
static _Atomic bool is_full;

static struct row *find(uint64_t heap)
{
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].heap == heap && rows[i].thread == teb_thread_id())
			return &rows[i];
	return NULL;
}

static struct row *take(uint64_t heap)
{
	for (size_t i = 0; i < ROWS; i++) {
		uint64_t none = 0;

		if (!atomic_compare_exchange_strong(&rows[i].heap, &none, heap))
			continue;
		rows[i].thread = teb_thread_id();
		return &rows[i];
	}
	is_full = true;
	return NULL;
}

void compare_locked(const struct hook_call *call)
{
	uint64_t heap = call->arguments[0];
	struct row *row;

	if (!(call->result & BOOLEAN_MASK))
		return;
	row = find(heap);
	if (!row)
		row = take(heap);
	if (row)
		row->depth++;
}

void compare_unlocking(struct hook_call *call)
{
	struct row *row = find(call->arguments[0]);

	call->before = row != NULL;
	if (!row || --row->depth > 0)
		return;
	row->thread = 0;
	row->heap = 0;
}

void compare_unlocked(const struct hook_call *call)
{
	if (!is_full)
		difference_in(call, "result", (call->result & BOOLEAN_MASK) != 0, call->before);
}
