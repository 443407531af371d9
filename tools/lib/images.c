/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* One image per (process, program): a new one begins with each process event. `newest` finds the
 * image that a pid means now; its predecessor has ended by then.
 *
 *   pid 10  image 0 (start) --exec--> image 2
 *   pid 11  image 1 (fork of 0)
 *
 * A fork's child begins with its parent's memory, so its happenings wait until the parent's before
 * the fork were delivered. That is soon: the parent settles at each fork. When it died too early
 * for that, the child waits for FORK_PATIENCE_NS of the trace, no longer: what waits takes memory.
 *
 * LTTng gives a session the events of every process of the user that has our providers. Processes
 * of another recording are known by their session's name; their images are foreign, and ignored. */

#include "tools/lib/images.h"
#include "tools/lib/merge.h"
#include "tools/lib/pe.h"
#include "tools/lib/xalloc.h"

#include <stdlib.h>
#include <string.h>

#include "trace/schema/record.h"
#include "trace/schema/schema.h"

#define FORK_PATIENCE_NS UINT64_C(5000000000)

/* - merge is NULL when the image is complete or foreign;
 * - has_ended: nothing more will be added; then it is complete, unless it still waits for a parent;
 * - number is what others know it by, and means nothing when it is foreign;
 * - parent is a place in the list, or TRACE_NO_PROCESS when it is no fork's child or fork_ns is not
 *   known. */
struct image {
	uint32_t pid;
	uint32_t number;
	bool has_exited, has_ended, is_foreign;
	uint64_t start_ns;
	uint64_t told_ns; /* what happened up to then was delivered */
	uint32_t parent;
	uint64_t fork_ns;
	struct merge *merge;
};

struct images {
	reader_deliver deliver;
	void *context;
	reader_records records; /* or NULL */
	struct live *live;
	struct reader_summary *summary;
	struct image *list;
	size_t count, capacity;
	uint32_t told_count;       /* images that are not foreign */
	size_t ending_count;       /* that have ended and wait for a parent */
	const char *session;       /* NULL: every process belongs to the trace */
	uint32_t recorded_pid;     /* the first process of the session */
	uint64_t begin_ns, end_ns; /* see struct reader_input */
	uint32_t last;             /* the place in the list that the last event belonged to */
};

struct images *images_create(const struct reader_input *input, reader_deliver deliver,
			     void *context, struct live *live, struct reader_summary *summary)
{
	struct images *images = xcalloc(1, sizeof(*images));

	images->session = input->session;
	images->recorded_pid = input->pid;
	images->begin_ns = input->begin_ns;
	images->end_ns = input->end_ns ? input->end_ns : UINT64_MAX;
	images->deliver = deliver;
	images->context = context;
	images->records = input->records;
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

/* Of a snapshot, the records before its window are not all there, nor are any after it. */
static bool is_outside(const struct images *images, const struct trace_event *event)
{
	if (event->time_ns > images->end_ns)
		return true;
	return event->time_ns < images->begin_ns &&
	       (event->kind <= EVENT_ALLOCATE_FAILED || event->kind == TRACE_CALL);
}

static void deliver_happening(void *context, const struct trace_event *event)
{
	struct images *images = context;

	if (is_outside(images, event))
		return;
	if (event->kind < READER_KINDS)
		images->summary->kinds[event->kind]++;
	images->deliver(images->context, event);
}

static void deliver_singly(const struct images *images, uint32_t process,
			   const struct trace_record *records, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct trace_event event = trace_record_event(&records[i], process);

		images->deliver(images->context, &event);
	}
}

static void deliver_records(void *context, uint32_t process, const struct trace_record *records,
			    size_t count)
{
	struct images *images = context;

	for (; count && records->time_ns < images->begin_ns; count--)
		records++;
	while (count && records[count - 1].time_ns > images->end_ns)
		count--;
	for (size_t i = 0; i < count; i++)
		images->summary->kinds[trace_record_kind(&records[i]) % READER_KINDS]++;
	if (images->records)
		images->records(images->context, process, records, count);
	else
		deliver_singly(images, process, records, count);
}

