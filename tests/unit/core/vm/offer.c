/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Offered memory: what the system takes is told, what it leaves is whole, and a system that refuses
 * a call loses nothing. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/status.h"
#include "core/os/os.h"
#include "core/os/os_fake.h"
#include "core/vm/advise.h"
#include "core/vm/virtual.h"
#include "tests/lib/tap.h"

#define PAGE OS_PAGE_SIZE
#define PAGES ((size_t)200)
#define SIZE (PAGES * PAGE)

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

static const struct vm_request request = { .api = API_VirtualAlloc };

static char *allocate(uint32_t type, uint32_t protect)
{
	void *base = NULL;
	size_t size_bytes = SIZE;

	if (vm_allocate(&base, &size_bytes, MEM_RESERVE | MEM_COMMIT | type, protect, &request))
		exit(99);
	return base;
}

static void release(void *base)
{
	size_t size_bytes = 0;

	vm_check();
	vm_free(&base, &size_bytes, MEM_RELEASE, &request);
}

/* Each page has one word, at a place of its own; every fifth has none. */
static bool has_word(size_t page)
{
	return page % 5 != 4;
}

static uint64_t *word(char *base, size_t page)
{
	return (uint64_t *)(base + page * PAGE) + page * 7 % (PAGE / 8);
}

static void fill(char *base)
{
	for (size_t page = 0; page < PAGES; page++)
		if (has_word(page))
			*word(base, page) = page + 1;
}

static size_t count_intact(char *base, size_t first, size_t end)
{
	size_t count = 0;

	for (size_t page = first; page < end; page++)
		count += !has_word(page) || *word(base, page) == page + 1;
	return count;
}

/* Whether the system really takes such pages when it is asked to. */
static bool takes(void)
{
	char *page = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool is_gone;

	fill(page);
	is_gone = madvise(page, SIZE, MADV_FREE) == 0 && madvise(page, SIZE, MADV_PAGEOUT) == 0 &&
		  count_intact(page, 0, PAGES) < PAGES;
	munmap(page, SIZE);
	return is_gone;
}

static bool reclaim(char *base, size_t size_bytes)
{
	bool is_intact = false;

	return advise_reclaim(base, size_bytes, &is_intact, &request) == STATUS_SUCCESS &&
	       is_intact;
}

static void test_kept(void)
{
	char *base = allocate(0, PAGE_READWRITE);

	fill(base);
	ok(advise_offer(base, SIZE, VmOfferPriorityLow, &request) == STATUS_SUCCESS, "offered");
	ok(count_intact(base, 0, PAGES) == PAGES, "nobody has touched it");
	ok(reclaim(base, SIZE), "reclaimed");
	madvise(base, SIZE, MADV_PAGEOUT);
	ok(count_intact(base, 0, PAGES) == PAGES, "and not to be had any more");
	release(base);
}

static void test_taken(void)
{
	char *base = allocate(0, PAGE_READWRITE);
	size_t intact;

	fill(base);
	advise_offer(base, SIZE, VmOfferPriorityLow, &request);
	ok(reclaim(base, 50 * PAGE), "a part is reclaimed in time");
	madvise(base, SIZE, MADV_PAGEOUT);
	intact = count_intact(base, 50, PAGES);
	ok(count_intact(base, 0, 50) == 50, "it is whole");
	if (takes())
		ok(intact < PAGES - 50, "of the rest %zu pages are", intact);
	else
		printf("ok %d - # SKIP the system takes nothing\n", ++tap_count);
	ok(reclaim(base + 50 * PAGE, SIZE - 50 * PAGE) == (intact == PAGES - 50), "which is told");
	fill(base);
	ok(reclaim(base, SIZE), "once");
	release(base);
}

/* Pages of zeros have nothing to lose. */
static void test_zeros(void)
{
	char *base = allocate(0, PAGE_READWRITE);

	memset(base, 0, SIZE);
	advise_offer(base, SIZE, VmOfferPriorityLow, &request);
	madvise(base, SIZE, MADV_PAGEOUT);
	ok(reclaim(base, SIZE), "pages of zeros are intact, whoever has taken them");
	release(base);
}

