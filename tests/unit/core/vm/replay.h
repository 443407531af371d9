/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What a reader of the events believes about the pages of one window: applies each event as it is
 * told, and counts those that cannot be (a page that begins twice, a change of a page that is not
 * there). Events outside of the window are not looked at. */

#ifndef VADTRACE_TESTS_UNIT_CORE_VM_REPLAY_H
#define VADTRACE_TESTS_UNIT_CORE_VM_REPLAY_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "core/event.h"
#include "core/os/os.h"
#include "core/types.h"

#define REPLAY_PAGES_MAX 4096

static struct {
	uintptr_t base;
	uint64_t pages;
	int impossible;                   /* events that cannot be */
	uint32_t state[REPLAY_PAGES_MAX]; /* 0 free, MEM_RESERVE, MEM_COMMIT | PAGE_* */
} replay;

static void replay_impossible(uint32_t state, const struct event *event)
{
	replay.impossible++;
	printf("# impossible: kind %u by api %u on a page in state 0x%x\n", event->kind, event->api,
	       state);
}

static void replay_page(uint32_t *state, const struct event *event)
{
	uint32_t accessible = MEM_COMMIT | event->protect;

	switch (event->kind) {
	case EVENT_VAD_RESERVE:
	case EVENT_VAD_MAP:
		if (*state != 0)
			replay_impossible(*state, event);
		*state = event->type & MEM_COMMIT ? accessible : MEM_RESERVE;
		break;
	case EVENT_VAD_COMMIT:
		if (*state == 0)
			replay_impossible(*state, event);
		*state = accessible;
		break;
	case EVENT_VAD_DECOMMIT:
		if (*state == 0)
			replay_impossible(*state, event);
		*state = MEM_RESERVE;
		break;
	case EVENT_VAD_PROTECT:
		if (!(*state & MEM_COMMIT))
			replay_impossible(*state, event);
		*state = accessible;
		break;
	case EVENT_VAD_RELEASE:
		if (*state == 0)
			replay_impossible(*state, event);
		*state = 0;
		break;
	case EVENT_VAD_UNMAP:
		*state = 0;
		break;
	case EVENT_VAD_RESET:
		break;
	case EVENT_VAD_OFFER:
	case EVENT_VAD_RECLAIM:
		if (!(*state & MEM_COMMIT))
			replay_impossible(*state, event);
		break;
	default:
		replay_impossible(*state, event);
	}
}

static void replay_sink(const struct event *event)
{
	uint64_t window_end = replay.base + replay.pages * OS_PAGE_SIZE;
	uint64_t at = event->address > replay.base ? event->address : replay.base;
	uint64_t end = event->address + event->size_bytes;

	for (end = end < window_end ? end : window_end; at < end; at += OS_PAGE_SIZE)
		replay_page(&replay.state[(at - replay.base) / OS_PAGE_SIZE], event);
}

/* Listens from now on; the window is free. */
__attribute__((unused)) static void replay_start(uintptr_t base, uint64_t pages)
{
	static const volatile int open = 1;

	replay.base = base;
	replay.pages = pages;
	event_set_sink(replay_sink, &open);
}

/* Free addresses that nobody else will take: the system serves others from the ends of the hole. */
__attribute__((unused)) static char *replay_find_window(size_t size_bytes)
{
	size_t hole_bytes = (size_t)1 << 32;
	intptr_t hole = os_map(NULL, hole_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			       /* fd */ -1, /* offset */ 0);

	if (hole < 0)
		return NULL;
	os_unmap((void *)hole, hole_bytes);
	return (char *)(((uintptr_t)hole + hole_bytes / 2 - size_bytes) & ~(uintptr_t)0xffff);
}

#endif
