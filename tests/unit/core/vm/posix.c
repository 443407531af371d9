/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Random POSIX memory calls in a window of the address space. After each, three views of every page
 * are the same: the system's (/proc/self/maps), the tree's, and that of a reader of the events. */

#include "core/vm/posix.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

#include "core/os/pager.h"
#include "core/vm/charge.h"
#include "core/vm/vad.h"
#include "core/vm/virtual.h"
#include "tests/lib/tap.h"
#include "tests/unit/core/random.h"
#include "tests/unit/core/vm/replay.h"

#define PAGES 64
#define STEPS 20000
#define PAGE OS_PAGE_SIZE

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

static char *window;
static int file;

static int prot_in_maps[PAGES]; /* -1: nothing is there */

static char *page_at(uint64_t page)
{
	return window + page * PAGE;
}

static void read_maps_line(const char *line)
{
	unsigned long base, end;
	char mode[5];

	if (sscanf(line, "%lx-%lx %4s", &base, &end, mode) != 3)
		return;
	for (int i = 0; i < PAGES; i++) {
		if ((uintptr_t)page_at(i) >= base && (uintptr_t)page_at(i) < end)
			prot_in_maps[i] = (mode[0] == 'r' ? PROT_READ : 0) |
					  (mode[1] == 'w' ? PROT_WRITE : 0) |
					  (mode[2] == 'x' ? PROT_EXEC : 0);
	}
}

static void read_maps(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];

	for (int i = 0; i < PAGES; i++)
		prot_in_maps[i] = -1;
	while (maps && fgets(line, sizeof line, maps))
		read_maps_line(line);
	if (maps)
		fclose(maps);
}

static uint32_t state_in_tree(int page)
{
	struct vad *vad = vad_find((uintptr_t)page_at(page));

	return vad ? pagestate_run(&vad->pages, (uintptr_t)page_at(page) / PAGE).state : 0;
}

static int describe_difference(int page, uint32_t state)
{
	printf("# page %d: system %d, tree 0x%x, replay 0x%x\n", page, prot_in_maps[page], state,
	       replay.state[page]);
	return 1;
}

/* Committed bytes of the protections that are one for the system. */
static uint64_t bytes_in_totals(const struct charge *totals, int prot)
{
	uint64_t sum = 0;

	for (int bit = 0; bit < CHARGE_PROTECTIONS; bit++) {
		if (pager_prot_of_state(MEM_COMMIT | 1u << bit) == prot)
			sum += totals->protected_bytes[bit];
	}
	return sum;
}

/* The totals, which are of this window alone so far, against the system's list. */
static int differences_of_totals(void)
{
	uint64_t pages[8] = { 0 }, all = 0, accessible = 0;
	struct charge totals;
	int count = 0;

	charge_read(&totals);
	for (int i = 0; i < PAGES; i++) {
		all += prot_in_maps[i] >= 0;
		accessible += prot_in_maps[i] > 0;
		if (prot_in_maps[i] > 0)
			pages[prot_in_maps[i]]++;
	}
	for (int prot = 1; prot < 8; prot++)
		count += bytes_in_totals(&totals, prot) != pages[prot] * PAGE;
	count += totals.reserved_bytes != all * PAGE;
	count += totals.committed_bytes > totals.reserved_bytes;
	if (count)
		printf("# totals: %llu bytes of addresses, %llu committed; system: %llu, %llu\n",
		       (unsigned long long)totals.reserved_bytes,
		       (unsigned long long)totals.committed_bytes, (unsigned long long)(all * PAGE),
		       (unsigned long long)(accessible * PAGE));
	return count;
}

static int differences(void)
{
	int count = 0;

	read_maps();
	lock_acquire(&vm_lock);
	vad_check();
	for (int i = 0; i < PAGES; i++) {
		uint32_t state = state_in_tree(i);
		int prot = state ? pager_prot_of_state(state) : -1;

		if (prot != prot_in_maps[i] || state != replay.state[i])
			count += describe_difference(i, state);
	}
	lock_release(&vm_lock);
	return count + replay.impossible;
}

static const int prots[] = { PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_EXEC };

static int any_prot(void)
{
	return prots[random_below(4)];
}

