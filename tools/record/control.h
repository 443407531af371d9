/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Requests to the session daemon that always come back. liblttng-ctl waits for ever when the daemon
 * is stopped or hangs. */

#ifndef VADTRACE_TOOLS_RECORD_CONTROL_H
#define VADTRACE_TOOLS_RECORD_CONTROL_H

/* The result of a request that did not come back; no code of LTTng's is that low. */
#define CONTROL_SILENT (-1000000)

/* Runs request(argument) in a thread of its own. Its result, or CONTROL_SILENT after `seconds` and
 * at once from then on; the thread then goes on, so `argument` must stay valid for ever. */
int control_request(int (*request)(void *argument), void *argument, int seconds);

#endif
