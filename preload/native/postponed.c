/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/*   first --> | next | ... |  --> | NULL | ... |
 *
 * Blocks are added one by one and taken all at once, so an address cannot come back in between. No
 * lock. */

#include "preload/native/postponed.h"

#include <stdatomic.h>

#include "core/base/hints.h"

static void *_Atomic first;

void postponed_add(void *block)
{
	void *next = atomic_load_explicit(&first, memory_order_relaxed);

	do {
		*(void **)block = next;
	} while (!atomic_compare_exchange_weak_explicit(&first, &next, block, memory_order_release,
							memory_order_relaxed));
}

void *postponed_take(void)
{
	if (likely(!atomic_load_explicit(&first, memory_order_relaxed)))
		return NULL;
	return atomic_exchange_explicit(&first, NULL, memory_order_acquire);
}
