/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What malloc promises besides its blocks, a test for each: every thread has pages of its own; what
 * is usual takes no lock, also the free of another thread's block; threads that end leave nothing;
 * what is free goes back to the system, or is used first; where pages lie, and how large they are,
 * is the system's choice. That few bytes are wasted is classes.c, forks are
 * tests/stress/heap_fork.c. */

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/event.h"
#include "core/heap/heap.h"
#include "core/heap/layout.h"
#include "core/heap/quick_malloc.h"
#include "core/host.h"
#include "tests/lib/address_space.h"
#include "tests/lib/tap.h"

#define BLOCKS 1000
#define BLOCK_BYTES 48
#define THREADS 10000
#define THREADS_AT_ONCE 50
#define THREADS_BEFORE 1000
#define LEFT 10
#define SLACK_BYTES ((size_t)8 << 20)

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED true
#else
#define IS_SANITIZED false
#endif

static void start(pthread_t *thread, void *(*function)(void *), void *argument)
{
	if (pthread_create(thread, NULL, function, argument) != 0)
		abort();
}

/* --- Threads --------------------------------------------------------------------------------- */

static void *allocate_one(void *place)
{
	*(void **)place = heap_malloc(BLOCK_BYTES);
	return NULL;
}

static void test_own_pages(void)
{
	void *mine = heap_malloc(BLOCK_BYTES), *other = NULL;
	pthread_t thread;

	start(&thread, allocate_one, &other);
	pthread_join(thread, NULL);
	ok(mine && other, "two threads have a block each");
	ok((uintptr_t)mine >> SLICE_SHIFT != (uintptr_t)other >> SLICE_SHIFT,
	   "of pages of their own");
	heap_free(mine);
	heap_free(other);
}

/* Two threads take 2 MiB each, a span's worth in turn: of the first half some may lie in the other
 * one's segment. */
enum { TURNS = 32, TURN_BLOCKS = 64 };
static void *taken[2][TURNS][TURN_BLOCKS];
static int turn;

