/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* ntdll's heap functions, as core's heaps.
 *
 * HeapAlloc, malloc of msvcrt, GlobalAlloc and all others end at RtlAllocateHeap and its kin, so
 * these are the whole of it: RtlAllocateHeap, RtlReAllocateHeap, RtlFreeHeap, RtlSizeHeap and
 * RtlGetProcessHeaps have the rows of HeapAlloc, HeapReAlloc, HeapFree, HeapSize, GetProcessHeaps.
 * A heap that is made in memory of the caller's stays Wine's, and so does what is no heap at all:
 * Wine has an answer to that. Those that core does not serve are told by observe_heap.c.
 * Pointers of the caller are read and written here, while core holds no lock. */

#include "preload/wine/heap.h"

#include "core/base/arena.h"
#include "core/base/hints.h"
#include "core/base/status.h"
#include "core/heap/heap.h"
#include "core/vm/charge.h"
#include "core/win32/rtl_heap.h"
#include "preload/check.h"
#include "preload/wine/guest.h"
#include "preload/wine/observe_heap.h"
#include "preload/wine/other_heaps.h"
#include "preload/wine/pager_wine.h"
#include "preload/wine/serve.h"
#include "preload/wine/teb.h"

#define HANDLER(name) bool serve_##name(struct hook_call *call, enum api api)

/* So many are listed at most. */
#define HEAPS_MAX 65536u

static bool is_routed;

void heap_begin(enum config_mode mode)
{
	is_routed = mode == CONFIG_ROUTE;
	if (!is_routed)
		return;
	check_start();
	rtl_heap_use_pager(&pager_wine);
}

static HANDLE handle_of(const struct hook_call *call)
{
	return (HANDLE)call->arguments[0];
}

static uint32_t flags_of(const struct hook_call *call)
{
	return (uint32_t)call->arguments[1];
}

/* No heap at all is refused by core: Wine takes some calls with none for a success. */
static bool is_ours(const struct hook_call *call)
{
	return is_routed && (likely(rtl_owns_heap(handle_of(call))) ||
			     rtl_was_heap(handle_of(call)) || !handle_of(call));
}

/* No block is an exception for whom asked for that, in the call or in HeapCreate. */
static __attribute__((noinline)) void fail(struct hook_call *call, NTSTATUS status)
{
	uint32_t flags = flags_of(call) | heap_flags(handle_of(call));

	if (!(flags & HEAP_GENERATE_EXCEPTIONS))
		serve_set_last_error(status);
	else
		call->raise =
			(uint32_t)(status == STATUS_NO_MEMORY ? status : STATUS_ACCESS_VIOLATION);
}

static bool answer_block(struct hook_call *call, const void *block, NTSTATUS status)
{
	if (unlikely(status != STATUS_SUCCESS))
		fail(call, status);
	return serve_answer(call, (uintptr_t)block);
}

static bool answer(struct hook_call *call, uint64_t result, NTSTATUS status)
{
	serve_set_last_error(status);
	return serve_answer(call, result);
}

static bool answer_status(struct hook_call *call, NTSTATUS status)
{
	return serve_answer(call, (uint32_t)status);
}

/* --- Blocks ---------------------------------------------------------------------------------- */

/* What Wine needs for itself, as for the start of a thread or the loading of an image, is not
 * refused for the program's limit: a thread that cannot start keeps the loader's lock for ever. */
static void *allocate(const struct hook_call *call, enum api api, NTSTATUS *status)
{
	bool is_wines = unlikely(charge_limit() != 0) && hook_is_in_ntdll(call->return_address);
	void *block;

	if (is_wines)
		charge_let_past(true);
	block = rtl_allocate_heap(api, handle_of(call), flags_of(call), call->arguments[2], status);
	if (is_wines)
		charge_let_past(false);
	return block;
}

HANDLER(HeapAlloc)
{
	NTSTATUS status;
	void *block;

	if (unlikely(!is_ours(call)))
		return observe_allocate(call, api);
	block = allocate(call, api, &status);
	return answer_block(call, block, status);
}

HANDLER(HeapFree)
{
	NTSTATUS status;
	bool is_done;

	if (unlikely(!is_ours(call)))
		return observe_free(call, api);
	is_done = rtl_free_heap(api, handle_of(call), flags_of(call), (void *)call->arguments[2],
				&status);
	return answer(call, is_done, status);
}

/* No block: no answer, and no error either. */
HANDLER(HeapReAlloc)
{
	NTSTATUS status;
	void *block;

	if (unlikely(!is_ours(call)))
		return observe_reallocate(call, api);
	if (!call->arguments[2])
		return serve_answer(call, 0);
	block = rtl_reallocate_heap(api, handle_of(call), flags_of(call),
				    (void *)call->arguments[2], call->arguments[3], &status);
	return answer_block(call, block, status);
}

