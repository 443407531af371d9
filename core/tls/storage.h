/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Where each thread keeps its values of TLS and FLS, and which indexes are in use. A thread has
 * nothing here before it sets its first value; what a thread that ended had is the next one's. */

#ifndef VADTRACE_CORE_TLS_STORAGE_H
#define VADTRACE_CORE_TLS_STORAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/thread.h"
#include "core/types.h"

#define TLS_SLOTS 1088u /* TLS_MINIMUM_AVAILABLE, and 1024 more */
#define FLS_SLOTS FLS_MAXIMUM_AVAILABLE
#define NO_INDEX UINT32_MAX

enum value_kind { VALUES_TLS, VALUES_FLS, VALUE_KINDS };

/* What a thread has.
 *  - of each kind, values from its end on are NULL;
 *  - next: all that there are, none is ever given back; next_idle: those of threads that ended,
 *    which have no values.
 * Guarded by: storage_lock, but for the ends, which only the thread itself changes, and the values,
 * which are written one by one: by the thread, and to NULL by who allocates or frees an index. */
struct thread_values {
	struct thread_values *next, *next_idle;
	bool is_idle;
	uint32_t ends[VALUE_KINDS];
	void *tls[TLS_SLOTS];
	void *fls[FLS_SLOTS];
};

/* The calling thread's; NULL: it has set no value yet. */
extern CORE_TLS struct thread_values *thread_values;

/* Sets a value of the calling thread. False: its first value, and there is no memory, or it has
 * ended. */
bool storage_set(enum value_kind kind, uint32_t index, void *value);
/* NULL in all threads. */
void storage_clear_locked(enum value_kind kind, uint32_t index);

/* The calling thread ends: it has no values any more, and never again. */
void storage_thread_exit(void);

/* One of several that take a value at once gets it. */
static inline void *value_take(void **value)
{
	return __atomic_exchange_n(value, NULL, __ATOMIC_ACQ_REL);
}

static inline void *value_get(void *const *value)
{
	return __atomic_load_n(value, __ATOMIC_RELAXED);
}

/* Indexes in use, a bit each; bits that stand for none are set, too. Changed under storage_lock. */
static inline bool index_is_used(const uint64_t *indexes, uint32_t index)
{
	return __atomic_load_n(&indexes[index / 64], __ATOMIC_ACQUIRE) >> index % 64 & 1;
}
/* The lowest one that is free, which is used now; NO_INDEX: there is none. */
uint32_t index_take_locked(uint64_t *indexes, size_t words);
void index_give_back_locked(uint64_t *indexes, uint32_t index);

void storage_lock(void);
void storage_unlock(void);
bool storage_is_locked(void);
/* All threads' values that there are, NULL: the first ones; NULL at the end. */
struct thread_values *storage_next_locked(const struct thread_values *values);

void storage_fork_prepare(void);
void storage_fork_parent(void);
/* The other threads have no values here. */
void storage_fork_child(void);

void storage_check(void);

#endif
