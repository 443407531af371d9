/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* core's heap as malloc, and nothing else: no question whether somebody listens, no other function
 * in the program's way. For preload.sh, which tells what the rest of the preloaded object costs. A
 * thread that ends keeps its heap. */

#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include "core/heap/heap.h"
#include "core/heap/quick_malloc.h"
#include "core/host.h"

CORE_API void *malloc(size_t size_bytes)
{
	void *block = heap_malloc_quickly(size_bytes, /* only_unheard */ false);

	if (unlikely(!block)) {
		core_start();
		block = heap_malloc_unusual(size_bytes);
	}
	return block;
}

CORE_API void free(void *block)
{
	if (unlikely(!heap_free_quickly(block, /* only_unheard */ false)))
		(void)heap_free_unusual(block);
}

CORE_API void *calloc(size_t count, size_t size_bytes)
{
	size_t total;

	core_start();
	return __builtin_mul_overflow(count, size_bytes, &total) ? NULL : heap_calloc(total);
}

CORE_API void *realloc(void *block, size_t size_bytes)
{
	return block ? heap_realloc(block, size_bytes) : malloc(size_bytes);
}

CORE_API void *memalign(size_t alignment_bytes, size_t size_bytes)
{
	core_start();
	return heap_memalign(alignment_bytes, size_bytes);
}

CORE_API void *aligned_alloc(size_t alignment_bytes, size_t size_bytes)
{
	return memalign(alignment_bytes, size_bytes);
}

CORE_API int posix_memalign(void **block, size_t alignment_bytes, size_t size_bytes)
{
	*block = memalign(alignment_bytes, size_bytes);
	return *block ? 0 : ENOMEM;
}

CORE_API size_t malloc_usable_size(void *block)
{
	return heap_usable_size(block);
}
