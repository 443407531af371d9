/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The tracer as a table. No state. */

#include "trace/trace.h"

const struct trace_functions trace_functions = {
	.start = trace_start,
	.fork_prepare = trace_fork_prepare,
	.fork_freeze = trace_fork_freeze,
	.fork_parent = trace_fork_parent,
	.fork_child = trace_fork_child,
	.fork_child_wait = trace_fork_child_wait,
	.fork_child_resume = trace_fork_child_resume,
	.thread_begin = trace_thread_begin,
	.exec = trace_exec,
	.thread_exit = trace_thread_exit,
	.exit = trace_exit,
	.modules_changed = trace_modules_changed,
	.take_stack = trace_take_stack,
	.find_module = trace_find_module,
	.is_inside = trace_is_inside,
	.is_unwinding = trace_is_unwinding,
	.iterate_modules = trace_iterate_modules,
	.set_caller = trace_set_caller,
	.start_windows = trace_start_windows,
	.hold_signal_back = trace_hold_signal_back,
	.find_return = trace_find_return,
	.image_gone = trace_image_gone,
	.call = trace_call,
	.hook = trace_hook,
	.difference = trace_difference,
	.is_wanted = trace_is_wanted,
};
