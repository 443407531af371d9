/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The address space: rows with figures known by hand, and random changes against an array of pages.
 */

#include "tools/lib/space.h"

#include "core/types.h"
#include "tests/lib/tap.h"

#include <string.h>

enum { PAGE = 4096, PAGES = 256, STEPS = 20000 };

static struct space space;

static void apply(uint16_t kind, uint64_t first_page, uint64_t pages, uint32_t type, uint32_t owner)
{
	struct trace_event event = { .kind = kind,
				     .time_ns = 1,
				     .address = PAGE * (first_page + 16),
				     .size_bytes = PAGE * pages,
				     .type = type,
				     .owner = owner };

	space_apply(&space, &event, 1);
}

static void test_rows(void)
{
	static const struct {
		uint16_t kind;
		uint64_t page, pages;
		uint32_t type, owner;
		uint64_t reserved, committed; /* pages, afterwards */
	} rows[] = {
		{ EVENT_VAD_RESERVE, 0, 16, MEM_RESERVE, 0, 16, 0 },
		{ EVENT_VAD_COMMIT, 4, 4, 0, 0, 16, 4 },
		{ EVENT_VAD_COMMIT, 6, 4, 0, 0, 16, 6 },
		{ EVENT_VAD_DECOMMIT, 5, 2, 0, 0, 16, 4 },
		{ EVENT_VAD_PROTECT, 0, 16, 0, 0, 16, 4 },
		{ EVENT_VAD_RESET, 0, 16, 0, 0, 16, 4 },
		{ EVENT_VAD_MAP, 32, 8, MEM_MAPPED | MEM_COMMIT, 0, 24, 12 },
		{ EVENT_VAD_UNMAP, 34, 2, 0, 0, 22, 10 },
		{ EVENT_VAD_MAP, 33, 2, MEM_PRIVATE | MEM_COMMIT, 0, 23, 11 },
		{ EVENT_VAD_UNMAP, 30, 4, 0, 0, 21, 9 },
		{ EVENT_VAD_RESERVE, 64, 16, MEM_RESERVE | MEM_COMMIT, EVENT_OWNER_HEAP, 37, 25 },
		{ EVENT_VAD_RELEASE, 0, 16, 0, 0, 21, 21 },
		{ EVENT_VAD_RELEASE, 100, 16, 0, 0, 21, 21 },
		{ EVENT_VAD_RESERVE, 200, 2, MEM_RESERVE, EVENT_OWNER_OUTSIDE, 23, 21 },
	};

	space_init(&space);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		apply(rows[i].kind, rows[i].page, rows[i].pages, rows[i].type, rows[i].owner);
		ok_equal(space.total.reserved_bytes, rows[i].reserved * PAGE, "row %zu: reserved",
			 i);
		ok_equal(space.total.committed_bytes, rows[i].committed * PAGE,
			 "row %zu: committed", i);
		ok(space_check(&space), "row %zu: invariants", i);
	}
	ok_equal(space.owners[SPACE_HEAP].reserved_bytes, 16 * PAGE, "the heap's part");
	ok_equal(space.owners[SPACE_OUTSIDE].reserved_bytes, 2 * PAGE, "another process's part");
	ok_equal(space.total.peak_reserved_bytes, 37 * PAGE, "peak of what was reserved");
	space_free(&space);
}

static void apply_extra(uint16_t kind, uint64_t first_page, uint64_t pages, uint64_t extra)
{
	struct trace_event event = { .kind = kind,
				     .time_ns = 1,
				     .address = PAGE * (first_page + 16),
				     .size_bytes = PAGE * pages,
				     .extra = extra };

	space_apply(&space, &event, 1);
}

/* Pages 0 to 16 are committed, 16 to 32 reserved. */
static void test_offers(void)
{
	static const struct {
		uint16_t kind;
		uint64_t page, pages, extra;
		uint64_t committed, offered; /* pages, afterwards */
	} rows[] = {
		{ EVENT_VAD_OFFER, 0, 10, 2, 16, 10 },  { EVENT_VAD_OFFER, 5, 10, 1, 16, 15 },
		{ EVENT_VAD_RECLAIM, 0, 2, 0, 16, 13 }, { EVENT_VAD_RECLAIM, 2, 2, 1, 16, 11 },
		{ EVENT_VAD_PROTECT, 4, 2, 0, 16, 11 }, { EVENT_VAD_RESET, 4, 2, 0, 16, 11 },
		{ EVENT_VAD_RESET, 4, 2, 1, 16, 9 },    { EVENT_VAD_DECOMMIT, 6, 1, 0, 15, 8 },
		{ EVENT_VAD_COMMIT, 6, 2, 0, 16, 8 },   { EVENT_VAD_OFFER, 14, 10, 4, 16, 9 },
		{ EVENT_VAD_UNMAP, 8, 2, 0, 14, 7 },    { EVENT_VAD_RECLAIM, 0, 32, 0, 14, 0 },
		{ EVENT_VAD_OFFER, 15, 1, 3, 14, 1 },   { EVENT_VAD_RELEASE, 0, 32, 0, 0, 0 },
	};
	struct space child;

	space_init(&space);
	apply(EVENT_VAD_RESERVE, 0, 32, MEM_RESERVE, 0);
	apply(EVENT_VAD_COMMIT, 0, 16, 0, 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		apply_extra(rows[i].kind, rows[i].page, rows[i].pages, rows[i].extra);
		ok_equal(space.total.committed_bytes, rows[i].committed * PAGE,
			 "offers, row %zu: committed", i);
		ok_equal(space.total.offered_bytes, rows[i].offered * PAGE,
			 "offers, row %zu: offered", i);
		ok(space_check(&space), "offers, row %zu: invariants", i);
	}
	ok_equal(space.owners[SPACE_PRIVATE].peak_offered_bytes, 15 * PAGE, "at most, by owner");
	ok(space.offer_calls == 4 && space.reclaim_calls == 3 && space.lost_calls == 1,
	   "calls are counted");
	apply(EVENT_VAD_RESERVE, 0, 32, MEM_RESERVE | MEM_COMMIT, 0);
	apply_extra(EVENT_VAD_OFFER, 0, 5, 1);
	space_inherit(&child, &space, 9);
	ok(child.total.offered_bytes == 5 * PAGE && child.offer_calls == 0,
	   "a fork's child has what is offered, and made no call");
	space_free(&space);
	space_free(&child);
}