static void release(struct images *images, struct image *image, uint64_t until_ns)
{
	const struct merge_sink sink = { deliver_records, deliver_happening, images };

	merge_release(image->merge, until_ns, &sink);
	if (until_ns > image->told_ns)
		image->told_ns = until_ns;
}

/* The place of the image that a pid means now. */
static uint32_t newest(struct images *images, uint32_t pid)
{
	if (images->last < images->count && images->list[images->last].pid == pid &&
	    !images->list[images->last].has_ended)
		return images->last;
	for (size_t i = images->count; i-- > 0;)
		if (images->list[i].pid == pid && !images->list[i].has_ended)
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
		struct batch_words words = { .list = slot->words,
					     .count = slot->header.used_words };
		images->summary->live_records += merge_count_records(words);
		merge_add_batch(image->merge, slot->header.tid, slot->header.begin_ns, words);
		slot->header.pid = 0;
	}
}

static bool is_waiting(const struct images *images, const struct image *image)
{
	const struct image *parent;

	if (image->parent == TRACE_NO_PROCESS)
		return false;
	parent = &images->list[image->parent];
	return parent->merge && parent->told_ns < image->fork_ns;
}

static void complete(struct images *images, struct image *image)
{
	struct trace_event event = { .kind = TRACE_END, .process = image->number };

	release(images, image, UINT64_MAX);
	images->summary->late_records += merge_late_count(image->merge);
	merge_destroy(image->merge);
	image->merge = NULL;
	tell(images, &event);
}

/* Parents stand before their children in the list. */
static void complete_those_that_waited(struct images *images)
{
	for (size_t i = 0; i < images->count && images->ending_count; i++) {
		struct image *image = &images->list[i];

		if (!image->has_ended || !image->merge || is_waiting(images, image))
			continue;
		images->ending_count--;
		complete(images, image);
	}
}

static void end_image(struct images *images, struct image *image, uint64_t end_ns)
{
	image->has_ended = true;
	if (image->is_foreign)
		return;
	take_slots(images, image, end_ns);
	images->ending_count++;
	complete_those_that_waited(images);
}

/* Nothing older than until_ns will come. */
static void settle(struct images *images, struct image *image, uint64_t until_ns)
{
	if (is_waiting(images, image)) {
		if (until_ns < image->fork_ns + FORK_PATIENCE_NS)
			return;
		release(images, &images->list[image->parent], image->fork_ns);
	}
	release(images, image, until_ns);
	complete_those_that_waited(images);
}

static struct image *add_image(struct images *images, uint32_t pid, uint64_t time_ns,
			       bool is_foreign)
{
	images->list = xgrow(images->list, images->count, &images->capacity, sizeof(*images->list));
	images->last = (uint32_t)images->count;
	struct image *image = &images->list[images->count++];
	*image = (struct image){ .pid = pid,
				 .start_ns = time_ns,
				 .is_foreign = is_foreign,
				 .parent = TRACE_NO_PROCESS };
	if (is_foreign)
		return image;
	image->number = images->told_count++;
	image->merge = merge_create(image->number);
	return image;
}

static struct image *add_unnamed(struct images *images, uint32_t pid, uint64_t time_ns,
				 bool is_foreign)
{
	struct image *image = add_image(images, pid, time_ns, is_foreign);
	struct trace_process process = { .pid = pid,
					 .parent = TRACE_NO_PROCESS,
					 .session = "",
					 .mode = "",
					 .exe = "",
					 .command_line = "",
					 .comm = "",
					 .wine = "" };
	struct trace_event event = { .kind = TRACE_PROCESS,
				     .time_ns = time_ns,
				     .process = image->number,
				     .image = &process };

	if (!is_foreign)
		tell(images, &event);
	return image;
}

