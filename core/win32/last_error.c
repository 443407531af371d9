/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The last error: one word per thread. */

#include "core/base/hints.h"
#include "core/base/thread.h"
#include "core/core.h"

CORE_API DWORD GetLastError(void)
{
	return thread_last_error;
}

CORE_API void SetLastError(DWORD dwErrCode)
{
	thread_last_error = dwErrCode;
}
