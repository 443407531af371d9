/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Waiting for objects (core/base/object.h) until they are signaled. */

#ifndef VADTRACE_CORE_BASE_WAIT_H
#define VADTRACE_CORE_BASE_WAIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/types.h"

/* Waits for one of the handles, or for all of them at the same look, at most `timeout_ms`
 * milliseconds (INFINITE: no limit). STATUS_SUCCESS: *index is that of the first one that is
 * signaled, 0 of all; STATUS_TIMEOUT; what object_get says of a handle that does not allow
 * SYNCHRONIZE, or is closed meanwhile; STATUS_OBJECT_TYPE_MISMATCH: nobody can wait for that.
 *
 * No lock is held and no reference kept between two looks, so a handler of a signal may come, wait
 * itself, or leave for good. */
NTSTATUS wait_for(const HANDLE *handles, size_t count, bool is_for_all, uint32_t timeout_ms,
		  uint32_t *index);

#endif
