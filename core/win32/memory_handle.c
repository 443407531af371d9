/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Global and Local memory.
 *
 *   fixed       handle -> block
 *   moveable    handle -> entry of the table -> block, whose user value is the handle
 *
 * The user value leads from the block back to its handle, and proves that a block is still the
 * handle's: one that a program freed by HeapFree, and somebody else got since, is left alone.
 * A change of a moveable block holds the process heap (HeapLock) and keeps signals out, so that it
 * waits for nobody while others wait for it. */

#include "core/win32/memory_handle.h"

#include <stddef.h>
#include <string.h>

#include "core/base/status.h"
#include "core/handle/table.h"
#include "core/heap/heap.h"
#include "core/heap/misuse.h"
#include "core/os/os.h"
#include "core/win32/rtl_heap.h"

#define NO_SIZE ((SIZE_T)-1)
/* What Windows marks the blocks of handles with. */
#define BLOCK_FLAGS (HEAP_ADD_USER_INFO | 0x200u)

static HANDLE heap(void)
{
	return (HANDLE)heap_process();
}

static ULONG heap_flags_of(UINT flags)
{
	return flags & GMEM_ZEROINIT ? HEAP_ZERO_MEMORY : 0;
}

static SIZE_T block_size(LPCVOID block)
{
	return rtl_size_heap(heap(), 0, block, /* status */ NULL);
}

/* What the block's user value says; NULL: no moveable block starts here. */
static HANDLE owner_of(LPVOID block)
{
	PVOID value = NULL;

	rtl_get_user_info_heap(heap(), 0, block, &value, /* user_flags */ NULL, /* status */ NULL);
	return value;
}

static bool is_block_of(LPVOID block, const struct handle_entry *entry)
{
	return block && owner_of(block) == handle_of(entry);
}

/* The entry of a moveable block, or NULL. */
static struct handle_entry *entry_of(LPVOID block)
{
	struct handle_entry *entry = handle_find(owner_of(block));
	uint64_t state;
	void *memory;

	return entry && handle_read(entry, &state, &memory) && memory == block ? entry : NULL;
}

/* What was freed before, a handle or its block, was freed or resized again. */
static void tell_stale(enum api api, LPCVOID address)
{
	const struct misuse_report report = {
		.misuse = MISUSE_DOUBLE_FREE,
		.api = api,
		.address = (uintptr_t)address,
		.heap = heap_process(),
	};

	misuse_tell(&report);
}

/* A function was given what is no handle. */
static NTSTATUS refuse(enum api api, LPCVOID handle)
{
	if (handle_was_given(handle))
		tell_stale(api, handle);
	else if (handle)
		misuse_tell_of(api, heap_process(), handle);
	return STATUS_INVALID_HANDLE;
}

bool memory_handle_is_fixed(LPCVOID handle)
{
	return handle && block_size(handle) != NO_SIZE;
}

/* --- Allocate -------------------------------------------------------------------------------- */

static LPVOID allocate_block(enum api api, const struct handle_entry *entry, UINT flags,
			     SIZE_T size_bytes, NTSTATUS *status)
{
	LPVOID block = rtl_allocate_heap(api, heap(), BLOCK_FLAGS | heap_flags_of(flags),
					 size_bytes, status);

	if (block)
		rtl_set_user_value_heap(heap(), 0, block, handle_of(entry), /* status */ NULL);
	return block;
}

static uint64_t kept_flags(UINT flags)
{
	return (flags & MEMORY_DISCARDABLE ? HANDLE_DISCARDABLE : 0) |
	       (flags & MEMORY_SHARED ? HANDLE_SHARED : 0);
}

static void forget(struct handle_entry *entry)
{
	void *memory;

	if (handle_retire(entry, &memory))
		handle_give_back(entry);
}

static HANDLE allocate_moveable(enum api api, UINT flags, SIZE_T size_bytes, NTSTATUS *status)
{
	struct handle_entry *entry = handle_take(kept_flags(flags));
	LPVOID block;

	*status = entry ? STATUS_SUCCESS : STATUS_NO_MEMORY;
	if (!entry || size_bytes == 0)
		return entry ? handle_of(entry) : NULL;
	block = allocate_block(api, entry, flags, size_bytes, status);
	if (!block) {
		forget(entry);
		return NULL;
	}
	handle_set_memory(entry, block);
	return handle_of(entry);
}

HANDLE memory_handle_allocate(enum api api, UINT flags, SIZE_T size_bytes, NTSTATUS *status)
{
	if (flags & GMEM_MOVEABLE)
		return allocate_moveable(api, flags, size_bytes, status);
	return rtl_allocate_heap(api, heap(), heap_flags_of(flags), size_bytes, status);
}

