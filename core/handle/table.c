/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The table of handles.
 *
 *   table   [ state | memory ] [ state | memory ] ...     65 536 of them; fresh: the first unused
 * one
 *                       `-> the block                     handle = address of memory
 *   free    head -> entry -> entry -> 0                   links are numbers plus 1, in `state`
 *
 * The table is memory that nobody has touched until it is used. The head carries a count of its
 * changes: a thread that was overtaken finds it different. Knows nothing of heaps. No lock. */

#include "core/handle/table.h"

#include "core/base/check.h"
#include "core/base/hints.h"
#include "core/base/status.h"
#include "core/os/os.h"

#define NAP_NS ((uint64_t)20000)
/* Of the head, and of a free entry's state: the number plus 1. */
#define NUMBER_MASK UINT64_C(0xffffffff)
#define LINK_SHIFT 32
#define ONE_CHANGE (UINT64_C(1) << 32)
#define ONE_LOCK (UINT64_C(1) << HANDLE_LOCKS_SHIFT)

static struct handle_entry table[HANDLES_MAX] __attribute__((aligned(16)));
static uint64_t free_head;
static uint32_t fresh;
static uint32_t used_count;

static uint64_t state_of(const struct handle_entry *entry)
{
	return __atomic_load_n(&entry->state, __ATOMIC_ACQUIRE);
}

/* When it fails, *state is the present one. */
static bool change_state(struct handle_entry *entry, uint64_t *state, uint64_t changed)
{
	return __atomic_compare_exchange_n(&entry->state, state, changed, /* weak */ false,
					   __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

/* The state when nobody changes the entry. */
static uint64_t settled_state(const struct handle_entry *entry)
{
	uint64_t state;

	while (unlikely((state = state_of(entry)) & HANDLE_CHANGING))
		os_sleep(NAP_NS);
	return state;
}

/* --- Entries --------------------------------------------------------------------------------- */

static struct handle_entry *take_free(void)
{
	uint64_t head = __atomic_load_n(&free_head, __ATOMIC_ACQUIRE);

	while (head & NUMBER_MASK) {
		struct handle_entry *entry = &table[(head & NUMBER_MASK) - 1];
		uint64_t rest =
			((head & ~NUMBER_MASK) + ONE_CHANGE) | state_of(entry) >> LINK_SHIFT;

		if (__atomic_compare_exchange_n(&free_head, &head, rest, /* weak */ false,
						__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			return entry;
	}
	return NULL;
}

static struct handle_entry *take_fresh(void)
{
	uint32_t number = __atomic_load_n(&fresh, __ATOMIC_RELAXED);

	do {
		if (number == HANDLES_MAX)
			return NULL;
	} while (!__atomic_compare_exchange_n(&fresh, &number, number + 1, /* weak */ false,
					      __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return &table[number];
}

struct handle_entry *handle_take(uint64_t flags)
{
	struct handle_entry *entry = take_free();

	if (!entry && !(entry = take_fresh()))
		return NULL;
	__atomic_fetch_add(&used_count, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&entry->state, flags | HANDLE_USED | HANDLE_MOVEABLE | HANDLE_DISCARDED,
			 __ATOMIC_RELEASE);
	return entry;
}

void handle_give_back(struct handle_entry *entry)
{
	uint64_t number = (uint64_t)(entry - table) + 1;
	uint64_t head = __atomic_load_n(&free_head, __ATOMIC_ACQUIRE);

	__atomic_fetch_sub(&used_count, 1, __ATOMIC_RELAXED);
	do {
		__atomic_store_n(&entry->state, (head & NUMBER_MASK) << LINK_SHIFT | HANDLE_FREE,
				 __ATOMIC_RELEASE);
	} while (!__atomic_compare_exchange_n(
		&free_head, &head, ((head & ~NUMBER_MASK) + ONE_CHANGE) | number, /* weak */ false,
		__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
}

HANDLE handle_of(const struct handle_entry *entry)
{
	return (HANDLE)&entry->memory;
}

/* NULL of what is no handle. */
static struct handle_entry *entry_at(LPCVOID handle)
{
	uintptr_t distance = (uintptr_t)handle - (uintptr_t)&table[0].memory;

	if (distance % sizeof(table[0]) || distance / sizeof(table[0]) >= HANDLES_MAX)
		return NULL;
	return &table[distance / sizeof(table[0])];
}

struct handle_entry *handle_find(LPCVOID handle)
{
	struct handle_entry *entry = entry_at(handle);

	return entry && state_of(entry) & HANDLE_USED ? entry : NULL;
}

bool handle_was_given(LPCVOID handle)
{
	const struct handle_entry *entry = entry_at(handle);

	return entry && state_of(entry);
}

/* --- Changes --------------------------------------------------------------------------------- */

bool handle_begin_change(struct handle_entry *entry)
{
	uint64_t state = settled_state(entry);

	while (state & HANDLE_USED) {
		if (change_state(entry, &state, state | HANDLE_CHANGING))
			return true;
		state = settled_state(entry);
	}
	return false;
}

void handle_end_change(struct handle_entry *entry)
{
	__atomic_fetch_and(&entry->state, ~HANDLE_CHANGING, __ATOMIC_RELEASE);
}

void handle_set_memory(struct handle_entry *entry, void *memory)
{
	__atomic_store_n(&entry->memory, memory, __ATOMIC_RELEASE);
	if (memory)
		__atomic_fetch_and(&entry->state, ~HANDLE_DISCARDED, __ATOMIC_RELEASE);
	else
		__atomic_fetch_or(&entry->state, HANDLE_DISCARDED, __ATOMIC_RELEASE);
}

void handle_add_flags(struct handle_entry *entry, uint64_t flags)
{
	__atomic_fetch_or(&entry->state, flags, __ATOMIC_RELEASE);
}

bool handle_retire(struct handle_entry *entry, void **memory)
{
	uint64_t state = settled_state(entry);

	while (state & HANDLE_USED) {
		if (change_state(entry, &state, HANDLE_FREE)) {
			*memory = __atomic_exchange_n(&entry->memory, NULL, __ATOMIC_ACQ_REL);
			return true;
		}
		state = settled_state(entry);
	}
	return false;
}

NTSTATUS handle_lock(struct handle_entry *entry, void **memory)
{
	for (;;) {
		uint64_t state = settled_state(entry);

		if (!(state & HANDLE_USED))
			return STATUS_INVALID_HANDLE;
		if (state & HANDLE_DISCARDED)
			return STATUS_DISCARDED;
		if (handle_locks(state) < HANDLE_LOCKS_MAX &&
		    !change_state(entry, &state, state + ONE_LOCK))
			continue;
		*memory = __atomic_load_n(&entry->memory, __ATOMIC_ACQUIRE);
		return STATUS_SUCCESS;
	}
}

NTSTATUS handle_unlock(struct handle_entry *entry, bool *is_still_locked)
{
	for (;;) {
		uint64_t state = settled_state(entry);

		if (!(state & HANDLE_USED))
			return STATUS_INVALID_HANDLE;
		if (handle_locks(state) == 0)
			return STATUS_NOT_LOCKED;
		if (!change_state(entry, &state, state - ONE_LOCK))
			continue;
		*is_still_locked = handle_locks(state) > 1;
		return STATUS_SUCCESS;
	}
}

bool handle_read(const struct handle_entry *entry, uint64_t *state, void **memory)
{
	do {
		*state = settled_state(entry);
		*memory = __atomic_load_n(&entry->memory, __ATOMIC_ACQUIRE);
	} while (unlikely(state_of(entry) != *state));
	return *state & HANDLE_USED;
}

uint32_t handle_count(void)
{
	return __atomic_load_n(&used_count, __ATOMIC_RELAXED);
}

/* --- The process ----------------------------------------------------------------------------- */

static uint32_t count_used(void)
{
	uint32_t count = 0;

	for (uint32_t number = 0; number < fresh; number++)
		count += (uint32_t)(table[number].state & HANDLE_USED);
	return count;
}

/* At most one more than there are entries. */
static uint32_t count_free(void)
{
	uint32_t count = 0;

	for (uint64_t next = free_head & NUMBER_MASK; next && count <= fresh;
	     next = table[next - 1].state >> LINK_SHIFT)
		count++;
	return count;
}

static void free_all_unused(void)
{
	free_head = 0;
	for (uint32_t number = fresh; number > 0; number--) {
		if (!(table[number - 1].state & HANDLE_USED))
			handle_give_back(&table[number - 1]);
	}
	used_count = count_used();
}

/* What another thread was doing to it when the process forked, it has done. Nothing is written
 * where nothing was going on: the pages stay the parent's, too. */
static void settle(struct handle_entry *entry)
{
	uint64_t state = entry->state & ~HANDLE_CHANGING;

	if (!(state & HANDLE_USED)) {
		if (entry->memory)
			entry->memory = NULL;
		return;
	}
	state = entry->memory ? state & ~HANDLE_DISCARDED : state | HANDLE_DISCARDED;
	if (entry->state != state)
		entry->state = state;
}

/* Another thread may also have been about to take or to give back an entry. */
void handle_fork_child(void)
{
	for (uint32_t number = 0; number < fresh; number++)
		settle(&table[number]);
	used_count = count_used();
	if (used_count + count_free() != fresh)
		free_all_unused();
}

static void check_entry(uint32_t number)
{
	const struct handle_entry *entry = &table[number];
	bool is_used = entry->state & HANDLE_USED;

	check(number < fresh || !entry->state, "a handle that was never given out");
	check(!entry->memory == (!is_used || entry->state & HANDLE_DISCARDED),
	      "a handle whose memory is not as its state");
	check(is_used || number >= fresh || entry->state & HANDLE_FREE,
	      "a handle that is neither used nor free");
}

void handle_check(void)
{
	for (uint32_t number = 0; number < HANDLES_MAX; number++)
		check_entry(number);
	check(count_used() == used_count, "a wrong count of handles");
	check(used_count + count_free() == fresh, "a handle that was lost");
}
