/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Provider vadtrace_vm: changes of the address space. See trace/schema/schema.h. */

/* clang-format off */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER vadtrace_vm

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "trace/provider/vadtrace_vm.h"

#if !defined(VADTRACE_TRACE_PROVIDER_VADTRACE_VM_H) || \
	defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define VADTRACE_TRACE_PROVIDER_VADTRACE_VM_H

#include <lttng/tracepoint.h>

#include "trace/provider/provider.h"

LTTNG_UST_TRACEPOINT_EVENT_CLASS(
	vadtrace_vm, range,
	LTTNG_UST_TP_ARGS(
		const struct event *, event,
		uint32_t, stack
	),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer_hex(uint64_t, address, event->address)
		lttng_ust_field_integer(uint64_t, size_bytes, event->size_bytes)
		lttng_ust_field_integer_hex(uint32_t, type, event->type)
		lttng_ust_field_integer_hex(uint32_t, protect, event->protect)
		lttng_ust_field_integer_hex(uint64_t, extra, event->extra)
		lttng_ust_field_integer(uint8_t, owner, event->owner)
		lttng_ust_field_integer(uint16_t, api, event->api)
		lttng_ust_field_integer(uint32_t, stack, stack)
	)
)

#define VADTRACE_VM_RANGE(name)                                            \
	LTTNG_UST_TRACEPOINT_EVENT_INSTANCE(                               \
		vadtrace_vm, range, vadtrace_vm, name,                     \
		LTTNG_UST_TP_ARGS(                                         \
			const struct event *, event,                       \
			uint32_t, stack                                    \
		)                                                          \
	)

VADTRACE_VM_RANGE(reserve)
VADTRACE_VM_RANGE(commit)
VADTRACE_VM_RANGE(decommit)
VADTRACE_VM_RANGE(protect)
VADTRACE_VM_RANGE(release)
VADTRACE_VM_RANGE(reset)
VADTRACE_VM_RANGE(map)
VADTRACE_VM_RANGE(unmap)
VADTRACE_VM_RANGE(offer)
VADTRACE_VM_RANGE(reclaim)

#endif

#include <lttng/tracepoint-event.h>