/* The image of an event. One without a process event before it began before the session did, and is
 * another recording's; only when sessions are not known, or it has the recorded pid, it gets an
 * unnamed image. */
static struct image *need_image(struct images *images, uint32_t pid, uint64_t time_ns)
{
	uint32_t place = newest(images, pid);

	if (place != TRACE_NO_PROCESS)
		return &images->list[place];
	return add_unnamed(images, pid, time_ns, images->session && pid != images->recorded_pid);
}

static void decode_process(const struct decoded *event, struct trace_process *process)
{
	const char *reason = event->texts[PROCESS_REASON];

	process->parent_pid = (uint32_t)event->numbers[PROCESS_PARENT_PID];
	process->schema_version = (uint32_t)event->numbers[PROCESS_SCHEMA];
	process->page_size = (uint32_t)event->numbers[PROCESS_PAGE_SIZE];
	process->stack_depth = (uint32_t)event->numbers[PROCESS_STACK_DEPTH];
	process->min_size_bytes = event->numbers[PROCESS_MIN_SIZE];
	process->commit_limit_bytes = event->numbers[PROCESS_COMMIT_LIMIT];
	process->fork_ns = event->numbers[PROCESS_FORK_NS];
	process->session = event->texts[PROCESS_SESSION];
	process->mode = event->texts[PROCESS_MODE];
	process->exe = event->texts[PROCESS_EXE];
	process->command_line = event->texts[PROCESS_COMMAND];
	process->comm = event->texts[PROCESS_COMM];
	process->wine = event->texts[PROCESS_WINE];
	process->reason = !strcmp(reason, "fork") ? TRACE_REASON_FORK : TRACE_REASON_START;
}

/* What a process that had this pid before leaves is delivered first. Sets process->parent, and
 * tells exec from start. */
static void replace_image(struct images *images, struct trace_process *process, uint64_t time_ns)
{
	uint32_t place = newest(images, process->pid);

	if (place == TRACE_NO_PROCESS)
		return;
	struct image *before = &images->list[place];
	end_image(images, before, time_ns);
	if (before->is_foreign || before->has_exited || process->reason != TRACE_REASON_START)
		return;
	process->parent = before->number;
	process->reason = TRACE_REASON_EXEC;
}

/* The place of the image that forked, which may have called exec since. */
static uint32_t find_forked(const struct images *images, const struct trace_process *process)
{
	for (size_t i = images->count; i-- > 0;)
		if (images->list[i].pid == process->parent_pid &&
		    images->list[i].start_ns < process->fork_ns)
			return (uint32_t)i;
	return TRACE_NO_PROCESS;
}

/* Answers the parent's place, and sets process->parent. */
static uint32_t find_parent(struct images *images, struct trace_process *process)
{
	uint32_t place = process->fork_ns ? find_forked(images, process)
					  : newest(images, process->parent_pid);

	if (place == TRACE_NO_PROCESS || images->list[place].is_foreign)
		return TRACE_NO_PROCESS;
	process->parent = images->list[place].number;
	return place;
}

static void apply_process(struct images *images, const struct decoded *event,
			  struct trace_event *out)
{
	struct trace_process process = { .pid = event->pid, .parent = TRACE_NO_PROCESS };
	uint32_t parent = TRACE_NO_PROCESS;

	decode_process(event, &process);
	replace_image(images, &process, out->time_ns);
	bool is_foreign = out->time_ns > images->end_ns ||
			  (images->session && strcmp(process.session, images->session));
	if (process.parent == TRACE_NO_PROCESS)
		parent = find_parent(images, &process);
	struct image *image = add_image(images, event->pid, out->time_ns, is_foreign);
	if (is_foreign)
		return;
	if (process.fork_ns) {
		image->parent = parent;
		image->fork_ns = process.fork_ns;
	}
	out->kind = TRACE_PROCESS;
	out->process = image->number;
	out->image = &process;
	tell(images, out);
}

