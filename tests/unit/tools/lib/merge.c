/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Merge: order of time over threads and other events, held back until it is settled. */

#include "tools/lib/merge.h"

#include "tests/lib/tap.h"
#include "trace/schema/record.h"

#include <stdlib.h>
#include <string.h>

enum { SEEN_MAX = 4096 };

static struct trace_event seen[SEEN_MAX];
static size_t seen_count;

static void deliver(void *context, const struct trace_event *event)
{
	(void)context;
	if (seen_count < SEEN_MAX)
		seen[seen_count] = *event;
	seen_count++;
}

static void deliver_records(void *context, uint32_t process, const struct trace_record *records,
			    size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct trace_event event = trace_record_event(&records[i], process);

		deliver(context, &event);
	}
}

static const struct merge_sink sink = { deliver_records, deliver, NULL };

static size_t put(uint64_t *words, size_t count, uint8_t kind, uint64_t address, uint32_t delta)
{
	struct record record = {
		.kind = kind, .address = address, .size_bytes = 8, .delta_ns = delta
	};

	record_encode(&record, words + count);
	return count + RECORD_WORDS;
}

/* The words may be used for something else then. */
static void add(struct merge *merge, uint32_t tid, uint64_t begin_ns, const uint64_t *words,
		size_t count)
{
	merge_add_batch(merge, tid, begin_ns,
			(struct batch_words){ .list = words, .count = count });
}

static void test_order(void)
{
	struct merge *merge = merge_create(3);
	struct trace_event vad = { .kind = EVENT_VAD_RESERVE, .time_ns = 1025, .address = 5 };
	uint64_t words[64];
	size_t count = 0;

	seen_count = 0;
	count = put(words, count, EVENT_ALLOCATE, 1, 10);
	count = put(words, count, EVENT_ALLOCATE, 3, 30);
	add(merge, 7, 1000, words, count);
	merge_add_event(merge, &vad);
	count = put(words, 0, EVENT_ALLOCATE, 2, 20);
	count = put(words, count, EVENT_ALLOCATE, 4, 40);
	add(merge, 8, 1000, words, count);
	ok_equal(seen_count, 0, "nothing goes out before it is settled");
	merge_release(merge, 1030, &sink);
	ok_equal(seen_count, 4, "what is settled goes out");
	ok(seen[0].address == 1 && seen[1].address == 2 && seen[2].address == 5 &&
		   seen[3].address == 3,
	   "in the order of time");
	ok(seen[1].tid == 8 && seen[1].process == 3 && seen[1].size_bytes == 8,
	   "with its thread and process");
	merge_release(merge, UINT64_MAX, &sink);
	ok(seen_count == 5 && seen[4].address == 4, "the rest at the end");
	ok_equal(merge_late_count(merge), 0, "nothing was late");
	merge_destroy(merge);
}

static void test_ties(void)
{
	struct merge *merge = merge_create(0);
	uint64_t words[64];
	size_t count;

	seen_count = 0;
	count = put(words, 0, EVENT_ALLOCATE, 1, 5);
	add(merge, 7, 0, words, count);
	count = put(words, 0, EVENT_FREE, 1, 5);
	add(merge, 8, 0, words, count);
	merge_release(merge, UINT64_MAX, &sink);
	ok(seen[0].kind == EVENT_FREE && seen[1].kind == EVENT_ALLOCATE,
	   "at equal times a release comes first");
	merge_destroy(merge);
}

static void test_odd_batches(void)
{
	struct merge *merge = merge_create(0);
	uint64_t words[64];
	size_t count = 0;

	seen_count = 0;
	count = put(words, count, EVENT_ALLOCATE, 1, 1);
	count = put(words, count, RECORD_KIND_HEAP, 0x7000, 1);
	count = put(words, count, EVENT_ALLOCATE, 2, 3);
	count = put(words, count, EVENT_ALLOCATE, 3, 2); /* a signal handler's */
	count = put(words, count, 0x55, 9, 4);           /* no kind that we know */
	add(merge, 1, 0, words, count + 2);
	ok_equal(merge_count_records((struct batch_words){ .list = words, .count = count + 2 }), 3,
		 "takes whole, known records");
	count = put(words, 0, EVENT_ALLOCATE, 4, 5);
	add(merge, 1, 0, words, count);
	merge_release(merge, UINT64_MAX, &sink);
	ok(seen_count == 4 && seen[1].address == 3 && seen[2].address == 2,
	   "an older record finds its place");
	ok(seen[0].heap == 0 && seen[1].heap == 0x7000 && seen[2].heap == 0x7000,
	   "the heap holds for the records behind it");
	ok_equal(seen[3].heap, 0, "the next batch begins with the process heap");
	count = put(words, 0, EVENT_FREE, 4, 1);
	add(merge, 2, 0, words, count);
	merge_release(merge, UINT64_MAX, &sink);
	ok_equal(merge_late_count(merge), 1, "what comes too late is counted");
	merge_destroy(merge);
}