/* --- Reallocate ------------------------------------------------------------------------------ */

/* A moveable copy of fixed memory takes its place. */
static HANDLE convert(enum api api, LPVOID block, SIZE_T size_bytes, UINT flags, NTSTATUS *status)
{
	HANDLE handle = allocate_moveable(api, flags, size_bytes, status);
	LPVOID copy = NULL;

	if (!handle)
		return NULL;
	if (size_bytes && status_is_success(memory_handle_lock(handle, &copy))) {
		bool is_still_locked;

		memcpy(copy, block, size_bytes);
		memory_handle_unlock(handle, &is_still_locked);
	}
	rtl_free_heap(api, heap(), 0, block, /* status */ NULL);
	return handle;
}

static HANDLE reallocate_fixed(enum api api, LPVOID block, SIZE_T size_bytes, UINT flags,
			       NTSTATUS *status)
{
	ULONG in_place = flags & GMEM_MOVEABLE ? 0 : HEAP_REALLOC_IN_PLACE_ONLY;

	if (flags & GMEM_MODIFY && flags & GMEM_MOVEABLE && flags & MEMORY_CONVERTIBLE)
		return convert(api, block, block_size(block), flags, status);
	*status = STATUS_SUCCESS;
	if (flags & GMEM_MODIFY)
		return block;
	*status = STATUS_INVALID_PARAMETER;
	if (flags & MEMORY_DISCARDABLE)
		return NULL;
	return rtl_reallocate_heap(api, heap(), in_place | heap_flags_of(flags), block, size_bytes,
				   status);
}

/* The entry stays as it is when the heap does not take the block. */
static NTSTATUS discard_locked(enum api api, struct handle_entry *entry, uint64_t state,
			       LPVOID block, UINT flags)
{
	NTSTATUS status = STATUS_SUCCESS;

	if (!(flags & GMEM_MOVEABLE) || handle_locks(state))
		return STATUS_INVALID_PARAMETER;
	if (block)
		rtl_free_heap(api, heap(), 0, block, &status);
	if (status_is_success(status))
		handle_set_memory(entry, NULL);
	return status;
}

static NTSTATUS resize_locked(enum api api, struct handle_entry *entry, uint64_t state,
			      LPVOID block, SIZE_T size_bytes, UINT flags)
{
	bool must_stay = handle_locks(state) && !(flags & GMEM_MOVEABLE);
	ULONG in_place = must_stay ? HEAP_REALLOC_IN_PLACE_ONLY : 0;
	NTSTATUS status;

	if (block)
		block = rtl_reallocate_heap(api, heap(), in_place | heap_flags_of(flags), block,
					    size_bytes, &status);
	else
		block = allocate_block(api, entry, flags, size_bytes, &status);
	if (block)
		handle_set_memory(entry, block);
	return status;
}

/* The process heap is held, and nobody else changes or locks the entry. */
static NTSTATUS change_locked(enum api api, struct handle_entry *entry, SIZE_T size_bytes,
			      UINT flags)
{
	uint64_t state = __atomic_load_n(&entry->state, __ATOMIC_RELAXED);
	LPVOID block = __atomic_load_n(&entry->memory, __ATOMIC_RELAXED);

	if (block && !is_block_of(block, entry)) {
		tell_stale(api, block);
		return STATUS_INVALID_HANDLE;
	}
	if (flags & GMEM_MODIFY) {
		handle_add_flags(entry, kept_flags(flags) & HANDLE_DISCARDABLE);
		return STATUS_SUCCESS;
	}
	if (flags & MEMORY_DISCARDABLE)
		return STATUS_INVALID_PARAMETER;
	if (size_bytes == 0)
		return discard_locked(api, entry, state, block, flags);
	return resize_locked(api, entry, state, block, size_bytes, flags);
}

static NTSTATUS reallocate_moveable(enum api api, struct handle_entry *entry, SIZE_T size_bytes,
				    UINT flags)
{
	NTSTATUS status = STATUS_INVALID_HANDLE;
	uint64_t mask;

	rtl_lock_heap(heap());
	heap_settle(heap_process());
	os_signals_block(&mask);
	if (handle_begin_change(entry)) {
		status = change_locked(api, entry, size_bytes, flags);
		handle_end_change(entry);
	}
	os_signals_restore(mask);
	rtl_unlock_heap(heap());
	return status;
}

HANDLE memory_handle_reallocate(enum api api, HANDLE handle, SIZE_T size_bytes, UINT flags,
				NTSTATUS *status)
{
	struct handle_entry *entry = handle_find(handle);

	if (entry) {
		*status = reallocate_moveable(api, entry, size_bytes, flags);
		return status_is_success(*status) ? handle : NULL;
	}
	if (!memory_handle_is_fixed(handle) || entry_of(handle)) {
		*status = refuse(api, handle);
		return NULL;
	}
	return reallocate_fixed(api, handle, size_bytes, flags, status);
}