static void apply_of(uint32_t site, uint16_t kind, uint64_t page, uint64_t pages, uint32_t type,
		     uint32_t owner)
{
	struct trace_event event = { .kind = kind,
				     .time_ns = 1,
				     .address = PAGE * (page + 16),
				     .size_bytes = PAGE * pages,
				     .type = type,
				     .owner = owner,
				     .api = 1 };

	space_apply(&space, &event, site);
}

static const struct holder *holder(uint32_t site, enum holders_group group)
{
	return holders_find(&space.holders, site, group);
}

/* Site 1 reserves, site 2 commits and maps, site 3 needs a segment. */
static void test_holders(void)
{
	struct space child;

	space_init(&space);
	apply_of(1, EVENT_VAD_RESERVE, 0, 16, MEM_RESERVE, EVENT_OWNER_PROGRAM);
	apply_of(2, EVENT_VAD_COMMIT, 4, 4, 0, EVENT_OWNER_PROGRAM);
	apply_of(2, EVENT_VAD_MAP, 32, 8, MEM_PRIVATE | MEM_COMMIT, EVENT_OWNER_PROGRAM);
	apply_of(3, EVENT_VAD_RESERVE, 64, 2, MEM_RESERVE | MEM_COMMIT, EVENT_OWNER_HEAP);
	apply_of(2, EVENT_VAD_UNMAP, 32, 6, 0, EVENT_OWNER_PROGRAM);
	apply_of(1, EVENT_VAD_RESERVE, 100, 50, MEM_RESERVE, EVENT_OWNER_PROGRAM);
	space_inherit(&child, &space, 9);
	space_finish(&space);
	ok_equal(holder(1, HOLDERS_PROGRAM)->peak_committed_bytes, 4 * PAGE,
		 "who reserved it holds what another commits");
	ok_equal(holder(1, HOLDERS_PROGRAM)->peak_reserved_bytes, 16 * PAGE, "reserved then");
	ok_equal(holder(1, HOLDERS_PROGRAM)->reserved_bytes, 66 * PAGE, "reserved at the end");
	ok_equal(holder(2, HOLDERS_PROGRAM)->peak_committed_bytes, 8 * PAGE, "at the peak");
	ok_equal(holder(2, HOLDERS_PROGRAM)->committed_bytes, 2 * PAGE, "at the end");
	ok_equal(holder(2, HOLDERS_PROGRAM)->calls, 3, "calls of all kinds");
	ok_equal(holder(2, HOLDERS_PROGRAM)->call_bytes, 8 * PAGE, "bytes of what it mapped");
	ok_equal(holder(3, HOLDERS_HEAP)->peak_committed_bytes, 2 * PAGE, "the heap's are apart");
	ok_equal(holder(3, HOLDERS_PROGRAM)->calls, 0, "and its calls");
	ok_equal(holder(7777, HOLDERS_PROGRAM)->calls, 0, "a site without ranges");
	ok_equal(holders_find(&child.holders, 9, HOLDERS_PROGRAM)->reserved_bytes, 68 * PAGE,
		 "a child's are held by one site");
	ok(space_check(&space) && space_check(&child), "the sites' figures add up");
	space_free(&space);
	space = child;
	apply_of(1, EVENT_VAD_UNMAP, 100, 50, 0, EVENT_OWNER_PROGRAM);
	ok_equal(holder(9, HOLDERS_PROGRAM)->reserved_bytes, 18 * PAGE, "and leave it");
	ok(space_check(&space), "in order");
	space_free(&space);
}

static unsigned char model[PAGES]; /* 0 free, 1 reserved, 2 committed */

static void change(uint64_t first, uint64_t count, int from, int to)
{
	for (uint64_t i = first; i < first + count; i++)
		if (!from || model[i])
			model[i] = (unsigned char)to;
}

