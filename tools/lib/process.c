/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The tables of one image. Stack ids are small numbers, so sites are found through pages of
 * numbers: a damaged id costs one page and the way to it, not an array up to it. */

#include "tools/lib/process.h"
#include "tools/lib/fork.h"
#include "tools/lib/xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEAPS_MAX = UINT16_MAX, FIRST_THREAD_SLOTS = 16 };

static uint32_t add_site(struct replay_process *process, uint32_t node, bool is_tracer)
{
	process->sites = xgrow(process->sites, process->site_count, &process->site_capacity,
			       sizeof(*process->sites));
	process->sites[process->site_count] =
		(struct replay_site){ .node = node, .is_tracer = is_tracer };
	return (uint32_t)process->site_count++;
}

static bool is_found(const struct trace_event *event)
{
	return event->api == API_NONE &&
	       (event->kind == EVENT_VAD_RESERVE || event->kind == EVENT_VAD_MAP);
}

uint32_t process_find_range_site(struct replay_process *process, const struct trace_event *event)
{
	if (!is_found(event))
		return process_site(process, event->stack);
	if (!process->found_site) {
		process->found_site = add_site(process, 0, /* tracer */ false);
		process->sites[process->found_site].sort = REPLAY_SITE_FOUND;
	}
	return process->found_site;
}

/* Where the site of a stack is kept. */
static uint32_t *need_site_entry(struct replay_process *process, uint32_t stack)
{
	size_t number = stack >> SITE_PAGE_BITS, count = process->site_page_count;

	if (number >= count) {
		process->site_pages = xreallocarray(process->site_pages, number + 1,
						    sizeof(*process->site_pages));
		memset(process->site_pages + count, 0,
		       (number + 1 - count) * sizeof(*process->site_pages));
		process->site_page_count = number + 1;
	}
	uint32_t **page = &process->site_pages[number];
	if (!*page)
		*page = xcalloc(SITE_PAGE_ENTRIES, sizeof(**page));
	return &(*page)[stack & (SITE_PAGE_ENTRIES - 1)];
}

/* Two threads may define the same stack; of different definitions the last counts. */
static void define_stack(struct replay *replay, struct replay_process *process,
			 const struct trace_event *event)
{
	if (!process->is_detailed || !event->stack)
		return;
	uint32_t node = stacks_add_stack(&replay->stacks, &process->modules, &event->frames);
	uint32_t *site = need_site_entry(process, event->stack);
	if (!*site || process->sites[*site].node != node)
		*site = add_site(process, node, replay->stacks.nodes[node].is_tracer);
}

static size_t find_thread_slot(const struct replay_process *process, uint32_t tid)
{
	size_t slot = hash_word(tid) & (process->thread_slots - 1);

	while (process->thread_table[slot] &&
	       process->threads[process->thread_table[slot] - 1].tid != tid)
		slot = (slot + 1) & (process->thread_slots - 1);
	return slot;
}

static void enlarge_thread_table(struct replay_process *process)
{
	process->thread_slots =
		process->thread_slots ? process->thread_slots * 2 : FIRST_THREAD_SLOTS;
	free(process->thread_table);
	process->thread_table = xcalloc(process->thread_slots, sizeof(uint32_t));
	for (uint32_t i = 0; i < process->thread_count; i++)
		process->thread_table[find_thread_slot(process, process->threads[i].tid)] = i + 1;
}

/* The user named a thread by its number or its name. */
static bool is_wanted(const struct replay_process *process, const struct replay_thread *thread)
{
	char number[16];

	if (!process->wanted_thread)
		return true;
	snprintf(number, sizeof(number), "%u", thread->tid);
	return !strcmp(process->wanted_thread, number) ||
	       !strcmp(process->wanted_thread, thread->name);
}

static uint32_t note_recent(struct replay_process *process, uint32_t tid, uint32_t number)
{
	return process->recent_threads[tid % REPLAY_RECENT_THREADS] = number;
}

uint32_t process_find_thread(struct replay_process *process, uint32_t tid)
{
	if (2 * (process->thread_count + 1) > process->thread_slots)
		enlarge_thread_table(process);
	size_t slot = find_thread_slot(process, tid);
	if (process->thread_table[slot])
		return note_recent(process, tid, process->thread_table[slot] - 1);
	process->threads = xgrow(process->threads, process->thread_count, &process->thread_capacity,
				 sizeof(*process->threads));
	struct replay_thread *thread = &process->threads[process->thread_count];
	memset(thread, 0, sizeof(*thread));
	thread->tid = tid;
	thread->name = xstrdup("");
	thread->is_wanted = is_wanted(process, thread);
	process->thread_table[slot] = (uint32_t)++process->thread_count;
	return note_recent(process, tid, (uint32_t)process->thread_count - 1);
}

static void define_thread(struct replay_process *process, const struct trace_event *event)
{
	/* First the index: looking it up may move the table. */
	uint32_t index = process_find_thread(process, event->tid);
	struct replay_thread *thread = &process->threads[index];

	free(thread->name);
	thread->name = xstrdup(event->name);
	thread->is_wanted = is_wanted(process, thread);
}

static uint16_t add_heap(struct replay_process *process, uint64_t handle)
{
	process->heaps = xgrow(process->heaps, process->heap_count, &process->heap_capacity,
			       sizeof(*process->heaps));
	process->heaps[process->heap_count] = (struct replay_heap){ .handle = handle };
	return (uint16_t)process->heap_count++;
}

