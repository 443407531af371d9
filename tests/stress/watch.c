/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Threads that write to a watched region while another one lists what was written, and resets it.
 * In each round every thread writes pages that it remembers:
 *
 *   nothing is lost       after the round's last list no page has changed since it was listed
 *   nothing is invented   no page is listed that no thread wrote in this round
 *
 * One thread has the system write for it. */

#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/core.h"
#include "core/host.h"
#include "core/vm/virtual.h"
#include "core/vm/writewatch.h"
#include "tests/lib/tap.h"

#define PAGE 0x1000
#define PAGES 2048
#define WRITERS 4 /* the last one by read(2) */
#define ROUNDS 60
#define WRITES 400

struct writer {
	pthread_t thread;
	unsigned seed;
	int number;
	unsigned char wrote[PAGES]; /* in this round */
};

static char *region;
static struct writer writers[WRITERS];
static pthread_barrier_t barrier;
static int is_over, random_bytes;

/* The word of each page that a writer changes; each has its own, so none is written twice at once.
 */
static uint64_t *word(int page, int number)
{
	return (uint64_t *)(void *)(region + (size_t)page * PAGE) + number;
}

/* As libvadcore's read, which is not in this program. */
static ssize_t read_random(void *buffer, size_t size)
{
	ssize_t count;
	bool is_begun = core_write_begins(&count, buffer, size);

	/* The thread sanitizer would take a read of the C library for a write without order. */
	count = syscall(SYS_read, random_bytes, buffer, size);
	if (is_begun)
		core_write_ends(&count);
	return count;
}

static void write_page(struct writer *writer, int page)
{
	uint64_t *target = word(page, writer->number);

	if (writer->number < WRITERS - 1)
		__atomic_fetch_add(target, 1, __ATOMIC_RELAXED);
	else if (read_random(target, sizeof *target) != sizeof *target)
		abort();
	writer->wrote[page] = 1;
}

static void *write_in_rounds(void *argument)
{
	struct writer *writer = argument;

	for (int round = 0; round < ROUNDS; round++) {
		pthread_barrier_wait(&barrier);
		for (int i = 0; i < WRITES; i++) {
			writer->seed = writer->seed * 1103515245u + 12345u;
			write_page(writer, (int)(writer->seed >> 12) % PAGES);
		}
		pthread_barrier_wait(&barrier);
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

static uint64_t seen[PAGES][WRITERS]; /* when the page was listed last */
static unsigned char listed[PAGES];   /* in this round */

static int list(void)
{
	static PVOID pages[PAGES];
	ULONG_PTR count = PAGES;
	DWORD size;

	if (GetWriteWatch(WRITE_WATCH_FLAG_RESET, region, PAGES * PAGE, pages, &count, &size))
		return -1;
	for (ULONG_PTR i = 0; i < count; i++) {
		int page = (int)(((char *)pages[i] - region) / PAGE);

		listed[page] = 1;
		for (int number = 0; number < WRITERS; number++)
			seen[page][number] = __atomic_load_n(word(page, number), __ATOMIC_RELAXED);
	}
	return (int)count;
}

static int was_written(int page)
{
	for (int number = 0; number < WRITERS; number++) {
		if (writers[number].wrote[page])
			return 1;
	}
	return 0;
}

static int lost, invented, written_pages, lists;

static void check_page(int page)
{
	for (int number = 0; number < WRITERS; number++)
		lost += seen[page][number] != *word(page, number);
	lost += was_written(page) && !listed[page];
	invented += listed[page] && !was_written(page);
	written_pages += was_written(page);
}

static void check_round(void)
{
	for (int page = 0; page < PAGES; page++)
		check_page(page);
	memset(listed, 0, sizeof listed);
	for (int number = 0; number < WRITERS; number++)
		memset(writers[number].wrote, 0, PAGES);
}

static void *list_until_over(void *unused)
{
	while (!__atomic_load_n(&is_over, __ATOMIC_ACQUIRE))
		lists += list() >= 0;
	return unused;
}

static void run_round(void)
{
	pthread_t lister;

	__atomic_store_n(&is_over, 0, __ATOMIC_RELEASE);
	pthread_create(&lister, NULL, list_until_over, NULL);
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	__atomic_store_n(&is_over, 1, __ATOMIC_RELEASE);
	pthread_join(lister, NULL);
	list();
	check_round();
	pthread_barrier_wait(&barrier);
}

int main(void)
{
	random_bytes = open("/dev/urandom", O_RDONLY);
	region = VirtualAlloc(NULL, PAGES * PAGE, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
			      PAGE_READWRITE);
	ok(region != NULL, "a watched region, %s",
	   watch_means() == WATCH_BY_SYSTEM ? "by the system" : "by protection");
	pthread_barrier_init(&barrier, NULL, WRITERS + 1);
	for (int i = 0; i < WRITERS; i++) {
		writers[i].seed = (unsigned)(i + 1) * 7919u;
		writers[i].number = i;
		pthread_create(&writers[i].thread, NULL, write_in_rounds, &writers[i]);
	}
	for (int round = 0; round < ROUNDS; round++)
		run_round();
	for (int i = 0; i < WRITERS; i++)
		pthread_join(writers[i].thread, NULL);
	ok(lost == 0, "%d writes were lost, of %d pages written and %d lists", lost, written_pages,
	   lists);
	ok(invented == 0, "%d pages were invented", invented);
	ok(VirtualFree(region, 0, MEM_RELEASE), "released");
	vm_check();
	return tap_done();
}
