/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What glibc tells and takes about its allocator. In route mode the heap's figures answer, in the
 * forms that glibc documents; what has no counterpart is 0. In observe mode the next function does.
 */

#include <errno.h>
#include <malloc.h>
#include <stdio.h>

#include "core/heap/heap.h"
#include "preload/native/real.h"
#include "preload/start.h"

CORE_API int malloc_trim(size_t pad)
{
	return serve_now() == SERVE_OBSERVE ? real.malloc_trim(pad) : heap_trim();
}

/* Accepts what glibc accepts; the heap has no such parameters. */
CORE_API int mallopt(int parameter, int value)
{
	if (serve_now() == SERVE_OBSERVE)
		return real.mallopt(parameter, value);
	return parameter != M_MXFAST || (value >= 0 && value <= 160);
}

static struct mallinfo2 describe(void)
{
	struct heap_statistics heap;

	heap_get_statistics(&heap);
	return (struct mallinfo2){
		.arena = heap.reserved_bytes - heap.large_bytes,
		.hblks = heap.large_count,
		.hblkhd = heap.large_bytes,
		.uordblks = heap.used_bytes - heap.large_bytes,
		.fordblks = heap.free_bytes,
	};
}

CORE_API struct mallinfo2 mallinfo2(void)
{
	return serve_now() == SERVE_OBSERVE ? real.mallinfo2() : describe();
}

CORE_API struct mallinfo mallinfo(void)
{
	struct mallinfo2 wide;

	if (serve_now() == SERVE_OBSERVE)
		return real.mallinfo();
	wide = describe();
	return (struct mallinfo){
		.arena = (int)wide.arena,
		.hblks = (int)wide.hblks,
		.hblkhd = (int)wide.hblkhd,
		.uordblks = (int)wide.uordblks,
		.fordblks = (int)wide.fordblks,
	};
}

CORE_API int malloc_info(int options, FILE *stream)
{
	struct heap_statistics heap;

	if (serve_now() == SERVE_OBSERVE)
		return real.malloc_info(options, stream);
	if (options != 0)
		return EINVAL;
	heap_get_statistics(&heap);
	fprintf(stream,
		"<malloc version=\"1\">\n"
		"<total type=\"rest\" count=\"0\" size=\"%zu\"/>\n"
		"<total type=\"mmap\" count=\"%zu\" size=\"%zu\"/>\n"
		"<system type=\"current\" size=\"%zu\"/>\n"
		"<system type=\"max\" size=\"%zu\"/>\n"
		"</malloc>\n",
		heap.free_bytes, heap.large_count, heap.large_bytes, heap.reserved_bytes,
		heap.peak_reserved_bytes);
	return 0;
}

CORE_API void malloc_stats(void)
{
	struct heap_statistics heap;

	if (serve_now() == SERVE_OBSERVE) {
		real.malloc_stats();
		return;
	}
	heap_get_statistics(&heap);
	fprintf(stderr,
		"Arena 0:\n"
		"system bytes     = %10zu\n"
		"in use bytes     = %10zu\n"
		"max mmap regions = %10zu\n"
		"max mmap bytes   = %10zu\n",
		heap.reserved_bytes, heap.used_bytes, heap.large_count, heap.large_bytes);
}