static void apply_module(struct images *images, const struct decoded *event,
			 struct trace_event *out)
{
	struct trace_module module = {
		.id = event->numbers[MODULE_ID],
		.base = event->numbers[MODULE_BASE],
		.start = event->numbers[MODULE_START],
		.end = event->numbers[MODULE_END],
		.path = event->texts[MODULE_PATH],
		.build_id = event->texts[MODULE_BUILD_ID],
	};

	out->kind = event->what == DECODE_MODULE ? TRACE_MODULE : TRACE_MODULE_GONE;
	out->module = &module;
	tell(images, out);
}

/* The two numbers that tell builds apart become the module's build-id. */
static void apply_pe_module(struct images *images, const struct decoded *event,
			    struct trace_event *out)
{
	char build_id[sizeof(VADTRACE_PE_BUILD_ID) + PE_IDENTITY_BYTES] = VADTRACE_PE_BUILD_ID;
	struct trace_module module = {
		.id = event->numbers[PE_MODULE_ID],
		.base = event->numbers[PE_MODULE_BASE],
		.start = event->numbers[PE_MODULE_START],
		.end = event->numbers[PE_MODULE_END],
		.path = event->texts[PE_MODULE_PATH],
		.build_id = build_id,
	};

	pe_identity((uint32_t)event->numbers[PE_MODULE_TIME_STAMP],
		    (uint32_t)event->numbers[PE_MODULE_IMAGE_SIZE],
		    build_id + strlen(VADTRACE_PE_BUILD_ID));
	out->kind = TRACE_MODULE;
	out->module = &module;
	tell(images, out);
}

static void apply_call(struct images *images, const struct decoded *event, struct trace_event *out)
{
	struct trace_call call = {
		.result = event->numbers[CALL_RESULT],
		.error = (uint32_t)event->numbers[CALL_ERROR],
	};

	call.arguments = event->words;
	call.argument_count = event->word_count;
	out->kind = TRACE_CALL;
	out->api = (uint16_t)event->numbers[CALL_API];
	out->stack = (uint32_t)event->numbers[CALL_STACK];
	out->call = &call;
	if (!is_outside(images, out))
		tell(images, out);
}

static void apply_hook(struct images *images, const struct decoded *event, struct trace_event *out)
{
	struct trace_hook hook = {
		.function = event->texts[HOOK_FUNCTION],
		.dll = event->texts[HOOK_DLL],
		.state = event->texts[HOOK_STATE],
		.reason = event->texts[HOOK_REASON],
	};

	out->kind = TRACE_HOOK;
	out->api = (uint16_t)event->numbers[HOOK_API];
	out->address = event->numbers[HOOK_ADDRESS];
	out->hook = &hook;
	tell(images, out);
}

static void apply_difference(struct images *images, const struct decoded *event,
			     struct trace_event *out)
{
	struct trace_difference difference = {
		.what = event->texts[DIFFERENCE_WHAT],
		.wine = event->numbers[DIFFERENCE_WINE],
		.core = event->numbers[DIFFERENCE_CORE],
	};

	difference.arguments = event->words;
	difference.argument_count = event->word_count;
	out->kind = TRACE_DIFFERENCE;
	out->api = (uint16_t)event->numbers[DIFFERENCE_API];
	out->stack = (uint32_t)event->numbers[DIFFERENCE_STACK];
	out->difference = &difference;
	tell(images, out);
}

static void apply_stacks(struct images *images, const struct decoded *event,
			 struct trace_event *out)
{
	const struct trace_comparison comparison = {
		.compared = event->numbers[STACKS_COMPARED],
		.partial = event->numbers[STACKS_PARTIAL],
		.different = event->numbers[STACKS_DIFFERENT],
	};

	out->kind = TRACE_STACKS;
	out->comparison = &comparison;
	tell(images, out);
}

