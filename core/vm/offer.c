/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Offered pages are the kernel's to take (MADV_FREE) until somebody writes to them. One that it has
 * taken reads as zero, so a page of zeros has nothing to lose, and of any other we note where a
 * word is that is not zero:
 *
 *   page       0          1          2          3
 *   contents   0 0 0 0    0 7 0 0    9 0 0 0    never touched
 *   mark       0          1 + 1      1 + 0      0
 *
 * Wanted back, 0 is added to that word: the page is written to, so that nobody takes it any more,
 * and the word tells, in the same instruction, whether it had been taken. What the program writes
 * to an offered page stays.
 *
 * Only pages in memory that the program may write to, of plain regions without a watch, are really
 * offered. Guarded by: vm_lock. */

#include "core/vm/offer.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "core/base/arena.h"
#include "core/base/check.h"
#include "core/base/status.h"
#include "core/os/os.h"
#include "core/vm/region.h"

#define PAGEMAP_IS_PRESENT (UINT64_C(1) << 63)
#define WORDS (OS_PAGE_SIZE / sizeof(uint64_t))
#define BATCH_PAGES ((size_t)64)

/* Of a whole region: marks[page of it], 0 where nothing can be lost.
 *  - each is 0 or 1 to WORDS;
 *  - there are as many as the region had pages when they were made; those past its end are 0;
 *  - the region is Linux's own memory, and was not watched when a mark was made. */
struct offers {
	size_t page_count;
	uint16_t marks[];
};

/* For a region whose marks there was no memory for: any page may have been taken. It has no marks,
 * so nothing is offered any more. */
static struct offers nobody_knows;

static size_t offers_bytes(size_t page_count)
{
	return sizeof(struct offers) + page_count * sizeof(uint16_t);
}

/* Made when it is first needed; its pages are when they are written. NULL: no memory. */
static struct offers *offers_of(struct vad *vad)
{
	size_t page_count = vad->pages.end_page - vad->pages.first_page;

	if (!vad->offers) {
		vad->offers = arena_pages(offers_bytes(page_count));
		if (vad->offers)
			vad->offers->page_count = page_count;
	}
	return vad->offers;
}

void offer_free(struct offers *offers)
{
	if (offers && offers != &nobody_knows)
		arena_pages_free(offers, offers_bytes(offers->page_count));
}

/* The marks from `address` on, which is inside of the region; *count: how many there are. */
static uint16_t *marks_at(const struct vad *vad, uintptr_t address, size_t *count)
{
	size_t index = region_page(address) - vad->pages.first_page;

	*count = index < vad->offers->page_count ? vad->offers->page_count - index : 0;
	return vad->offers->marks + index;
}

static uint64_t *word_of(uintptr_t page, uint16_t mark)
{
	return (uint64_t *)page + (mark - 1);
}

struct offers *offer_split(struct offers *offers, size_t first_page)
{
	size_t page_count;
	struct offers *upper;

	if (!offers || first_page >= offers->page_count)
		return offers == &nobody_knows ? offers : NULL;
	page_count = offers->page_count - first_page;
	upper = arena_pages(offers_bytes(page_count));
	if (!upper)
		return &nobody_knows;
	upper->page_count = page_count;
	for (size_t i = 0; i < page_count; i++) {
		if (!offers->marks[first_page + i])
			continue;
		upper->marks[i] = offers->marks[first_page + i];
		offers->marks[first_page + i] = 0;
	}
	return upper;
}

/* --- Offering -------------------------------------------------------------------------------- */

static uint16_t mark_of(uintptr_t page)
{
	for (uint16_t mark = 1; mark <= WORDS; mark++)
		if (*(volatile const uint64_t *)word_of(page, mark))
			return mark;
	return 0;
}

/* Pages side by side that are in memory. One that has a mark keeps it: it may have been taken
 * since. What the kernel does not accept, because it is locked for instance, is not offered. */
static void offer_run(uintptr_t base, size_t page_count, uint16_t *marks)
{
	bool is_new[BATCH_PAGES];

	for (size_t i = 0; i < page_count; i++) {
		is_new[i] = marks[i] == 0;
		if (is_new[i])
			marks[i] = mark_of(base + i * OS_PAGE_SIZE);
	}
	if (os_advise((void *)base, page_count * OS_PAGE_SIZE, MADV_FREE) == 0)
		return;
	for (size_t i = 0; i < page_count; i++)
		if (is_new[i])
			marks[i] = 0;
}

/* At most BATCH_PAGES pages, of which the kernel says which are in memory. */
static void offer_batch(uintptr_t base, size_t page_count, int pagemap, uint16_t *marks)
{
	uint64_t entries[BATCH_PAGES];
	size_t size_bytes = page_count * sizeof entries[0], first = 0, end;

	if (os_read_at(pagemap, entries, size_bytes,
		       (off_t)(base / OS_PAGE_SIZE * sizeof entries[0])) != (ssize_t)size_bytes)
		return;
	for (; first < page_count; first = end) {
		for (end = first; end < page_count && entries[end] & PAGEMAP_IS_PRESENT; end++)
			;
		if (end > first)
			offer_run(base + first * OS_PAGE_SIZE, end - first, marks + first);
		else
			end++;
	}
}

