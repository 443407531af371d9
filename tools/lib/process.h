/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A process image in the replay: how it begins and ends, and its tables of sites, threads, heaps
 * and functions. Part of replay; nothing else includes this. */

#ifndef VADTRACE_TOOLS_LIB_PROCESS_H
#define VADTRACE_TOOLS_LIB_PROCESS_H

#include "tools/lib/replay.h"

/* Adds the image of a TRACE_PROCESS event. */
void process_begin(struct replay *replay, const struct trace_event *event);
void process_free(struct replay_process *process);

/* Applies a definition to its image. */
void process_define(struct replay *replay, struct replay_process *process,
		    const struct trace_event *event);

/* Numbers in the image's tables; what is not known yet is added. The site of a stack that was never
 * defined is 0, and so is every site of an image without detail (process_site). */
/* The site of an address range's event. */
uint32_t process_find_range_site(struct replay_process *process, const struct trace_event *event);
uint32_t process_find_thread(struct replay_process *process, uint32_t tid);
uint16_t process_find_heap(struct replay_process *process, uint64_t handle);
struct replay_api *process_find_api(struct replay_process *process, uint16_t api);

/* The same for what is known already, nearly always: without a call. */
static inline uint32_t process_thread(struct replay_process *process, uint32_t tid)
{
	uint32_t recent = process->recent_threads[tid % REPLAY_RECENT_THREADS];

	return recent < process->thread_count && process->threads[recent].tid == tid
		       ? recent
		       : process_find_thread(process, tid);
}

static inline uint16_t process_heap(struct replay_process *process, uint64_t handle)
{
	return handle ? process_find_heap(process, handle) : 0;
}

static inline struct replay_api *process_api(struct replay_process *process, uint16_t api)
{
	return api < process->api_count ? &process->apis[api] : process_find_api(process, api);
}

enum { SITE_PAGE_BITS = 12, SITE_PAGE_ENTRIES = 1 << SITE_PAGE_BITS };

static inline uint32_t process_site(const struct replay_process *process, uint32_t stack)
{
	size_t number = stack >> SITE_PAGE_BITS;
	const uint32_t *page =
		number < process->site_page_count ? process->site_pages[number] : NULL;

	return page ? page[stack & (SITE_PAGE_ENTRIES - 1)] : 0;
}

#endif
