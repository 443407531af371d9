/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A way is written with its pc last: a signal handler may jump out of the middle. How a frame is
 * stepped over is not known here. */

#include "trace/stack/own.h"

#include <dlfcn.h>
#include <link.h>
#include <stddef.h>

struct own_object own_tracer, own_host;

/* In a program that is linked with us, not preloaded, the object is the program: not ours. */
static struct own_object object_of(const void *address)
{
	struct dl_find_object object;

	if (_dl_find_object((void *)address, &object) != 0 || object.dlfo_link_map->l_name[0] == 0)
		return (struct own_object){ 0 };
	return (struct own_object){ (uintptr_t)object.dlfo_map_start,
				    (uintptr_t)object.dlfo_map_end };
}

void own_start(const void *host)
{
	own_tracer = object_of((const void *)own_start);
	own_host = object_of(host);
}

void own_way_add(struct own_way *way, const struct own_frame *first, const struct own_frame *next,
		 uintptr_t rbp_place)
{
	if (way->count == 0)
		way->rbp_offset = OWN_RBP_KEPT;
	if (rbp_place != 0)
		way->rbp_offset = (uint32_t)(rbp_place - first->rsp);
	if (way->count < OWN_FRAMES_MAX) {
		way->offsets[way->count] = (uint32_t)(next->rsp - sizeof(uintptr_t) - first->rsp);
		way->words[way->count] = next->pc;
	}
	way->count++;
}

void own_keep(struct own_ways *ways, const struct own_way *way, uintptr_t pc)
{
	struct own_way *place = &ways->ways[ways->next];

	if (way->count == 0 || way->count > OWN_FRAMES_MAX)
		return;
	ways->next = (ways->next + 1) % OWN_WAYS;
	place->pc = 0;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	*place = *way;
	place->pc = 0;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	place->pc = pc;
}