static bool is_plainly_writable(uint32_t state)
{
	return state == (MEM_COMMIT | PAGE_READWRITE) ||
	       state == (MEM_COMMIT | PAGE_EXECUTE_READWRITE);
}

/* Pages in one state. The system is told that state once more, for who has changed it behind our
 * back: they are read now. */
static void offer_uniform(const struct vad *vad, const struct vm_range *range, uint32_t state,
			  int pagemap)
{
	size_t known, count;

	if (!is_plainly_writable(state) ||
	    vad->pager->set((void *)range->base, range->end - range->base, state) < 0)
		return;
	for (uintptr_t at = range->base; at < range->end; at += count * OS_PAGE_SIZE) {
		uint16_t *marks = marks_at(vad, at, &known);

		count = (range->end - at) / OS_PAGE_SIZE;
		count = count < BATCH_PAGES ? count : BATCH_PAGES;
		if (count > known)
			return;
		offer_batch(at, count, pagemap, marks);
	}
}

static void offer_with(struct vad *vad, const struct vm_range *range, int pagemap)
{
	for (uintptr_t at = range->base; at < range->end;) {
		struct page_run run = pagestate_run(&vad->pages, region_page(at));
		uintptr_t end = run.end_page * OS_PAGE_SIZE;

		end = end < range->end ? end : range->end;
		offer_uniform(vad, &(struct vm_range){ at, end }, run.state, pagemap);
		at = end;
	}
}

void offer_begin(struct vad *vad, const struct vm_range *range)
{
	int pagemap;

	pager_reset(vad->pager, (void *)range->base, range->end - range->base);
	if (vad->pager != &pager_linux || vad->watch)
		return;
	pagemap = os_open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC, /* mode */ 0);
	if (pagemap < 0)
		return;
	if (offers_of(vad))
		offer_with(vad, range, pagemap);
	os_close(pagemap);
}

/* --- The end --------------------------------------------------------------------------------- */

/* Writes to the word what is there; what that was. A compiler would only read it. */
static uint64_t touch(uint64_t *word)
{
	uint64_t value = 0;

	__asm__ volatile("lock xaddq %0, %1" : "+r"(value), "+m"(*word)::"memory");
	return value;
}

/* Whether all are there. */
static bool take_back(uintptr_t base, uint16_t *marks, size_t count)
{
	bool is_intact = true;

	for (size_t i = 0; i < count; i++) {
		if (marks[i] && !touch(word_of(base + i * OS_PAGE_SIZE, marks[i])))
			is_intact = false;
		marks[i] = 0;
	}
	return is_intact;
}

static bool is_any_marked(const uint16_t *marks, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (marks[i])
			return true;
	return false;
}

static size_t marks_in(const struct vad *vad, const struct vm_range *range, uint16_t **marks)
{
	size_t count = (range->end - range->base) / OS_PAGE_SIZE, known;

	*marks = marks_at(vad, range->base, &known);
	return count < known ? count : known;
}

NTSTATUS offer_end(struct vad *vad, const struct vm_range *range, bool *is_intact)
{
	uint16_t *marks;
	size_t count;

	*is_intact = true;
	if (!vad->offers)
		return STATUS_SUCCESS;
	*is_intact = vad->offers != &nobody_knows;
	count = marks_in(vad, range, &marks);
	if (!is_any_marked(marks, count))
		return STATUS_SUCCESS;
	if (vad->pager->set((void *)range->base, range->end - range->base,
			    MEM_COMMIT | PAGE_READWRITE) < 0) {
		region_set_back(vad, range);
		return STATUS_NO_MEMORY;
	}
	*is_intact = take_back(range->base, marks, count);
	region_set_back(vad, range);
	return STATUS_SUCCESS;
}

void offer_forget(const struct vad *vad, const struct vm_range *range)
{
	uint16_t *marks;

	if (!vad->offers)
		return;
	for (size_t i = marks_in(vad, range, &marks); i > 0; i--)
		if (marks[i - 1])
			marks[i - 1] = 0;
}

void offer_check(const struct vad *vad)
{
	const struct offers *offers = vad->offers;
	size_t page_count = vad->pages.end_page - vad->pages.first_page;

	if (!offers || offers == &nobody_knows)
		return;
	check(vad->pager == &pager_linux, "an offer of somebody else's memory");
	for (size_t i = 0; i < offers->page_count; i++)
		check(offers->marks[i] <= (i < page_count ? WORDS : 0), "an offer of no page");
}