static void test_many_threads(void)
{
	struct merge *merge = merge_create(0);
	uint64_t words[64];
	bool is_ordered = true;

	seen_count = 0;
	for (uint32_t tid = 1; tid <= 1000; tid++) {
		size_t count = put(words, 0, EVENT_ALLOCATE, tid, tid * 7919 % 1000);

		count = put(words, count, EVENT_ALLOCATE, tid, 1000 + tid * 104729 % 1000);
		add(merge, tid, 0, words, count);
		if (tid % 100 == 0)
			merge_release(merge, 0, &sink);
	}
	merge_release(merge, UINT64_MAX, &sink);
	for (size_t i = 1; i < seen_count && i < SEEN_MAX; i++)
		is_ordered &= seen[i - 1].time_ns <= seen[i].time_ns;
	ok_equal(seen_count, 2000, "all records of 1000 threads");
	ok(is_ordered, "in order");
	merge_destroy(merge);
}

enum { STEPS = 3000, THREADS = 3, BATCH_MAX = 8, UNIT = STEPS * BATCH_MAX, WAITING_MAX = 8192 };

/* What the merge has to tell: times that wait, no two the same. */
struct model {
	uint64_t waiting[WAITING_MAX];
	size_t count, told;
	uint64_t random;
	bool is_right;
};

static uint64_t draw(struct model *model, uint64_t limit)
{
	model->random = model->random * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (model->random >> 33) % limit;
}

static int compare_times(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

/* A batch of records in any order. Two of three are copied; the third lies at an odd address. */
static void add_random(struct merge *merge, struct model *model, uint64_t begin_ns, uint32_t step)
{
	static unsigned char kept[STEPS][BATCH_MAX * RECORD_WORDS * sizeof(uint64_t) + 1];
	uint64_t records = draw(model, BATCH_MAX + 1), words[BATCH_MAX * RECORD_WORDS];
	uint32_t tid = 1 + (uint32_t)draw(model, THREADS);
	size_t count = 0;

	for (uint32_t i = 0; i < records; i++) {
		uint32_t delta = (uint32_t)draw(model, 40) * UNIT + i * STEPS + step;

		count = put(words, count, EVENT_ALLOCATE, step + 1, delta);
		model->waiting[model->count++] = begin_ns + delta;
	}
	if (step % 3) {
		add(merge, tid, begin_ns, words, count);
		memset(words, 0xff, sizeof(words));
		return;
	}
	memcpy(kept[step] + 1, words, count * sizeof(*words));
	merge_add_batch(merge, tid, begin_ns,
			(struct batch_words){ .list = (const batch_word *)(kept[step] + 1),
					      .count = count,
					      .are_lasting = true });
}

/* All that waits up to then was told, in order, and nothing else. */
static void check_told(struct model *model, uint64_t until_ns)
{
	size_t due = 0;

	qsort(model->waiting, model->count, sizeof(*model->waiting), compare_times);
	while (due < model->count && model->waiting[due] <= until_ns)
		due++;
	model->is_right &= seen_count == due;
	for (size_t i = 0; i < due && i < seen_count; i++)
		model->is_right &= seen[i].time_ns == model->waiting[i];
	memmove(model->waiting, model->waiting + due,
		(model->count - due) * sizeof(*model->waiting));
	model->count -= due;
	model->told += due;
	seen_count = 0;
}

/* Batches that overlap, that come too late, and that lie before others of their thread. */
static void test_random(void)
{
	struct merge *merge = merge_create(0);
	struct model model = { .random = 7, .is_right = true };
	uint64_t now = 100;

	seen_count = 0;
	for (uint32_t step = 0; step < STEPS; step++) {
		now += draw(&model, 10);
		add_random(merge, &model, (now - draw(&model, draw(&model, 60) + 1)) * UNIT, step);
		if (draw(&model, 10) && step + 1 < STEPS)
			continue;
		uint64_t until_ns = step + 1 < STEPS ? (now - draw(&model, 50)) * UNIT : UINT64_MAX;
		merge_release(merge, until_ns, &sink);
		check_told(&model, until_ns);
	}
	ok(model.is_right, "random: each release tells what is due, in order");
	ok(model.told > STEPS && !model.count, "random: all was told");
	ok(merge_late_count(merge), "random: some came too late");
	merge_destroy(merge);
}

int main(void)
{
	test_order();
	test_ties();
	test_odd_batches();
	test_many_threads();
	test_random();
	return tap_done();
}