static void map_something(uint64_t page, uint64_t count)
{
	static const int kinds[] = { MAP_PRIVATE | MAP_ANONYMOUS, MAP_SHARED | MAP_ANONYMOUS,
				     MAP_PRIVATE, MAP_SHARED };
	int kind = kinds[random_below(4)];
	int fixed = random_below(4) ? MAP_FIXED : MAP_FIXED_NOREPLACE;

	posix_mmap(page_at(page), count * PAGE - random_below(2), any_prot(), kind | fixed,
		   kind & MAP_ANONYMOUS ? -1 : file, (off_t)(random_below(8) * PAGE), API_mmap);
}

/* Calls that the system refuses, in ways that it finds out late. */
static void fail(uint64_t page, uint64_t count)
{
	posix_mmap(page_at(page), count * PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, /* fd */ -1, 0,
		   API_mmap);
	posix_munmap(page_at(page) + 1, count * PAGE, API_munmap);
	posix_munmap(page_at(page), 0, API_munmap);
	posix_mprotect(page_at(page), count * PAGE, 0x40000000, API_mprotect);
	posix_mremap(page_at(page), count * PAGE, 0, 0, NULL, API_mremap);
	posix_mremap(page_at(page), count * PAGE, count * PAGE, MREMAP_FIXED, page_at(0),
		     API_mremap);
	/* Onto itself. */
	posix_mremap(page_at(page), count * PAGE, count * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		     page_at(page), API_mremap);
}

static void remap_something(uint64_t page, uint64_t count)
{
	uint64_t target = random_below(PAGES), new_count = 1 + random_below(PAGES - target);

	switch (random_below(3)) {
	case 0:
		new_count = 1 + random_below(PAGES - page);
		posix_mremap(page_at(page), count * PAGE, new_count * PAGE, 0, NULL, API_mremap);
		break;
	case 1:
		posix_mremap(page_at(page), count * PAGE, new_count * PAGE,
			     MREMAP_MAYMOVE | MREMAP_FIXED, page_at(target), API_mremap);
		break;
	default:
		if (count > PAGES - target)
			count = PAGES - target;
		posix_mremap(page_at(page), count * PAGE, count * PAGE,
			     MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, page_at(target),
			     API_mremap);
	}
}

static void do_something(void)
{
	static const int advice[] = { MADV_DONTNEED, MADV_FREE, MADV_REMOVE, MADV_WILLNEED };
	uint64_t page = random_below(PAGES);
	uint64_t count = 1 + random_below(PAGES - page < 16 ? PAGES - page : 16);

	switch (random_below(8)) {
	case 0:
	case 1:
	case 2:
		map_something(page, count);
		break;
	case 3:
		posix_munmap(page_at(page), count * PAGE, API_munmap);
		break;
	case 4:
		posix_mprotect(page_at(page), count * PAGE, any_prot(), API_mprotect);
		break;
	case 5:
		remap_something(page, count);
		break;
	case 6:
		posix_advise(page_at(page), count * PAGE, advice[random_below(4)], API_madvise);
		break;
	default:
		fail(page, count);
	}
}

static void test_random(void)
{
	int step, wrong = 0;

	for (step = 0; step < STEPS && !wrong; step++) {
		do_something();
		wrong = differences() + differences_of_totals();
	}
	ok(!wrong, "system, tree and events agree after each of %d random calls", step);
}

