/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* FlsAlloc and its kin: last errors. */

#include "core/tls/fls.h"

#include "core/base/hints.h"
#include "core/core.h"

CORE_API DWORD FlsAlloc(PFLS_CALLBACK_FUNCTION lpCallback)
{
	uint32_t index = fls_allocate(lpCallback);

	if (index != NO_INDEX)
		return index;
	SetLastError(ERROR_NOT_ENOUGH_MEMORY);
	return FLS_OUT_OF_INDEXES;
}

static BOOL fail(DWORD error)
{
	SetLastError(error);
	return FALSE;
}

CORE_API BOOL FlsFree(DWORD dwFlsIndex)
{
	return fls_free(dwFlsIndex) || fail(ERROR_INVALID_PARAMETER);
}

static bool is_index(DWORD index)
{
	return index > 0 && index < FLS_SLOTS;
}

/* Also clears the last error: NULL may be a value. */
CORE_API PVOID FlsGetValue(DWORD dwFlsIndex)
{
	bool is_one = is_index(dwFlsIndex);

	SetLastError(is_one ? ERROR_SUCCESS : ERROR_INVALID_PARAMETER);
	return is_one ? fls_get(dwFlsIndex) : NULL;
}

CORE_API BOOL FlsSetValue(DWORD dwFlsIndex, PVOID lpFlsData)
{
	if (!is_index(dwFlsIndex))
		return fail(ERROR_INVALID_PARAMETER);
	return fls_set(dwFlsIndex, lpFlsData) || fail(ERROR_NOT_ENOUGH_MEMORY);
}