/* --- Free ------------------------------------------------------------------------------------ */

static NTSTATUS free_moveable(enum api api, struct handle_entry *entry)
{
	NTSTATUS status = STATUS_SUCCESS;
	void *block;

	if (!handle_retire(entry, &block))
		return refuse(api, handle_of(entry));
	if (block && is_block_of(block, entry)) {
		rtl_free_heap(api, heap(), 0, block, &status);
	} else if (block) {
		tell_stale(api, block);
		status = STATUS_INVALID_HANDLE;
	}
	handle_give_back(entry);
	return status_is_success(status) ? status : STATUS_INVALID_HANDLE;
}

/* A moveable block that is freed by its address takes its handle along. */
NTSTATUS memory_handle_free(enum api api, HANDLE handle)
{
	struct handle_entry *entry = handle_find(handle);
	NTSTATUS status;

	if (!handle)
		return STATUS_SUCCESS;
	if (!entry)
		entry = entry_of(handle);
	if (entry)
		return free_moveable(api, entry);
	if (handle_was_given(handle))
		return refuse(api, handle);
	return rtl_free_heap(api, heap(), 0, handle, &status) ? STATUS_SUCCESS
							      : STATUS_INVALID_HANDLE;
}

/* --- Look ------------------------------------------------------------------------------------ */

NTSTATUS memory_handle_lock(HANDLE handle, LPVOID *memory)
{
	struct handle_entry *entry = handle_find(handle);

	if (entry)
		return handle_lock(entry, memory);
	if (!memory_handle_is_fixed(handle))
		return STATUS_INVALID_HANDLE;
	*memory = handle;
	return STATUS_SUCCESS;
}

NTSTATUS memory_handle_unlock(HANDLE handle, bool *is_still_locked)
{
	struct handle_entry *entry = handle_find(handle);

	return entry ? handle_unlock(entry, is_still_locked) : STATUS_INVALID_HANDLE;
}

/* While the process heap is held, nobody begins to give the block that the entry names to somebody
 * else; and if somebody was about to, it is not the entry's afterwards. */
static NTSTATUS size_of_moveable(const struct handle_entry *entry, SIZE_T *size_bytes)
{
	NTSTATUS status = STATUS_INVALID_HANDLE;
	uint64_t state;
	void *block;

	rtl_lock_heap(heap());
	if (handle_read(entry, &state, &block)) {
		*size_bytes = block ? block_size(block) : 0;
		if (!block || is_block_of(block, entry))
			status = STATUS_SUCCESS;
	}
	rtl_unlock_heap(heap());
	return status;
}

NTSTATUS memory_handle_get_size(HANDLE handle, SIZE_T *size_bytes)
{
	struct handle_entry *entry = handle_find(handle);

	if (entry)
		return size_of_moveable(entry, size_bytes);
	*size_bytes = handle ? block_size(handle) : NO_SIZE;
	return *size_bytes == NO_SIZE ? STATUS_INVALID_HANDLE : STATUS_SUCCESS;
}

NTSTATUS memory_handle_get_flags(HANDLE handle, UINT *flags)
{
	struct handle_entry *entry = handle_find(handle);
	uint64_t state;
	void *block;

	*flags = 0;
	if (!entry)
		return memory_handle_is_fixed(handle) ? STATUS_SUCCESS : STATUS_INVALID_HANDLE;
	if (!handle_read(entry, &state, &block))
		return STATUS_INVALID_HANDLE;
	*flags = handle_locks(state) | (state & HANDLE_DISCARDED ? GMEM_DISCARDED : 0) |
		 (state & HANDLE_DISCARDABLE ? MEMORY_DISCARDABLE : 0) |
		 (state & HANDLE_SHARED ? MEMORY_SHARED : 0);
	return STATUS_SUCCESS;
}

NTSTATUS memory_handle_find(LPCVOID memory, HANDLE *handle)
{
	struct handle_entry *entry = entry_of((LPVOID)memory);

	if (!memory)
		return STATUS_INVALID_PARAMETER;
	if (!memory_handle_is_fixed(memory))
		return STATUS_INVALID_HANDLE;
	*handle = entry ? handle_of(entry) : (HANDLE)memory;
	return STATUS_SUCCESS;
}

bool memory_handle_describe(LPCVOID memory, HANDLE *handle, UINT *flags)
{
	struct handle_entry *entry = entry_of((LPVOID)memory);

	if (!entry)
		return false;
	*handle = handle_of(entry);
	return status_is_success(memory_handle_get_flags(*handle, flags));
}