static void *take_in_turn(void *rows)
{
	void *(*own)[TURN_BLOCKS] = rows;
	int parity = own != taken[0];

	for (int i = 0; i < TURNS; i++) {
		while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) % 2 != parity)
			usleep(10);
		for (int j = 0; j < TURN_BLOCKS; j++)
			own[i][j] = heap_malloc(1000);
		__atomic_add_fetch(&turn, 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

static int count_in_segment(void *const rows[TURNS][TURN_BLOCKS], const struct segment *segment)
{
	int count = 0;

	for (int i = TURNS / 2; i < TURNS; i++) {
		for (int j = 0; j < TURN_BLOCKS; j++)
			count += segment_of_page(page_of(rows[i][j])) == segment;
	}
	return count;
}

static void free_turns(void *rows[TURNS][TURN_BLOCKS])
{
	for (int i = 0; i < TURNS; i++) {
		for (int j = 0; j < TURN_BLOCKS; j++)
			heap_free(rows[i][j]);
	}
}

static void test_own_segments(void)
{
	pthread_t threads[2];
	int beside = 0;

	heap_trim();
	for (int i = 0; i < 2; i++)
		start(&threads[i], take_in_turn, taken[i]);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	for (int i = TURNS / 2; i < TURNS; i++)
		beside += count_in_segment(taken[1], segment_of_page(page_of(taken[0][i][0])));
	ok(beside == 0, "who takes much has segments of its own: %d blocks beside", beside);
	free_turns(taken[0]);
	free_turns(taken[1]);
}

/* Blocks that another thread frees: malloc's, and of the process heap. */
static void *blocks[BLOCKS], *sized[BLOCKS];
static int stage;

static void await_stage(int wanted)
{
	while (__atomic_load_n(&stage, __ATOMIC_ACQUIRE) < wanted)
		usleep(100);
}

static void advance(void)
{
	__atomic_add_fetch(&stage, 1, __ATOMIC_RELEASE);
}

static void use_own(void)
{
	for (int i = 0; i < BLOCKS; i++) {
		heap_free(heap_malloc(BLOCK_BYTES));
		heap_release(heap_process(), 0, heap_allocate(heap_process(), 0, BLOCK_BYTES, NULL),
			     NULL);
	}
}

static void *work_without_locks(void *unused)
{
	use_own();
	advance();
	await_stage(2);
	use_own();
	for (int i = 0; i < BLOCKS; i++) {
		heap_free(blocks[i]);
		heap_release(heap_process(), 0, sized[i], NULL);
	}
	advance();
	return unused;
}

/* One thread holds every lock that core has, as if to fork. Should the other one need any, it waits
 * for ever, and the alarm ends the test. */
static void test_no_locks(void)
{
	pthread_t thread;

	for (int i = 0; i < BLOCKS; i++) {
		blocks[i] = heap_malloc(BLOCK_BYTES);
		sized[i] = heap_allocate(heap_process(), 0, BLOCK_BYTES, NULL);
	}
	start(&thread, work_without_locks, NULL);
	await_stage(1);
	alarm(120);
	core_fork_prepare();
	advance();
	await_stage(3);
	core_fork_parent();
	alarm(0);
	pthread_join(thread, NULL);
	ok(true, "all locks are held: a thread allocates, frees, and frees another's blocks");
	heap_trim();
	heap_check();
}

static void *leave_blocks(void *left)
{
	void **places = left;

	for (size_t i = 0; i < LEFT; i++) {
		places[i] = heap_malloc(i * 100 + 1);
		heap_free(heap_malloc(i * 1000 + 1));
	}
	core_thread_exit();
	return NULL;
}

static void run_threads(int count)
{
	static void *left[THREADS_AT_ONCE][LEFT];
	pthread_t threads[THREADS_AT_ONCE];

	for (; count > 0; count -= THREADS_AT_ONCE) {
		for (int i = 0; i < THREADS_AT_ONCE; i++)
			start(&threads[i], leave_blocks, left[i]);
		for (int i = 0; i < THREADS_AT_ONCE; i++)
			pthread_join(threads[i], NULL);
		for (int i = 0; i < THREADS_AT_ONCE * LEFT; i++)
			heap_free(left[i / LEFT][i % LEFT]);
	}
}

static size_t resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	size_t all_pages, pages = 0;

	if (!file || fscanf(file, "%zu %zu", &all_pages, &pages) != 2)
		pages = 0;
	if (file)
		fclose(file);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void test_many_threads(void)
{
	struct heap_statistics before, after;
	size_t resident, space;

	run_threads(THREADS_BEFORE);
	heap_trim();
	heap_get_statistics(&before);
	resident = resident_bytes();
	space = address_space_bytes();
	run_threads(THREADS - THREADS_BEFORE);
	heap_trim();
	heap_get_statistics(&after);
	ok(after.used_bytes <= before.used_bytes + SLICE_BYTES,
	   "10 000 threads leave no block: %zu, %zu bytes", before.used_bytes, after.used_bytes);
	ok(IS_SANITIZED || resident_bytes() <= resident + SLACK_BYTES, "nor pages: %zu, %zu bytes",
	   resident, resident_bytes());
	ok(IS_SANITIZED || address_space_bytes() <= space + SLACK_BYTES,
	   "nor addresses, their lists among them: %zu, %zu bytes", space, address_space_bytes());
	heap_check();
}

/* --- The system ------------------------------------------------------------------------------ */

struct link {
	struct link *before;
	char rest[1000];
};

static void test_segments_go_back(void)
{
	struct heap_statistics before, during, after;
	struct link *last = NULL;

	heap_trim();
	heap_get_statistics(&before);
	for (size_t bytes = 0; bytes < (size_t)64 << 20; bytes += sizeof(*last)) {
		struct link *link = heap_malloc(sizeof(*link));

		link->before = last;
		last = link;
	}
	heap_get_statistics(&during);
	while (last) {
		struct link *before_it = last->before;

		heap_free(last);
		last = before_it;
	}
	heap_trim();
	heap_get_statistics(&after);
	ok(during.reserved_bytes >= before.reserved_bytes + ((size_t)60 << 20),
	   "many blocks take many segments");
	ok(after.reserved_bytes <= before.reserved_bytes + SEGMENT_BYTES,
	   "which go back: %zu, %zu, %zu bytes", before.reserved_bytes, during.reserved_bytes,
	   after.reserved_bytes);
}

/* The line of a list of mappings that begins with `word`, in the entry that `address` is in; "":
 * there is none. */
static void find_line(const char *path, uintptr_t address, const char *word, char line[512])
{
	FILE *file = fopen(path, "r");
	uintptr_t begin, end;
	bool is_inside = false;

	while (file && fgets(line, 512, file)) {
		if (sscanf(line, "%lx-%lx ", &begin, &end) == 2)
			is_inside = address >= begin && address < end;
		else if (is_inside && strncmp(line, word, strlen(word)) == 0)
			break;
		line[0] = '\0';
	}
	if (!file)
		line[0] = '\0';
	else
		fclose(file);
}

/* A large block may have huge pages as any mapping may: nothing of ours says no. */
static void test_huge_pages(void)
{
	char line[512];
	char *block = memset(heap_malloc((size_t)16 << 20), 1, (size_t)16 << 20);

	find_line("/proc/self/smaps", (uintptr_t)block, "VmFlags:", line);
	ok(!strstr(line, " nh "), "huge pages are not refused: %.*s", (int)strcspn(line, "\n"),
	   line);
	ok((uintptr_t)block - LARGE_HEADER_BYTES == ((uintptr_t)block & ~SEGMENT_MASK),
	   "a large block's region begins where a huge page may");
	heap_free(block);
}

/* Each line of numa_maps begins with the first address and the policy. */
static void test_nodes(void)
{
	FILE *file = fopen("/proc/self/numa_maps", "r");
	char *block = memset(heap_malloc(BLOCK_BYTES), 1, BLOCK_BYTES), line[512];
	char policy[64] = "", found[64] = "default";
	uintptr_t begin;

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx %63s", &begin, policy) == 2 && begin <= (uintptr_t)block)
			memcpy(found, policy, sizeof(found));
	}
	if (file)
		fclose(file);
	ok(strcmp(found, "default") == 0, "no node is preferred for blocks: %s", found);
	heap_free(block);
}

