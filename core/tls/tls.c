/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A value that was set under an index that nobody had allocated is cleared when it is allocated.
 * Guarded by: storage_lock. */

#include "core/tls/tls.h"

#define WORDS (TLS_SLOTS / 64)
_Static_assert(TLS_SLOTS % 64 == 0, "each bit stands for an index");

static uint64_t used[WORDS];

uint32_t tls_allocate(void)
{
	uint32_t index;

	storage_lock();
	index = index_take_locked(used, WORDS);
	if (index != NO_INDEX)
		storage_clear_locked(VALUES_TLS, index);
	storage_unlock();
	return index;
}

bool tls_free(uint32_t index)
{
	bool was_used;

	if (index >= TLS_SLOTS)
		return false;
	storage_lock();
	was_used = index_is_used(used, index);
	if (was_used) {
		storage_clear_locked(VALUES_TLS, index);
		index_give_back_locked(used, index);
	}
	storage_unlock();
	return was_used;
}
