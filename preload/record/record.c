/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The one export of libvadtrace-record.so, and its destructor. This is linked last, so that the
 * tracepoint providers of this object are unregistered after it. */

#include "preload/record/record.h"

#include "config.h"

extern const struct record vadtrace_record __attribute__((visibility("default")));

const struct record vadtrace_record = {
	.version = PACKAGE_VERSION,
	.trace = &trace_functions,
	.plan_dll = plan_dll,
};

/* Some C libraries take away what was loaded last first, before the object that has loaded it. */
__attribute__((destructor)) static void finish(void)
{
	trace_unload();
}