/* What cannot be told to be lost is kept. */
static void test_others(void)
{
	static const struct {
		const char *name;
		uint32_t type, protect;
	} rows[] = {
		{ "read only", 0, PAGE_READONLY },
		{ "a guard page", 0, PAGE_READWRITE | PAGE_GUARD },
		{ "watched", MEM_WRITE_WATCH, PAGE_READWRITE },
	};

	for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
		char *base = allocate(rows[row].type, PAGE_READWRITE);
		void *changed = base;
		size_t size_bytes = SIZE;
		uint32_t old;

		fill(base);
		vm_protect(&changed, &size_bytes, rows[row].protect, &old, &request);
		advise_offer(base, SIZE, VmOfferPriorityLow, &request);
		madvise(base, SIZE, MADV_PAGEOUT);
		ok(reclaim(base, SIZE), "%s: reclaimed", rows[row].name);
		vm_protect(&changed, &size_bytes, PAGE_READWRITE, &old, &request);
		ok(old == rows[row].protect, "%s: as it was", rows[row].name);
		ok(count_intact(base, 0, PAGES) == PAGES, "%s: whole", rows[row].name);
		release(base);
	}
}

/* Its protection may change between the two. */
static void test_protected_meanwhile(void)
{
	char *base = allocate(0, PAGE_READWRITE);
	void *changed = base;
	size_t size_bytes = 10 * PAGE;
	MEMORY_BASIC_INFORMATION info;
	uint32_t old;

	fill(base);
	advise_offer(base, SIZE, VmOfferPriorityLow, &request);
	vm_protect(&changed, &size_bytes, PAGE_NOACCESS, &old, &request);
	ok(reclaim(base, SIZE), "a part without access is reclaimed");
	ok(vm_query(base, &info) == STATUS_SUCCESS && info.Protect == PAGE_NOACCESS &&
		   info.RegionSize == 10 * PAGE,
	   "and stays so");
	vm_protect(&changed, &size_bytes, PAGE_READWRITE, &old, &request);
	ok(count_intact(base, 0, PAGES) == PAGES, "it is whole");
	release(base);
}

/* Contents that the program gives up itself are not lost. */
static void test_given_up(void)
{
	char *base = allocate(0, PAGE_READWRITE);
	void *part = base;
	size_t size_bytes = 50 * PAGE;

	fill(base);
	advise_offer(base, SIZE, VmOfferPriorityLow, &request);
	vm_free(&part, &size_bytes, MEM_DECOMMIT, &request);
	vm_allocate(&part, &size_bytes, MEM_COMMIT, PAGE_READWRITE, &request);
	vm_discard(base + 50 * PAGE, 50 * PAGE, &request);
	ok(reclaim(base, SIZE), "what was decommitted or discarded is not lost");
	release(base);
	base = allocate(0, PAGE_READWRITE);
	fill(base);
	ok(reclaim(base, SIZE) && count_intact(base, 0, PAGES) == PAGES,
	   "a new region has nothing of the old one's");
	release(base);
}

/* The parent's offer is the child's, too. */
static void test_fork(void)
{
	char *base = allocate(0, PAGE_READWRITE);
	int status = 1;
	pid_t child;

	fill(base);
	advise_offer(base, SIZE, VmOfferPriorityLow, &request);
	fflush(stdout);
	vm_fork_prepare();
	child = fork();
	if (child == 0) {
		size_t intact;

		vm_fork_child();
		madvise(base, SIZE, MADV_PAGEOUT);
		intact = count_intact(base, 0, PAGES);
		_exit(reclaim(base, SIZE) == (intact == PAGES) ? 0 : 1);
	}
	vm_fork_parent();
	waitpid(child, &status, 0);
	ok(status == 0, "in a forked child what was taken is told");
	release(base);
}

static struct event told[8];
static size_t told_count;

static void note(const struct event *event)
{
	if (told_count < sizeof told / sizeof told[0])
		told[told_count++] = *event;
}

