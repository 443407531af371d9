/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Runs in a skip list. A change splits the runs at its two ends, and then only whole runs change:
 *
 *   [ reserved 0x10000-0x50000 ]         commit 0x20000-0x30000
 *   [ reserved ][ committed ][ reserved ]
 *
 * Runs are not joined again: their number is bounded by the events' own boundaries.
 * A fork's child shares the list; who first changes something takes a copy. */

#include "tools/lib/space.h"
#include "tools/lib/xalloc.h"

#include <stdlib.h>
#include <string.h>

#include "core/types.h"

enum { LEVELS = 12, PROTECT_KIND_MASK = 0xff };

/* No processor gives a program more. */
#define RANGE_BYTES_MAX (UINT64_C(1) << 57)

struct space_node {
	struct space_run run;
	int level_count;
	struct space_node *next[];
};

/* A list and those who share it. */
struct space_runs {
	struct space_node *head;
	size_t count;
	uint64_t random;
	size_t references;
};

/* For each level, the last node that starts before the place. */
struct path {
	struct space_node *before[LEVELS];
};

static struct space_node *make_node(const struct space_run *run, int level_count)
{
	struct space_node *node =
		xmalloc(sizeof(*node) + (size_t)level_count * sizeof(struct space_node *));

	node->run = *run;
	node->level_count = level_count;
	memset(node->next, 0, (size_t)level_count * sizeof(struct space_node *));
	return node;
}

static struct space_runs *make_runs(void)
{
	struct space_run none = { 0 };
	struct space_runs *runs = xmalloc(sizeof(*runs));

	*runs = (struct space_runs){ .head = make_node(&none, LEVELS),
				     .random = 1,
				     .references = 1 };
	return runs;
}

void space_init(struct space *space)
{
	memset(space, 0, sizeof(*space));
	space->runs = make_runs();
}

static void release_runs(struct space_runs *runs)
{
	if (--runs->references)
		return;
	while (runs->head) {
		struct space_node *node = runs->head;

		runs->head = node->next[0];
		free(node);
	}
	free(runs);
}

void space_free(struct space *space)
{
	if (space->runs)
		release_runs(space->runs);
	space->runs = NULL;
	holders_free(&space->holders);
}

/* One level more with a chance of a quarter. */
static int random_level(struct space_runs *runs)
{
	int level_count = 1;

	runs->random = runs->random * UINT64_C(6364136223846793005) + 1442695040888963407u;
	for (uint64_t bits = runs->random >> 33; level_count < LEVELS && (bits & 3) == 3;
	     bits >>= 2)
		level_count++;
	return level_count;
}

/* The path to the first run that starts at `address` or later. */
static void find_path(const struct space_runs *runs, uint64_t address, struct path *path)
{
	struct space_node *node = runs->head;

	for (int level = LEVELS; level-- > 0;) {
		while (node->next[level] && node->next[level]->run.start < address)
			node = node->next[level];
		path->before[level] = node;
	}
}

static void insert(struct space_runs *runs, const struct space_run *run)
{
	struct space_node *node = make_node(run, random_level(runs));
	struct path path;

	find_path(runs, run->start, &path);
	for (int level = 0; level < node->level_count; level++) {
		node->next[level] = path.before[level]->next[level];
		path.before[level]->next[level] = node;
	}
	runs->count++;
}

/* Removes the node behind the path. */
static void remove_next(struct space_runs *runs, struct path *path)
{
	struct space_node *node = path->before[0]->next[0];

	for (int level = 0; level < node->level_count; level++)
		path->before[level]->next[level] = node->next[level];
	free(node);
	runs->count--;
}

/* Makes `address` a boundary if it lies inside a run. */
static void split(struct space_runs *runs, uint64_t address)
{
	struct path path;

	find_path(runs, address, &path);
	struct space_node *node = path.before[0];
	if (node == runs->head || node->run.end <= address)
		return;
	struct space_run rest = node->run;
	rest.start = address;
	node->run.end = address;
	insert(runs, &rest);
}

/* Whether it is a new peak of what is committed. */
static bool note_peaks(struct space_usage *usage, uint64_t time_ns)
{
	if (usage->reserved_bytes > usage->peak_reserved_bytes) {
		usage->peak_reserved_bytes = usage->reserved_bytes;
		usage->peak_reserved_ns = time_ns;
	}
	if (usage->offered_bytes > usage->peak_offered_bytes) {
		usage->peak_offered_bytes = usage->offered_bytes;
		usage->peak_offered_ns = time_ns;
	}
	if (usage->committed_bytes <= usage->peak_committed_bytes)
		return false;
	usage->peak_committed_bytes = usage->committed_bytes;
	usage->peak_committed_ns = time_ns;
	return true;
}

