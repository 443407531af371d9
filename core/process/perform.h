/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What another process asked for, done here. */

#ifndef VADTRACE_CORE_PROCESS_PERFORM_H
#define VADTRACE_CORE_PROCESS_PERFORM_H

#include <stddef.h>

#include "core/process/protocol.h"

/* Fit for any `size_bytes` of any bytes at `message`, aligned to 8. The reply is whole in any case;
 * STATUS_INVALID_PARAMETER for what is no request. */
void perform(const void *message, size_t size_bytes, struct protocol_reply *reply);

/* The same for a request of this process to itself. Its status; of the reply, only
 * what the operation answers is written. */
NTSTATUS perform_own(const struct protocol_request *request, struct protocol_reply *reply);

#endif
