/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A binary heap of pointers in an array: the first is before all others. Inlined, so that an order
 * that is known costs no call. */

#ifndef VADTRACE_TOOLS_LIB_BINARY_HEAP_H
#define VADTRACE_TOOLS_LIB_BINARY_HEAP_H

#include <stdbool.h>
#include <stddef.h>

/* Puts the element at `place`, the only one that may be too early there, where it belongs. */
static inline void binary_heap_sift_down(void **heap, size_t count, size_t place,
					 bool (*is_before)(const void *, const void *))
{
	void *moving = heap[place];

	for (;;) {
		size_t child = 2 * place + 1;

		if (child >= count)
			break;
		if (child + 1 < count && is_before(heap[child + 1], heap[child]))
			child++;
		if (!is_before(heap[child], moving))
			break;
		heap[place] = heap[child];
		place = child;
	}
	heap[place] = moving;
}

#endif