HANDLER(HeapSize)
{
	NTSTATUS status;
	size_t size_bytes;

	if (unlikely(!is_ours(call)))
		return observe_size(call, api);
	size_bytes = rtl_size_heap(handle_of(call), flags_of(call),
				   (const void *)call->arguments[2], &status);
	return answer(call, size_bytes, status);
}

/* --- Heaps ----------------------------------------------------------------------------------- */

/* What the flags of the whole process (NtGlobalFlag) make of a new heap. */
static uint32_t debugging_flags(void)
{
	static const struct {
		uint32_t process, heap;
	} rows[] = {
		{ 0x10, HEAP_TAIL_CHECKING_ENABLED },
		{ 0x20, HEAP_FREE_CHECKING_ENABLED },
		{ 0x40,
		  HEAP_VALIDATE_PARAMS | HEAP_TAIL_CHECKING_ENABLED | HEAP_FREE_CHECKING_ENABLED },
		{ 0x80,
		  HEAP_VALIDATE_ALL | HEAP_TAIL_CHECKING_ENABLED | HEAP_FREE_CHECKING_ENABLED },
	};
	uint32_t process = teb_global_flags(), flags = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		flags |= process & rows[i].process ? rows[i].heap : 0;
	return flags;
}

/* RtlCreateHeap(flags, address, total, commit, lock, parameters) */
HANDLER(RtlCreateHeap)
{
	uint32_t flags = (uint32_t)call->arguments[0];
	uint64_t maximum_bytes = flags & HEAP_GROWABLE ? 0 : call->arguments[2];
	NTSTATUS status;
	HANDLE heap;

	if (is_routed && call->arguments[1])
		other_heaps_prepare();
	if (!is_routed || call->arguments[1])
		return observe_create(call, api);
	flags |= debugging_flags();
	heap = rtl_create_heap(api, flags, hook_argument(call, 3), maximum_bytes, &status);
	return serve_answer(call, (uintptr_t)heap);
}

/* RtlDestroyHeap answers with what is left: nothing. */
HANDLER(RtlDestroyHeap)
{
	NTSTATUS status;

	if (!is_ours(call))
		return observe_destroy(call, api);
	status = rtl_destroy_heap(api, handle_of(call));
	return serve_answer(call, status_is_success(status) ? 0 : call->arguments[0]);
}

/* Writes at most `room` handles; gives how many there are. */
static uint32_t list_heaps(uint32_t room, HANDLE *heaps)
{
	uint32_t total = rtl_get_process_heaps(room, heaps);
	uint32_t used = total < room ? total : room;

	return total + other_heaps_list(room - used, heaps + used);
}

/* GetProcessHeaps(count, heaps) */
HANDLER(GetProcessHeaps)
{
	uint32_t count = (uint32_t)call->arguments[0], total, listed;
	uint32_t room = count < HEAPS_MAX ? count : HEAPS_MAX;
	HANDLE *heaps;

	if (!is_routed)
		return false;
	heaps = room > 0 ? arena_pages(room * sizeof(*heaps)) : NULL;
	total = list_heaps(heaps ? room : 0, heaps);
	listed = total < room ? total : room;
	if (heaps && !guest_write(call->arguments[1], heaps, listed * sizeof(*heaps)))
		total = 0;
	if (heaps)
		arena_pages_free(heaps, room * sizeof(*heaps));
	return serve_answer(call, total);
}

HANDLER(RtlLockHeap)
{
	NTSTATUS status;

	if (!is_ours(call))
		return observe_lock(call, api);
	status = rtl_lock_heap(handle_of(call));
	return answer(call, status_is_success(status), status);
}

HANDLER(RtlUnlockHeap)
{
	NTSTATUS status;

	if (!is_ours(call))
		return observe_unlock(call, api);
	status = rtl_unlock_heap(handle_of(call));
	return answer(call, status_is_success(status), status);
}

HANDLER(RtlCompactHeap)
{
	size_t size_bytes;

	if (!is_ours(call))
		return false;
	if (!rtl_owns_heap(handle_of(call)))
		return answer(call, 0, STATUS_INVALID_HANDLE);
	size_bytes = rtl_compact_heap(handle_of(call), flags_of(call));
	if (!size_bytes)
		teb_set_last_error(ERROR_SUCCESS);
	return serve_answer(call, size_bytes < UINT32_MAX ? size_bytes : UINT32_MAX);
}

HANDLER(RtlValidateHeap)
{
	if (!is_ours(call))
		return observe_validate(call, api);
	return serve_answer(call, rtl_validate_heap(api, handle_of(call), flags_of(call),
						    (const void *)call->arguments[2]));
}