/* A destroyed heap's handle may be given out again, for another heap. */
static bool is_live_heap(const struct replay_process *process, size_t number, uint64_t handle)
{
	return process->heaps[number].handle == handle && !process->heaps[number].destroy_ns;
}

uint16_t process_find_heap(struct replay_process *process, uint64_t handle)
{
	if (!handle)
		return 0;
	if (is_live_heap(process, process->last_heap, handle))
		return process->last_heap;
	for (size_t i = process->heap_count; i-- > 1;)
		if (is_live_heap(process, i, handle))
			return process->last_heap = (uint16_t)i;
	return process->heap_count < HEAPS_MAX ? add_heap(process, handle) : 0;
}

struct replay_api *process_find_api(struct replay_process *process, uint16_t api)
{
	if (api >= process->api_count) {
		process->apis = xreallocarray(process->apis, api + 1u, sizeof(*process->apis));
		memset(process->apis + process->api_count, 0,
		       (api + 1u - process->api_count) * sizeof(*process->apis));
		process->api_count = api + 1u;
	}
	return &process->apis[api];
}

static struct replay_process *make_process(const struct trace_event *event)
{
	struct replay_process *process = xcalloc(1, sizeof(*process));
	const struct trace_process *image = event->image;

	process->number = event->process;
	process->pid = image->pid;
	process->parent_pid = image->parent_pid;
	process->parent = image->parent;
	process->reason = image->reason;
	process->schema_version = image->schema_version;
	process->page_size = image->page_size;
	process->stack_depth = image->stack_depth;
	process->min_size_bytes = image->min_size_bytes;
	process->commit_limit_bytes = image->commit_limit_bytes;
	process->fork_ns = image->fork_ns;
	process->session = xstrdup(image->session);
	process->mode = xstrdup(image->mode);
	process->exe = xstrdup(image->exe);
	process->command_line = xstrdup(image->command_line);
	process->comm = xstrdup(image->comm);
	process->wine = xstrdup(image->wine ? image->wine : "");
	process->start_ns = process->end_ns = event->time_ns;
	space_init(&process->space);
	add_site(process, 0, /* tracer */ false);
	if (image->reason == TRACE_REASON_FORK)
		process->sites[add_site(process, 0, /* tracer */ false)].sort =
			REPLAY_SITE_INHERITED;
	add_heap(process, 0);
	return process;
}

void process_begin(struct replay *replay, const struct trace_event *event)
{
	struct replay_process *process;
	uint32_t parent = event->image->parent;

	if (event->process != replay->process_count)
		return;
	process = make_process(event);
	if (!replay->process_count) {
		replay->start_ns = event->time_ns;
		if (!replay->filter.detail_pid)
			replay->filter.detail_pid = process->pid;
	}
	process->is_detailed = replay->filter.detail_pid == process->pid;
	process->wanted_thread = replay->filter.thread;
	process->has_older_blocks = process->start_ns < replay->filter.begin_ns;
	process->leaves_wine_out = *process->wine && !replay->filter.counts_wine;
	if (process->reason == TRACE_REASON_FORK && parent < replay->process_count) {
		process->has_older_blocks |= replay->processes[parent]->has_older_blocks;
		fork_begin_child(replay, process);
	}
	replay->processes = xgrow(replay->processes, replay->process_count,
				  &replay->process_capacity, sizeof(struct replay_process *));
	replay->processes[replay->process_count++] = process;
}

static void free_pages(struct replay_process *process)
{
	for (size_t i = 0; i < process->site_page_count; i++)
		free(process->site_pages[i]);
	free(process->site_pages);
	process->site_pages = NULL;
	process->site_page_count = 0;
}

/* What only later events would need goes. */
static void end(struct replay_process *process)
{
	process->has_ended = true;
	blocks_free(&process->blocks);
	free_pages(process);
}

void process_free(struct replay_process *process)
{
	end(process);
	space_free(&process->space);
	windows_free(&process->windows);
	errors_free(&process->errors);
	for (size_t i = 0; i < process->thread_count; i++)
		free(process->threads[i].name);
	free(process->threads);
	free(process->thread_table);
	free(process->modules.list);
	free(process->sites);
	free(process->apis);
	free(process->heaps);
	free(process->session);
	free(process->mode);
	free(process->exe);
	free(process->command_line);
	free(process->comm);
	free(process->wine);
	free(process);
}

void process_define(struct replay *replay, struct replay_process *process,
		    const struct trace_event *event)
{
	switch (event->kind) {
	case TRACE_EXIT:
		process->has_exited = true;
		break;
	case TRACE_END:
		end(process);
		break;
	case TRACE_THREAD:
		define_thread(process, event);
		break;
	case TRACE_MODULE:
		stacks_modules_add(&replay->stacks, &process->modules, event);
		break;
	case TRACE_MODULE_GONE:
		stacks_modules_remove(&process->modules, event);
		break;
	case TRACE_STACK:
		define_stack(replay, process, event);
		break;
	case TRACE_HOOK:
		windows_add_hook(&process->windows, event);
		break;
	case TRACE_DIFFERENCE:
		windows_add_difference(&process->windows, event,
				       process_site(process, event->stack));
		break;
	case TRACE_STACKS:
		process->comparison = *event->comparison;
		break;
	case TRACE_LOST:
		process->lost_records += event->extra;
		break;
	case TRACE_FORK:
		fork_mark(replay, process, event->extra);
		break;
	default:
		break;
	}
}
