/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Reads what babeltrace2 prints of a trace and checks the promises of trace/schema/schema.h,
 * without the reader of our tools. Prints "name value" lines for raw.sh to compare.
 *
 * Usage: babeltrace2 TRACE | verify PID [LIVE_FILE...]; PID 0: all processes as one. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/event.h"
#include "trace/schema/live.h"
#include "trace/schema/record.h"

#define STACKS_MAX (1u << 20)
#define BLOCKS_MAX (1u << 22)

/* One record with its own time. `order` keeps a thread's own order at equal times. */
struct entry {
	uint64_t time_ns, heap, order;
	struct record record;
	uint32_t tid;
};

struct batch_name {
	uint64_t begin_ns;
	uint32_t tid;
};

static struct entry *entries;
static size_t entry_count, entry_capacity;
static struct batch_name *batches;
static size_t batch_count, batch_capacity;
static bool stack_known[STACKS_MAX];
static uint64_t blocks[BLOCKS_MAX];
static uint64_t settled_ns;
static unsigned long long counts[256];
static unsigned long long stacks, repeated_stacks, used_before, late, singles, settled_count;
static unsigned long long from_live, twice_live, unknown_frees, processes, exits, threads, modules;
static unsigned long long ranges;

static void *grow(void *array, size_t count, size_t *capacity, size_t size)
{
	if (count < *capacity)
		return array;
	*capacity = *capacity ? 2 * *capacity : 1024;
	array = realloc(array, *capacity * size);
	if (!array)
		abort();
	return array;
}

static void add_record(uint32_t tid, uint64_t begin_ns, uint64_t heap, const uint64_t *words)
{
	struct entry entry = { .tid = tid, .heap = heap, .order = entry_count };

	record_decode(&entry.record, words);
	entry.time_ns = begin_ns + entry.record.delta_ns;
	counts[entry.record.kind]++;
	late += entry.time_ns <= settled_ns;
	if (entry.record.stack != 0)
		used_before += !stack_known[entry.record.stack % STACKS_MAX];
	entries = grow(entries, entry_count, &entry_capacity, sizeof(*entries));
	entries[entry_count++] = entry;
}

static void add_batch(uint32_t tid, uint64_t begin_ns, const uint64_t *words, size_t count)
{
	uint64_t heap = 0;

	for (size_t i = 0; i + RECORD_WORDS <= count; i += RECORD_WORDS) {
		if (words[i + 1] >> 56 == RECORD_KIND_HEAP)
			heap = words[i] & RECORD_ADDRESS_MASK;
		else
			add_record(tid, begin_ns, heap, words + i);
	}
	batches = grow(batches, batch_count, &batch_capacity, sizeof(*batches));
	batches[batch_count++] = (struct batch_name){ begin_ns, tid };
}

static uint64_t field(const char *line, const char *name)
{
	char text[64];
	const char *at;

	snprintf(text, sizeof(text), " %s = ", name);
	at = strstr(line, text);
	return at ? strtoull(at + strlen(text), NULL, 0) : 0;
}

static size_t read_words(const char *line, const char *name, uint64_t *words, size_t capacity)
{
	char text[64];
	size_t count = 0;
	const char *at;

	snprintf(text, sizeof(text), " %s = [", name);
	at = strstr(line, text);
	while (at && count < capacity && (at = strstr(at, "] = "))) {
		at += 4;
		words[count++] = strtoull(at, NULL, 0);
	}
	return count;
}

static void read_stack(const char *line)
{
	uint64_t id = field(line, "stack");

	stacks++;
	repeated_stacks += stack_known[id % STACKS_MAX];
	stack_known[id % STACKS_MAX] = true;
}

static void read_heap(const char *line)
{
	uint64_t words[LIVE_SLOT_WORDS];
	size_t count = read_words(line, "words", words, LIVE_SLOT_WORDS);

	if (strstr(line, "vadtrace_heap:batch")) {
		add_batch((uint32_t)field(line, "tid"), field(line, "begin_ns"), words, count);
	} else if (strstr(line, "vadtrace_heap:record")) {
		singles++;
		add_record((uint32_t)field(line, "tid"), field(line, "time_ns"),
			   field(line, "heap"), words);
	} else if (strstr(line, "vadtrace_heap:settled")) {
		settled_count++;
		settled_ns = field(line, "until_ns");
	} else {
		ranges++;
	}
}