static void note_all_peaks(struct space *space, uint64_t time_ns)
{
	for (int owner = 0; owner < SPACE_OWNERS; owner++)
		note_peaks(&space->owners[owner], time_ns);
	if (note_peaks(&space->total, time_ns))
		holders_note_peak(&space->holders);
}

static enum holders_group group_of(uint8_t owner)
{
	return owner == SPACE_HEAP ? HOLDERS_HEAP : HOLDERS_PROGRAM;
}

static bool is_charged(const struct space_run *run)
{
	return run->charge == SPACE_CHARGED ||
	       run->protect & (PAGE_WRITECOPY | PAGE_EXECUTE_WRITECOPY);
}

/* To take away, the size is negative. */
static void change_figure(struct space_figure *figure, uint64_t size, uint64_t time_ns)
{
	figure->bytes += size;
	if ((int64_t)size < 0 || figure->bytes <= figure->peak_bytes)
		return;
	figure->peak_bytes = figure->bytes;
	figure->peak_ns = time_ns;
}

/* The figures of a committed run. */
static void account_protection(struct space *space, const struct space_run *run, uint64_t size)
{
	uint32_t kind = run->protect & PROTECT_KIND_MASK;

	if (kind)
		change_figure(&space->protections[__builtin_ctz(kind)], size, space->now_ns);
	if (is_charged(run))
		change_figure(&space->charge, size, space->now_ns);
}

static void account(struct space *space, const struct space_run *run, bool is_added)
{
	uint64_t size = is_added ? run->end - run->start : run->start - run->end;

	holders_change(&space->holders, run->site, group_of(run->owner), run->end - run->start,
		       run->is_committed, is_added);
	space->owners[run->owner].reserved_bytes += size;
	space->total.reserved_bytes += size;
	if (!run->is_committed)
		return;
	space->owners[run->owner].committed_bytes += size;
	space->total.committed_bytes += size;
	account_protection(space, run, size);
	if (!run->is_offered)
		return;
	space->owners[run->owner].offered_bytes += size;
	space->total.offered_bytes += size;
}

/* Who holds the run, and how much of it is committed, stays. */
static void set_protect(struct space *space, struct space_run *run, uint32_t protect)
{
	uint64_t size = run->end - run->start;

	if (run->is_committed)
		account_protection(space, run, -size);
	run->protect = protect;
	if (run->is_committed)
		account_protection(space, run, size);
}

/* What was offered stays so when it is committed once more. */
static struct space_run changed_run(const struct trace_event *event, struct space_run run)
{
	switch (event->kind) {
	case EVENT_VAD_COMMIT:
		run.is_committed = true;
		run.protect = event->protect ? event->protect : run.protect;
		break;
	case EVENT_VAD_DECOMMIT:
		run.is_committed = run.is_offered = false;
		break;
	case EVENT_VAD_OFFER:
		run.is_offered = run.is_committed;
		break;
	case EVENT_VAD_RECLAIM:
	case EVENT_VAD_RESET:
		run.is_offered = false;
		break;
	default:
		break;
	}
	return run;
}

static void change_run(struct space *space, const struct trace_event *event, struct space_run *run)
{
	if (event->kind == EVENT_VAD_PROTECT) {
		if (event->protect)
			set_protect(space, run, event->protect);
		return;
	}
	account(space, run, /* added */ false);
	*run = changed_run(event, *run);
	account(space, run, /* added */ true);
}

static void remove_range(struct space *space, uint64_t start, uint64_t end)
{
	struct path path;

	split(space->runs, start);
	split(space->runs, end);
	find_path(space->runs, start, &path);
	while (path.before[0]->next[0] && path.before[0]->next[0]->run.start < end) {
		account(space, &path.before[0]->next[0]->run, /* added */ false);
		remove_next(space->runs, &path);
	}
}

static void change_range(struct space *space, const struct trace_event *event, uint64_t end)
{
	struct path path;

	split(space->runs, event->address);
	split(space->runs, end);
	find_path(space->runs, event->address, &path);
	for (struct space_node *node = path.before[0]->next[0]; node && node->run.start < end;
	     node = node->next[0])
		change_run(space, event, &node->run);
}

static uint8_t owner_of(const struct trace_event *event)
{
	if (event->owner == EVENT_OWNER_HEAP)
		return SPACE_HEAP;
	if (event->owner == EVENT_OWNER_OUTSIDE)
		return SPACE_OUTSIDE;
	return event->type & (MEM_MAPPED | MEM_IMAGE) ? SPACE_MAPPED : SPACE_PRIVATE;
}

/* Traces of before version 4 do not tell a file's mapping from shared memory of no file. */
static uint8_t charge_of(const struct trace_event *event)
{
	bool is_mapped = event->type & (MEM_MAPPED | MEM_IMAGE);

	return is_mapped && !(event->type & SEC_COMMIT) ? SPACE_COPIED : SPACE_CHARGED;
}

