/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The heap functions as ntdll has them: call the engine, tell the sink.
 *
 * A block of the process heap is told with heap 0, as malloc's are. A free is told before the
 * engine is asked, so only for a block that it will take; heap_size answers that. */

#include "core/win32/rtl_heap.h"

#include "core/base/hints.h"
#include "core/base/status.h"
#include "core/heap/heap.h"
#include "core/heap/misuse.h"

/* The heap that malloc has is 0, whatever its handle. */
static uint64_t heap_id(HANDLE heap)
{
	return heap == (HANDLE)heap_native() ? 0 : (uint64_t)(uintptr_t)heap;
}

static void tell(enum event_kind kind, enum api api, HANDLE heap, LPCVOID block, SIZE_T size_bytes)
{
	struct event event = {
		.kind = (uint16_t)kind,
		.api = (uint16_t)api,
		.address = (uintptr_t)block,
		.size_bytes = size_bytes,
		.heap = heap_id(heap),
	};

	event_emit(&event);
}

static bool is_block_of(HANDLE heap, LPCVOID block)
{
	return block && heap_size(heap, 0, block) != (SIZE_T)-1;
}

/* Whether a block that is not what a program says it is ends the process, from now on. */
static bool ends_on_corruption;

/* The process ends where something is wrong with the block, and the program has asked for that. */
static void end_if_corrupted(enum api api, HANDLE heap, LPCVOID block)
{
	struct misuse_report report = { .misuse = MISUSE_NONE };

	if (likely(!__atomic_load_n(&ends_on_corruption, __ATOMIC_RELAXED)) || !block)
		return;
	misuse_examine(heap, block, &report);
	if (report.misuse != MISUSE_NONE)
		misuse_abort(api, report.misuse, block);
}

/* A call was refused because of what it was given. */
static void tell_refusal(enum api api, HANDLE heap, LPCVOID block, const NTSTATUS *status)
{
	if (status && *status == STATUS_INVALID_PARAMETER)
		end_if_corrupted(api, heap, block);
	if (status && (*status == STATUS_INVALID_PARAMETER || *status == STATUS_INVALID_HANDLE))
		misuse_tell_of(api, heap, block);
}

void rtl_heap_use_pager(const struct pager *whose)
{
	heap_use_pager(whose);
}

bool rtl_owns_heap(HANDLE heap)
{
	return heap_is_valid(heap);
}

bool rtl_was_heap(HANDLE heap)
{
	return heap_is_gone(heap);
}

HANDLE rtl_create_heap(enum api api, ULONG flags, SIZE_T initial_bytes, SIZE_T maximum_bytes,
		       NTSTATUS *status)
{
	struct heap *heap = heap_create(flags, initial_bytes, maximum_bytes, status);
	struct event event = {
		.kind = EVENT_HEAP_CREATE,
		.api = (uint16_t)api,
		.heap = heap_id(heap),
		.size_bytes = maximum_bytes,
		.type = flags,
	};

	if (heap && event_is_wanted())
		event_emit(&event);
	return (HANDLE)heap;
}

/* Told before: the addresses of the heap and its blocks may come back at once. */
NTSTATUS rtl_destroy_heap(enum api api, HANDLE heap)
{
	NTSTATUS status;

	if (event_is_wanted() && heap_is_destroyable(heap))
		tell(EVENT_HEAP_DESTROY, api, heap, NULL, 0);
	heap_destroy(api, heap, &status);
	if (heap != (HANDLE)heap_process())
		tell_refusal(api, heap, NULL, &status);
	return status;
}

LPVOID rtl_allocate_heap(enum api api, HANDLE heap, ULONG flags, SIZE_T size_bytes,
			 NTSTATUS *status)
{
	void *block = heap_allocate(heap, flags, size_bytes, status);

	if (event_is_wanted())
		tell(block ? EVENT_ALLOCATE : EVENT_ALLOCATE_FAILED, api, heap, block, size_bytes);
	if (unlikely(!block))
		tell_refusal(api, heap, NULL, status);
	return block;
}

LPVOID rtl_reallocate_heap(enum api api, HANDLE heap, ULONG flags, LPVOID block, SIZE_T size_bytes,
			   NTSTATUS *status)
{
	bool is_told = event_is_wanted() && is_block_of(heap, block);
	void *resized;

	if (is_told)
		tell(EVENT_REALLOC_BEGIN, api, heap, block, 0);
	resized = heap_reallocate(heap, flags, block, size_bytes, status);
	if (is_told && resized)
		tell(EVENT_REALLOC_END, api, heap, resized, size_bytes);
	else if (is_told)
		tell(EVENT_REALLOC_FAILED, api, heap, block, size_bytes);
	if (unlikely(!resized))
		tell_refusal(api, heap, block, status);
	return resized;
}

BOOL rtl_free_heap(enum api api, HANDLE heap, ULONG flags, LPVOID block, NTSTATUS *status)
{
	BOOL is_done;

	if (event_is_wanted() && is_block_of(heap, block))
		tell(EVENT_FREE, api, heap, block, 0);
	is_done = heap_release(heap, flags, block, status);
	if (unlikely(!is_done))
		tell_refusal(api, heap, block, status);
	return is_done;
}

SIZE_T rtl_size_heap(HANDLE heap, ULONG flags, LPCVOID block, NTSTATUS *status)
{
	SIZE_T size_bytes = heap_size(heap, flags, block);

	if (status)
		*status = size_bytes == (SIZE_T)-1 ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS;
	return size_bytes;
}