/* Whether a block still has what is expected in its first and in its last old byte. */
static bool has_ends(const char *block, size_t bytes)
{
	return block[0] == 1 && block[bytes - 1] == 2;
}

/* Makes it longer, notes whether it moved, and marks the new end. */
static char *grow(char *block, size_t from_bytes, size_t to_bytes, bool *has_moved)
{
	char *grown = heap_realloc(block, to_bytes);

	ok(grown && has_ends(grown, from_bytes), "%zu bytes become %zu", from_bytes, to_bytes);
	*has_moved = grown != block;
	grown[to_bytes - 1] = 2;
	return grown;
}

/* Each row of sizes, from a block of a class to a region. Nothing else is taken meanwhile. */
static void test_growth(void)
{
	static const struct {
		size_t bytes;
		bool may_move;
	} rows[] = {
		{ 33 << 10, true },   { 60 << 10, false },  { 64 << 10, false },
		{ 100 << 10, false }, { 256 << 10, false }, { 300 << 10, true },
	};
	size_t bytes = 30 << 10;
	char *block = heap_malloc(bytes);
	bool has_moved;

	block[0] = 1;
	block[bytes - 1] = 2;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); bytes = rows[i++].bytes) {
		block = grow(block, bytes, rows[i].bytes, &has_moved);
		ok(!has_moved || rows[i].may_move, "row %zu: grows where it is", i);
	}
	ok(((uintptr_t)block & SEGMENT_MASK) == LARGE_HEADER_BYTES, "and gets a region at last");
	block = heap_realloc(block, 40 << 10);
	ok(block && block[0] == 1, "and is short again");
	heap_free(block);
}

/* A block that grows through the classes, alone in each of them, meets the same pages again. */
static void test_outgrown(void)
{
	enum { PAGES = 8 };
	const char *starts[PAGES] = { NULL };
	void *block = NULL;
	int count = 0, i;

	for (size_t bytes = 16; bytes < 30 << 10; bytes += bytes / 8 + 16) {
		const char *start;

		block = heap_realloc(block, bytes);
		start = page_start(page_of(block));
		for (i = 0; i < count && starts[i] != start; i++)
			;
		if (i == count && count < PAGES)
			starts[count++] = start;
	}
	ok(count < PAGES, "who outgrows a class leaves it no page: %d pages", count);
	heap_free(block);
}

static void free_all(void *list[], int count)
{
	for (int i = 0; i < count; i++)
		heap_free(list[i]);
}

/* The second segment, which is the first to be asked, has only spans that nobody has touched. */
static void test_made_first(void)
{
	enum { FIRST = 50 * 64, NEXT = 20 * 128 };
	static void *first[FIRST], *next[NEXT];
	void *big;
	int outside = 0;

	heap_trim();
	for (int i = 0; i < FIRST; i++)
		first[i] = heap_malloc(1024);
	big = heap_malloc(SPAN_BYTES_MAX);
	ok(segment_of_page(page_of(big)) != segment_of_page(page_of(first[0])),
	   "a long span needs another segment");
	free_all(first, FIRST);
	for (int i = 0; i < NEXT; i++) {
		next[i] = heap_malloc(512);
		outside += segment_of_page(page_of(next[i])) == segment_of_page(page_of(big));
	}
	ok(outside == 0, "free pages that exist are used first: %d blocks elsewhere", outside);
	free_all(next, NEXT);
	heap_free(big);
}

