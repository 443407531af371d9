/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A table, because who is in a call may be cancelled there, or leave it by longjmp from a handler,
 * and takes nothing out then. Such a row stays until the thread calls again, with a frame at or
 * above that one, or for ever: then its pages are listed too often. Guarded by: vm_lock. */

#include "core/vm/foresight.h"

#include "core/os/os.h"

#define ROWS 256

/* One range of one call; thread 0: free. */
static struct row {
	uintptr_t thread;
	uintptr_t call;
	struct vm_range range;
} rows[ROWS];
/* All rows from here on are free. */
static size_t rows_end;

static struct row *find_free(void)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (!rows[i].thread) {
			rows_end = i < rows_end ? rows_end : i + 1;
			return &rows[i];
		}
	}
	return NULL;
}

/* The calls of this thread at `call` or further in; stacks grow downwards. */
static void remove_up_to(uintptr_t last_call, uintptr_t first_call)
{
	uintptr_t thread = os_thread_token();

	for (size_t i = 0; i < rows_end; i++) {
		if (rows[i].thread == thread && rows[i].call >= first_call &&
		    rows[i].call <= last_call)
			rows[i].thread = 0;
	}
	while (rows_end && !rows[rows_end - 1].thread)
		rows_end--;
}

void foresight_add(uintptr_t call, const struct vm_range *range)
{
	struct row *row;

	remove_up_to(call - 1, /* first_call */ 0);
	row = find_free();
	if (row)
		*row = (struct row){ os_thread_token(), call, *range };
}

void foresight_remove(uintptr_t call)
{
	remove_up_to(call, call);
}

bool foresight_next(size_t *place, const struct vm_range *range, struct vm_range *part)
{
	while (*place < rows_end) {
		const struct row *row = &rows[(*place)++];

		if (!row->thread || row->range.end <= range->base || row->range.base >= range->end)
			continue;
		part->base = row->range.base > range->base ? row->range.base : range->base;
		part->end = row->range.end < range->end ? row->range.end : range->end;
		return true;
	}
	return false;
}
