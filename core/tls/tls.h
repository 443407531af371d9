/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Thread local storage: indexes, and a value for each in each thread. From any thread. */

#ifndef VADTRACE_CORE_TLS_TLS_H
#define VADTRACE_CORE_TLS_TLS_H

#include "core/tls/storage.h"

/* An index whose value is NULL in all threads; NO_INDEX: all TLS_SLOTS are in use. */
uint32_t tls_allocate(void);
/* False: it was not allocated. */
bool tls_free(uint32_t index);

/* `index` is below TLS_SLOTS; whether it is allocated, nobody asks. */
static inline void *tls_get(uint32_t index)
{
	const struct thread_values *values = thread_values;

	return values ? value_get(&values->tls[index]) : NULL;
}
/* False: the thread's first value, and there is no memory. */
static inline bool tls_set(uint32_t index, void *value)
{
	return storage_set(VALUES_TLS, index, value);
}

#endif
