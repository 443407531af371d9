/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Open addressing with linear probing, as in blocks.c, but with 16 bytes a block: four are in a
 * cache line. The numbers of released blocks are a stack, so the next blocks lie where the replay
 * has just been. */

#include "tools/lib/numbers.h"
#include "tools/lib/blocks.h"
#include "tools/lib/xalloc.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* How many records ahead a block's slot is fetched into the processor's cache, and the place that
 * a record is copied to. */
enum { FIRST_SLOTS = 4096, SLOT_AHEAD = 16, COPY_AHEAD = 8 };

/* - address 0: empty. */
struct slot {
	uint64_t address;
	uint32_t number;
};

/* A thread's reallocation that has begun. */
struct pending {
	uint32_t tid;
	uint64_t address; /* of the old block; 0: it was not known */
};

/* - slot_count is 0 or 1 << (64 - shift), at most half of them used;
 * - numbers [1, fresh) were given out before, free_list[0, free_count) of them belong to no block.
 */
struct image {
	bool has_ended; /* no more numbers */
	struct slot *slots;
	size_t slot_count, used;
	unsigned shift;
	uint32_t fresh;
	uint32_t *free_list;
	size_t free_count, free_capacity;
	struct pending *pendings;
	size_t pending_count, pending_capacity;
};

/* - images are by the process's number. */
struct numbers {
	struct image *images;
	size_t count;
};

struct numbers *numbers_create(void)
{
	return xcalloc(1, sizeof(struct numbers));
}

static void free_tables(struct image *image)
{
	free(image->slots);
	free(image->free_list);
	free(image->pendings);
	*image = (struct image){ .has_ended = image->has_ended };
}

void numbers_destroy(struct numbers *numbers)
{
	for (size_t i = 0; i < numbers->count; i++)
		free_tables(&numbers->images[i]);
	free(numbers->images);
	free(numbers);
}

/* Processes have the numbers 0, 1, 2 ... */
static struct image *need_image(struct numbers *numbers, uint32_t process)
{
	if (process >= numbers->count) {
		numbers->images =
			xreallocarray(numbers->images, process + 1u, sizeof(*numbers->images));
		memset(&numbers->images[numbers->count], 0,
		       (process + 1u - numbers->count) * sizeof(*numbers->images));
		numbers->count = process + 1u;
	}
	return &numbers->images[process];
}

static inline size_t home_of(const struct image *image, uint64_t address)
{
	return (size_t)(blocks_hash(address) >> image->shift);
}

/* The slot with the address, or the empty one where the search for it ends. */
static inline size_t find_slot(const struct image *image, uint64_t address)
{
	const struct slot *slots = image->slots;
	size_t mask = image->slot_count - 1, slot = home_of(image, address);

	while (slots[slot].address != address && slots[slot].address)
		slot = (slot + 1) & mask;
	return slot;
}

static void enlarge(struct image *image)
{
	struct slot *old = image->slots;
	size_t old_count = image->slot_count;

	image->slot_count = old_count ? 2 * old_count : FIRST_SLOTS;
	image->shift = 64 - (unsigned)__builtin_ctzll(image->slot_count);
	image->slots = xtable(image->slot_count, sizeof(*image->slots));
	for (size_t i = 0; i < old_count; i++)
		if (old[i].address)
			image->slots[find_slot(image, old[i].address)] = old[i];
	free(old);
}

/* Moves the blocks behind the gap back as long as that brings them nearer to their home. */
static inline void close_gap(struct image *image, size_t gap)
{
	struct slot *slots = image->slots;
	size_t mask = image->slot_count - 1;

	for (size_t i = (gap + 1) & mask; slots[i].address; i = (i + 1) & mask) {
		if (((i - home_of(image, slots[i].address)) & mask) < ((i - gap) & mask))
			continue;
		/* As it was written, in two parts: the processor has them at hand. */
		slots[gap].address = slots[i].address;
		slots[gap].number = slots[i].number;
		gap = i;
	}
	slots[gap].address = 0;
}

static inline uint32_t take_number(struct image *image)
{
	if (image->free_count)
		return image->free_list[--image->free_count];
	return ++image->fresh;
}

static inline void return_number(struct image *image, uint32_t number)
{
	if (image->free_count == image->free_capacity)
		image->free_list = xgrow(image->free_list, image->free_count, &image->free_capacity,
					 sizeof(*image->free_list));
	image->free_list[image->free_count++] = number;
}

