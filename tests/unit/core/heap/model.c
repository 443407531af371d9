/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Random calls of both faces against a model that knows each block's size and contents. Built once
 * for each way in which blocks are checked. VADTRACE_SEED repeats a run, VADTRACE_STEPS is its
 * length. */

#include <stdbool.h>
#include <string.h>

#include "core/heap/blocks.h"
#include "core/heap/checked.h"
#include "core/heap/descriptor.h"
#include "core/heap/heap.h"
#include "tests/lib/tap.h"
#include "tests/unit/core/random.h"

#define SLOTS 3000

/* Blocks that are checked are slow. */
#ifdef CHECK
#define STEPS 30000
#else
#define CHECK CHECKED_NOT
#define STEPS 400000
#endif

/* One live block, filled with its pattern; address NULL: none. */
struct slot {
	unsigned char *address;
	size_t size_bytes;
	struct heap *heap; /* NULL: made by the malloc face */
	unsigned char pattern;
};

static struct slot slots[SLOTS];
static struct heap *heaps[3];
static int failures;

static size_t draw_size(void)
{
	switch (random_below(64)) {
	case 0:
		return random_below(4u << 20);
	case 1:
	case 2:
		return random_below(200000);
	case 3:
	case 4:
	case 5:
		return random_below(8192);
	default:
		return random_below(300);
	}
}

static bool is_filled(const unsigned char *bytes, unsigned char value, size_t count)
{
	if (count == 0)
		return true;
	return bytes[0] == value && bytes[count - 1] == value &&
	       memcmp(bytes, bytes + 1, count - 1) == 0;
}

static void expect(bool is_true, const char *what, int step)
{
	if (is_true || failures++ > 10)
		return;
	ok(false, "step %d: %s", step, what);
}

static void fill(struct slot *slot)
{
	slot->pattern = (unsigned char)(random_below(255) + 1);
	memset(slot->address, slot->pattern, slot->size_bytes);
}

static bool size_is_right(const struct slot *slot)
{
	if (slot->heap)
		return heap_size(slot->heap, 0, slot->address) == slot->size_bytes;
	return heap_usable_size(slot->address) >= slot->size_bytes;
}

static void take_plain(struct slot *slot, int step)
{
	size_t alignment = (size_t)1 << random_below(17);
	bool is_zeroed = random_below(4) == 0;

	slot->heap = NULL;
	if (random_below(8) == 0) {
		slot->address = heap_memalign(alignment, slot->size_bytes);
		expect((uintptr_t)slot->address % alignment == 0, "alignment is kept", step);
	} else {
		slot->address =
			is_zeroed ? heap_calloc(slot->size_bytes) : heap_malloc(slot->size_bytes);
		expect((uintptr_t)slot->address % 16 == 0, "blocks are aligned to 16", step);
		if (is_zeroed)
			expect(is_filled(slot->address, 0, slot->size_bytes), "calloc gives zeroes",
			       step);
	}
}

static void take_sized(struct slot *slot, int step)
{
	uint32_t flags = random_below(2) ? HEAP_ZERO_MEMORY : 0;

	slot->heap = heaps[random_below(3)];
	slot->address = heap_allocate(slot->heap, flags, slot->size_bytes, NULL);
	if (flags)
		expect(is_filled(slot->address, 0, slot->size_bytes), "HEAP_ZERO_MEMORY", step);
}

static void take(struct slot *slot, int step)
{
	slot->size_bytes = draw_size();
	if (random_below(2))
		take_plain(slot, step);
	else
		take_sized(slot, step);
	expect(slot->address && heap_owns(slot->address), "a block is given", step);
	expect(size_is_right(slot), "a new block has its size", step);
	fill(slot);
}

static void give_back(struct slot *slot, int step)
{
	if (!slot->heap || (slot->heap == heap_process() && random_below(2)))
		heap_free(slot->address);
	else
		expect(heap_release(slot->heap, 0, slot->address, NULL), "a block is taken back",
		       step);
	slot->address = NULL;
}

static unsigned char *resize_sized(struct slot *slot, size_t size_bytes, int step)
{
	uint32_t flags = random_below(2) ? HEAP_ZERO_MEMORY : 0;
	unsigned char *moved = heap_reallocate(slot->heap, flags, slot->address, size_bytes, NULL);

	if (flags && size_bytes > slot->size_bytes)
		expect(is_filled(moved + slot->size_bytes, 0, size_bytes - slot->size_bytes),
		       "what is added is zeroed", step);
	return moved;
}