/* Memory made and changed behind our back is found by comparing. */
static void test_take_in(void)
{
	posix_munmap(window, PAGES * PAGE, API_munmap);
	ok_equal(differences(), 0, "an empty window");
	mmap(page_at(3), 5 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	ok_equal(posix_take_in_maps(), 0, "comparing works");
	ok_equal(differences(), 0, "what others mapped was taken in");
	munmap(page_at(4), PAGE);
	mprotect(page_at(5), 2 * PAGE, PROT_READ | PROT_WRITE);
	posix_take_in_maps();
	ok_equal(differences(), 0, "what others unmapped and protected was found");
	posix_munmap(window, PAGES * PAGE, API_munmap);
	ok_equal(differences(), 0, "and it ends with a munmap");
}

/* Growing a file's mapping, moving a mapping to where the system likes. */
static void test_move(void)
{
	char *old, *moved;

	posix_mmap(page_at(10), 4 * PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0, API_mmap);
	posix_mmap(page_at(14), PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0,
		   API_mmap);
	old = page_at(10);
	old[0] = 'x';
	ok_equal(posix_mremap(old, 4 * PAGE, 8 * PAGE, 0, NULL, API_mremap), (uintptr_t)-ENOMEM,
		 "no room behind: refused");
	ok_equal(differences(), 0, "and nothing has changed");
	moved = (char *)posix_mremap(old, 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE, NULL, API_mremap);
	ok((intptr_t)moved > 0 && moved != old && moved[0] == 'x', "it may move: moved");
	ok_equal(differences(), 0, "its old place is free");
	lock_acquire(&vm_lock);
	ok(vad_find((uintptr_t)moved) && vad_base(vad_find((uintptr_t)moved)) == (uintptr_t)moved,
	   "its new place is known");
	lock_release(&vm_lock);
	posix_munmap(moved, 8 * PAGE, API_munmap);
	posix_munmap(window, PAGES * PAGE, API_munmap);
}

static void test_break(void)
{
	MEMORY_BASIC_INFORMATION info;
	char *old = (char *)posix_brk(NULL, API_brk);
	char *grown = (char *)posix_brk(old + 40000, API_brk);

	ok(grown == old + 40000, "the break grows");
	ok(vm_query(grown - 1, &info) >= 0 && info.State == MEM_COMMIT &&
		   info.Protect == PAGE_READWRITE && info.Type == MEM_PRIVATE,
	   "what it grew by is committed");
	ok((char *)posix_brk(grown + 40000, API_brk) == grown + 40000, "it grows again");
	ok(vm_query(grown - 1, &info) >= 0 && info.RegionSize > 40000, "as one region");
	ok((char *)posix_brk(old, API_brk) == old, "it shrinks");
	ok(vm_query(grown + 39000, &info) >= 0 && info.State == MEM_FREE, "and that is free");
	ok((char *)posix_brk((void *)1, API_brk) == old, "nonsense leaves it");
}

static void test_shared_segment(void)
{
	int id = shmget(IPC_PRIVATE, 10000, IPC_CREAT | 0600);
	MEMORY_BASIC_INFORMATION info;
	char *block;

	if (id < 0) {
		printf("# no System V shared memory here\n");
		return;
	}
	block = (char *)posix_shmat(id, NULL, 0, API_shmat);
	shmctl(id, IPC_RMID, NULL);
	ok((intptr_t)block > 0, "a segment is attached");
	block[9999] = 1;
	ok(vm_query(block, &info) >= 0 && info.Type == MEM_MAPPED && info.State == MEM_COMMIT &&
		   info.RegionSize == 3 * PAGE && info.Protect == PAGE_READWRITE,
	   "it is known, with its size");
	ok_equal(posix_shmdt(block + PAGE, API_shmdt), -EINVAL, "not at its base: refused");
	ok_equal(posix_shmdt(block, API_shmdt), 0, "it is detached");
	ok(vm_query(block, &info) >= 0 && info.State == MEM_FREE, "and free");
	ok_equal(posix_shmdt(block, API_shmdt), -EINVAL, "only once");
}

/* What was made before anybody listened is told once when tracing starts, and then not again. */
static void test_late_listener(void)
{
	event_set_sink(NULL, NULL);
	posix_mmap(page_at(20), 4 * PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0, API_mmap);
	posix_mprotect(page_at(21), PAGE, PROT_READ, API_mprotect);
	replay_start((uintptr_t)window, PAGES);
	posix_mmap(page_at(30), PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0,
		   API_mmap);
	ok(differences() > 0, "a late listener knows less");
	posix_take_in_maps();
	ok_equal(differences(), 0, "until the ranges that exist are told");
	posix_take_in_maps();
	ok_equal(differences(), 0, "and once is enough");
	posix_munmap(window, PAGES * PAGE, API_munmap);
}

int main(void)
{
	random_start();
	file = memfd_create("test", MFD_CLOEXEC);
	ok(ftruncate(file, 64 * PAGE) == 0, "a file of 64 pages");
	window = replay_find_window(PAGES * PAGE);
	replay_start((uintptr_t)window, PAGES);
	test_random();
	test_take_in();
	test_move();
	test_late_listener();
	test_break();
	test_shared_segment();
	ok_equal(replay.impossible, 0, "no event was impossible");
	return tap_done();
}
