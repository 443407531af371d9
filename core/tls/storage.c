/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Values of threads.
 *
 *   all   thread_values -> thread_values -> thread_values        idle   thread_values -> ...
 *
 *   first value: takes an idle one, else a new one; exit: becomes idle; fork: all but ours do
 *
 * Pages of values that nobody sets are never touched. Knows nothing of callbacks. Guarded by:
 * tls_lock. */

#include "core/tls/storage.h"

#include <string.h>

#include "core/base/arena.h"
#include "core/base/check.h"
#include "core/base/lock.h"

CORE_TLS struct thread_values *thread_values;

/* Stands for what a thread that has ended has. Never written to. */
static struct thread_values thread_gone;

static struct lock tls_lock = LOCK_INITIALIZER(LOCK_RANK_TLS);
static struct thread_values *all_threads, *idle_threads;

void storage_lock(void)
{
	lock_acquire(&tls_lock);
}

void storage_unlock(void)
{
	lock_release(&tls_lock);
}

bool storage_is_locked(void)
{
	return lock_is_mine(&tls_lock);
}

/* --- Threads --------------------------------------------------------------------------------- */

static struct thread_values *adopt_locked(void)
{
	struct thread_values *values = idle_threads;

	if (!values)
		return NULL;
	idle_threads = values->next_idle;
	values->is_idle = false;
	return values;
}

static struct thread_values *create_locked(void)
{
	struct thread_values *values = arena_pages(sizeof *values);

	if (!values)
		return NULL;
	values->next = all_threads;
	all_threads = values;
	return values;
}

/* The look inside is for a handler that came between the caller's look and the lock. */
static struct thread_values *attach(void)
{
	storage_lock();
	if (!thread_values)
		thread_values = adopt_locked();
	if (!thread_values)
		thread_values = create_locked();
	storage_unlock();
	if (thread_values && thread_began)
		thread_began();
	return thread_values;
}

static void **values_of(struct thread_values *values, enum value_kind kind)
{
	return kind == VALUES_TLS ? values->tls : values->fls;
}

static void set(void **value, void *to)
{
	__atomic_store_n(value, to, __ATOMIC_RELEASE);
}

bool storage_set(enum value_kind kind, uint32_t index, void *value)
{
	struct thread_values *values = thread_values;

	if (!values && value)
		values = attach();
	if (!values || values == &thread_gone)
		return !value;
	if (index >= values->ends[kind])
		values->ends[kind] = index + 1;
	set(&values_of(values, kind)[index], value);
	return true;
}

/* Pages that are all zero stay untouched. */
void storage_clear_locked(enum value_kind kind, uint32_t index)
{
	struct thread_values *values = NULL;

	while ((values = storage_next_locked(values))) {
		void **value = &values_of(values, kind)[index];

		if (value_get(value))
			set(value, NULL);
	}
}

static void clear_all(struct thread_values *values, enum value_kind kind)
{
	memset(values_of(values, kind), 0, values->ends[kind] * sizeof(void *));
	values->ends[kind] = 0;
}

static void make_idle_locked(struct thread_values *values)
{
	clear_all(values, VALUES_TLS);
	clear_all(values, VALUES_FLS);
	values->is_idle = true;
	values->next_idle = idle_threads;
	idle_threads = values;
}

void storage_thread_exit(void)
{
	struct thread_values *values = thread_values;

	if (values == &thread_gone)
		return;
	storage_lock();
	thread_values = &thread_gone;
	if (values)
		make_idle_locked(values);
	storage_unlock();
}

struct thread_values *storage_next_locked(const struct thread_values *values)
{
	check_debug(storage_is_locked(), "threads' values looked through without their lock");
	return values ? values->next : all_threads;
}

/* --- Indexes --------------------------------------------------------------------------------- */

uint32_t index_take_locked(uint64_t *indexes, size_t words)
{
	check_debug(storage_is_locked(), "an index taken without its lock");
	for (size_t i = 0; i < words; i++) {
		uint32_t bit = (uint32_t)__builtin_ctzll(~indexes[i] | UINT64_C(1) << 63);

		if (indexes[i] >> bit & 1)
			continue;
		__atomic_fetch_or(&indexes[i], UINT64_C(1) << bit, __ATOMIC_RELEASE);
		return (uint32_t)i * 64 + bit;
	}
	return NO_INDEX;
}

void index_give_back_locked(uint64_t *indexes, uint32_t index)
{
	check_debug(storage_is_locked(), "an index given back without its lock");
	__atomic_fetch_and(&indexes[index / 64], ~(UINT64_C(1) << index % 64), __ATOMIC_RELEASE);
}

/* --- The process ----------------------------------------------------------------------------- */

void storage_fork_prepare(void)
{
	storage_lock();
}

void storage_fork_parent(void)
{
	storage_unlock();
}

void storage_fork_child(void)
{
	lock_fork_adopt(&tls_lock);
	for (struct thread_values *values = all_threads; values; values = values->next) {
		if (values != thread_values && !values->is_idle)
			make_idle_locked(values);
	}
	storage_unlock();
}

static void check_values(void *const *values, uint32_t from, uint32_t count)
{
	for (uint32_t i = from; i < count; i++)
		check(!value_get(&values[i]), "a value behind the last one");
}

void storage_check(void)
{
	storage_lock();
	for (struct thread_values *values = all_threads; values; values = values->next) {
		check_values(values->tls, values->ends[VALUES_TLS], TLS_SLOTS);
		check_values(values->fls, values->ends[VALUES_FLS], FLS_SLOTS);
	}
	for (struct thread_values *values = idle_threads; values; values = values->next_idle) {
		check(values->is_idle, "values that are idle and not marked so");
		check(!values->ends[VALUES_TLS] && !values->ends[VALUES_FLS], "idle values");
	}
	storage_unlock();
}
