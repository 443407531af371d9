/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* How the tracer calls other libraries (LTTng, libunwind) from wherever the program happens to be.
 *
 *  - The caller is in a stretch that no handler interrupts (trace/hold.h): one that jumped out of
 *    LTTng would leave a ring buffer behind that nobody can read on from.
 *  - Nor can it be cancelled: LTTng calls write, which is a point of cancellation; malloc is none.
 *  - The bracket says so (bracket_call_out): what they allocate is not the program's.
 *  - On an alternate signal stack, which may be as small as a signal frame, and on a Windows stack
 *    that is nearly full, they get a stack of the thread's own. */

#ifndef VADTRACE_TRACE_OUTSIDE_H
#define VADTRACE_TRACE_OUTSIDE_H

void outside_call(void (*function)(const void *argument), const void *argument);

/* The same on the thread's own stack, wherever the program is: that saves the question. */
void outside_call_often(void (*function)(const void *argument), const void *argument);

#endif
