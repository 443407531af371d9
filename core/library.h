/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* For what libvadcore.so interposes of the C library. */

#ifndef VADTRACE_CORE_LIBRARY_H
#define VADTRACE_CORE_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/hints.h"
#include "core/host.h"

/* The next function of that name, looked up once; *known is NULL at first. Two threads may look up
 * the same at once, and find the same. */
void *library_next(void **known, const char *name);

/* After core_write_begins, whose answer is_begun is. */
static inline void library_write_ends(bool is_begun, const void *call)
{
	if (unlikely(is_begun))
		core_write_ends(call);
}

/* Of `count` items; 0 when it is no size: then the C library writes nothing. */
static inline size_t library_item_bytes(size_t size, size_t count)
{
	return count && size > SIZE_MAX / count ? 0 : size * count;
}

#endif
