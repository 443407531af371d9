/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Global and Local memory, which are one: blocks of the process heap, fixed ones that are their own
 * handle, and moveable ones with a handle of the table. A status in place of last errors; blocks
 * are told as allocated, resized and freed by `api`.
 *
 * Any block of the process heap is fixed memory, malloc's too. */

#ifndef VADTRACE_CORE_WIN32_MEMORY_HANDLE_H
#define VADTRACE_CORE_WIN32_MEMORY_HANDLE_H

#include <stdbool.h>

#include "core/event.h"
#include "core/types.h"

/* What the engine is asked for: GMEM_MOVEABLE, GMEM_ZEROINIT and GMEM_MODIFY are the same bits for
 * both families, these are not. */
#define MEMORY_DISCARDABLE 0x10000u
#define MEMORY_SHARED 0x20000u
#define MEMORY_CONVERTIBLE 0x40000u /* GMEM_MODIFY makes fixed memory moveable */

/* NULL: *status is STATUS_NO_MEMORY, also when the table is full, or what the heap says. */
HANDLE memory_handle_allocate(enum api api, UINT flags, SIZE_T size_bytes, NTSTATUS *status);
/* The handle, which is another one for fixed memory that moves. NULL: all is as it was. */
HANDLE memory_handle_reallocate(enum api api, HANDLE handle, SIZE_T size_bytes, UINT flags,
				NTSTATUS *status);
NTSTATUS memory_handle_free(enum api api, HANDLE handle);

/* Of fixed memory: nothing is counted, the address is the handle. */
NTSTATUS memory_handle_lock(HANDLE handle, LPVOID *memory);
/* Not for fixed memory. */
NTSTATUS memory_handle_unlock(HANDLE handle, bool *is_still_locked);
bool memory_handle_is_fixed(LPCVOID handle);

/* 0 of discarded memory. */
NTSTATUS memory_handle_get_size(HANDLE handle, SIZE_T *size_bytes);
/* The lock count, and MEMORY_DISCARDABLE, MEMORY_SHARED and GMEM_DISCARDED. */
NTSTATUS memory_handle_get_flags(HANDLE handle, UINT *flags);
/* The handle of the memory that begins here. */
NTSTATUS memory_handle_find(LPCVOID memory, HANDLE *handle);
/* The same of moveable memory, with its flags as above; false of anything else. */
bool memory_handle_describe(LPCVOID memory, HANDLE *handle, UINT *flags);

#endif