static void apply_definition(struct images *images, struct image *image,
			     const struct decoded *event, struct trace_event *out)
{
	switch (event->what) {
	case DECODE_EXIT:
		out->kind = TRACE_EXIT;
		image->has_exited = true;
		merge_add_event(image->merge, out);
		return;
	case DECODE_THREAD:
		out->kind = TRACE_THREAD;
		out->tid = (uint32_t)event->numbers[THREAD_TID];
		out->name = event->texts[THREAD_NAME];
		break;
	case DECODE_STACK:
		out->kind = TRACE_STACK;
		out->stack = (uint32_t)event->numbers[STACK_ID];
		out->frames.addresses = event->words;
		out->frames.count = event->word_count;
		break;
	case DECODE_LOST:
		out->kind = TRACE_LOST;
		out->extra = event->numbers[LOST_COUNT];
		images->summary->lost_records += out->extra;
		break;
	case DECODE_PE_MODULE:
		apply_pe_module(images, event, out);
		return;
	case DECODE_CALL:
		apply_call(images, event, out);
		return;
	case DECODE_HOOK:
		apply_hook(images, event, out);
		return;
	case DECODE_DIFFERENCE:
		apply_difference(images, event, out);
		return;
	case DECODE_STACKS:
		apply_stacks(images, event, out);
		return;
	default:
		apply_module(images, event, out);
		return;
	}
	tell(images, out);
}

static void apply_batch(struct images *images, struct image *image, const struct decoded *event)
{
	uint32_t tid = (uint32_t)event->numbers[BATCH_TID];
	uint64_t begin_ns = event->numbers[BATCH_BEGIN_NS];
	struct batch_words words = event->batch;

	if (!words.list)
		words = (struct batch_words){ .list = event->words, .count = event->word_count };
	merge_add_batch(image->merge, tid, begin_ns, words);
	live_drop_batch(images->live, image->pid, tid, begin_ns);
	images->summary->batches++;
}

/* A record on its own goes with the other events: its thread's queue would have to be resorted. */
static void apply_record(struct image *image, const struct decoded *event, struct trace_event *out)
{
	struct record record;

	if (event->word_count != RECORD_WORDS)
		return;
	record_decode(&record, event->words);
	if (record.kind < EVENT_ALLOCATE || record.kind > EVENT_ALLOCATE_FAILED)
		return;
	out->kind = record.kind;
	out->tid = (uint32_t)event->numbers[RECORD_TID];
	out->time_ns = event->numbers[RECORD_TIME_NS];
	out->api = record.api;
	out->stack = record.stack;
	out->address = record.address;
	out->size_bytes = record.size_bytes;
	out->extra = record_alignment(record.flags);
	out->heap = event->numbers[RECORD_HEAP];
	merge_add_event(image->merge, out);
}

static void apply_block(struct image *image, const struct decoded *event, struct trace_event *out)
{
	out->kind = event->kind;
	out->time_ns = event->numbers[BLOCK_TIME_NS];
	out->address = event->numbers[BLOCK_ADDRESS];
	out->size_bytes = event->numbers[BLOCK_SIZE];
	out->extra = event->numbers[BLOCK_ALIGNMENT];
	out->heap = event->numbers[BLOCK_HEAP];
	out->api = (uint16_t)event->numbers[BLOCK_API];
	out->stack = (uint32_t)event->numbers[BLOCK_STACK];
	merge_add_event(image->merge, out);
}

static void apply_heap(struct image *image, const struct decoded *event, struct trace_event *out)
{
	out->kind = event->kind;
	out->heap = event->numbers[HEAP_HEAP];
	out->api = (uint16_t)event->numbers[HEAP_API];
	out->stack = (uint32_t)event->numbers[HEAP_STACK];
	out->type = (uint32_t)event->numbers[HEAP_FLAGS];
	out->size_bytes = event->numbers[HEAP_MAXIMUM];
	merge_add_event(image->merge, out);
}

