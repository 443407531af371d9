/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What a Windows program's calls add to the trace. The events go the way of sink.c: bracket, stack,
 * depot, tracepoint. */

#include "trace/windows.h"

#include <errno.h>
#include <stddef.h>

#include "trace/bracket.h"
#include "trace/functions_pe.h"
#include "trace/modules_pe.h"
#include "trace/provider/provider.h"
#include "trace/sink.h"
#include "trace/stack/stack_mixed.h"
#include "trace/system.h"

#define FRAME ((uintptr_t)__builtin_frame_address(0))
/* Pages below the limit are Windows' guard pages: touched with signals blocked, they kill. */
#define ROOM_MIN (32u * 1024)

_Thread_local const struct trace_caller *windows_told_caller;

void trace_start_windows(void)
{
	mixed_start_windows(modules_pe_find, functions_pe_version);
}

void trace_image_gone(uint64_t base)
{
	modules_pe_gone(base);
}

bool trace_is_wanted(void)
{
	return *provider_gate() != 0;
}

const struct trace_caller *trace_set_caller(const struct trace_caller *next)
{
	const struct trace_caller *before = windows_told_caller;

	windows_told_caller = next;
	return before;
}

/* A word of the thread environment block: StackBase at 8, StackLimit at 16. */
static uintptr_t environment_word(uintptr_t offset)
{
	uintptr_t value;

	__asm__ volatile("movq %%gs:(%1), %0" : "=r"(value) : "r"(offset));
	return value;
}

/* The host keeps it on the program's stack, above the events of that call. On Wine's own stack for
 * system calls they are elsewhere. */
const struct trace_caller *windows_check_caller(uintptr_t frame)
{
	uintptr_t address = (uintptr_t)windows_told_caller;
	uintptr_t base = environment_word(8), limit = environment_word(16);

	if (address - limit >= base - limit)
		return NULL;
	return frame - limit < base - limit && frame > address ? NULL : windows_told_caller;
}

bool windows_has_room(void)
{
	uintptr_t here = FRAME, base, limit;

	if (!windows_told_caller)
		return true;
	base = environment_word(8);
	limit = environment_word(16);
	return here - limit >= base - limit || here - limit >= ROOM_MIN;
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