/* A new range replaces whatever the model still has there. */
static void add_range(struct space *space, const struct trace_event *event, uint64_t end,
		      uint32_t site)
{
	struct space_run run = {
		.start = event->address,
		.end = end,
		.base = event->address,
		.site = site,
		.protect = event->protect,
		.owner = owner_of(event),
		.charge = charge_of(event),
		.is_committed = (event->type & MEM_COMMIT) != 0,
	};

	remove_range(space, run.start, run.end);
	insert(space->runs, &run);
	account(space, &run, /* added */ true);
	space->owners[run.owner].reserve_calls++;
	space->total.reserve_calls++;
}

static void count_release(struct space *space, uint64_t address)
{
	struct path path;

	space->total.release_calls++;
	find_path(space->runs, address + 1, &path);
	if (path.before[0] != space->runs->head && path.before[0]->run.end > address)
		space->owners[path.before[0]->run.owner].release_calls++;
}

static struct space_runs *copy_runs(const struct space *space)
{
	struct space_runs *copy = make_runs();

	for (const struct space_node *node = space->runs->head->next[0]; node;
	     node = node->next[0]) {
		struct space_run run = node->run;

		if (space->is_borrowed)
			run.site = space->inherited_site;
		insert(copy, &run);
	}
	return copy;
}

/* Before the first change of a list that is shared, or that is a parent's. */
static void own_runs(struct space *space)
{
	struct space_runs *runs = space->runs;

	if (runs->references == 1 && !space->is_borrowed)
		return;
	space->runs = copy_runs(space);
	space->is_borrowed = false;
	release_runs(runs);
}

static void count_call(struct space *space, const struct trace_event *event, uint32_t site)
{
	bool reserves = event->kind == EVENT_VAD_RESERVE || event->kind == EVENT_VAD_MAP;

	if (event->api != API_NONE && event->kind >= EVENT_VAD_RESERVE &&
	    event->kind <= EVENT_VAD_RECLAIM)
		holders_count_call(&space->holders, site, group_of(owner_of(event)),
				   reserves ? event->size_bytes : 0);
}

void space_apply(struct space *space, const struct trace_event *event, uint32_t site)
{
	uint64_t end = event->address + event->size_bytes;

	if (end <= event->address || event->size_bytes > RANGE_BYTES_MAX)
		return;
	own_runs(space);
	space->now_ns = event->time_ns;
	count_call(space, event, site);
	switch (event->kind) {
	case EVENT_VAD_RESERVE:
	case EVENT_VAD_MAP:
		add_range(space, event, end, site);
		break;
	case EVENT_VAD_RELEASE:
	case EVENT_VAD_UNMAP:
		count_release(space, event->address);
		remove_range(space, event->address, end);
		break;
	case EVENT_VAD_COMMIT:
	case EVENT_VAD_DECOMMIT:
	case EVENT_VAD_PROTECT:
	case EVENT_VAD_OFFER:
	case EVENT_VAD_RECLAIM:
		space->offer_calls += event->kind == EVENT_VAD_OFFER;
		space->reclaim_calls += event->kind == EVENT_VAD_RECLAIM;
		space->lost_calls += event->kind == EVENT_VAD_RECLAIM && event->extra;
		space->commit_calls += event->kind == EVENT_VAD_COMMIT;
		space->decommit_calls += event->kind == EVENT_VAD_DECOMMIT;
		space->protect_calls += event->kind == EVENT_VAD_PROTECT;
		change_range(space, event, end);
		break;
	case EVENT_VAD_RESET:
		space->reset_calls++;
		if (event->extra)
			change_range(space, event, end);
		break;
	default:
		break;
	}
	note_all_peaks(space, event->time_ns);
}

static void restart(struct space_usage *usage, uint64_t time_ns)
{
	usage->peak_reserved_bytes = usage->peak_committed_bytes = usage->peak_offered_bytes = 0;
	usage->peak_reserved_ns = usage->peak_committed_ns = usage->peak_offered_ns = time_ns;
}

static void restart_figure(struct space_figure *figure, uint64_t time_ns)
{
	figure->peak_bytes = figure->bytes;
	figure->peak_ns = time_ns;
}

void space_restart_peaks(struct space *space, uint64_t time_ns)
{
	restart_figure(&space->charge, time_ns);
	for (int bit = 0; bit < SPACE_PROTECTIONS; bit++)
		restart_figure(&space->protections[bit], time_ns);
	for (int owner = 0; owner < SPACE_OWNERS; owner++)
		restart(&space->owners[owner], time_ns);
	restart(&space->total, time_ns);
	holders_note_peak(&space->holders);
	note_all_peaks(space, time_ns);
}

