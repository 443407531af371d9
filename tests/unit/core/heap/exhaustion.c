/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* When the system gives no more memory: calls fail, nothing breaks, and all works again after; and
 * the figures in between are exact. */

#include "core/heap/heap.h"
#include "tests/lib/address_space.h"
#include "tests/lib/tap.h"

/* A block that leads to the one before it. */
struct link {
	struct link *before;
};

static size_t fill(struct link **last, size_t size_bytes)
{
	size_t count = 0;
	struct link *link;

	while ((link = heap_malloc(size_bytes))) {
		link->before = *last;
		*last = link;
		count++;
	}
	return count;
}

static void free_all(struct link *last)
{
	while (last) {
		struct link *before = last->before;

		heap_free(last);
		last = before;
	}
}

static void test_exhaustion(size_t size_bytes, size_t least)
{
	struct link *last = NULL;
	size_t count;
	void *kept = heap_malloc(3000000);

	limit_memory(address_space_bytes() + (64u << 20));
	count = fill(&last, size_bytes);
	ok(count >= least, "%zu bytes: %zu blocks until memory ends", size_bytes, count);
	ok(!heap_realloc(kept, (size_t)1 << 30), "%zu bytes: nothing grows then", size_bytes);
	heap_check();
	free_all(last);
	last = NULL;
	ok(fill(&last, size_bytes) + 64 >= count, "%zu bytes: as many can be had again",
	   size_bytes);
	free_all(last);
	limit_memory(RLIM_INFINITY);
	heap_free(kept);
	heap_trim();
	heap_check();
}

static void test_statistics(void)
{
	struct heap_statistics before, during, after;
	struct link *last = NULL, *large = heap_malloc(5000000);

	heap_free(large);
	heap_get_statistics(&before);
	for (int i = 0; i < 1000; i++) {
		struct link *link = heap_malloc(100);

		link->before = last;
		last = link;
	}
	large = heap_malloc(5000000);
	heap_get_statistics(&during);
	free_all(last);
	heap_free(large);
	heap_get_statistics(&after);
	ok_equal(during.large_count - before.large_count, 1, "the large block is counted");
	ok_equal(during.used_bytes - before.used_bytes - during.large_bytes, 1000 * 112,
		 "so are the small ones, each with what its class takes");
	ok_equal(after.used_bytes, before.used_bytes, "and no more when they are free");
	ok(during.reserved_bytes >= during.used_bytes + during.free_bytes,
	   "the parts are the whole");
}

int main(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	tap_skip_all("a sanitizer needs more address space than can be limited");
#endif
	test_statistics();
	test_exhaustion(24, 1000000);
	test_exhaustion(5000, 8000);
	test_exhaustion(200000, 100);
	test_exhaustion(3000000, 5);
	return tap_done();
}
