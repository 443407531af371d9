/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Bytes between this process and any of the same user: the system copies, page protections hold,
 * and no fault reaches a program. *copied is written in any case.
 * STATUS_PARTIAL_COPY: the other's memory does not allow more than *copied bytes;
 * STATUS_ACCESS_VIOLATION: the buffer does not. STATUS_ACCESS_DENIED: the system lets nobody look
 * into the process; STATUS_PROCESS_IS_TERMINATING: there is none. */

#ifndef VADTRACE_CORE_PROCESS_COPY_H
#define VADTRACE_CORE_PROCESS_COPY_H

#include <stddef.h>
#include <stdint.h>

#include "core/types.h"

NTSTATUS copy_from(uint32_t process_id, const void *address, void *buffer, size_t size_bytes,
		   size_t *copied);
NTSTATUS copy_to(uint32_t process_id, void *address, const void *buffer, size_t size_bytes,
		 size_t *copied);

#endif