NTSTATUS rtl_lock_heap(HANDLE heap)
{
	return heap_lock(heap);
}

NTSTATUS rtl_unlock_heap(HANDLE heap)
{
	return heap_unlock(heap);
}

SIZE_T rtl_compact_heap(HANDLE heap, ULONG flags)
{
	(void)flags;
	return heap_compact(heap);
}

BOOL rtl_validate_heap(enum api api, HANDLE heap, ULONG flags, LPCVOID block)
{
	(void)flags;
	return heap_validate(api, heap, block);
}

NTSTATUS rtl_walk_heap(HANDLE heap, PVOID entry)
{
	return entry ? heap_walk(heap, entry) : STATUS_INVALID_PARAMETER;
}

NTSTATUS rtl_summarize_heap(HANDLE heap, ULONG flags, HEAP_SUMMARY *summary)
{
	struct heap_summary found;
	NTSTATUS status;

	if (flags || summary->cb != sizeof(*summary))
		return STATUS_INVALID_PARAMETER;
	status = heap_summarize(heap, &found);
	if (!status_is_success(status))
		return status;
	summary->cbAllocated = found.allocated_bytes;
	summary->cbCommitted = found.committed_bytes;
	summary->cbReserved = found.reserved_bytes;
	summary->cbMaxReserve = found.maximum_bytes;
	return status;
}

ULONG rtl_get_process_heaps(ULONG count, HANDLE *heaps)
{
	return (ULONG)heap_list(count, (struct heap **)heaps);
}

NTSTATUS rtl_query_heap_information(HANDLE heap, ULONG information_class, PVOID information,
				    SIZE_T size_bytes, PSIZE_T needed_bytes)
{
	uint32_t value;
	NTSTATUS status;

	if (information_class != HeapCompatibilityInformation)
		return STATUS_INVALID_INFO_CLASS;
	if (needed_bytes)
		*needed_bytes = sizeof value;
	if (size_bytes < sizeof value)
		return STATUS_BUFFER_TOO_SMALL;
	if (!information)
		return STATUS_ACCESS_VIOLATION;
	status = heap_get_compatibility(heap, &value);
	if (status_is_success(status))
		*(uint32_t *)information = value;
	return status;
}

static NTSTATUS optimize(HANDLE heap, const HEAP_OPTIMIZE_RESOURCES_INFORMATION *information)
{
	if (information->Version != HEAP_OPTIMIZE_RESOURCES_CURRENT_VERSION || information->Flags)
		return STATUS_INVALID_PARAMETER;
	return heap_optimize(heap);
}

static SIZE_T size_of_information(ULONG information_class)
{
	return information_class == HeapOptimizeResources
		       ? sizeof(HEAP_OPTIMIZE_RESOURCES_INFORMATION)
		       : sizeof(uint32_t);
}

/* Which heap is to end the process does not matter: all are. */
NTSTATUS rtl_set_heap_information(HANDLE heap, ULONG information_class, PVOID information,
				  SIZE_T size_bytes)
{
	if (information_class == HeapEnableTerminationOnCorruption) {
		__atomic_store_n(&ends_on_corruption, true, __ATOMIC_RELAXED);
		return STATUS_SUCCESS;
	}
	if (information_class != HeapCompatibilityInformation &&
	    information_class != HeapOptimizeResources)
		return STATUS_INVALID_INFO_CLASS;
	if (size_bytes < size_of_information(information_class))
		return STATUS_BUFFER_TOO_SMALL;
	if (!information)
		return STATUS_ACCESS_VIOLATION;
	if (information_class == HeapOptimizeResources)
		return optimize(heap, information);
	return heap_set_compatibility(heap, *(const uint32_t *)information);
}

static BOOL answer(NTSTATUS *where, NTSTATUS status)
{
	if (where)
		*where = status;
	return status_is_success(status);
}

/* A block without user information is no error of the caller's. */
static BOOL answer_setting(NTSTATUS *where, NTSTATUS status)
{
	if (status != STATUS_UNSUCCESSFUL)
		return answer(where, status);
	answer(where, STATUS_SUCCESS);
	return FALSE;
}

BOOL rtl_get_user_info_heap(HANDLE heap, ULONG flags, PVOID block, PVOID *value, ULONG *user_flags,
			    NTSTATUS *status)
{
	uintptr_t found_value = value ? (uintptr_t)*value : 0;
	uint32_t found_flags = 0;
	NTSTATUS found = heap_get_user_info(heap, block, &found_value, &found_flags);

	(void)flags;
	if (status_is_success(found) && value)
		*value = (PVOID)found_value;
	if (status_is_success(found) && user_flags)
		*user_flags = found_flags;
	return answer(status, found);
}

BOOL rtl_set_user_value_heap(HANDLE heap, ULONG flags, PVOID block, PVOID value, NTSTATUS *status)
{
	(void)flags;
	return answer_setting(status, heap_set_user_value(heap, block, (uintptr_t)value));
}

BOOL rtl_set_user_flags_heap(HANDLE heap, ULONG flags, PVOID block, ULONG clear, ULONG set,
			     NTSTATUS *status)
{
	(void)flags;
	return answer_setting(status, heap_set_user_flags(heap, block, clear, set));
}