void space_finish(struct space *space)
{
	holders_finish(&space->holders);
}

/* What is found at the start is held by one. */
static void hold_all(struct space *space)
{
	for (uint8_t owner = 0; owner < SPACE_OWNERS; owner++) {
		uint64_t committed = space->owners[owner].committed_bytes;
		uint64_t reserved = space->owners[owner].reserved_bytes;
		enum holders_group group = group_of(owner);

		holders_change(&space->holders, space->inherited_site, group, committed,
			       /* committed */ true, /* added */ true);
		holders_change(&space->holders, space->inherited_site, group, reserved - committed,
			       /* committed */ false, /* added */ true);
	}
}

void space_inherit(struct space *to, const struct space *from, uint32_t inherited_site)
{
	*to = *from;
	to->runs->references++;
	to->is_borrowed = true;
	to->inherited_site = inherited_site;
	memset(&to->holders, 0, sizeof(to->holders));
	hold_all(to);
	for (int owner = 0; owner < SPACE_OWNERS; owner++)
		to->owners[owner].reserve_calls = to->owners[owner].release_calls = 0;
	to->total.reserve_calls = to->total.release_calls = 0;
	to->commit_calls = to->decommit_calls = to->protect_calls = to->reset_calls = 0;
	to->offer_calls = to->reclaim_calls = to->lost_calls = 0;
}

static void add_run(struct space_region *region, const struct space_run *run)
{
	region->reserved_bytes += run->end - run->start;
	region->committed_bytes += run->is_committed ? run->end - run->start : 0;
}

struct space_region *space_regions(const struct space *space, size_t *count)
{
	struct space_region *list = NULL;
	size_t capacity = 0;

	*count = 0;
	for (const struct space_node *node = space->runs->head->next[0]; node;
	     node = node->next[0]) {
		const struct space_run *run = &node->run;

		if (!*count || list[*count - 1].base != run->base) {
			list = xgrow(list, *count, &capacity, sizeof(*list));
			list[(*count)++] = (struct space_region){
				.base = run->base,
				.protect = run->protect,
				.site = space->is_borrowed ? space->inherited_site : run->site,
				.owner = run->owner,
			};
		}
		add_run(&list[*count - 1], run);
	}
	return list;
}

/* The sites together hold what is used. */
static bool check_holders(const struct space *space)
{
	uint64_t reserved[HOLDERS_GROUPS] = { 0 }, committed[HOLDERS_GROUPS] = { 0 };
	const struct space_usage *heap = &space->owners[SPACE_HEAP];

	for (uint32_t site = 0; site < space->holders.count; site++)
		for (int group = 0; group < HOLDERS_GROUPS; group++) {
			reserved[group] += space->holders.list[site][group].reserved_bytes;
			committed[group] += space->holders.list[site][group].committed_bytes;
		}
	return reserved[HOLDERS_HEAP] == heap->reserved_bytes &&
	       committed[HOLDERS_HEAP] == heap->committed_bytes &&
	       reserved[HOLDERS_PROGRAM] + reserved[HOLDERS_HEAP] == space->total.reserved_bytes &&
	       committed[HOLDERS_PROGRAM] + committed[HOLDERS_HEAP] == space->total.committed_bytes;
}

static bool check_figures(const struct space *space, const struct space_figure counted[],
			  uint64_t charge)
{
	for (int bit = 0; bit < SPACE_PROTECTIONS; bit++)
		if (counted[bit].bytes != space->protections[bit].bytes ||
		    space->protections[bit].bytes > space->protections[bit].peak_bytes)
			return false;
	return charge == space->charge.bytes && charge <= space->charge.peak_bytes;
}

bool space_check(const struct space *space)
{
	struct space counted = { .now_ns = 0 };
	uint64_t reserved = 0, committed = 0, offered = 0, end = 0;
	size_t count = 0;

	for (const struct space_node *node = space->runs->head->next[0]; node;
	     node = node->next[0]) {
		if (node->run.start < end || node->run.end <= node->run.start)
			return false;
		end = node->run.end;
		reserved += end - node->run.start;
		committed += node->run.is_committed ? end - node->run.start : 0;
		offered += node->run.is_offered ? end - node->run.start : 0;
		if (node->run.is_offered && !node->run.is_committed)
			return false;
		if (node->run.is_committed)
			account_protection(&counted, &node->run, end - node->run.start);
		count++;
	}
	if (!check_figures(space, counted.protections, counted.charge.bytes))
		return false;
	return count == space->runs->count && reserved == space->total.reserved_bytes &&
	       committed == space->total.committed_bytes && offered == space->total.offered_bytes &&
	       check_holders(space);
}
