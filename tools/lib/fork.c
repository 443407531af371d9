/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Few markers wait: a child tells of itself at once. One that was killed before, or a fork that
 * failed, leaves its marker behind; after KEPT_MAX the oldest goes. */

#include "tools/lib/fork.h"
#include "tools/lib/xalloc.h"

#include <stdlib.h>
#include <string.h>

enum { KEPT_MAX = 1024 };

static void copy_heaps(struct replay_memory *memory, const struct replay_process *parent)
{
	memory->heap_count = parent->heap_count;
	memory->heaps = xcalloc(parent->heap_count, sizeof(*memory->heaps));
	for (size_t i = 0; i < parent->heap_count; i++)
		memory->heaps[i] = (struct replay_heap){
			.handle = parent->heaps[i].handle,
			.create_ns = parent->heaps[i].create_ns,
			.destroy_ns = parent->heaps[i].destroy_ns,
			.maximum_bytes = parent->heaps[i].maximum_bytes,
			.live_blocks = parent->heaps[i].live_blocks,
		};
}

static struct replay_memory take_memory(struct replay_process *parent, uint64_t fork_ns)
{
	struct replay_memory memory = { .parent = parent->number, .fork_ns = fork_ns };

	blocks_inherit(&memory.blocks, &parent->blocks);
	space_inherit(&memory.space, &parent->space, REPLAY_INHERITED_SITE);
	copy_heaps(&memory, parent);
	return memory;
}

static void free_memory(struct replay_memory *memory)
{
	blocks_free(&memory->blocks);
	space_free(&memory->space);
	free(memory->heaps);
}

/* The child, which has done nothing yet, owns the memory. */
static void give_memory(struct replay_process *child, const struct replay_memory *memory)
{
	blocks_free(&child->blocks);
	space_free(&child->space);
	free(child->heaps);
	child->blocks = memory->blocks;
	child->space = memory->space;
	child->heaps = memory->heaps;
	child->heap_count = child->heap_capacity = memory->heap_count;
	child->totals.inherited_blocks = memory->blocks.count;
	child->totals.inherited_bytes = memory->blocks.size_bytes;
	child->awaits_memory = false;
	space_restart_peaks(&child->space, child->start_ns);
}

static void drop(struct replay *replay, size_t place)
{
	replay->memory_count--;
	memmove(&replay->memories[place], &replay->memories[place + 1],
		(replay->memory_count - place) * sizeof(*replay->memories));
}

static void keep(struct replay *replay, const struct replay_memory *memory)
{
	if (replay->memory_count == KEPT_MAX) {
		free_memory(&replay->memories[0]);
		drop(replay, 0);
	}
	replay->memories = xgrow(replay->memories, replay->memory_count, &replay->memory_capacity,
				 sizeof(*replay->memories));
	replay->memories[replay->memory_count++] = *memory;
}

static void give_marked(struct replay_process *child, const struct replay_memory *memory)
{
	give_memory(child, memory);
	child->has_exact_memory = true;
}

static void inherit_now(struct replay *replay, struct replay_process *child)
{
	struct replay_memory memory = take_memory(replay->processes[child->parent], child->fork_ns);

	give_memory(child, &memory);
}

void fork_begin_child(struct replay *replay, struct replay_process *child)
{
	if (!child->fork_ns) {
		inherit_now(replay, child);
		return;
	}
	for (size_t i = replay->memory_count; i-- > 0;)
		if (replay->memories[i].parent == child->parent &&
		    replay->memories[i].fork_ns == child->fork_ns) {
			give_marked(child, &replay->memories[i]);
			drop(replay, i);
			return;
		}
	child->awaits_memory = true;
}

static struct replay_process *find_waiting(const struct replay *replay, uint32_t parent,
					   uint64_t fork_ns)
{
	for (size_t i = replay->process_count; i-- > (size_t)parent + 1;) {
		struct replay_process *child = replay->processes[i];

		if (child->awaits_memory && child->parent == parent && child->fork_ns == fork_ns)
			return child;
	}
	return NULL;
}

void fork_mark(struct replay *replay, struct replay_process *parent, uint64_t fork_ns)
{
	struct replay_process *child = find_waiting(replay, parent->number, fork_ns);
	struct replay_memory memory;

	if (!child && replay->filter.is_childless)
		return;
	memory = take_memory(parent, fork_ns);
	if (child)
		give_marked(child, &memory);
	else
		keep(replay, &memory);
}

void fork_end_wait(struct replay *replay, struct replay_process *child)
{
	if (child->awaits_memory)
		inherit_now(replay, child);
}

void fork_free_all(struct replay *replay)
{
	for (size_t i = 0; i < replay->memory_count; i++)
		free_memory(&replay->memories[i]);
	free(replay->memories);
}
