/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What a trace tells of a Windows process beside its memory: calls of hooked functions, the hooks
 * themselves, and where Wine's answers and core's differ. Part of replay. */

#ifndef VADTRACE_TOOLS_LIB_WINDOWS_H
#define VADTRACE_TOOLS_LIB_WINDOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/lib/trace_event.h"

/* Calls of one function.
 *  - failed: an NTSTATUS that is an error, or 0 with a last error. */
struct windows_calls {
	uint64_t calls, failed;
};

struct windows_hook {
	uint16_t api;
	uint64_t address;
	char *function, *dll, *state, *reason;
};

enum { WINDOWS_ARGUMENTS = 12 };

/* Differences of one cause: the same function, the same output, and of a status the same two
 * answers. The rest is that of the first one. */
struct windows_difference {
	uint16_t api;
	char *what;
	uint64_t wine, core;
	uint64_t count;
	uint32_t site;
	uint64_t arguments[WINDOWS_ARGUMENTS];
	size_t argument_count;
};

struct windows {
	struct windows_calls *calls; /* by enum api */
	size_t api_count;
	struct windows_hook *hooks; /* in the order of api.spec */
	size_t hook_count, hook_capacity;
	struct windows_difference *differences;
	size_t difference_count, difference_capacity;
};

void windows_free(struct windows *windows);
void windows_add_call(struct windows *windows, const struct trace_event *event);
void windows_add_hook(struct windows *windows, const struct trace_event *event);
void windows_add_difference(struct windows *windows, const struct trace_event *event,
			    uint32_t site);

/* Whether this output is an NTSTATUS. */
bool windows_is_status(const char *what);

#endif