static bool was_told(size_t index, enum event_kind kind, const char *base, size_t size_bytes,
		     uint64_t extra)
{
	return index < told_count && told[index].kind == kind && told[index].extra == extra &&
	       told[index].address == (uintptr_t)base && told[index].size_bytes == size_bytes &&
	       told[index].api == API_VirtualAlloc;
}

/* A page that has been taken reads as zero: what reclaiming finds, whoever took it. */
static void test_told(void)
{
	static const volatile int open = 1;
	char *base = allocate(0, PAGE_READWRITE);

	fill(base);
	event_set_sink(note, &open);
	advise_offer(base, SIZE, VmOfferPriorityVeryLow, &request);
	reclaim(base, 3 * PAGE);
	memset(base + 5 * PAGE, 0, PAGE);
	reclaim(base + 3 * PAGE, 3 * PAGE);
	vm_discard(base + 6 * PAGE, PAGE, &request);
	advise_offer(base, PAGE, VmOfferPriorityNormal, &request);
	ok(advise_offer(base, SIZE + PAGE, VmOfferPriorityLow, &request) != STATUS_SUCCESS,
	   "an offer that fails");
	event_set_sink(NULL, NULL);
	ok_equal(told_count, 5, "each is told, a failure is not");
	ok(was_told(0, EVENT_VAD_OFFER, base, SIZE, VmOfferPriorityVeryLow), "the offer");
	ok(was_told(1, EVENT_VAD_RECLAIM, base, 3 * PAGE, 0), "what is whole");
	ok(was_told(2, EVENT_VAD_RECLAIM, base + 3 * PAGE, 3 * PAGE, 1), "what is not");
	ok(was_told(3, EVENT_VAD_RESET, base + 6 * PAGE, PAGE, 1), "a discard ends the offer");
	ok(was_told(4, EVENT_VAD_OFFER, base, PAGE, VmOfferPriorityNormal), "the other priority");
	release(base);
}

/* Every call of the system's is refused in turn: then nothing is lost, or it is told. */
static void test_refused(void)
{
	int number = 0, made, wrong = 0;

	do {
		char *base = allocate(0, PAGE_READWRITE);
		NTSTATUS status;
		bool is_intact = true;
		size_t intact;

		fill(base);
		os_fake_fail(++number, -ENOMEM);
		advise_offer(base, SIZE, VmOfferPriorityLow, &request);
		made = os_fake_calls();
		os_fake_fail(0, 0);
		madvise(base, SIZE, MADV_PAGEOUT);
		intact = count_intact(base, 0, PAGES);
		status = advise_reclaim(base, SIZE, &is_intact, &request);
		wrong += status != STATUS_SUCCESS || (is_intact && intact < PAGES);
		release(base);
	} while (made >= number);
	ok(number > 3 && wrong == 0, "offer: %d refusals, nothing is lost unsaid", number - 1);
}

static void test_refused_reclaim(void)
{
	int number = 0, made, wrong = 0, refused = 0;

	do {
		char *base = allocate(0, PAGE_READWRITE);
		void *changed = base;
		size_t size_bytes = 10 * PAGE;
		NTSTATUS status;
		bool is_intact = true;
		uint32_t old;

		fill(base);
		advise_offer(base, SIZE, VmOfferPriorityLow, &request);
		vm_protect(&changed, &size_bytes, PAGE_READONLY, &old, &request);
		os_fake_fail(++number, -ENOMEM);
		status = advise_reclaim(base, SIZE, &is_intact, &request);
		made = os_fake_calls();
		os_fake_fail(0, 0);
		refused += status == STATUS_NO_MEMORY;
		if (!status_is_success(status))
			wrong += !reclaim(base, SIZE);
		wrong += count_intact(base, 0, PAGES) != PAGES;
		release(base);
	} while (made >= number);
	ok(refused > 0 && wrong == 0, "reclaim: %d refusals, it can be asked again", refused);
}

int main(void)
{
	test_kept();
	test_taken();
	test_zeros();
	test_others();
	test_protected_meanwhile();
	test_given_up();
	test_fork();
	test_told();
	test_refused();
	test_refused_reclaim();
	return tap_done();
}
