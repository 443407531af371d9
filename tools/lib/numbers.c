/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Chains, from a table of heads by the address to entries; an entry's place is its block's number.
 * Entries lie in the order in which they were given out first, so blocks that were allocated one
 * after the other are neighbours. */

#include "tools/lib/numbers.h"
#include "tools/lib/blocks.h"
#include "tools/lib/xalloc.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* How many records ahead a chain's head is fetched into the processor's cache, and its first entry.
 */
enum { FIRST_ENTRIES = 1024, HEAD_AHEAD = 32, ENTRY_AHEAD = 16 };

/* A live block, or a free number. */
struct entry {
	uint64_t address;
	uint32_t next; /* in the chain, or of the free numbers; 0: the last */
};

/* A thread's reallocation that has begun. */
struct pending {
	uint32_t tid;
	uint64_t address; /* of the old block; 0: it was not known */
};

/* - entries [1, fresh) were given out before, capacity is a power of two;
 * - the table of heads has twice as many as there are entries. */
struct image {
	bool has_ended; /* no more numbers */
	struct entry *entries;
	uint32_t *heads;
	size_t capacity;
	unsigned shift;
	uint32_t fresh, free;
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
	free(image->entries);
	free(image->heads);
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

static inline uint32_t *head_of(const struct image *image, uint64_t address)
{
	return &image->heads[blocks_hash(address) >> image->shift];
}

static void enlarge(struct image *image)
{
	size_t capacity = image->capacity ? image->capacity * 2 : FIRST_ENTRIES;

	if (!image->fresh)
		image->fresh = 1;
	image->entries = xreallocarray(image->entries, capacity, sizeof(*image->entries));
	free(image->heads);
	image->heads = xcalloc(2 * capacity, sizeof(*image->heads));
	image->capacity = capacity;
	image->shift = 63 - (unsigned)__builtin_ctzll(capacity);
	for (uint32_t i = 1; i < image->fresh; i++) {
		uint32_t *head = head_of(image, image->entries[i].address);

		image->entries[i].next = *head;
		*head = i;
	}
}

/* The link that leads to the address's entry, or the chain's last one. */
static inline uint32_t *find_link(const struct image *image, uint64_t address)
{
	uint32_t *link = head_of(image, address);

	while (*link && image->entries[*link].address != address)
		link = &image->entries[*link].next;
	return link;
}

/* A table grows only when no number is free: then all entries are live. */
static uint32_t take_number(struct image *image)
{
	uint32_t number = image->free;

	if (number)
		image->free = image->entries[number].next;
	else
		number = image->fresh++;
	return number;
}

static uint32_t add(struct image *image, uint64_t address)
{
	uint32_t *link, number;

	if (!address)
		return RECORD_UNKNOWN;
	if (!image->free && image->fresh >= image->capacity)
		enlarge(image);
	link = find_link(image, address);
	if (*link)
		return *link;
	number = take_number(image);
	*link = number;
	image->entries[number] = (struct entry){ .address = address };
	return number;
}

static uint32_t take_out(struct image *image, uint64_t address)
{
	uint32_t *link, number;

	if (!image->capacity || !address)
		return RECORD_UNKNOWN;
	link = find_link(image, address);
	number = *link;
	if (!number)
		return RECORD_UNKNOWN;
	*link = image->entries[number].next;
	image->entries[number].next = image->free;
	image->free = number;
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
	struct pending *pending = find_pending(image, tid);
	uint64_t address;

	if (!pending)
		return 0;
	address = pending->address;
	*pending = image->pendings[--image->pending_count];
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

/* Always inlined, as is the next one: see blocks_expect. */
static inline __attribute__((always_inline)) void expect_entry(const struct image *image,
							       uint64_t address)
{
	__builtin_prefetch(&image->entries[*head_of(image, address)], /* for writing */ 1);
}

/* Those of the next records, as far as there are some. */
static inline __attribute__((always_inline)) void look_ahead(const struct image *image,
							     const struct trace_record *records,
							     size_t place, size_t count)
{
	if (place + HEAD_AHEAD < count)
		__builtin_prefetch(
			head_of(image, trace_record_address(&records[place + HEAD_AHEAD])), 1);
	if (place + ENTRY_AHEAD < count)
		expect_entry(image, trace_record_address(&records[place + ENTRY_AHEAD]));
}

void numbers_give(struct numbers *numbers, uint32_t process, struct trace_record *records,
		  size_t count)
{
	struct image *image = need_image(numbers, process);

	if (image->has_ended)
		return;
	if (!image->capacity)
		enlarge(image);
	for (size_t i = 0; i < count; i++) {
		look_ahead(image, records, i, count);
		records[i].number = number_of(image, &records[i]);
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