static void apply_protect(uint16_t kind, uint64_t first_page, uint64_t pages, uint32_t type,
			  uint32_t protect)
{
	struct trace_event event = { .kind = kind,
				     .time_ns = 7,
				     .address = PAGE * (first_page + 16),
				     .size_bytes = PAGE * pages,
				     .type = type,
				     .protect = protect };

	space_apply(&space, &event, 1);
}

static uint64_t protected_pages(uint32_t protect)
{
	return space.protections[__builtin_ctz(protect)].bytes / PAGE;
}

/* Committed pages by protection, and what is charged for them. */
static void test_protections(void)
{
	static const struct {
		uint16_t kind;
		uint64_t page, pages;
		uint32_t type, protect;
		uint64_t writable, readonly, copied, charge; /* pages, afterwards */
	} rows[] = {
		{ EVENT_VAD_RESERVE, 0, 16, MEM_RESERVE, PAGE_READWRITE, 0, 0, 0, 0 },
		{ EVENT_VAD_COMMIT, 0, 8, 0, PAGE_READWRITE, 8, 0, 0, 8 },
		{ EVENT_VAD_PROTECT, 2, 4, 0, PAGE_READONLY, 4, 4, 0, 8 },
		{ EVENT_VAD_PROTECT, 2, 1, 0, PAGE_READONLY | PAGE_GUARD, 4, 4, 0, 8 },
		{ EVENT_VAD_DECOMMIT, 1, 2, 0, 0, 3, 3, 0, 6 },
		{ EVENT_VAD_MAP, 32, 8, MEM_MAPPED | MEM_COMMIT, PAGE_READWRITE, 11, 3, 0, 6 },
		{ EVENT_VAD_MAP, 48, 8, MEM_MAPPED | MEM_COMMIT | SEC_COMMIT, PAGE_READWRITE, 19, 3,
		  0, 14 },
		{ EVENT_VAD_MAP, 64, 4, MEM_MAPPED | MEM_COMMIT, PAGE_WRITECOPY, 19, 3, 4, 18 },
		{ EVENT_VAD_PROTECT, 64, 2, 0, PAGE_READONLY, 19, 5, 2, 16 },
		{ EVENT_VAD_UNMAP, 0, 80, 0, 0, 0, 0, 0, 0 },
	};

	space_init(&space);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		apply_protect(rows[i].kind, rows[i].page, rows[i].pages, rows[i].type,
			      rows[i].protect);
		ok_equal(protected_pages(PAGE_READWRITE), rows[i].writable, "row %zu: read-write",
			 i);
		ok_equal(protected_pages(PAGE_READONLY), rows[i].readonly, "row %zu: read-only", i);
		ok_equal(protected_pages(PAGE_WRITECOPY), rows[i].copied, "row %zu: copied", i);
		ok_equal(space.charge.bytes, rows[i].charge * PAGE, "row %zu: charge", i);
		ok(space_check(&space), "row %zu: in order", i);
	}
	ok_equal(space.charge.peak_bytes, 18 * PAGE, "the peak of the charge");
	ok_equal(space.charge.peak_ns, 7, "and when it was");
	space_restart_peaks(&space, 9);
	ok_equal(space.charge.peak_bytes, 0, "peaks of a part of the run");
	space_free(&space);
}

static void test_random(void)
{
	uint64_t state = 7;
	uint64_t reserved = 0, committed = 0;
	bool is_good = true;

	space_init(&space);
	for (int i = 0; i < STEPS; i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		uint64_t first = (state >> 33) % PAGES;
		uint64_t count = 1 + (state >> 45) % (PAGES - first < 20 ? PAGES - first : 20);

		switch ((state >> 60) % 5) {
		case 0:
			apply(EVENT_VAD_MAP, first, count, MEM_PRIVATE, 0);
			change(first, count, 0, 1);
			break;
		case 1:
			apply(EVENT_VAD_MAP, first, count, MEM_MAPPED | MEM_COMMIT, 0);
			change(first, count, 0, 2);
			break;
		case 2:
			apply(EVENT_VAD_COMMIT, first, count, 0, 0);
			change(first, count, 1, 2);
			break;
		case 3:
			apply(EVENT_VAD_DECOMMIT, first, count, 0, 0);
			change(first, count, 1, 1);
			break;
		default:
			apply(EVENT_VAD_UNMAP, first, count, 0, 0);
			change(first, count, 0, 0);
			break;
		}
		if (i % 100 == 0)
			is_good &= space_check(&space);
	}
	for (int i = 0; i < PAGES; i++) {
		reserved += model[i] != 0;
		committed += model[i] == 2;
	}
	ok(is_good, "random: invariants after each hundred changes");
	ok_equal(space.total.reserved_bytes, reserved * PAGE, "random: reserved");
	ok_equal(space.total.committed_bytes, committed * PAGE, "random: committed");
	space_free(&space);
}

int main(void)
{
	test_rows();
	test_offers();
	test_holders();
	test_protections();
	test_random();
	return tap_done();
}