static void resize(struct slot *slot, int step)
{
	size_t size_bytes = draw_size();
	size_t kept = size_bytes < slot->size_bytes ? size_bytes : slot->size_bytes;
	unsigned char *moved = slot->heap ? resize_sized(slot, size_bytes, step)
					  : heap_realloc(slot->address, size_bytes);

	expect(moved && is_filled(moved, slot->pattern, kept), "contents move along", step);
	slot->address = moved;
	slot->size_bytes = size_bytes;
	expect(size_is_right(slot), "a resized block has its size", step);
	fill(slot);
}

static void step_once(int step)
{
	struct slot *slot = &slots[random_below(SLOTS)];

	if (!slot->address) {
		take(slot, step);
		return;
	}
	expect(is_filled(slot->address, slot->pattern, slot->size_bytes), "contents stay", step);
	if (random_below(3) == 0)
		resize(slot, step);
	else
		give_back(slot, step);
}

static void give_all_back(void)
{
	struct heap_statistics statistics;

	for (int i = 0; i < SLOTS; i++) {
		if (slots[i].address && slots[i].heap != heaps[2])
			give_back(&slots[i], STEPS);
	}
	ok(heap_destroy(API_HeapDestroy, heaps[1], NULL), "an empty heap is destroyed");
	ok(heap_destroy(API_HeapDestroy, heaps[2], NULL), "a heap is destroyed with its blocks");
	heap_check();
	heap_trim();
	heap_check();
	if (CHECK != CHECKED_NOT) {
		ok(heap_validate(API_HeapValidate, heaps[0], NULL), "the process heap is whole");
		return;
	}
	heap_get_statistics(&statistics);
	ok_equal(statistics.large_count, 0, "no large block is left");
	ok(statistics.reserved_bytes <= 8u << 20, "the segments went back");
}

/* --- A heap of fixed size -------------------------------------------------------------------- */

#define FIXED_BYTES ((size_t)4 << 20)
#define FIXED_SLOTS 40
#define FIXED_STEPS 5000

static size_t charge_of(size_t size_bytes)
{
	return heap_charge_for(&(struct block_info){ .size_bytes = size_bytes });
}

/* A block that is refused would have made it too large; none makes it too large. */
static void change_fixed(struct slot *slot, int step)
{
	size_t size_bytes = random_below(4) ? random_below(300000) : random_below(5000);
	size_t others_bytes = slot->heap->taken_bytes;
	unsigned char *changed;

	if (slot->address)
		others_bytes -= charge_of(slot->size_bytes);
	changed = slot->address ? heap_reallocate(slot->heap, 0, slot->address, size_bytes, NULL)
				: heap_allocate(slot->heap, 0, size_bytes, NULL);
	expect(changed || others_bytes + charge_of(size_bytes) > FIXED_BYTES,
	       "a block is given while there is room", step);
	expect(slot->heap->taken_bytes <= FIXED_BYTES, "the heap stays as small as it was", step);
	if (!changed)
		return;
	slot->address = changed;
	slot->size_bytes = size_bytes;
}

static void test_fixed(void)
{
	struct heap *heap = heap_create(0, 0, FIXED_BYTES, NULL);
	size_t empty_bytes = heap->taken_bytes;
	struct slot list[FIXED_SLOTS] = { 0 };

	for (int step = 0; step < FIXED_STEPS; step++) {
		struct slot *slot = &list[random_below(FIXED_SLOTS)];

		slot->heap = heap;
		if (slot->address && random_below(3) == 0)
			give_back(slot, step);
		else
			change_fixed(slot, step);
	}
	for (int i = 0; i < FIXED_SLOTS; i++)
		if (list[i].address)
			give_back(&list[i], FIXED_STEPS);
	ok_equal(failures, 0, "a heap of fixed size is as large as it is to be");
	ok_equal(heap->taken_bytes, empty_bytes, "and as empty in the end as at first");
	ok(heap_destroy(API_HeapDestroy, heap, NULL), "it is destroyed");
}

int main(void)
{
	const char *length = getenv("VADTRACE_STEPS");
	int steps = length ? atoi(length) : STEPS;

	random_start();
	checked_start(CHECK, /* quarantine */ 4 << 20);
	heaps[0] = heap_process();
	heaps[1] = heap_create(0, 0, 0, NULL);
	heaps[2] = heap_create(0, /* initial_bytes */ 16 << 20, 0, NULL);
	ok(heaps[1] && heaps[2], "heaps are made");
	for (int step = 0; step < steps; step++) {
		step_once(step);
		if (step % 997 == 0)
			heap_check();
	}
	ok_equal(failures, 0, "%d steps as the model says", steps);
	test_fixed();
	give_all_back();
	return tap_done();
}
