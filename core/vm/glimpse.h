/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A look at one page's record without vm_lock. Any thread, any moment. */

#ifndef VADTRACE_CORE_VM_GLIMPSE_H
#define VADTRACE_CORE_VM_GLIMPSE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/vm/vad.h"

/* What the tree says of one page; only is_known when that is false. */
struct glimpse {
	bool is_known;  /* a vad holds the page, and is not parked */
	uintptr_t base; /* of the vad */
	uint32_t type, protect;
	uint8_t origin;
	const struct pager *pager;
	struct page_run run; /* that the page is in */
};

/* The vad that holds the page, or did a moment ago: whoever uses it proves what it says. NULL:
 * there is none, or it could not be seen. Its memory is a vad's for ever. */
struct vad *glimpse_vad(uint64_t page);
/* False: others change records all the time; take the lock and look there. */
bool glimpse_page(uint64_t page, struct glimpse *glimpse);

#endif
