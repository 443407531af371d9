/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Provider vadtrace_heap: blocks and heaps. See trace/schema/schema.h. */

/* clang-format off */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER vadtrace_heap

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "trace/provider/vadtrace_heap.h"

#if !defined(VADTRACE_TRACE_PROVIDER_VADTRACE_HEAP_H) || \
	defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define VADTRACE_TRACE_PROVIDER_VADTRACE_HEAP_H

#include <lttng/tracepoint.h>

#include "trace/provider/provider.h"

LTTNG_UST_TRACEPOINT_EVENT(
	vadtrace_heap, batch,
	LTTNG_UST_TP_ARGS(const struct live_slot *, slot),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint32_t, tid, slot->header.tid)
		lttng_ust_field_integer(uint64_t, begin_ns, slot->header.begin_ns)
		lttng_ust_field_sequence_hex(uint64_t, words, slot->words,
					     uint32_t, slot->header.used_words)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	vadtrace_heap, settled,
	LTTNG_UST_TP_ARGS(uint64_t, until_ns),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint64_t, until_ns, until_ns)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	vadtrace_heap, record,
	LTTNG_UST_TP_ARGS(const struct provider_record *, record),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint32_t, tid, record->tid)
		lttng_ust_field_integer(uint64_t, time_ns, record->time_ns)
		lttng_ust_field_array_hex(uint64_t, words, record->words, RECORD_WORDS)
		lttng_ust_field_integer_hex(uint64_t, heap, record->heap)
	)
)

LTTNG_UST_TRACEPOINT_EVENT_CLASS(
	vadtrace_heap, block,
	LTTNG_UST_TP_ARGS(const struct provider_block *, block),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint64_t, time_ns, block->time_ns)
		lttng_ust_field_integer_hex(uint64_t, address, block->event->address)
		lttng_ust_field_integer(uint64_t, size_bytes, block->event->size_bytes)
		lttng_ust_field_integer(uint64_t, alignment, block->event->extra)
		lttng_ust_field_integer_hex(uint64_t, heap, block->event->heap)
		lttng_ust_field_integer(uint16_t, api, block->event->api)
		lttng_ust_field_integer(uint32_t, stack, block->stack)
		lttng_ust_field_sequence_hex(uint64_t, frames, block->frames,
					     uint32_t, block->frame_count)
	)
)

#define VADTRACE_HEAP_BLOCK(name)                                          \
	LTTNG_UST_TRACEPOINT_EVENT_INSTANCE(                               \
		vadtrace_heap, block, vadtrace_heap, name,                 \
		LTTNG_UST_TP_ARGS(const struct provider_block *, block)    \
	)

VADTRACE_HEAP_BLOCK(allocate)
VADTRACE_HEAP_BLOCK(free)
VADTRACE_HEAP_BLOCK(realloc_begin)
VADTRACE_HEAP_BLOCK(realloc_end)
VADTRACE_HEAP_BLOCK(realloc_failed)
VADTRACE_HEAP_BLOCK(allocate_failed)

LTTNG_UST_TRACEPOINT_EVENT(
	vadtrace_heap, create,
	LTTNG_UST_TP_ARGS(
		const struct event *, event,
		uint32_t, stack
	),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer_hex(uint64_t, heap, event->heap)
		lttng_ust_field_integer_hex(uint32_t, flags, event->type)
		lttng_ust_field_integer(uint64_t, maximum_bytes, event->size_bytes)
		lttng_ust_field_integer(uint16_t, api, event->api)
		lttng_ust_field_integer(uint32_t, stack, stack)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	vadtrace_heap, destroy,
	LTTNG_UST_TP_ARGS(
		const struct event *, event,
		uint32_t, stack
	),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer_hex(uint64_t, heap, event->heap)
		lttng_ust_field_integer(uint16_t, api, event->api)
		lttng_ust_field_integer(uint32_t, stack, stack)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	vadtrace_heap, error,
	LTTNG_UST_TP_ARGS(const struct provider_error *, error),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer_hex(uint64_t, address, error->event->address)
		lttng_ust_field_integer(uint64_t, size_bytes, error->event->size_bytes)
		lttng_ust_field_integer_hex(uint64_t, heap, error->event->heap)
		lttng_ust_field_integer(uint32_t, misuse, error->event->type)
		lttng_ust_field_integer(uint16_t, api, error->event->api)
		lttng_ust_field_integer(uint32_t, stack, error->stack)
		lttng_ust_field_integer_hex(uint64_t, block, error->block)
		lttng_ust_field_integer(uint32_t, allocated_stack, error->allocated_stack)
		lttng_ust_field_integer(uint32_t, allocated_tid, error->allocated_tid)
		lttng_ust_field_integer(uint32_t, freed_stack, error->freed_stack)
		lttng_ust_field_integer(uint32_t, freed_tid, error->freed_tid)
	)
)

#endif

#include <lttng/tracepoint-event.h>
