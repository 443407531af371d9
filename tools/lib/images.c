/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* One image per (process, program): a new one begins with each process event. `newest` finds the
 * image that a pid means now; its predecessor has ended by then.
 *
 *   pid 10  image 0 (start) --exec--> image 2
 *   pid 11  image 1 (fork of 0) */

#include "tools/lib/images.h"
#include "tools/lib/merge.h"
#include "tools/lib/xalloc.h"

#include <stdlib.h>
#include <string.h>

#include "trace/schema/record.h"

/* - merge is NULL when the image has ended. */
struct image {
	uint32_t pid;
	bool has_exited;
	uint64_t start_ns;
	struct merge *merge;
};

struct images {
	reader_deliver deliver;
	void *context;
	struct live *live;
	struct reader_summary *summary;
	struct image *list;
	size_t count, capacity;
	uint32_t last; /* the image that the last event belonged to */
};

struct images *images_create(reader_deliver deliver, void *context, struct live *live,
			     struct reader_summary *summary)
{
	struct images *images = xcalloc(1, sizeof(*images));

	images->deliver = deliver;
	images->context = context;
	images->live = live;
	images->summary = summary;
	return images;
}

void images_destroy(struct images *images)
{
	for (size_t i = 0; i < images->count; i++)
		merge_destroy(images->list[i].merge);
	free(images->list);
	free(images);
}

static void tell(struct images *images, const struct trace_event *event)
{
	images->summary->definitions++;
	images->deliver(images->context, event);
}

static void deliver_happening(void *context, const struct trace_event *event)
{
	struct images *images = context;

	if (event->kind < READER_KINDS)
		images->summary->kinds[event->kind]++;
	images->deliver(images->context, event);
}

static void release(struct images *images, const struct image *image, uint64_t until_ns)
{
	merge_release(image->merge, until_ns, deliver_happening, images);
}

static uint32_t newest(struct images *images, uint32_t pid)
{
	if (images->last < images->count && images->list[images->last].pid == pid &&
	    images->list[images->last].merge)
		return images->last;
	for (size_t i = images->count; i-- > 0;)
		if (images->list[i].pid == pid && images->list[i].merge)
			return images->last = (uint32_t)i;
	return TRACE_NO_PROCESS;
}

/* Takes over what the image left in its slots. Slots written after end_ns belong to another. */
static void take_slots(struct images *images, struct image *image, uint64_t end_ns)
{
	for (size_t i = 0; i < images->live->count; i++) {
		struct live_slot *slot = &images->live->slots[i];

		if (slot->header.pid != image->pid || slot->header.begin_ns < image->start_ns ||
		    slot->header.begin_ns >= end_ns)
			continue;
		images->summary->live_records +=
			merge_add_batch(image->merge, slot->header.tid, slot->header.begin_ns,
					slot->words, slot->header.used_words);
		slot->header.pid = 0;
	}
}

static void end_image(struct images *images, uint32_t number, uint64_t end_ns)
{
	struct image *image = &images->list[number];
	struct trace_event event = { .kind = TRACE_END, .process = number };

	take_slots(images, image, end_ns);
	release(images, image, UINT64_MAX);
	images->summary->late_records += merge_late_count(image->merge);
	merge_destroy(image->merge);
	image->merge = NULL;
	tell(images, &event);
}

static uint32_t add_image(struct images *images, uint32_t pid, uint64_t time_ns)
{
	uint32_t number = (uint32_t)images->count;

	images->list = xgrow(images->list, images->count, &images->capacity, sizeof(*images->list));
	images->list[images->count++] =
		(struct image){ .pid = pid, .start_ns = time_ns, .merge = merge_create(number) };
	return images->last = number;
}

/* The image of an event: one without a process event before it gets an unnamed image. */
static uint32_t need_image(struct images *images, uint32_t pid, uint64_t time_ns)
{
	uint32_t number = newest(images, pid);
	struct trace_process process = { .pid = pid,
					 .parent = TRACE_NO_PROCESS,
					 .session = "",
					 .mode = "",
					 .exe = "",
					 .command_line = "",
					 .comm = "" };
	struct trace_event event = { .kind = TRACE_PROCESS, .time_ns = time_ns, .image = &process };

	if (number != TRACE_NO_PROCESS)
		return number;
	event.process = add_image(images, pid, time_ns);
	tell(images, &event);
	return event.process;
}

