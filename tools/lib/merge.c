/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* One queue per thread for its records, one for all other events, and a binary heap of the queues
 * that hold something, ordered by their first element.
 *
 *   heap -> queue tid 7:  [record] [record] ... <-- [batch] [batch] ...
 *           queue tid 9:  [record] ...
 *           others:       [event] [event] ...          whole events
 *
 * Batches wait as they came; when their turn is next, they are decoded to records, few at a time:
 * the processor's nearest cache holds what is told. Within a queue times do not fall: an element
 * that is older than the last (a signal handler's) is moved to its place. Single-threaded. Knows
 * nothing of CTF. */

#include "tools/lib/merge.h"
#include "tools/lib/binary_heap.h"
#include "tools/lib/xalloc.h"

#include <stdlib.h>
#include <string.h>

#include "trace/schema/record.h"

/* Its records are not older than begin_ns. */
struct batch {
	uint64_t begin_ns;
	size_t word_count;
	const batch_word *words; /* NULL: copied, behind those of the batch before */
};

/* What was not decoded yet of a thread.
 *  - list elements [first, count) wait, words [first_word, word_count) are of those of them that
 *    were copied;
 *  - begin_ns does not fall. */
struct batches {
	struct batch *list;
	size_t first, count, capacity;
	batch_word *words;
	size_t first_word, word_count, word_capacity;
};

/* A thread's records, or (tid 0 of `others`) all other events.
 *  - elements [first, count) wait; times do not fall;
 *  - between two releases, the batches that wait are not older than the last record. */
struct queue {
	uint32_t tid;
	size_t first, count, capacity;
	struct trace_record *records; /* NULL in `others` */
	struct trace_event *events;   /* NULL elsewhere */
	struct batches batches;
	struct queue *next; /* in the hash chain */
	bool is_others;
};

/* DECODED_COUNT and OUT_COUNT: as many records as the nearest cache holds beside the reader's own
 * data. RUN_MIN: of so many of one thread it is cheaper to tell them apart than to put them to the
 * others. */
enum { BUCKETS = 256, KEPT_CAPACITY = 1024, DECODED_COUNT = 256, OUT_COUNT = 256, RUN_MIN = 16 };

/* - out is empty between two releases. */
struct merge {
	uint32_t process;
	struct queue *buckets[BUCKETS]; /* by tid */
	struct queue others;
	void **heap; /* rebuilt by each release */
	size_t heap_count, heap_capacity;
	size_t queue_count;
	uint64_t delivered_ns;
	uint64_t late_count;
	size_t out_count;
	struct trace_record out[OUT_COUNT]; /* in order, to be told */
};

struct merge *merge_create(uint32_t process)
{
	struct merge *merge = xcalloc(1, sizeof(*merge));

	merge->process = process;
	merge->others.is_others = true;
	return merge;
}

static void free_elements(struct queue *queue)
{
	free(queue->records);
	free(queue->events);
	queue->records = NULL;
	queue->events = NULL;
	queue->capacity = 0;
}

static void free_batches(struct batches *batches)
{
	free(batches->list);
	free(batches->words);
	memset(batches, 0, sizeof(*batches));
}

static void free_queue(struct queue *queue)
{
	free_elements(queue);
	free_batches(&queue->batches);
}

void merge_destroy(struct merge *merge)
{
	for (int i = 0; merge && i < BUCKETS; i++)
		while (merge->buckets[i]) {
			struct queue *queue = merge->buckets[i];

			merge->buckets[i] = queue->next;
			free_queue(queue);
			free(queue);
		}
	if (!merge)
		return;
	free_queue(&merge->others);
	free(merge->heap);
	free(merge);
}

static struct queue *find_queue(struct merge *merge, uint32_t tid)
{
	struct queue **bucket = &merge->buckets[tid % BUCKETS];
	struct queue *queue = *bucket;

	while (queue && queue->tid != tid)
		queue = queue->next;
	if (queue)
		return queue;
	queue = xcalloc(1, sizeof(*queue));
	queue->tid = tid;
	queue->next = *bucket;
	*bucket = queue;
	merge->queue_count++;
	return queue;
}

static void need_records(struct queue *queue, size_t more)
{
	size_t capacity = queue->capacity ? queue->capacity : KEPT_CAPACITY;

	if (queue->count + more <= queue->capacity)
		return;
	while (capacity < queue->count + more)
		capacity *= 2;
	queue->records = xreallocarray(queue->records, capacity, sizeof(*queue->records));
	queue->capacity = capacity;
}

/* Moves the last record, which is older than the one before, to its place. */
static void sort_in(struct queue *queue)
{
	size_t place = queue->count - 1;
	struct trace_record record = queue->records[place];

	while (place > queue->first && queue->records[place - 1].time_ns > record.time_ns) {
		queue->records[place] = queue->records[place - 1];
		place--;
	}
	queue->records[place] = record;
}

static inline bool is_block_kind(uint8_t kind)
{
	return kind >= EVENT_ALLOCATE && kind <= EVENT_ALLOCATE_FAILED;
}

/* The records from `place` on came last: who is older than the one before moves to its place. */
static void sort_from(struct queue *queue, size_t place)
{
	size_t end = queue->count;

	for (queue->count = place; queue->count < end;) {
		const struct trace_record *record = &queue->records[queue->count++];

		if (queue->count - 1 > queue->first && record[-1].time_ns > record->time_ns)
			sort_in(queue);
	}
}

/* Decodes the block's record at words to *record; false: it is none. `heap` holds for those behind
 * it. */
static inline bool decode_record(struct trace_record *record, const batch_word *words,
				 uint64_t begin_ns, uint64_t *heap)
{
	uint8_t kind = (uint8_t)(words[1] >> 56);

	if (kind == RECORD_KIND_HEAP)
		*heap = words[0] & RECORD_ADDRESS_MASK;
	if (!is_block_kind(kind))
		return false;
	record->time_ns = begin_ns + (uint32_t)words[2];
	record->address_api = words[0];
	record->size_kind = words[1];
	record->heap = *heap;
	record->stack = (uint32_t)(words[2] >> 32);
	record->number = RECORD_UNNUMBERED;
	return true;
}

/* A batch to the queue's records. Meanwhile as many words at `ahead`, or NULL, are fetched into the
 * processor's cache. */
static void decode(struct queue *queue, uint64_t begin_ns, const batch_word *words, size_t count,
		   const batch_word *ahead)
{
	size_t before = queue->count;
	uint64_t heap = 0, last_ns = 0;
	bool is_sorted = true;

	if (count < RECORD_WORDS)
		return;
	need_records(queue, count / RECORD_WORDS);
	struct trace_record *record = &queue->records[before];
	if (before > queue->first)
		last_ns = record[-1].time_ns;
	for (size_t i = 0; i + RECORD_WORDS <= count; i += RECORD_WORDS) {
		if (ahead)
			__builtin_prefetch(&ahead[i]);
		if (!decode_record(record, &words[i], begin_ns, &heap))
			continue;
		record->tid = queue->tid;
		is_sorted &= last_ns <= record->time_ns;
		last_ns = record++->time_ns;
	}
	queue->count = (size_t)(record - queue->records);
	if (!is_sorted)
		sort_from(queue, before);
}

static void decode_next(struct queue *queue)
{
	struct batches *batches = &queue->batches;
	const struct batch *batch = &batches->list[batches->first++];
	const batch_word *words = batch->words;

	if (!words) {
		words = &batches->words[batches->first_word];
		batches->first_word += batch->word_count;
	}
	decode(queue, batch->begin_ns, words, batch->word_count,
	       batches->first == batches->count ? NULL : batch[1].words);
}

/* Whether the next batch may hold a record that is older than the last one that is decoded. */
static bool is_next_older(const struct queue *queue)
{
	const struct batches *batches = &queue->batches;

	return batches->first != batches->count && queue->first != queue->count &&
	       batches->list[batches->first].begin_ns < queue->records[queue->count - 1].time_ns;
}

/* Where no record is left, the next ones are decoded. */
static void refill(struct queue *queue)
{
	const struct batches *batches = &queue->batches;

	if (queue->first != queue->count || queue->is_others)
		return;
	queue->first = queue->count = 0;
	while (batches->first != batches->count &&
	       (queue->count < DECODED_COUNT || is_next_older(queue)))
		decode_next(queue);
}

static void need_words(struct batches *batches, size_t more)
{
	size_t capacity = batches->word_capacity ? batches->word_capacity : KEPT_CAPACITY;

	if (batches->word_count + more <= batches->word_capacity)
		return;
	while (capacity < batches->word_count + more)
		capacity *= 2;
	batches->words = xreallocarray(batches->words, capacity, sizeof(*batches->words));
	batches->word_capacity = capacity;
}

static void push_batch(struct batches *batches, uint64_t begin_ns, struct batch_words words)
{
	if (!words.are_lasting) {
		need_words(batches, words.count);
		memcpy(&batches->words[batches->word_count], words.list,
		       words.count * sizeof(*words.list));
		batches->word_count += words.count;
	}
	batches->list =
		xgrow(batches->list, batches->count, &batches->capacity, sizeof(*batches->list));
	batches->list[batches->count++] =
		(struct batch){ begin_ns, words.count, words.are_lasting ? words.list : NULL };
}

/* Whether all that waits is as old as the batch, or older. */
static bool is_newest(const struct queue *queue, uint64_t begin_ns)
{
	const struct batches *batches = &queue->batches;

	if (begin_ns > UINT64_MAX - RECORD_DELTA_MAX)
		return false;
	if (batches->first != batches->count)
		return begin_ns >= batches->list[batches->count - 1].begin_ns;
	return queue->first == queue->count || begin_ns >= queue->records[queue->count - 1].time_ns;
}

void merge_add_batch(struct merge *merge, uint32_t tid, uint64_t begin_ns, struct batch_words words)
{
	struct queue *queue = find_queue(merge, tid);

	if (words.count && is_newest(queue, begin_ns)) {
		push_batch(&queue->batches, begin_ns, words);
		return;
	}
	while (queue->batches.first != queue->batches.count)
		decode_next(queue);
	decode(queue, begin_ns, words.list, words.count, NULL);
}

size_t merge_count_records(struct batch_words words)
{
	size_t records = 0;

	for (size_t i = 0; i + RECORD_WORDS <= words.count; i += RECORD_WORDS)
		records += is_block_kind((uint8_t)(words.list[i + 1] >> 56));
	return records;
}

void merge_add_event(struct merge *merge, const struct trace_event *event)
{
	struct queue *queue = &merge->others;

	queue->events =
		xgrow(queue->events, queue->count, &queue->capacity, sizeof(*queue->events));
	size_t place = queue->count++;
	while (place > queue->first && queue->events[place - 1].time_ns > event->time_ns) {
		queue->events[place] = queue->events[place - 1];
		place--;
	}
	queue->events[place] = *event;
}

static uint64_t first_time(const struct queue *queue)
{
	return queue->is_others ? queue->events[queue->first].time_ns
				: queue->records[queue->first].time_ns;
}

static bool first_is_release(const struct queue *queue)
{
	if (queue->is_others)
		return trace_event_is_release(queue->events[queue->first].kind);
	return trace_event_is_release((uint8_t)(queue->records[queue->first].size_kind >> 56));
}

/* Whether `left`'s first element goes out before `right`'s. */
static bool is_before(const void *a, const void *b)
{
	const struct queue *left = a, *right = b;
	uint64_t left_ns = first_time(left), right_ns = first_time(right);

	if (left_ns != right_ns)
		return left_ns < right_ns;
	bool left_releases = first_is_release(left), right_releases = first_is_release(right);
	if (left_releases != right_releases)
		return left_releases;
	if (left->is_others != right->is_others)
		return left->is_others;
	return left->tid < right->tid;
}

static void sift_down(struct merge *merge, size_t place)
{
	binary_heap_sift_down(merge->heap, merge->heap_count, place, is_before);
}

static void enter_heap(struct merge *merge, struct queue *queue)
{
	refill(queue);
	if (queue->first == queue->count)
		return;
	merge->heap = xgrow(merge->heap, merge->heap_count, &merge->heap_capacity,
			    sizeof(struct queue *));
	merge->heap[merge->heap_count++] = queue;
}

static void build_heap(struct merge *merge)
{
	merge->heap_count = 0;
	enter_heap(merge, &merge->others);
	for (int i = 0; i < BUCKETS; i++)
		for (struct queue *queue = merge->buckets[i]; queue; queue = queue->next)
			enter_heap(merge, queue);
	for (size_t i = merge->heap_count / 2; i-- > 0;)
		sift_down(merge, i);
}

/* Gives the elements that are gone back: all when the queue is empty, else by moving the rest. The
 * room stays where half of it was used: the next records will need it. */
static void compact_elements(struct queue *queue)
{
	size_t left = queue->count - queue->first;
	bool was_needed = 2 * queue->count > queue->capacity;

	if (left && queue->is_others)
		memmove(queue->events, queue->events + queue->first, left * sizeof(*queue->events));
	else if (left)
		memmove(queue->records, queue->records + queue->first,
			left * sizeof(*queue->records));
	queue->first = 0;
	queue->count = left;
	if (!left && !was_needed && queue->capacity > KEPT_CAPACITY)
		free_elements(queue);
}

static void compact_batches(struct batches *batches)
{
	size_t left = batches->count - batches->first;
	size_t left_words = batches->word_count - batches->first_word;
	bool was_needed = 2 * batches->word_count > batches->word_capacity;

	if (left) {
		memmove(batches->list, batches->list + batches->first,
			left * sizeof(*batches->list));
		memmove(batches->words, batches->words + batches->first_word,
			left_words * sizeof(*batches->words));
	}
	batches->first = batches->first_word = 0;
	batches->count = left;
	batches->word_count = left_words;
	if (!left && !was_needed && batches->word_capacity > KEPT_CAPACITY)
		free_batches(batches);
}

static void compact(struct queue *queue)
{
	compact_elements(queue);
	compact_batches(&queue->batches);
}

static void drop_empty_queues(struct merge *merge)
{
	for (int i = 0; i < BUCKETS; i++)
		for (struct queue **link = &merge->buckets[i]; *link;) {
			struct queue *queue = *link;

			if (queue->count || queue->batches.count) {
				link = &queue->next;
				continue;
			}
			*link = queue->next;
			free_queue(queue);
			free(queue);
			merge->queue_count--;
		}
}

static void compact_all(struct merge *merge)
{
	compact(&merge->others);
	for (int i = 0; i < BUCKETS; i++)
		for (struct queue *queue = merge->buckets[i]; queue; queue = queue->next)
			compact(queue);
	if (merge->queue_count > BUCKETS)
		drop_empty_queues(merge);
}

/* The first queue was changed: it finds its place, or leaves when it is empty. */
static void reorder(struct merge *merge)
{
	struct queue *queue = merge->heap[0];

	refill(queue);
	if (queue->first == queue->count)
		merge->heap[0] = merge->heap[--merge->heap_count];
	if (merge->heap_count)
		sift_down(merge, 0);
}

/* When the turn of another queue comes. */
static uint64_t next_turn(const struct merge *merge)
{
	uint64_t turn_ns = UINT64_MAX;

	for (size_t i = 1; i < 3 && i < merge->heap_count; i++)
		if (first_time(merge->heap[i]) < turn_ns)
			turn_ns = first_time(merge->heap[i]);
	return turn_ns;
}

static inline void note_time(struct merge *merge, uint64_t time_ns)
{
	merge->late_count += time_ns < merge->delivered_ns;
	if (time_ns > merge->delivered_ns)
		merge->delivered_ns = time_ns;
}

static void tell_records(struct merge *merge, const struct merge_sink *sink)
{
	if (merge->out_count)
		sink->records(sink->context, merge->process, merge->out, merge->out_count);
	merge->out_count = 0;
}

static void deliver_other(struct merge *merge, struct queue *queue, const struct merge_sink *sink)
{
	struct trace_event event = queue->events[queue->first++];

	tell_records(merge, sink);
	note_time(merge, event.time_ns);
	sink->event(sink->context, &event);
}

/* How many of the queue's records come before any other queue's: the first does. Mostly all do, and
 * the last one shows it, for times do not fall. */
static size_t count_run(const struct merge *merge, const struct queue *queue, uint64_t until_ns)
{
	uint64_t turn_ns = next_turn(merge);
	const struct trace_record *first = &queue->records[queue->first], *record = first + 1;
	const struct trace_record *end = &queue->records[queue->count];

	if (end[-1].time_ns < turn_ns && end[-1].time_ns <= until_ns)
		return (size_t)(end - first);
	while (record < end && record->time_ns < turn_ns && record->time_ns <= until_ns)
		record++;
	return (size_t)(record - first);
}

/* Times do not fall in a run: who is late stands before all others. */
static void note_times(struct merge *merge, const struct trace_record *run, size_t count)
{
	for (size_t i = 0; i < count && run[i].time_ns < merge->delivered_ns; i++)
		merge->late_count++;
	if (run[count - 1].time_ns > merge->delivered_ns)
		merge->delivered_ns = run[count - 1].time_ns;
}

static void put_out(struct merge *merge, const struct trace_record *run, size_t count,
		    const struct merge_sink *sink)
{
	if (merge->out_count + count > OUT_COUNT)
		tell_records(merge, sink);
	memcpy(&merge->out[merge->out_count], run, count * sizeof(*run));
	merge->out_count += count;
}

/* A run of the first queue: a long one is told from where it lies. */
static void deliver_records(struct merge *merge, uint64_t until_ns, const struct merge_sink *sink)
{
	struct queue *queue = merge->heap[0];
	const struct trace_record *run = &queue->records[queue->first];
	size_t count = count_run(merge, queue, until_ns);

	note_times(merge, run, count);
	queue->first += count;
	if (count < RUN_MIN) {
		put_out(merge, run, count, sink);
		return;
	}
	tell_records(merge, sink);
	sink->records(sink->context, merge->process, run, count);
}

void merge_release(struct merge *merge, uint64_t until_ns, const struct merge_sink *sink)
{
	build_heap(merge);
	while (merge->heap_count && first_time(merge->heap[0]) <= until_ns) {
		struct queue *first = merge->heap[0];

		if (first->is_others)
			deliver_other(merge, first, sink);
		else
			deliver_records(merge, until_ns, sink);
		reorder(merge);
	}
	tell_records(merge, sink);
	compact_all(merge);
}

uint64_t merge_late_count(const struct merge *merge)
{
	return merge->late_count;
}
