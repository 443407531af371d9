/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What a Windows program's calls add to the trace. The events go the way of sink.c: bracket, stack,
 * depot, tracepoint. */

#include <errno.h>
#include <stddef.h>

#include "trace/bracket.h"
#include "trace/modules_pe.h"
#include "trace/provider/provider.h"
#include "trace/sink.h"
#include "trace/stack/stack_mixed.h"
#include "trace/trace.h"

#define FRAME ((uintptr_t)__builtin_frame_address(0))

void trace_start_windows(void)
{
	mixed_start_windows(modules_pe_find);
}

void trace_image_gone(uint64_t base)
{
	modules_pe_gone(base);
}

bool trace_is_wanted(void)
{
	return *provider_gate() != 0;
}

const struct trace_caller *trace_set_caller(const struct trace_caller *caller)
{
	return sink_set_caller(caller);
}

/* Opens a stay for one event; false: it is not recorded. */
static bool open(struct bracket *bracket, uintptr_t frame)
{
	if (!trace_is_wanted() || !bracket_open(bracket, frame))
		return false;
	if (sink_prepare(bracket))
		return true;
	bracket_close(bracket);
	return false;
}

void trace_call(const struct trace_call *call)
{
	int saved_errno = errno;
	struct bracket bracket;

	if (open(&bracket, FRAME)) {
		provider_call(call, sink_take_stack(&bracket));
		bracket_close(&bracket);
	}
	errno = saved_errno;
}

void trace_hook(const struct trace_hook *hook)
{
	int saved_errno = errno;
	struct bracket bracket;

	if (open(&bracket, FRAME)) {
		provider_hook(hook);
		bracket_close(&bracket);
	}
	errno = saved_errno;
}

void trace_difference(const struct trace_difference *difference)
{
	int saved_errno = errno;
	struct bracket bracket;

	if (open(&bracket, FRAME)) {
		provider_difference(difference, sink_take_stack(&bracket));
		bracket_close(&bracket);
	}
	errno = saved_errno;
}
