/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A hash table of pointers to stacks.
 *
 *   table -> | stack * | NULL | stack * | ...      open addressing, at most half full
 *                 `-> id, hash, count, generation, frames[]
 *
 * Stacks never change place and are never freed. Writers hold depot_lock and store a pointer when
 * its stack is complete; readers take none. A larger table is published when it is filled; readers
 * of the old one at worst miss a stack and find it again under the lock.
 * A stack is emitted by everybody who finds it before its generation says that it is out: rarely
 * twice, never too late. Nobody waits for another thread's emission. */

#include "trace/stack/depot.h"

#include <string.h>

#include "trace/memory.h"
#include "trace/modules.h"
#include "trace/provider/provider.h"

#define FIRST_TABLE_SIZE 1024u

/* One stack. `generation` is that of the last emission; a dead one is not found any more. */
struct stack {
	uint32_t id;
	uint32_t hash;
	uint32_t count;
	uint32_t generation;
	bool is_dead;
	uint64_t frames[];
};

struct table {
	uint32_t size; /* power of two */
	uint32_t used;
	struct stack *slots[];
};

static struct table *current;
static struct memory_lock depot_lock;
static uint32_t last_id;
static uint32_t generation = 1;

static uint32_t hash_of(const uint64_t *frames, uint32_t count)
{
	uint64_t hash = count;

	for (uint32_t i = 0; i < count; i++)
		hash = (hash ^ frames[i]) * UINT64_C(0x9e3779b97f4a7c15) ^ (hash >> 29);
	return (uint32_t)(hash ^ (hash >> 32));
}

static bool is_same(const struct stack *stack, uint32_t hash, const uint64_t *frames,
		    uint32_t count)
{
	return stack->hash == hash && stack->count == count &&
	       !__atomic_load_n(&stack->is_dead, __ATOMIC_RELAXED) &&
	       memcmp(stack->frames, frames, count * sizeof(*frames)) == 0;
}

static struct stack *find(uint32_t hash, const uint64_t *frames, uint32_t count)
{
	struct table *table = __atomic_load_n(&current, __ATOMIC_ACQUIRE);

	for (uint32_t i = 0; table && i < table->size; i++) {
		struct stack **slot = &table->slots[(hash + i) & (table->size - 1)];
		struct stack *stack = __atomic_load_n(slot, __ATOMIC_ACQUIRE);

		if (!stack)
			return NULL;
		if (is_same(stack, hash, frames, count))
			return stack;
	}
	return NULL;
}

static void put(struct table *table, struct stack *stack)
{
	uint32_t index = stack->hash;

	while (table->slots[index & (table->size - 1)])
		index++;
	__atomic_store_n(&table->slots[index & (table->size - 1)], stack, __ATOMIC_RELEASE);
	table->used++;
}

static struct table *make_table(uint32_t size)
{
	struct table *table = memory_map(sizeof(*table) + size * sizeof(table->slots[0]));

	if (table)
		table->size = size;
	return table;
}

/* Room for one more. Dead stacks do not move to the new table. */
static bool make_room_locked(void)
{
	struct table *old = current;
	struct table *table;

	if (old && old->used < old->size / 2)
		return true;
	table = make_table(old ? 2 * old->size : FIRST_TABLE_SIZE);
	if (!table)
		return false;
	for (uint32_t i = 0; old && i < old->size; i++)
		if (old->slots[i] && !old->slots[i]->is_dead)
			put(table, old->slots[i]);
	__atomic_store_n(&current, table, __ATOMIC_RELEASE);
	return true;
}

static struct stack *add_locked(uint32_t hash, const uint64_t *frames, uint32_t count)
{
	struct stack *stack = find(hash, frames, count);

	if (stack || last_id == UINT32_MAX || !make_room_locked())
		return stack;
	stack = memory_take(sizeof(*stack) + count * sizeof(*frames));
	if (!stack)
		return NULL;
	stack->id = ++last_id;
	stack->hash = hash;
	stack->count = count;
	memcpy(stack->frames, frames, count * sizeof(*frames));
	put(current, stack);
	return stack;
}

static __attribute__((noinline)) struct stack *add(uint32_t hash, const uint64_t *frames,
						   uint32_t count)
{
	uint64_t mask = memory_lock(&depot_lock);
	struct stack *stack = add_locked(hash, frames, count);

	memory_unlock(&depot_lock, mask);
	return stack;
}

static __attribute__((noinline)) void emit(struct stack *stack, uint32_t now)
{
	modules_learn(stack->frames, stack->count);
	provider_stack(stack->id, stack->frames, stack->count);
	__atomic_store_n(&stack->generation, now, __ATOMIC_RELEASE);
}

uint32_t depot_intern(const uint64_t *frames, uint32_t count)
{
	uint32_t now = __atomic_load_n(&generation, __ATOMIC_RELAXED);
	uint32_t hash = hash_of(frames, count);
	struct stack *stack;

	if (count == 0)
		return 0;
	stack = find(hash, frames, count);
	if (!stack)
		stack = add(hash, frames, count);
	if (!stack)
		return 0;
	if (__atomic_load_n(&stack->generation, __ATOMIC_ACQUIRE) != now)
		emit(stack, now);
	return stack->id;
}

static bool is_through(const struct stack *stack, uint64_t start, uint64_t end)
{
	for (uint32_t i = 0; i < stack->count; i++)
		if (stack->frames[i] - start < end - start)
			return true;
	return false;
}

void depot_forget(uint64_t start, uint64_t end)
{
	uint64_t mask = memory_lock(&depot_lock);

	for (uint32_t i = 0; current && i < current->size; i++) {
		struct stack *stack = current->slots[i];

		if (stack && is_through(stack, start, end))
			__atomic_store_n(&stack->is_dead, true, __ATOMIC_RELAXED);
	}
	memory_unlock(&depot_lock, mask);
}

void depot_restart(void)
{
	__atomic_fetch_add(&generation, 1, __ATOMIC_RELEASE);
}

void depot_fork_child(void)
{
	depot_lock.word = 0;
	depot_restart();
}

uint32_t depot_count(void)
{
	return __atomic_load_n(&last_id, __ATOMIC_RELAXED);
}
