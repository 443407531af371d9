/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* For calls with a process handle that serve the calling process only. */

#ifndef VADTRACE_CORE_WIN32_OWN_PROCESS_H
#define VADTRACE_CORE_WIN32_OWN_PROCESS_H

#include "core/base/object.h"
#include "core/base/status.h"
#include "core/process/process.h"

/* Whether the handle is one of the calling process, and allows all of `access`; else
 * STATUS_INVALID_HANDLE, STATUS_ACCESS_DENIED, or STATUS_NOT_SUPPORTED for another process. */
static inline NTSTATUS own_process(HANDLE process, uint32_t access)
{
	NTSTATUS status;
	void *body;

	if (process == (HANDLE)(intptr_t)-1)
		return STATUS_SUCCESS;
	status = object_get(process, OBJECT_PROCESS, access, &body);
	if (!status_is_success(status))
		return status;
	if (!((const struct process *)body)->is_own)
		status = STATUS_NOT_SUPPORTED;
	object_put(body);
	return status;
}

#endif
