/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Provider vadtrace_meta: processes, threads, modules, stacks. See trace/schema/schema.h. */

/* clang-format off */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER vadtrace_meta

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "trace/provider/vadtrace_meta.h"

#if !defined(VADTRACE_TRACE_PROVIDER_VADTRACE_META_H) || \
	defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define VADTRACE_TRACE_PROVIDER_VADTRACE_META_H

#include <lttng/tracepoint.h>

#include "trace/provider/provider.h"

LTTNG_UST_TRACEPOINT_EVENT(
	vadtrace_meta, process,
	LTTNG_UST_TP_ARGS(const struct provider_process *, process),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_string(session, process->session)
		lttng_ust_field_integer(uint32_t, schema_version, process->schema_version)
		lttng_ust_field_string(mode, process->mode)
		lttng_ust_field_integer(int32_t, parent_pid, process->parent_pid)
		lttng_ust_field_string(exe, process->exe)
		lttng_ust_field_string(command_line, process->command_line)
		lttng_ust_field_string(comm, process->comm)
		lttng_ust_field_integer(uint32_t, page_size, process->page_size)
		lttng_ust_field_integer(uint32_t, stack_depth, process->stack_depth)
		lttng_ust_field_integer(uint64_t, min_size, process->min_size_bytes)
		lttng_ust_field_string(reason, process->reason)
		lttng_ust_field_integer(uint64_t, fork_ns, process->fork_ns)
		lttng_ust_field_string(wine, process->wine)
		lttng_ust_field_integer(uint64_t, commit_limit, process->commit_limit_bytes)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	vadtrace_meta, fork,
	LTTNG_UST_TP_ARGS(uint64_t, fork_ns),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint64_t, fork_ns, fork_ns)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	vadtrace_meta, exit,
	LTTNG_UST_TP_ARGS(),
	LTTNG_UST_TP_FIELDS()
)

LTTNG_UST_TRACEPOINT_EVENT(
	vadtrace_meta, thread,
	LTTNG_UST_TP_ARGS(
		uint32_t, tid,
		const char *, name
	),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint32_t, tid, tid)
		lttng_ust_field_string(name, name)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	vadtrace_meta, module,
	LTTNG_UST_TP_ARGS(const struct provider_module *, module),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint32_t, module, module->module)
		lttng_ust_field_integer_hex(uint64_t, base, module->base)
		lttng_ust_field_integer_hex(uint64_t, start, module->start)
		lttng_ust_field_integer_hex(uint64_t, end, module->end)
		lttng_ust_field_string(path, module->path)
		lttng_ust_field_string(build_id, module->build_id)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	vadtrace_meta, pe_module,
	LTTNG_UST_TP_ARGS(const struct provider_pe_module *, module),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint32_t, module, module->module)
		lttng_ust_field_integer_hex(uint64_t, base, module->base)
		lttng_ust_field_integer_hex(uint64_t, start, module->start)
		lttng_ust_field_integer_hex(uint64_t, end, module->end)
		lttng_ust_field_string(path, module->path)
		lttng_ust_field_string(name, module->name)
		lttng_ust_field_integer_hex(uint32_t, timestamp, module->timestamp)
		lttng_ust_field_integer(uint32_t, image_size, module->image_size)
		lttng_ust_field_string(pdb, module->pdb)
		lttng_ust_field_string(pdb_id, module->pdb_id)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	vadtrace_meta, module_gone,
	LTTNG_UST_TP_ARGS(uint32_t, module),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint32_t, module, module)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	vadtrace_meta, stack,
	LTTNG_UST_TP_ARGS(
		uint32_t, stack,
		const uint64_t *, frames,
		uint32_t, count
	),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint32_t, stack, stack)
		lttng_ust_field_sequence_hex(uint64_t, frames, frames, uint32_t, count)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	vadtrace_meta, stacks,
	LTTNG_UST_TP_ARGS(
		const struct compare_counts *, counts,
		uint32_t, stack,
		uint32_t, slow_stack
	),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint64_t, compared, counts->compared)
		lttng_ust_field_integer(uint64_t, partial, counts->partial)
		lttng_ust_field_integer(uint64_t, different, counts->different)
		lttng_ust_field_integer(uint32_t, stack, stack)
		lttng_ust_field_integer(uint32_t, slow_stack, slow_stack)
	)
)

#endif

#include <lttng/tracepoint-event.h>
