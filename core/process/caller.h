/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The asking side of a call on another process. */

#ifndef VADTRACE_CORE_PROCESS_CALLER_H
#define VADTRACE_CORE_PROCESS_CALLER_H

#include "core/process/identity.h"
#include "core/process/protocol.h"

/* How long a call waits for an answer; tests have less time. */
extern uint32_t caller_patience_ms;

/* Has the process do what `request` says; the mark is filled in here. The status is the other's, or
 *  STATUS_NOT_SUPPORTED           the process does not serve others;
 *  STATUS_PROCESS_IS_TERMINATING  it has ended, or ended (or executed another program) meanwhile;
 *  STATUS_ACCESS_DENIED           who serves under its name is not that process of this user;
 *  STATUS_IO_TIMEOUT              it does not answer, stopped for instance. A request that it had
 *                                 not looked at by then is never done.
 *  STATUS_TOO_MANY_OPENED_FILES   this process has no descriptor left.
 * The reply's outputs count on success only. From any thread; takes no lock. */
NTSTATUS caller_ask(const struct identity *process, struct protocol_request *request,
		    struct protocol_reply *reply);

#endif