static void read_meta(const char *line)
{
	if (strstr(line, ":stack:"))
		read_stack(line);
	processes += strstr(line, ":process:") != NULL;
	exits += strstr(line, ":exit:") != NULL;
	threads += strstr(line, ":thread:") != NULL;
	modules += strstr(line, ":module:") != NULL;
}

static void read_line(const char *line, uint64_t pid)
{
	if (pid != 0 && field(line, "vpid") != pid)
		return;
	if (strstr(line, "vadtrace_heap:"))
		read_heap(line);
	else if (strstr(line, "vadtrace_meta:"))
		read_meta(line);
	else if (strstr(line, "vadtrace_vm:")) {
		uint64_t stack = field(line, "stack");

		ranges++;
		used_before += stack != 0 && !stack_known[stack % STACKS_MAX];
	}
}

static bool is_known_batch(const struct live_slot_header *header)
{
	for (size_t i = 0; i < batch_count; i++)
		if (batches[i].tid == header->tid && batches[i].begin_ns == header->begin_ns)
			return true;
	return false;
}

static void read_live(const char *path)
{
	static struct live_slot slot;
	FILE *file = fopen(path, "rb");

	while (file && fread(&slot, sizeof(slot), 1, file) == 1) {
		if (slot.header.magic != LIVE_MAGIC || slot.header.tid == 0 ||
		    slot.header.used_words > LIVE_SLOT_WORDS || is_known_batch(&slot.header))
			continue;
		from_live += slot.header.used_words / RECORD_WORDS;
		add_batch(slot.header.tid, slot.header.begin_ns, slot.words,
			  slot.header.used_words);
	}
	if (file)
		fclose(file);
}

static int compare(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;

	if (a->time_ns != b->time_ns)
		return a->time_ns < b->time_ns ? -1 : 1;
	if (a->tid != b->tid && a->record.kind != b->record.kind)
		return a->record.kind == EVENT_FREE ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

/* The place of an address, or of 0 where it would go. */
static uint64_t *find_block(uint64_t address)
{
	size_t index = (size_t)(address * UINT64_C(0x9e3779b97f4a7c15) >> 40);

	while (blocks[index % BLOCKS_MAX] != 0 && blocks[index % BLOCKS_MAX] != address)
		index++;
	return &blocks[index % BLOCKS_MAX];
}

/* The live state of each address, in its lowest bit: an address once met keeps its place. */
static void replay(void)
{
	static bool live[BLOCKS_MAX];

	for (size_t i = 0; i < entry_count; i++) {
		uint64_t *block = find_block(entries[i].record.address);
		bool *is_live = &live[block - blocks];

		*block = entries[i].record.address;
		if (entries[i].record.kind == EVENT_ALLOCATE) {
			twice_live += *is_live;
			*is_live = true;
		} else if (entries[i].record.kind == EVENT_FREE) {
			unknown_frees += !*is_live;
			*is_live = false;
		}
	}
}

static void print_all(void)
{
	printf("processes %llu\nexits %llu\nthreads %llu\nmodules %llu\n", processes, exits,
	       threads, modules);
	printf("allocate %llu\nfree %llu\n", counts[EVENT_ALLOCATE], counts[EVENT_FREE]);
	printf("realloc_begin %llu\nrealloc_end %llu\nallocate_failed %llu\n",
	       counts[EVENT_REALLOC_BEGIN], counts[EVENT_REALLOC_END],
	       counts[EVENT_ALLOCATE_FAILED]);
	printf("stacks %llu\nrepeated_stacks %llu\nused_before %llu\n", stacks, repeated_stacks,
	       used_before);
	printf("singles %llu\nsettled %llu\nlate %llu\nfrom_live %llu\n", singles, settled_count,
	       late, from_live);
	printf("twice_live %llu\nunknown_frees %llu\nranges %llu\n", twice_live, unknown_frees,
	       ranges);
}

int main(int argument_count, char **arguments)
{
	uint64_t pid = argument_count > 1 ? strtoull(arguments[1], NULL, 10) : 0;
	char *line = NULL;
	size_t capacity = 0;

	while (getline(&line, &capacity, stdin) > 0)
		read_line(line, pid);
	free(line);
	for (int i = 2; i < argument_count; i++)
		read_live(arguments[i]);
	qsort(entries, entry_count, sizeof(*entries), compare);
	replay();
	print_all();
	free(entries);
	free(batches);
	return 0;
}
