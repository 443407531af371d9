/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* GlobalAlloc and its kin: flags and last errors of theirs. */

#include "core/base/hints.h"
#include "core/base/status.h"
#include "core/core.h"
#include "core/win32/memory_handle.h"

static UINT engine_flags(UINT flags)
{
	return (flags & (GMEM_MOVEABLE | GMEM_ZEROINIT | GMEM_MODIFY)) | MEMORY_CONVERTIBLE |
	       (flags & GMEM_DISCARDABLE ? MEMORY_DISCARDABLE : 0) |
	       (flags & GMEM_DDESHARE ? MEMORY_SHARED : 0);
}

/* Fixed memory has a byte at least. */
CORE_API HGLOBAL GlobalAlloc(UINT uFlags, SIZE_T dwBytes)
{
	NTSTATUS status;
	SIZE_T size_bytes = dwBytes == 0 && !(uFlags & GMEM_MOVEABLE) ? 1 : dwBytes;
	HGLOBAL handle =
		memory_handle_allocate(API_GlobalAlloc, engine_flags(uFlags), size_bytes, &status);

	return status_set_last_error(status) ? handle : NULL;
}

static HGLOBAL reallocate(enum api api, HGLOBAL handle, SIZE_T size_bytes, UINT flags)
{
	NTSTATUS status;

	handle = memory_handle_reallocate(api, handle, size_bytes, engine_flags(flags), &status);
	return status_set_last_error(status) ? handle : NULL;
}

CORE_API HGLOBAL GlobalReAlloc(HGLOBAL hMem, SIZE_T dwBytes, UINT uFlags)
{
	return reallocate(API_GlobalReAlloc, hMem, dwBytes, uFlags);
}

CORE_API HGLOBAL GlobalDiscard(HGLOBAL hMem)
{
	return reallocate(API_GlobalDiscard, hMem, 0, GMEM_MOVEABLE);
}

CORE_API HGLOBAL GlobalFree(HGLOBAL hMem)
{
	return status_set_last_error(memory_handle_free(API_GlobalFree, hMem)) ? NULL : hMem;
}

CORE_API LPVOID GlobalLock(HGLOBAL hMem)
{
	LPVOID memory;

	return status_set_last_error(memory_handle_lock(hMem, &memory)) ? memory : NULL;
}

/* Of fixed memory there is nothing to unlock, and that is well. */
CORE_API BOOL GlobalUnlock(HGLOBAL hMem)
{
	bool is_still_locked;

	if (memory_handle_is_fixed(hMem))
		return TRUE;
	if (!status_set_last_error(memory_handle_unlock(hMem, &is_still_locked)))
		return FALSE;
	if (!is_still_locked)
		SetLastError(ERROR_SUCCESS);
	return is_still_locked;
}

CORE_API SIZE_T GlobalSize(HGLOBAL hMem)
{
	SIZE_T size_bytes;

	return status_set_last_error(memory_handle_get_size(hMem, &size_bytes)) ? size_bytes : 0;
}

CORE_API UINT GlobalFlags(HGLOBAL hMem)
{
	UINT flags;

	if (!status_set_last_error(memory_handle_get_flags(hMem, &flags)))
		return GMEM_INVALID_HANDLE;
	return (flags & (GMEM_LOCKCOUNT | GMEM_DISCARDED)) |
	       (flags & MEMORY_DISCARDABLE ? GMEM_DISCARDABLE : 0) |
	       (flags & MEMORY_SHARED ? GMEM_DDESHARE : 0);
}

CORE_API HGLOBAL GlobalHandle(LPCVOID pMem)
{
	HGLOBAL handle;

	return status_set_last_error(memory_handle_find(pMem, &handle)) ? handle : NULL;
}

/* Memory is never short of what moving it about would give back. */
CORE_API SIZE_T GlobalCompact(DWORD dwMinFree)
{
	(void)dwMinFree;
	return 0;
}

CORE_API VOID GlobalFix(HGLOBAL hMem)
{
	GlobalLock(hMem);
}

CORE_API VOID GlobalUnfix(HGLOBAL hMem)
{
	GlobalUnlock(hMem);
}

CORE_API LPVOID GlobalWire(HGLOBAL hMem)
{
	return GlobalLock(hMem);
}

CORE_API BOOL GlobalUnWire(HGLOBAL hMem)
{
	return GlobalUnlock(hMem);
}
