/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Fiber local storage, where each thread is one fiber: TLS with a callback for values that end.
 * From any thread; callbacks are called without any lock, and may call everything here. */

#ifndef VADTRACE_CORE_TLS_FLS_H
#define VADTRACE_CORE_TLS_FLS_H

#include "core/tls/storage.h"

/* An index whose value is NULL in all threads; `callback` may be NULL. NO_INDEX: all are in use;
 * index 0 is never given. */
uint32_t fls_allocate(PFLS_CALLBACK_FUNCTION callback);
/* The callback is called, in this thread, for each thread's value that is not NULL. False: the
 * index was not allocated, or is being freed. */
bool fls_free(uint32_t index);

/* `index` is neither 0 nor FLS_SLOTS or above; whether it is allocated, nobody asks. */
static inline void *fls_get(uint32_t index)
{
	const struct thread_values *values = thread_values;

	return values ? value_get(&values->fls[index]) : NULL;
}
/* False: the thread's first value, and there is no memory. */
static inline bool fls_set(uint32_t index, void *value)
{
	return storage_set(VALUES_FLS, index, value);
}

/* The calling thread is about to end: its values end, with their callbacks, and those that the
 * callbacks set, in a few rounds. */
void fls_thread_ends(void);

/* Nobody is freeing an index in a forked child; after storage_fork_child. */
void fls_fork_child(void);

#endif
