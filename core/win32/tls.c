/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* TlsAlloc and its kin: last errors. */

#include "core/tls/tls.h"

#include "core/base/hints.h"
#include "core/core.h"

CORE_API DWORD TlsAlloc(void)
{
	uint32_t index = tls_allocate();

	if (index != NO_INDEX)
		return index;
	SetLastError(ERROR_NO_MORE_ITEMS);
	return TLS_OUT_OF_INDEXES;
}

static BOOL fail(DWORD error)
{
	SetLastError(error);
	return FALSE;
}

CORE_API BOOL TlsFree(DWORD dwTlsIndex)
{
	return tls_free(dwTlsIndex) || fail(ERROR_INVALID_PARAMETER);
}

/* Also clears the last error: NULL may be a value. */
CORE_API LPVOID TlsGetValue(DWORD dwTlsIndex)
{
	bool is_one = dwTlsIndex < TLS_SLOTS;

	SetLastError(is_one ? ERROR_SUCCESS : ERROR_INVALID_PARAMETER);
	return is_one ? tls_get(dwTlsIndex) : NULL;
}

CORE_API BOOL TlsSetValue(DWORD dwTlsIndex, LPVOID lpTlsValue)
{
	if (dwTlsIndex >= TLS_SLOTS)
		return fail(ERROR_INVALID_PARAMETER);
	return tls_set(dwTlsIndex, lpTlsValue) || fail(ERROR_NOT_ENOUGH_MEMORY);
}