static void decode_process(const struct layout *layout, const bt_event *event,
			   struct trace_process *process)
{
	const char *reason = decode_text(layout, event, PROCESS_REASON);

	process->parent_pid = (uint32_t)decode_number(layout, event, PROCESS_PARENT_PID);
	process->schema_version = (uint32_t)decode_number(layout, event, PROCESS_SCHEMA);
	process->page_size = (uint32_t)decode_number(layout, event, PROCESS_PAGE_SIZE);
	process->stack_depth = (uint32_t)decode_number(layout, event, PROCESS_STACK_DEPTH);
	process->min_size_bytes = decode_number(layout, event, PROCESS_MIN_SIZE);
	process->session = decode_text(layout, event, PROCESS_SESSION);
	process->mode = decode_text(layout, event, PROCESS_MODE);
	process->exe = decode_text(layout, event, PROCESS_EXE);
	process->command_line = decode_text(layout, event, PROCESS_COMMAND);
	process->comm = decode_text(layout, event, PROCESS_COMM);
	process->reason = !strcmp(reason, "fork") ? TRACE_REASON_FORK : TRACE_REASON_START;
}

/* The events of an image that a killed process of the same pid left are delivered first. */
static void apply_process(struct images *images, const struct layout *layout, const bt_event *event,
			  struct trace_event *out, uint32_t pid)
{
	uint32_t before = newest(images, pid);
	struct trace_process process = { .pid = pid, .parent = TRACE_NO_PROCESS };

	decode_process(layout, event, &process);
	if (before != TRACE_NO_PROCESS) {
		bool is_exec =
			process.reason == TRACE_REASON_START && !images->list[before].has_exited;

		end_image(images, before, out->time_ns);
		process.parent = is_exec ? before : TRACE_NO_PROCESS;
		process.reason = is_exec ? TRACE_REASON_EXEC : process.reason;
	}
	if (process.reason == TRACE_REASON_FORK)
		process.parent = newest(images, process.parent_pid);
	out->kind = TRACE_PROCESS;
	out->process = add_image(images, pid, out->time_ns);
	out->image = &process;
	tell(images, out);
}

static void apply_module(struct images *images, const struct layout *layout, const bt_event *event,
			 struct trace_event *out)
{
	struct trace_module module = {
		.id = decode_number(layout, event, MODULE_ID),
		.base = decode_number(layout, event, MODULE_BASE),
		.start = decode_number(layout, event, MODULE_START),
		.end = decode_number(layout, event, MODULE_END),
		.path = decode_text(layout, event, MODULE_PATH),
		.build_id = decode_text(layout, event, MODULE_BUILD_ID),
	};

	out->kind = layout->what == DECODE_MODULE ? TRACE_MODULE : TRACE_MODULE_GONE;
	out->module = &module;
	tell(images, out);
}

static void apply_definition(struct images *images, struct decoder *decoder,
			     const struct layout *layout, const bt_event *event,
			     struct trace_event *out)
{
	switch (layout->what) {
	case DECODE_EXIT:
		out->kind = TRACE_EXIT;
		images->list[out->process].has_exited = true;
		break;
	case DECODE_THREAD:
		out->kind = TRACE_THREAD;
		out->tid = (uint32_t)decode_number(layout, event, THREAD_TID);
		out->name = decode_text(layout, event, THREAD_NAME);
		break;
	case DECODE_STACK:
		out->kind = TRACE_STACK;
		out->stack = (uint32_t)decode_number(layout, event, STACK_ID);
		out->frames.addresses =
			decode_words(decoder, layout, event, STACK_FRAMES, &out->frames.count);
		break;
	case DECODE_LOST:
		out->kind = TRACE_LOST;
		out->extra = decode_number(layout, event, LOST_COUNT);
		images->summary->lost_records += out->extra;
		break;
	default:
		apply_module(images, layout, event, out);
		return;
	}
	tell(images, out);
}

static void apply_batch(struct images *images, struct decoder *decoder, const struct layout *layout,
			const bt_event *event, uint32_t number)
{
	struct merge *merge = images->list[number].merge;
	size_t count;
	const uint64_t *words = decode_words(decoder, layout, event, BATCH_WORDS, &count);

	merge_add_batch(merge, (uint32_t)decode_number(layout, event, BATCH_TID),
			decode_number(layout, event, BATCH_BEGIN_NS), words, count);
	images->summary->batches++;
}

