/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The bounds grow page by page over a gap that can be read; beyond a larger one they start anew. */

#include "trace/stack/bounds.h"

#include "trace/system.h"

#define PAGE 4096u
#define GAP_MAX (64u * PAGE)

bool bounds_widen(struct stack_bounds *bounds, uintptr_t address)
{
	uintptr_t page = address & ~(uintptr_t)(PAGE - 1);
	uintptr_t at = bounds->high;

	if (!system_can_read(page))
		return false;
	while (at < page && page - at < GAP_MAX && system_can_read(at))
		at += PAGE;
	if (at == page)
		bounds->high = page + PAGE;
	else if (page + PAGE == bounds->low)
		bounds->low = page;
	else
		*bounds = (struct stack_bounds){ page, page + PAGE };
	return true;
}