static inline uint32_t add(struct image *image, uint64_t address)
{
	struct slot *slot;

	if (!address)
		return RECORD_UNKNOWN;
	if (2 * image->used >= image->slot_count)
		enlarge(image);
	slot = &image->slots[find_slot(image, address)];
	if (!slot->address) {
		*slot = (struct slot){ address, take_number(image) };
		image->used++;
	}
	return slot->number;
}

static inline uint32_t take_out(struct image *image, uint64_t address)
{
	uint32_t number;
	size_t slot;

	if (!address)
		return RECORD_UNKNOWN;
	slot = find_slot(image, address);
	if (!image->slots[slot].address)
		return RECORD_UNKNOWN;
	number = image->slots[slot].number;
	close_gap(image, slot);
	image->used--;
	return_number(image, number);
	return number;
}

/* NULL: the thread has begun none. */
static struct pending *find_pending(const struct image *image, uint32_t tid)
{
	for (size_t i = 0; i < image->pending_count; i++)
		if (image->pendings[i].tid == tid)
			return &image->pendings[i];
	return NULL;
}

static struct pending *need_pending(struct image *image, uint32_t tid)
{
	struct pending *pending = find_pending(image, tid);

	if (pending)
		return pending;
	image->pendings = xgrow(image->pendings, image->pending_count, &image->pending_capacity,
				sizeof(*image->pendings));
	pending = &image->pendings[image->pending_count++];
	pending->tid = tid;
	return pending;
}

static uint32_t begin_realloc(struct image *image, const struct trace_record *record)
{
	uint64_t address = trace_record_address(record);
	uint32_t number = take_out(image, address);

	need_pending(image, record->tid)->address = number == RECORD_UNKNOWN ? 0 : address;
	return number;
}

/* The old block of the thread's reallocation, which is over; 0: none. */
static uint64_t end_realloc(struct image *image, uint32_t tid)
{
	struct pending *pending = find_pending(image, tid), *last;
	uint64_t address;

	if (!pending)
		return 0;
	address = pending->address;
	last = &image->pendings[--image->pending_count];
	if (pending != last)
		*pending = *last;
	return address;
}

static inline uint32_t number_of(struct image *image, const struct trace_record *record)
{
	switch (trace_record_kind(record)) {
	case EVENT_ALLOCATE:
		return add(image, trace_record_address(record));
	case EVENT_FREE:
		return take_out(image, trace_record_address(record));
	case EVENT_REALLOC_BEGIN:
		return begin_realloc(image, record);
	case EVENT_REALLOC_END:
		end_realloc(image, record->tid);
		return add(image, trace_record_address(record));
	case EVENT_REALLOC_FAILED:
		return add(image, end_realloc(image, record->tid));
	default:
		return RECORD_UNKNOWN;
	}
}

/* The next records' slots, and places. Always inlined: see blocks_expect. */
static inline __attribute__((always_inline)) void look_ahead(const struct image *image,
							     const struct trace_record *next,
							     struct trace_record *copy)
{
	uint64_t address = trace_record_address(&next[SLOT_AHEAD]);

	__builtin_prefetch(&image->slots[home_of(image, address)], /* for writing */ 1);
	__builtin_prefetch(&copy[COPY_AHEAD], /* for writing */ 1);
}

void numbers_give(struct numbers *numbers, uint32_t process, const struct trace_record *records,
		  size_t count, struct trace_record *copies)
{
	struct image *image = need_image(numbers, process);

	if (image->has_ended) {
		memcpy(copies, records, count * sizeof(*records));
		return;
	}
	if (!image->slots)
		enlarge(image);
	for (size_t i = 0; i < count; i++) {
		if (i + SLOT_AHEAD < count)
			look_ahead(image, &records[i], &copies[i]);
		copies[i] = records[i];
		copies[i].number = number_of(image, &records[i]);
	}
}

static void end_numbers(struct numbers *numbers, uint32_t process)
{
	struct image *image = need_image(numbers, process);

	image->has_ended = true;
	free_tables(image);
}

/* A fork's child begins with what its parent has. */
static void begin_process(struct numbers *numbers, const struct trace_event *event)
{
	if (event->image->reason != TRACE_REASON_FORK)
		return;
	end_numbers(numbers, event->process);
	if (event->image->parent != TRACE_NO_PROCESS)
		end_numbers(numbers, event->image->parent);
}

void numbers_note_event(struct numbers *numbers, const struct trace_event *event)
{
	if (event->kind == TRACE_PROCESS)
		begin_process(numbers, event);
	else if (event->kind == TRACE_END)
		free_tables(need_image(numbers, event->process));
	else if (event->kind == TRACE_FORK || event->kind == EVENT_HEAP_DESTROY ||
		 event->kind == EVENT_HEAP_ERROR)
		end_numbers(numbers, event->process);
}