static void apply_error(struct image *image, const struct decoded *event, struct trace_event *out)
{
	out->kind = event->kind;
	out->address = event->numbers[ERROR_ADDRESS];
	out->size_bytes = event->numbers[ERROR_SIZE];
	out->heap = event->numbers[ERROR_HEAP];
	out->type = (uint32_t)event->numbers[ERROR_MISUSE];
	out->api = (uint16_t)event->numbers[ERROR_API];
	out->stack = (uint32_t)event->numbers[ERROR_STACK];
	out->extra = event->numbers[ERROR_BLOCK];
	out->protect = (uint32_t)event->numbers[ERROR_ALLOCATED];
	out->owner = (uint32_t)event->numbers[ERROR_FREED];
	merge_add_event(image->merge, out);
}

static void apply_vad(struct image *image, const struct decoded *event, struct trace_event *out)
{
	out->kind = event->kind;
	out->address = event->numbers[VAD_ADDRESS];
	out->size_bytes = event->numbers[VAD_SIZE];
	out->type = (uint32_t)event->numbers[VAD_TYPE];
	out->protect = (uint32_t)event->numbers[VAD_PROTECT];
	out->extra = event->numbers[VAD_EXTRA];
	out->owner = (uint32_t)event->numbers[VAD_OWNER];
	out->api = (uint16_t)event->numbers[VAD_API];
	out->stack = (uint32_t)event->numbers[VAD_STACK];
	merge_add_event(image->merge, out);
}

/* A process that has not been introduced yet is taken for one of this recording: LTTng lists the
 * modules first. */
static bool is_recorded(struct images *images, uint32_t pid)
{
	uint32_t place = newest(images, pid);

	return place == TRACE_NO_PROCESS || !images->list[place].is_foreign;
}

static void count_again(struct images *images, const struct decoded *event)
{
	if (is_recorded(images, event->pid))
		images->summary->repeated_events++;
	else
		images->summary->foreign_events++;
}

void images_apply(struct images *images, const struct decoded *event)
{
	struct trace_event out = { .time_ns = event->time_ns, .tid = event->tid };

	if (event->what == DECODE_PROCESS) {
		apply_process(images, event, &out);
		return;
	}
	if (event->what == DECODE_AGAIN) {
		count_again(images, event);
		return;
	}
	struct image *image = need_image(images, event->pid, event->time_ns);
	if (image->is_foreign) {
		images->summary->foreign_events++;
		return;
	}
	out.process = image->number;
	switch (event->what) {
	case DECODE_BATCH:
		apply_batch(images, image, event);
		break;
	case DECODE_RECORD:
		apply_record(image, event, &out);
		break;
	case DECODE_BLOCK:
		apply_block(image, event, &out);
		break;
	case DECODE_SETTLED:
		settle(images, image, event->numbers[SETTLED_UNTIL_NS]);
		break;
	case DECODE_FORK:
		out.kind = TRACE_FORK;
		out.extra = out.time_ns = event->numbers[FORK_FORK_NS];
		merge_add_event(image->merge, &out);
		break;
	case DECODE_HEAP:
		apply_heap(image, event, &out);
		break;
	case DECODE_ERROR:
		apply_error(image, event, &out);
		break;
	case DECODE_VAD:
		apply_vad(image, event, &out);
		break;
	default:
		apply_definition(images, image, event, &out);
		break;
	}
}

/* A process of which LTTng never wrote an event may still have left records. */
static void adopt_orphans(struct images *images)
{
	for (size_t i = 0; i < images->live->count; i++) {
		const struct live_slot_header *header = &images->live->slots[i].header;

		if (!header->pid)
			continue;
		uint32_t place = newest(images, header->pid);
		struct image *image = place != TRACE_NO_PROCESS
					      ? &images->list[place]
					      : add_unnamed(images, header->pid, header->begin_ns,
							    /* foreign */ false);
		if (image->start_ns > header->begin_ns)
			image->start_ns = header->begin_ns;
	}
}

void images_finish(struct images *images)
{
	adopt_orphans(images);
	for (size_t i = 0; i < images->count; i++)
		if (!images->list[i].has_ended)
			end_image(images, &images->list[i], UINT64_MAX);
}
