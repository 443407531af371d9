/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Totals as words of their own: changed under vm_lock, read by anybody. A run of pages adds its
 * bytes to those words that its state names.
 *
 *   state                      reserved  committed  protected[]
 *   MEM_RESERVE                    x
 *   MEM_COMMIT | PAGE_*            x         x          x
 *   the same of a file             x                    x
 *
 * Guarded by: vm_lock; readers: atomic. Knows nothing of who a range belongs to. */

#include "core/vm/charge.h"

#include "core/base/thread.h"
#include "core/os/os.h"
#include "core/types.h"
#include "core/vm/parking.h"

#define PROTECT_KIND_MASK 0xffu
#define WRITABLE_KINDS \
	(PAGE_READWRITE | PAGE_WRITECOPY | PAGE_EXECUTE_READWRITE | PAGE_EXECUTE_WRITECOPY)

static struct charge totals_now;
static uint64_t limit;

static void add(uint64_t *total, uint64_t size_bytes)
{
	__atomic_store_n(total, *total + size_bytes, __ATOMIC_RELAXED);
}

static bool is_charged(enum charge_class class, uint32_t state)
{
	if (!(state & MEM_COMMIT) || class == CHARGE_NOTHING)
		return false;
	return class == CHARGE_ALL || state & WRITABLE_KINDS;
}

/* To subtract, the bytes are negative. */
static void count_run(struct charge *totals, enum charge_class class, uint32_t state,
		      uint64_t size_bytes)
{
	uint32_t kind = state & PROTECT_KIND_MASK;

	add(&totals->reserved_bytes, size_bytes);
	if (is_charged(class, state))
		add(&totals->committed_bytes, size_bytes);
	if (!(state & MEM_COMMIT))
		return;
	if (kind)
		add(&totals->protected_bytes[__builtin_ctz(kind)], size_bytes);
	if (state & PAGE_GUARD)
		add(&totals->guarded_bytes, size_bytes);
}

static void count_range(struct charge *totals, const struct pagestate *pages, uint64_t first_page,
			uint64_t end_page, int sign)
{
	for (uint64_t page = first_page; page < end_page;) {
		struct page_run run = pagestate_run(pages, page);
		uint64_t end = run.end_page < end_page ? run.end_page : end_page;

		count_run(totals, pages->charge_class, run.state,
			  (uint64_t)sign * (end - page) * OS_PAGE_SIZE);
		page = end;
	}
}

void charge_add(const struct pagestate *pages, uint64_t first_page, uint64_t end_page)
{
	count_range(&totals_now, pages, first_page, end_page, 1);
}

void charge_subtract(const struct pagestate *pages, uint64_t first_page, uint64_t end_page)
{
	count_range(&totals_now, pages, first_page, end_page, -1);
}

void charge_add_state(const struct pagestate *pages, uint64_t page_count, uint32_t state)
{
	count_run(&totals_now, pages->charge_class, state, page_count * OS_PAGE_SIZE);
}

void charge_count(struct charge *totals, const struct pagestate *pages)
{
	count_range(totals, pages, pages->first_page, pages->end_page, 1);
}

uint64_t charge_of_commit(const struct pagestate *pages, uint64_t first_page, uint64_t end_page)
{
	uint64_t pages_more = 0;

	for (uint64_t page = first_page; page < end_page;) {
		struct page_run run = pagestate_run(pages, page);
		uint64_t end = run.end_page < end_page ? run.end_page : end_page;

		pages_more += run.state & MEM_COMMIT ? 0 : end - page;
		page = end;
	}
	return pages_more * OS_PAGE_SIZE;
}

void charge_read_all(struct charge *totals)
{
	const uint64_t *from = (const uint64_t *)&totals_now;
	uint64_t *to = (uint64_t *)totals;

	for (size_t i = 0; i < sizeof totals_now / sizeof *from; i++)
		to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

void charge_read(struct charge *totals)
{
	uint64_t parked_bytes = parking_bytes();

	charge_read_all(totals);
	totals->reserved_bytes -= parked_bytes;
	totals->committed_bytes -= parked_bytes;
	totals->protected_bytes[__builtin_ctz(PAGE_READWRITE)] -= parked_bytes;
}

void charge_set_limit(uint64_t limit_bytes)
{
	__atomic_store_n(&limit, limit_bytes, __ATOMIC_RELAXED);
}

uint64_t charge_limit(void)
{
	return __atomic_load_n(&limit, __ATOMIC_RELAXED);
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void charge_cut(uint64_t *limit_bytes, uint64_t *available_bytes)
{
	uint64_t most = charge_limit(), left;
	struct charge totals;

	if (most == 0)
		return;
	charge_read(&totals);
	left = totals.committed_bytes < most ? most - totals.committed_bytes : 0;
	*limit_bytes = least(*limit_bytes, most);
	*available_bytes = least(*available_bytes, left);
}

bool charge_has_room(uint64_t size_bytes)
{
	uint64_t most = charge_limit();
	uint64_t committed;

	if (most == 0 || thread_is_past_limit)
		return true;
	committed = __atomic_load_n(&totals_now.committed_bytes, __ATOMIC_RELAXED);
	committed -= parking_bytes();
	return committed <= most && size_bytes <= most - committed;
}

void charge_let_past(bool is_let_past)
{
	thread_is_past_limit = is_let_past;
}
