/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Size classes: all multiples of 16 up to 128, then eight a doubling, up to 128 KiB.
 *
 *   class   0   1 ...   7   8 ...  15  16 ...  23 ...    87
 *   bytes  16  32     128 144     256 288     512    131072
 *
 * A class is at most one eighth larger than the smallest size that falls into it needs. */

#ifndef VADTRACE_CORE_HEAP_CLASSES_H
#define VADTRACE_CORE_HEAP_CLASSES_H

#include <stddef.h>
#include <stdint.h>

#define CLASS_COUNT 88u
#define CLASS_BYTES_MAX ((size_t)131072)
/* Up to here a front finds its page by the number of 16-byte units, with one load. */
#define DIRECT_BYTES_MAX ((size_t)1024)
#define DIRECT_COUNT (DIRECT_BYTES_MAX / 16 + 1)

/* The class of a size up to CLASS_BYTES_MAX. */
static inline uint32_t class_of_size(size_t size_bytes)
{
	uint32_t last = (uint32_t)(size_bytes - (size_bytes != 0));
	uint32_t bit;

	if (last < 128)
		return last / 16;
	bit = 31 - (uint32_t)__builtin_clz(last);
	return 8 + (bit - 7) * 8 + ((last >> (bit - 3)) & 7);
}

static inline size_t class_bytes(uint32_t size_class)
{
	if (size_class < 8)
		return (size_class + 1) * 16;
	return (size_t)(9 + size_class % 8) << (size_class / 8 + 3);
}

/* Slices in a span of this class: enough for the waste at its end to be small. */
static inline uint32_t class_slices(uint32_t size_class)
{
	size_t bytes = class_bytes(size_class);

	return bytes <= 2048 ? 1 : bytes <= 16384 ? 4 : bytes <= 65536 ? 8 : 16;
}

static inline size_t direct_index(size_t size_bytes)
{
	return (size_bytes + 15) / 16;
}

#endif
