/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A hash table of pointers to stacks.
 *
 *   table -> | tag, stack | 0 | tag, stack | ...      open addressing, at most half full
 *                     `-> id, hash, count, generation, frames[]
 *
 * The tag is the half of the hash that the place in a small table says nothing of: a stack that is
 * not the one is passed over without a look at it, which would be a cache miss each.
 *
 * Stacks never change place and are never freed. Writers hold depot_lock and fill a slot when
 * its stack is complete; readers take none. A larger table is published when it is filled; readers
 * of the old one at worst miss a stack and find it again under the lock.
 * A stack is emitted by everybody who finds it before its generation says that it is out: rarely
 * twice, never too late. Nobody waits for another thread's emission. */

#include "trace/stack/depot.h"

#include <string.h>

#include "trace/hold.h"
#include "trace/memory.h"
#include "trace/modules.h"
#include "trace/provider/provider.h"

#define FIRST_TABLE_SIZE 1024u

/* One stack. `generation` is that of the last emission; a dead one is not found any more. */
struct depot_stack {
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
	uint64_t slots[]; /* pack */
};

static struct table *current;
static struct memory_lock depot_lock;
static uint32_t last_id;
static uint32_t generation = 1;

#define TAG_SHIFT 48 /* user space is below */
#define POINTER_MASK ((UINT64_C(1) << TAG_SHIFT) - 1)

static uint64_t tag_of(uint32_t hash)
{
	return hash >> 16;
}

static uint64_t pack(struct depot_stack *stack)
{
	return tag_of(stack->hash) << TAG_SHIFT | (uintptr_t)stack;
}

/* NULL: the slot is empty. */
static struct depot_stack *unpack(uint64_t slot)
{
	return (struct depot_stack *)(uintptr_t)(slot & POINTER_MASK);
}

static bool is_dead(const struct depot_stack *stack)
{
	return __atomic_load_n(&stack->is_dead, __ATOMIC_RELAXED);
}

static bool is_same(const struct depot_stack *stack, const struct stack_trace *trace)
{
	return stack->hash == trace->hash && stack->count == trace->count && !is_dead(stack) &&
	       memcmp(stack->frames, trace->frames, trace->count * sizeof(*trace->frames)) == 0;
}

static struct depot_stack *find(const struct stack_trace *trace)
{
	struct table *table = __atomic_load_n(&current, __ATOMIC_ACQUIRE);
	uint64_t tag = tag_of(trace->hash);

	for (uint32_t i = 0; table && i < table->size; i++) {
		uint64_t *at = &table->slots[(trace->hash + i) & (table->size - 1)];
		uint64_t slot = __atomic_load_n(at, __ATOMIC_ACQUIRE);

		if (slot == 0)
			return NULL;
		if (slot >> TAG_SHIFT == tag && is_same(unpack(slot), trace))
			return unpack(slot);
	}
	return NULL;
}

static void put(struct table *table, struct depot_stack *stack)
{
	uint32_t index = stack->hash;

	while (table->slots[index & (table->size - 1)])
		index++;
	__atomic_store_n(&table->slots[index & (table->size - 1)], pack(stack), __ATOMIC_RELEASE);
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
		if (old->slots[i] && !is_dead(unpack(old->slots[i])))
			put(table, unpack(old->slots[i]));
	__atomic_store_n(&current, table, __ATOMIC_RELEASE);
	return true;
}

static struct depot_stack *add_locked(const struct stack_trace *trace)
{
	size_t frames_size = trace->count * sizeof(*trace->frames);
	struct depot_stack *stack = find(trace);

	if (stack || last_id == UINT32_MAX || !make_room_locked())
		return stack;
	stack = memory_take(sizeof(*stack) + frames_size);
	if (!stack)
		return NULL;
	stack->id = ++last_id;
	stack->hash = trace->hash;
	stack->count = trace->count;
	memcpy(stack->frames, trace->frames, frames_size);
	put(current, stack);
	return stack;
}

static struct depot_stack *add(const struct stack_trace *trace)
{
	struct depot_stack *stack;

	memory_enter(&depot_lock);
	stack = add_locked(trace);
	memory_leave(&depot_lock);
	return stack;
}

static void emit(struct depot_stack *stack, uint32_t now)
{
	modules_learn(stack->frames, stack->count);
	provider_stack(stack->id, stack->frames, stack->count);
	__atomic_store_n(&stack->generation, now, __ATOMIC_RELEASE);
}

/* `stack` is the trace's, or NULL. One stretch for both steps: its system calls cost more than the
 * rest. NULL: there is no memory. */
static __attribute__((noinline)) struct depot_stack *add_and_emit(struct depot_stack *stack,
								  const struct stack_trace *trace,
								  uint32_t now)
{
	uint64_t mask = hold_begin();

	if (!stack)
		stack = add(trace);
	if (stack)
		emit(stack, now);
	hold_end(mask);
	return stack;
}

uint32_t depot_intern(const struct stack_trace *trace)
{
	uint32_t now = __atomic_load_n(&generation, __ATOMIC_RELAXED);
	struct depot_stack *stack = trace->known ? *trace->known : NULL;

	if (trace->count == 0)
		return 0;
	if (!stack || is_dead(stack))
		stack = find(trace);
	if (!stack || __atomic_load_n(&stack->generation, __ATOMIC_ACQUIRE) != now)
		stack = add_and_emit(stack, trace, now);
	if (trace->known)
		*trace->known = stack;
	return stack ? stack->id : 0;
}

static bool is_through(const struct depot_stack *stack, uint64_t start, uint64_t end)
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
		struct depot_stack *stack = unpack(current->slots[i]);

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
