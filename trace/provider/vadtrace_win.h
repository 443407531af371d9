/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Provider vadtrace_win: calls, hooks and differences of a Windows program. See
 * trace/schema/schema.h. */

/* clang-format off */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER vadtrace_win

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "trace/provider/vadtrace_win.h"

#if !defined(VADTRACE_TRACE_PROVIDER_VADTRACE_WIN_H) || \
	defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define VADTRACE_TRACE_PROVIDER_VADTRACE_WIN_H

#include <lttng/tracepoint.h>

#include "trace/provider/provider.h"

LTTNG_UST_TRACEPOINT_EVENT(
	vadtrace_win, call,
	LTTNG_UST_TP_ARGS(
		const struct trace_call *, call,
		uint32_t, stack
	),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint16_t, api, call->api)
		lttng_ust_field_integer_hex(uint64_t, result, call->result)
		lttng_ust_field_integer(uint32_t, error, call->error)
		lttng_ust_field_integer(uint32_t, stack, stack)
		lttng_ust_field_sequence_hex(uint64_t, arguments, call->arguments,
					     uint8_t, call->argument_count)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	vadtrace_win, hook,
	LTTNG_UST_TP_ARGS(const struct trace_hook *, hook),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint16_t, api, hook->api)
		lttng_ust_field_string(function, hook->function)
		lttng_ust_field_string(dll, hook->dll)
		lttng_ust_field_string(state, hook->state)
		lttng_ust_field_string(reason, hook->reason)
		lttng_ust_field_integer_hex(uint64_t, address, hook->address)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	vadtrace_win, difference,
	LTTNG_UST_TP_ARGS(
		const struct trace_difference *, difference,
		uint32_t, stack
	),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint16_t, api, difference->api)
		lttng_ust_field_string(what, difference->what)
		lttng_ust_field_integer_hex(uint64_t, wine, difference->wine)
		lttng_ust_field_integer_hex(uint64_t, core, difference->core)
		lttng_ust_field_integer(uint32_t, stack, stack)
		lttng_ust_field_sequence_hex(uint64_t, arguments, difference->arguments,
					     uint8_t, difference->argument_count)
	)
)

#endif

#include <lttng/tracepoint-event.h>
