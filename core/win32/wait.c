/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Waiting for handles (synchapi.h): check the shape, call the engine, convert the status. */

#include "core/base/wait.h"

#include "core/base/hints.h"
#include "core/base/status.h"
#include "core/core.h"

static DWORD answer(NTSTATUS status, uint32_t index)
{
	if (!status_set_last_error(status))
		return WAIT_FAILED;
	return status == STATUS_TIMEOUT ? WAIT_TIMEOUT : WAIT_OBJECT_0 + index;
}

CORE_API DWORD WaitForSingleObject(HANDLE hHandle, DWORD dwMilliseconds)
{
	uint32_t index = 0;

	return answer(wait_for(&hHandle, 1, /* is_for_all */ false, dwMilliseconds, &index), index);
}

CORE_API DWORD WaitForSingleObjectEx(HANDLE hHandle, DWORD dwMilliseconds, BOOL bAlertable)
{
	(void)bAlertable;
	return WaitForSingleObject(hHandle, dwMilliseconds);
}

static bool has_one_twice(const HANDLE *handles, DWORD count)
{
	for (DWORD i = 1; i < count; i++)
		for (DWORD other = 0; other < i; other++)
			if (handles[i] == handles[other])
				return true;
	return false;
}

static NTSTATUS check_handles(DWORD count, const HANDLE *handles, BOOL is_for_all)
{
	if (count == 0 || count > MAXIMUM_WAIT_OBJECTS)
		return STATUS_INVALID_PARAMETER;
	if (!handles)
		return STATUS_ACCESS_VIOLATION;
	return is_for_all && has_one_twice(handles, count) ? STATUS_INVALID_PARAMETER
							   : STATUS_SUCCESS;
}

CORE_API DWORD WaitForMultipleObjects(DWORD nCount, const HANDLE *lpHandles, BOOL bWaitAll,
				      DWORD dwMilliseconds)
{
	NTSTATUS status = check_handles(nCount, lpHandles, bWaitAll);
	uint32_t index = 0;

	if (status_is_success(status))
		status = wait_for(lpHandles, nCount, bWaitAll, dwMilliseconds, &index);
	return answer(status, bWaitAll ? 0 : index);
}

CORE_API DWORD WaitForMultipleObjectsEx(DWORD nCount, const HANDLE *lpHandles, BOOL bWaitAll,
					DWORD dwMilliseconds, BOOL bAlertable)
{
	(void)bAlertable;
	return WaitForMultipleObjects(nCount, lpHandles, bWaitAll, dwMilliseconds);
}
