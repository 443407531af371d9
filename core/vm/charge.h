/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What the address space amounts to, of all that core knows of: bytes of addresses, the commit
 * charge, and committed bytes of each protection. Kept with each change of a page's state
 * (pagestate.h), so nobody has to walk anything to know them. */

#ifndef VADTRACE_CORE_VM_CHARGE_H
#define VADTRACE_CORE_VM_CHARGE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/vm/pagestate.h"

/* What committed pages of a range cost. */
enum charge_class {
	CHARGE_UNCOUNTED = 0, /* the range is in no tree */
	CHARGE_ALL,           /* private, or shared without a file: each committed page */
	CHARGE_COPIED,        /* a file's private mapping: what can be written */
	CHARGE_NOTHING,       /* a file's pages are the file's */
};

/* PAGE_NOACCESS to PAGE_EXECUTE_WRITECOPY, one for each bit. */
#define CHARGE_PROTECTIONS 8

struct charge {
	uint64_t reserved_bytes;  /* addresses that are taken, committed or not */
	uint64_t committed_bytes; /* the commit charge */
	uint64_t guarded_bytes;   /* committed pages with PAGE_GUARD */
	/* All committed pages, files' too; the index is the number of the bit of PAGE_*. */
	uint64_t protected_bytes[CHARGE_PROTECTIONS];
};

/* The totals, each right by itself. Any thread, no lock. */
void charge_read(struct charge *totals);
/* The same with the ranges that are parked, which the tree has. */
void charge_read_all(struct charge *totals);

/* The commit charge that VirtualAlloc and the heaps may bring about: past it they fail with
 * STATUS_COMMITMENT_LIMIT. POSIX calls are counted, and never refused. 0: no limit. */
void charge_set_limit(uint64_t limit_bytes);
uint64_t charge_limit(void);
/* Makes the system's limit and what is left of it the process's, where those are smaller. */
void charge_cut(uint64_t *limit_bytes, uint64_t *available_bytes);
/* Whether so many bytes more may be committed. */
bool charge_has_room(uint64_t size_bytes);
/* Whether the calling thread is let past the limit from now on: what it commits is counted. */
void charge_let_past(bool is_let_past);

/* For pagestate.c and vad.c. Called with vm_lock held. */
void charge_add(const struct pagestate *pages, uint64_t first_page, uint64_t end_page);
void charge_subtract(const struct pagestate *pages, uint64_t first_page, uint64_t end_page);
/* The same with one state for all pages. */
void charge_add_state(const struct pagestate *pages, uint64_t page_count, uint32_t state);
/* Adds a range to totals that the caller keeps. */
void charge_count(struct charge *totals, const struct pagestate *pages);
/* Bytes in the range that a commit would add to the charge. */
uint64_t charge_of_commit(const struct pagestate *pages, uint64_t first_page, uint64_t end_page);

#endif
