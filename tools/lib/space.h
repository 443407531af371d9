/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The address space of a process as its events tell it: what is reserved, what of it is committed,
 * and who owns it. */

#ifndef VADTRACE_TOOLS_LIB_SPACE_H
#define VADTRACE_TOOLS_LIB_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/lib/holders.h"
#include "tools/lib/trace_event.h"

/* Whose a range is, for the table of owners. */
enum space_owner {
	SPACE_PRIVATE, /* the program's own anonymous memory */
	SPACE_MAPPED,  /* file mappings and shared sections */
	SPACE_HEAP,    /* segments of core's heap */
	SPACE_OUTSIDE, /* what another process reserved here */
	SPACE_OWNERS,
};

struct space_usage {
	uint64_t reserved_bytes; /* committed or not */
	uint64_t committed_bytes;
	uint64_t offered_bytes; /* of the committed ones: the system may take them */
	uint64_t peak_reserved_bytes, peak_reserved_ns;
	uint64_t peak_committed_bytes, peak_committed_ns;
	uint64_t peak_offered_bytes, peak_offered_ns;
	uint64_t reserve_calls; /* reserve and map */
	uint64_t release_calls; /* release and unmap */
};

/* One figure, and the most that it ever was. */
struct space_figure {
	uint64_t bytes, peak_bytes, peak_ns;
};

/* PAGE_NOACCESS to PAGE_EXECUTE_WRITECOPY, one for each bit. */
enum { SPACE_PROTECTIONS = 8 };

/* Which committed pages of a range the commit charge has, as core counts them. */
enum space_charge {
	SPACE_CHARGED, /* private memory, and shared memory of no file: all */
	SPACE_COPIED,  /* a file's: those that become the process's own when it writes */
};

/* Pages of one state that follow each other.
 *  - [start, end) overlaps no other run and is not empty. */
struct space_run {
	uint64_t start, end;
	uint64_t base; /* where the range began that it was reserved with: the allocation base */
	uint32_t site; /* number in the process's list of sites: who reserved it */
	uint32_t protect;
	uint8_t owner;  /* enum space_owner */
	uint8_t charge; /* enum space_charge */
	bool is_committed;
	bool is_offered; /* and committed */
};

struct space_runs;

struct space {
	struct space_runs *runs; /* by start; shared with a parent or children until one changes */
	bool is_borrowed;        /* as a parent left them: their sites are the parent's */
	uint32_t inherited_site; /* whose those ranges are here */
	struct holders holders;
	struct space_usage owners[SPACE_OWNERS];
	struct space_usage total;
	struct space_figure charge; /* the commit charge, which a limit bounds */
	/* Committed bytes, files' too; the index is the number of the bit of PAGE_*. */
	struct space_figure protections[SPACE_PROTECTIONS];
	uint64_t now_ns; /* time of the event that is applied */
	uint64_t decommit_calls, commit_calls, protect_calls, reset_calls;
	uint64_t offer_calls, reclaim_calls;
	uint64_t lost_calls; /* of reclaim: some pages had been taken */
};

/* What one call reserved, and is left of it. */
struct space_region {
	uint64_t base;
	uint64_t reserved_bytes, committed_bytes;
	uint32_t protect; /* of its first page */
	uint32_t site;
	uint8_t owner; /* enum space_owner */
};

void space_init(struct space *space);
void space_free(struct space *space);
/* *to, not initialised, has the runs of `from` for a fork's child: the calls so far are not its
 * own, and what it finds is held by `inherited_site`. */
void space_inherit(struct space *to, const struct space *from, uint32_t inherited_site);

/* Applies an EVENT_VAD_*; other kinds are ignored. `site` is noted for what becomes reserved. */
void space_apply(struct space *space, const struct trace_event *event, uint32_t site);

/* The peaks become what is used now: figures of a part of the run. */
void space_restart_peaks(struct space *space, uint64_t time_ns);
/* After the last event: who held what at the peak is final. */
void space_finish(struct space *space);

/* All regions, by allocation base; the caller frees the list. */
struct space_region *space_regions(const struct space *space, size_t *count);

/* Executes the invariants of the structs: for tests. */
bool space_check(const struct space *space);

#endif
