/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The object that records, libvadtrace-record.so: when it is loaded, and the way to it. */

#ifndef VADTRACE_PRELOAD_RECORDER_H
#define VADTRACE_PRELOAD_RECORDER_H

#include <stdbool.h>

#include "preload/pe/plan/plan.h"
#include "trace/trace.h"

/* The tracer; until it is loaded, functions that do nothing and say no. What only a Windows program
 * calls is NULL until then. */
extern const struct trace_functions *tracer __attribute__((visibility("hidden")));

/* Whether somebody may record this process: the recorder has started it (it names the object in
 * LD_PRELOAD, too), its blocks are checked (reports have call stacks), or a session daemon of
 * LTTng's is there. VADTRACE_RECORD=1 says yes, 0 no. */
bool recorder_is_wanted(void);

/* Loads it, once, from the folder where this object is. False: it cannot be loaded, or must not,
 * beside another allocator. From the constructor: LTTng's libraries start with it. Keeps errno. */
bool recorder_load(void);

/* plan_dll. Without the recorder all hooks are left. */
void recorder_plan_dll(const struct pe_image *image, const char *name, struct plan *plans);

#endif