/* RtlWalkHeap(heap, entry) */
HANDLER(RtlWalkHeap)
{
	struct rtl_heap_entry entry;
	NTSTATUS status;

	if (!is_ours(call))
		return false;
	if (!guest_read(&entry, call->arguments[1], sizeof(entry)))
		return answer_status(call, STATUS_INVALID_PARAMETER);
	status = rtl_walk_heap(handle_of(call), &entry);
	if (status_is_success(status) && !guest_write(call->arguments[1], &entry, sizeof(entry)))
		status = STATUS_ACCESS_VIOLATION;
	return answer_status(call, status);
}

/* HeapSummary(heap, flags, summary). Wine names the function, and has none. */
HANDLER(HeapSummary)
{
	HEAP_SUMMARY summary;
	NTSTATUS status = STATUS_INVALID_PARAMETER;

	if (!is_ours(call))
		return false;
	if (guest_read(&summary, call->arguments[2], sizeof(summary)))
		status = rtl_summarize_heap(handle_of(call), flags_of(call), &summary);
	if (status_is_success(status) &&
	    !guest_write(call->arguments[2], &summary, sizeof(summary)))
		status = STATUS_INVALID_PARAMETER;
	return answer(call, status_is_success(status), status);
}

/* --- What is known of heaps and blocks ------------------------------------------------------- */

static bool write_unless_null(uint64_t to, const void *from, size_t size_bytes)
{
	return !to || guest_write(to, from, size_bytes);
}

/* RtlQueryHeapInformation(heap, class, information, size, needed) */
HANDLER(RtlQueryHeapInformation)
{
	uint64_t size_bytes = call->arguments[3], needed = 0;
	uint32_t value = 0;
	NTSTATUS status;

	if (!is_ours(call))
		return false;
	if (size_bytes > sizeof(value))
		size_bytes = sizeof(value);
	status = rtl_query_heap_information(handle_of(call), flags_of(call), &value, size_bytes,
					    &needed);
	if ((needed && !write_unless_null(hook_argument(call, 4), &needed, sizeof(needed))) ||
	    (status_is_success(status) && !guest_write(call->arguments[2], &value, sizeof(value))))
		status = STATUS_ACCESS_VIOLATION;
	return answer_status(call, status);
}

/* Of all heaps at once: those that core has. That a process ends when a heap is broken is left to
 * Wine, where none does. */
static bool is_information_ours(const struct hook_call *call)
{
	if (flags_of(call) == HeapEnableTerminationOnCorruption)
		return false;
	return is_ours(call) ||
	       (is_routed && !handle_of(call) && flags_of(call) == HeapOptimizeResources);
}

/* RtlSetHeapInformation(heap, class, information, size) */
HANDLER(RtlSetHeapInformation)
{
	uint64_t size_bytes = call->arguments[3];
	uint32_t information[2] = { 0 };

	if (!is_information_ours(call))
		return observe_set_information(call, api);
	if (size_bytes > sizeof(information))
		size_bytes = sizeof(information);
	if (size_bytes && !guest_read(information, call->arguments[2], size_bytes))
		return false;
	return answer_status(call, rtl_set_heap_information(handle_of(call), flags_of(call),
							    information, size_bytes));
}

/* RtlGetUserInfoHeap(heap, flags, block, value, flags) */
HANDLER(RtlGetUserInfoHeap)
{
	NTSTATUS status;
	uint32_t user_flags = 0;
	void *value = NULL;
	bool is_found;

	if (!is_ours(call))
		return false;
	is_found = rtl_get_user_info_heap(handle_of(call), flags_of(call),
					  (void *)call->arguments[2], &value, &user_flags, &status);
	if (is_found &&
	    (!write_unless_null(call->arguments[3], &value, sizeof(value)) ||
	     !write_unless_null(hook_argument(call, 4), &user_flags, sizeof(user_flags))))
		is_found = false;
	return answer(call, is_found, status);
}

/* RtlSetUserValueHeap(heap, flags, block, value) */
HANDLER(RtlSetUserValueHeap)
{
	NTSTATUS status;
	bool is_set;

	if (!is_ours(call))
		return observe_set_user_value(call, api);
	is_set =
		rtl_set_user_value_heap(handle_of(call), flags_of(call), (void *)call->arguments[2],
					(void *)call->arguments[3], &status);
	return answer(call, is_set, status);
}

/* RtlSetUserFlagsHeap(heap, flags, block, clear, set) */
HANDLER(RtlSetUserFlagsHeap)
{
	NTSTATUS status;
	bool is_set;

	if (!is_ours(call))
		return observe_set_user_flags(call, api);
	is_set = rtl_set_user_flags_heap(handle_of(call), flags_of(call),
					 (void *)call->arguments[2], (uint32_t)call->arguments[3],
					 (uint32_t)hook_argument(call, 4), &status);
	return answer(call, is_set, status);
}
