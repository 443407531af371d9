/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What libvadtrace-record.so gives to libvadtrace.so, which loads it where somebody may record or a
 * Windows program runs. All that needs LTTng, libunwind or a disassembler is there: other processes
 * do without their memory, threads and time. */

#ifndef VADTRACE_PRELOAD_RECORD_RECORD_H
#define VADTRACE_PRELOAD_RECORD_RECORD_H

#include "preload/pe/plan/plan.h"
#include "trace/trace.h"

#define RECORD_OBJECT "libvadtrace-record.so"
#define RECORD_SYMBOL "vadtrace_record"

/* version is PACKAGE_VERSION: the two objects were built together. */
struct record {
	const char *version;
	const struct trace_functions *trace;
	void (*plan_dll)(const struct pe_image *image, const char *name, struct plan *plans);
};

#endif
