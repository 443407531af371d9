/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The heap functions as ntdll has them: NTSTATUS instead of last errors, and told as calls of
 * `api`. HeapAlloc and its kin natively, and the hooks in a Wine process, are thin faces over
 * these.
 *
 * A handle that is no heap of ours: nothing happens, and the answer is what the documentation says
 * for an invalid handle; ask rtl_owns_heap first where it may be somebody else's. With
 * HEAP_GENERATE_EXCEPTIONS the caller raises what *status says. */

#ifndef VADTRACE_CORE_WIN32_RTL_HEAP_H
#define VADTRACE_CORE_WIN32_RTL_HEAP_H

#include "core/event.h"
#include "core/os/pager.h"
#include <stdbool.h>

#include "core/types.h"

/* Where heaps that are made from now on get their memory; the process heap of a Wine process is the
 * first one that is made. Blocks of malloc stay with the Linux pager. NULL: the Linux pager. */
void rtl_heap_use_pager(const struct pager *pager);

bool rtl_owns_heap(HANDLE heap);
/* Whether it was one until it was destroyed, and nothing else is there now. */
bool rtl_was_heap(HANDLE heap);

HANDLE rtl_create_heap(enum api api, ULONG flags, SIZE_T initial_bytes, SIZE_T maximum_bytes,
		       NTSTATUS *status);
NTSTATUS rtl_destroy_heap(enum api api, HANDLE heap);
LPVOID rtl_allocate_heap(enum api api, HANDLE heap, ULONG flags, SIZE_T size_bytes,
			 NTSTATUS *status);
LPVOID rtl_reallocate_heap(enum api api, HANDLE heap, ULONG flags, LPVOID block, SIZE_T size_bytes,
			   NTSTATUS *status);
BOOL rtl_free_heap(enum api api, HANDLE heap, ULONG flags, LPVOID block, NTSTATUS *status);
SIZE_T rtl_size_heap(HANDLE heap, ULONG flags, LPCVOID block, NTSTATUS *status);

/* The heap is the calling thread's until it unlocks it; it may lock it more than once. */
NTSTATUS rtl_lock_heap(HANDLE heap);
NTSTATUS rtl_unlock_heap(HANDLE heap);
/* Bytes of the largest free range that is committed. */
SIZE_T rtl_compact_heap(HANDLE heap, ULONG flags);
/* block NULL: the whole heap. */
BOOL rtl_validate_heap(enum api api, HANDLE heap, ULONG flags, LPCVOID block);
/* entry: a PROCESS_HEAP_ENTRY as RtlWalkHeap has it. STATUS_NO_MORE_ENTRIES at the end. */
NTSTATUS rtl_walk_heap(HANDLE heap, PVOID entry);
/* HeapSummary; of another size than expected: STATUS_INVALID_PARAMETER. */
NTSTATUS rtl_summarize_heap(HANDLE heap, ULONG flags, HEAP_SUMMARY *summary);
/* Writes at most `count` handles, the process heap first; returns how many there are. */
ULONG rtl_get_process_heaps(ULONG count, HANDLE *heaps);
NTSTATUS rtl_query_heap_information(HANDLE heap, ULONG information_class, PVOID information,
				    SIZE_T size_bytes, PSIZE_T needed_bytes);
NTSTATUS rtl_set_heap_information(HANDLE heap, ULONG information_class, PVOID information,
				  SIZE_T size_bytes);
/* The value and the flags that a program keeps with a block (HEAP_ADD_USER_INFO). Of another block,
 * *value is left alone, and setting fails with STATUS_SUCCESS: no last error is due. */
BOOL rtl_get_user_info_heap(HANDLE heap, ULONG flags, PVOID block, PVOID *value, ULONG *user_flags,
			    NTSTATUS *status);
BOOL rtl_set_user_value_heap(HANDLE heap, ULONG flags, PVOID block, PVOID value, NTSTATUS *status);
BOOL rtl_set_user_flags_heap(HANDLE heap, ULONG flags, PVOID block, ULONG clear, ULONG set,
			     NTSTATUS *status);

#endif
