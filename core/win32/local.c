/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* LocalAlloc and its kin: flags and last errors of theirs. */

#include "core/base/hints.h"
#include "core/base/status.h"
#include "core/core.h"
#include "core/win32/memory_handle.h"

static UINT engine_flags(UINT flags)
{
	return (flags & (LMEM_MOVEABLE | LMEM_ZEROINIT | LMEM_MODIFY)) |
	       (flags & LMEM_DISCARDABLE ? MEMORY_DISCARDABLE : 0);
}

CORE_API HLOCAL LocalAlloc(UINT uFlags, SIZE_T uBytes)
{
	NTSTATUS status;
	HLOCAL handle =
		memory_handle_allocate(API_LocalAlloc, engine_flags(uFlags), uBytes, &status);

	return status_set_last_error(status) ? handle : NULL;
}

static HLOCAL reallocate(enum api api, HLOCAL handle, SIZE_T size_bytes, UINT flags)
{
	NTSTATUS status;

	handle = memory_handle_reallocate(api, handle, size_bytes, engine_flags(flags), &status);
	return status_set_last_error(status) ? handle : NULL;
}

CORE_API HLOCAL LocalReAlloc(HLOCAL hMem, SIZE_T uBytes, UINT uFlags)
{
	return reallocate(API_LocalReAlloc, hMem, uBytes, uFlags);
}

CORE_API HLOCAL LocalDiscard(HLOCAL hMem)
{
	return reallocate(API_LocalDiscard, hMem, 0, LMEM_MOVEABLE);
}

CORE_API HLOCAL LocalFree(HLOCAL hMem)
{
	return status_set_last_error(memory_handle_free(API_LocalFree, hMem)) ? NULL : hMem;
}

CORE_API LPVOID LocalLock(HLOCAL hMem)
{
	LPVOID memory;

	return status_set_last_error(memory_handle_lock(hMem, &memory)) ? memory : NULL;
}

/* Fixed memory is never locked. */
CORE_API BOOL LocalUnlock(HLOCAL hMem)
{
	bool is_still_locked = false;
	NTSTATUS status = memory_handle_is_fixed(hMem)
				  ? STATUS_NOT_LOCKED
				  : memory_handle_unlock(hMem, &is_still_locked);

	if (!status_set_last_error(status))
		return FALSE;
	if (!is_still_locked)
		SetLastError(ERROR_SUCCESS);
	return is_still_locked;
}

CORE_API SIZE_T LocalSize(HLOCAL hMem)
{
	SIZE_T size_bytes;

	return status_set_last_error(memory_handle_get_size(hMem, &size_bytes)) ? size_bytes : 0;
}

CORE_API UINT LocalFlags(HLOCAL hMem)
{
	UINT flags;

	if (!status_set_last_error(memory_handle_get_flags(hMem, &flags)))
		return LMEM_INVALID_HANDLE;
	return (flags & (LMEM_LOCKCOUNT | LMEM_DISCARDED)) |
	       (flags & MEMORY_DISCARDABLE ? LMEM_DISCARDABLE : 0);
}

CORE_API HLOCAL LocalHandle(LPCVOID pMem)
{
	HLOCAL handle;

	return status_set_last_error(memory_handle_find(pMem, &handle)) ? handle : NULL;
}

CORE_API SIZE_T LocalCompact(UINT uMinFree)
{
	(void)uMinFree;
	return 0;
}

CORE_API SIZE_T LocalShrink(HLOCAL hMem, UINT cbNewSize)
{
	(void)hMem;
	(void)cbNewSize;
	return 0;
}
