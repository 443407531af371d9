/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What quick paths compare something with anyway. While a listener is installed it lets no call
 * through, so that to ask whether somebody listens costs nothing.
 *
 * Written by event_set_sink, read by everybody without a lock. */

#ifndef VADTRACE_CORE_BASE_UNHEARD_H
#define VADTRACE_CORE_BASE_UNHEARD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/hints.h"

/* A malloc of less than this is a small one. */
#define SMALL_BYTES_END ((uintptr_t)1025)

/* The heap's hints where its blocks lie (heap/layout.h): of a chunk of the address space, at the
 * place that the last bits of its number say; else 0. */
#define CHUNK_HINTS ((uintptr_t)8192)
extern CORE_HIDDEN uintptr_t chunk_hints[CHUNK_HINTS];

/* While a listener is installed, no size is small and no chunk is hinted at. */
struct unheard {
	uintptr_t small_bytes_end;
	uintptr_t *hints;
};
extern CORE_HIDDEN struct unheard unheard;

/* A load and a comparison in one, which no compiler makes of an atomic load. */
static ALWAYS_INLINE bool is_below(uintptr_t number, const uintptr_t *end)
{
	bool is_less;

	__asm__ volatile("cmp %2, %1" : "=@ccb"(is_less) : "r"(number), "m"(*end) : "cc");
	return likely(is_less);
}

static inline bool is_listener_installed(void)
{
	return !__atomic_load_n(&unheard.small_bytes_end, __ATOMIC_RELAXED);
}

#endif