/* A record on its own goes with the other events: its thread's queue would have to be resorted. */
static void apply_record(struct images *images, struct decoder *decoder,
			 const struct layout *layout, const bt_event *event,
			 struct trace_event *out)
{
	struct record record;
	size_t count;
	const uint64_t *words = decode_words(decoder, layout, event, RECORD_FIELD_WORDS, &count);

	if (count != RECORD_WORDS)
		return;
	record_decode(&record, words);
	if (record.kind < EVENT_ALLOCATE || record.kind > EVENT_ALLOCATE_FAILED)
		return;
	out->kind = record.kind;
	out->tid = (uint32_t)decode_number(layout, event, RECORD_TID);
	out->time_ns = decode_number(layout, event, RECORD_TIME_NS);
	out->api = record.api;
	out->stack = record.stack;
	out->address = record.address;
	out->size_bytes = record.size_bytes;
	out->heap = decode_number(layout, event, RECORD_HEAP);
	merge_add_event(images->list[out->process].merge, out);
}

static void apply_heap(struct images *images, const struct layout *layout, const bt_event *event,
		       struct trace_event *out)
{
	out->kind = layout->kind;
	out->heap = decode_number(layout, event, HEAP_HEAP);
	out->api = (uint16_t)decode_number(layout, event, HEAP_API);
	out->stack = (uint32_t)decode_number(layout, event, HEAP_STACK);
	out->type = (uint32_t)decode_number(layout, event, HEAP_FLAGS);
	out->size_bytes = decode_number(layout, event, HEAP_MAXIMUM);
	merge_add_event(images->list[out->process].merge, out);
}

static void apply_vad(struct images *images, const struct layout *layout, const bt_event *event,
		      struct trace_event *out)
{
	out->kind = layout->kind;
	out->address = decode_number(layout, event, VAD_ADDRESS);
	out->size_bytes = decode_number(layout, event, VAD_SIZE);
	out->type = (uint32_t)decode_number(layout, event, VAD_TYPE);
	out->protect = (uint32_t)decode_number(layout, event, VAD_PROTECT);
	out->extra = decode_number(layout, event, VAD_EXTRA);
	out->owner = (uint32_t)decode_number(layout, event, VAD_OWNER);
	out->api = (uint16_t)decode_number(layout, event, VAD_API);
	out->stack = (uint32_t)decode_number(layout, event, VAD_STACK);
	merge_add_event(images->list[out->process].merge, out);
}

void images_apply(struct images *images, struct decoder *decoder, const struct layout *layout,
		  const bt_event *event, uint64_t time_ns)
{
	struct trace_event out = { .time_ns = time_ns };
	uint32_t pid;

	decode_context(layout, event, &pid, &out.tid);
	if (layout->what == DECODE_PROCESS) {
		apply_process(images, layout, event, &out, pid);
		return;
	}
	out.process = need_image(images, pid, time_ns);
	switch (layout->what) {
	case DECODE_BATCH:
		apply_batch(images, decoder, layout, event, out.process);
		break;
	case DECODE_RECORD:
		apply_record(images, decoder, layout, event, &out);
		break;
	case DECODE_SETTLED:
		release(images, &images->list[out.process],
			decode_number(layout, event, SETTLED_UNTIL_NS));
		break;
	case DECODE_HEAP:
		apply_heap(images, layout, event, &out);
		break;
	case DECODE_VAD:
		apply_vad(images, layout, event, &out);
		break;
	default:
		apply_definition(images, decoder, layout, event, &out);
		break;
	}
}

/* A process of which LTTng never wrote an event may still have left records. */
static void adopt_orphans(struct images *images)
{
	for (size_t i = 0; i < images->live->count; i++) {
		const struct live_slot_header *header = &images->live->slots[i].header;

		if (header->pid && newest(images, header->pid) == TRACE_NO_PROCESS)
			need_image(images, header->pid, header->begin_ns);
		if (header->pid &&
		    images->list[newest(images, header->pid)].start_ns > header->begin_ns)
			images->list[newest(images, header->pid)].start_ns = header->begin_ns;
	}
}

void images_finish(struct images *images)
{
	adopt_orphans(images);
	for (size_t i = 0; i < images->count; i++)
		if (images->list[i].merge)
			end_image(images, (uint32_t)i, UINT64_MAX);
}