/* --- The quick paths ------------------------------------------------------------------------- */

static bool is_quick(void)
{
	void *block = heap_malloc_quickly(BLOCK_BYTES, /* only_unheard */ true);
	bool is_done = block && heap_free_quickly(block, /* only_unheard */ true);

	if (block && !is_done)
		heap_free(block);
	return is_done;
}

static void hear(const struct event *event)
{
	(void)event;
}

/* An address in a page that nobody has used yet; NULL: there is none. */
static void *find_unused(const struct segment *segment)
{
	for (size_t slice = 1; slice < SEGMENT_SLICES; slice++)
		if (!page_owner(&segment->pages[slice]))
			return (char *)segment + slice * SLICE_BYTES + 16;
	return NULL;
}

/* Of a thread that has no heap. */
static void *free_unused(void *address)
{
	return heap_free_quickly(address, /* only_unheard */ false) ? address : NULL;
}

/* A page in the middle of a span is described elsewhere; one that was never used by nobody. */
static void test_quick_frees(void)
{
	enum { BYTES = 4096, BLOCKS_OF_SPAN = 4 * SLICE_BYTES / BYTES, SPANS = 50 };
	void *list[BLOCKS_OF_SPAN], *spans[SPANS] = { NULL }, *unused = NULL, *found = NULL;
	int quick = 0, inside = 0;
	pthread_t thread;

	for (int i = 0; i < BLOCKS_OF_SPAN; i++) {
		list[i] = heap_malloc(BYTES);
		inside += page_of_slice(list[i]) != page_of(list[i]);
	}
	ok(inside > 0, "of a span of four slices, some blocks lie behind the first: %d", inside);
	for (int i = BLOCKS_OF_SPAN; i-- > 1;) {
		bool is_done = heap_free_quickly(list[i], /* only_unheard */ false);

		quick += is_done;
		if (!is_done)
			heap_free(list[i]);
	}
	ok_equal((uint64_t)quick, BLOCKS_OF_SPAN - 1, "their frees are quick, too");
	for (int i = 0; i < SPANS && !unused; i++) {
		spans[i] = heap_malloc(SPAN_BYTES_MAX);
		unused = find_unused(segment_of_page(page_of(spans[i])));
	}
	start(&thread, free_unused, unused);
	pthread_join(thread, &found);
	ok(unused && !found, "a thread without a heap has no block in a page that was never used");
	heap_free(list[0]);
	free_all(spans, SPANS);
}

/* Two chunks of the address space can have one place for their hints. */
static void test_hints(void)
{
	void *block = heap_malloc(BLOCK_BYTES);
	uintptr_t chunk = (uintptr_t)block >> SEGMENT_SHIFT;
	uintptr_t *hint = &chunk_hints[chunk % CHUNK_HINTS];

	ok(*hint == chunk_hint(chunk), "the chunk of a block is hinted at");
	*hint = chunk_hint(chunk + CHUNK_HINTS);
	ok(!heap_free_quickly(block, /* only_unheard */ false), "where another has its place, not");
	ok(heap_try_free(block), "its blocks can be freed all the same");
	*hint = chunk_hint(chunk);
}

/* Where nothing of ours is. */
static void test_no_blocks(void)
{
	static char variable[64];
	const uintptr_t rows[] = { 0,
				   1,
				   66,
				   SEGMENT_BYTES - 16,
				   SEGMENT_BYTES,
				   (uintptr_t)variable,
				   CHUNK_HINTS << SEGMENT_SHIFT,
				   UINTPTR_MAX - 4095,
				   UINTPTR_MAX };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ok(!heap_free_quickly((void *)rows[i], /* only_unheard */ false),
		   "row %zu: not freed", i);
}

static void test_quick_paths(void)
{
	static volatile int gate;

	heap_free(heap_malloc(BLOCK_BYTES));
	ok(is_quick(), "the usual calls are quick");
	event_set_sink(hear, &gate);
	ok(!is_quick(), "not while a listener is installed, even if its gate is closed");
	event_set_sink(NULL, NULL);
	ok(is_quick(), "again when it is gone");
}

int main(void)
{
	test_outgrown();
	test_made_first();
	test_growth();
	test_own_pages();
	test_own_segments();
	test_no_locks();
	test_many_threads();
	test_segments_go_back();
	test_huge_pages();
	test_nodes();
	test_quick_frees();
	test_hints();
	test_no_blocks();
	test_quick_paths();
	return tap_done();
}
