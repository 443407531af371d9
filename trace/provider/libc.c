/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Which of the six functions a happening is. There is no event for what the wrapper does not know:
 *
 *   aligned_alloc, valloc, pvalloc     memalign
 *   realloc(p, 0), which frees         free(p)
 *   other functions that allocate      malloc
 *
 * A reallocation is told when it has ended. A calloc whose product is too large is told with the
 * largest size that fits its count, and one of no bytes as one of none at all. A posix_memalign
 * that has failed has no address. Knows nothing of the event's other form. */

#include "trace/provider/libc.h"

#include <errno.h>
#include <stddef.h>

#include "trace/provider/lttng_ust_libc.h"

static void *pointer(uint64_t address)
{
	return (void *)(uintptr_t)address;
}

static void fire_calloc(const struct provider_block *block, void *address)
{
	size_t count = block->element_count;
	size_t size = count ? block->event->size_bytes / count : 0;

	lttng_ust_tracepoint(lttng_ust_libc, calloc, count, size, address, pointer(block->ip));
}

static void fire_allocation(const struct provider_block *block, void *address)
{
	const struct event *event = block->event;
	size_t size = event->size_bytes, alignment = event->extra;
	void *ip = pointer(block->ip);

	switch (event->api) {
	case API_posix_memalign:
		lttng_ust_tracepoint(lttng_ust_libc, posix_memalign, address, alignment, size,
				     address ? 0 : ENOMEM, ip);
		break;
	case API_memalign:
	case API_aligned_alloc:
	case API_valloc:
	case API_pvalloc:
		lttng_ust_tracepoint(lttng_ust_libc, memalign, alignment, size, address, ip);
		break;
	case API_calloc:
		fire_calloc(block, address);
		break;
	default:
		lttng_ust_tracepoint(lttng_ust_libc, malloc, size, address, ip);
		break;
	}
}

/* An end without an address leaves no block that is recorded. */
static void fire_realloc(const struct provider_block *block)
{
	const struct event *event = block->event;
	void *ip = pointer(block->ip), *old = pointer(block->old_address);

	if (event->address)
		lttng_ust_tracepoint(lttng_ust_libc, realloc, old, event->size_bytes,
				     pointer(event->address), ip);
	else if (old)
		lttng_ust_tracepoint(lttng_ust_libc, free, old, ip);
}

void libc_fire(const struct provider_block *block)
{
	const struct event *event = block->event;

	switch (event->kind) {
	case EVENT_ALLOCATE:
		fire_allocation(block, pointer(event->address));
		break;
	case EVENT_ALLOCATE_FAILED:
		fire_allocation(block, NULL);
		break;
	case EVENT_FREE:
		lttng_ust_tracepoint(lttng_ust_libc, free, pointer(event->address),
				     pointer(block->ip));
		break;
	case EVENT_REALLOC_END:
		fire_realloc(block);
		break;
	case EVENT_REALLOC_FAILED:
		lttng_ust_tracepoint(lttng_ust_libc, realloc, pointer(block->old_address),
				     event->size_bytes, NULL, pointer(block->ip));
		break;
	}
}
