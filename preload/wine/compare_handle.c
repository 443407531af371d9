/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What is behind a handle:
 *
 *   none       GlobalFlags of Wine's knows it as nothing
 *   fixed      a block of the process heap
 *   owned      a block, too, which is a moveable handle's: its user value says whose
 *   moveable   an entry of Wine's table, where programs look as well:
 *
 *     handle - 8   flags (2 bytes) | locks (1)
 *     handle       memory; NULL: discarded
 *
 * What is due is decided twice: whether the call may be refused, and with which last error
 * (`due_of_resize`); and what is there afterwards. Wine is asked by its own functions, whose last
 * errors are undone. */

#include "preload/wine/compare_handle.h"

#include <stddef.h>

#include "core/types.h"
#include "preload/pe/hook.h"
#include "preload/wine/compare_heap.h"
#include "preload/wine/difference.h"
#include "preload/wine/guest.h"
#include "preload/wine/teb.h"

#define ENTRY_OFFSET 8
#define ENTRY_DISCARDABLE 0x0004u
#define ENTRY_DISCARDED 0x0008u
#define ENTRY_SHARED 0x8000u
#define LOCKS_MAX 255u
/* A handle of moveable memory, of others: what it leaves of a division by 16. */
#define ALIGNMENT 16
#define MOVEABLE_REST 8
#define NO_SIZE UINT64_MAX

enum kind { KIND_NONE, KIND_FIXED, KIND_OWNED, KIND_MOVEABLE };

/* `flags` are GlobalFlags', of memory that is not moveable 0; `memory` is what may be accessed, or
 * NULL; `owner` is the handle that memory belongs to. */
struct object {
	enum kind kind;
	uint32_t flags, locks;
	uint64_t memory, size_bytes, owner;
};

/* --- What Wine has --------------------------------------------------------------------------- */

static uint64_t process_heap(void)
{
	return (uintptr_t)teb_process_heap();
}

static uint64_t owner_of(uint64_t block)
{
	uint8_t(HOOK_ABI * get)(uint64_t, uint32_t, uint64_t, uint64_t *, uint32_t *);
	uint64_t owner = 0;
	uint32_t flags;

	get = (uint8_t(HOOK_ABI *)(uint64_t, uint32_t, uint64_t, uint64_t *,
				   uint32_t *))hook_original(API_RtlGetUserInfoHeap);
	return get && get(process_heap(), 0, block, &owner, &flags) ? owner : 0;
}

static struct object block_at(uint64_t block)
{
	uint64_t owner = owner_of(block);
	bool is_owned = owner % ALIGNMENT == MOVEABLE_REST;

	return (struct object){
		.kind = is_owned ? KIND_OWNED : KIND_FIXED,
		.memory = block,
		.size_bytes = compare_size_heap(process_heap(), block),
		.owner = is_owned ? owner : block,
	};
}

static struct object entry_at(uint64_t handle)
{
	struct object object = { .kind = KIND_MOVEABLE, .owner = handle };
	uint32_t state = 0;

	(void)guest_read(&state, handle - ENTRY_OFFSET, sizeof(state));
	(void)guest_read(&object.memory, handle, sizeof(object.memory));
	object.locks = state >> 16 & LOCKS_MAX;
	object.flags = (state & ENTRY_DISCARDED ? GMEM_DISCARDED : 0) |
		       (state & ENTRY_DISCARDABLE ? GMEM_DISCARDABLE : 0) |
		       (state & ENTRY_SHARED ? GMEM_DDESHARE : 0);
	if (object.memory)
		object.size_bytes = compare_size_heap(process_heap(), object.memory);
	return object;
}

/* GlobalFlags of Wine's takes the inside of a block for fixed memory, its heap does not. */
static struct object find(uint64_t handle)
{
	struct object object;
	uint32_t(HOOK_ABI * flags)(uint64_t);
	bool is_block = handle % ALIGNMENT != MOVEABLE_REST;

	flags = (uint32_t(HOOK_ABI *)(uint64_t))hook_original(API_GlobalFlags);
	if ((is_block && !compare_can_read_block(handle)) || !flags ||
	    flags(handle) == GMEM_INVALID_HANDLE)
		return (struct object){ .kind = KIND_NONE };
	object = is_block ? block_at(handle) : entry_at(handle);
	if (is_block && object.size_bytes == NO_SIZE)
		object = (struct object){ .kind = KIND_NONE };
	return object;
}

/* Nobody hears of what is asked on our own account. */
static struct object object_at(struct hook_call *call, uint64_t handle)
{
	uint32_t error = teb_last_error();
	int32_t status = teb_last_status();
	struct object object;

	++*serve_silence(call);
	object = find(handle);
	--*serve_silence(call);
	teb_set_last_error(error);
	teb_set_last_status(status);
	return object;
}

/* --- Between before and after ---------------------------------------------------------------- */

static void keep(struct hook_call *call, const struct object *object)
{
	call->before = object->kind | (uint64_t)object->locks << 8 | (uint64_t)object->flags << 32;
	call->found[0] = object->kind == KIND_OWNED ? object->owner : object->memory;
	call->found[1] = object->size_bytes;
}

static struct object kept(const struct hook_call *call)
{
	enum kind kind = (enum kind)(call->before & 0xff);
	uint64_t named = call->arguments[0];

	return (struct object){
		.kind = kind,
		.locks = call->before >> 8 & LOCKS_MAX,
		.flags = (uint32_t)(call->before >> 32),
		.memory = kind == KIND_OWNED ? named : call->found[0],
		.size_bytes = call->found[1],
		.owner = kind == KIND_OWNED ? call->found[0] : named,
	};
}

static bool is_global(const struct hook_call *call)
{
	return call->hook->api < API_LocalAlloc;
}

/* The same in GlobalFlags' words. */
static bool asks_for_discardable(const struct hook_call *call, uint32_t flags)
{
	return flags & (is_global(call) ? GMEM_DISCARDABLE : LMEM_DISCARDABLE);
}

/* --- Results --------------------------------------------------------------------------------- */

static void compare_result(const struct hook_call *call, uint64_t due)
{
	difference_in(call, "result", call->result, due);
}

static void compare_error(const struct hook_call *call, uint32_t due)
{
	difference_in(call, "last error", teb_last_error(), due);
}

/* `due` is the answer of a call that fails, with this last error. */
static void compare_refusal(const struct hook_call *call, uint64_t due, uint32_t error)
{
	compare_result(call, due);
	if (call->result == due)
		compare_error(call, error);
}

/* Of a BOOL or UINT no more than 32 bits are the answer. */
static void compare_short(const struct hook_call *call, uint32_t due)
{
	difference_in(call, "result", (uint32_t)call->result, due);
}

static void compare_short_refusal(const struct hook_call *call, uint32_t due, uint32_t error)
{
	compare_short(call, due);
	if ((uint32_t)call->result == due)
		compare_error(call, error);
}

static void compare_object(const struct hook_call *call, const struct object *now,
			   const struct object *due)
{
	difference_in(call, "moveable", now->kind == KIND_MOVEABLE, due->kind == KIND_MOVEABLE);
	difference_in(call, "size", now->size_bytes, due->size_bytes);
	difference_in(call, "flags", now->flags, due->flags);
	difference_in(call, "locks", now->locks, due->locks);
}

/* What is new of it, behind `kept_bytes`. */
static void compare_zeroed(const struct hook_call *call, const struct object *now,
			   uint64_t kept_bytes)
{
	if (now->memory && now->size_bytes != NO_SIZE && now->size_bytes > kept_bytes)
		difference_in(call, "zeroed",
			      compare_is_zero((const uint8_t *)now->memory + kept_bytes,
					      now->size_bytes - kept_bytes),
			      true);
}

/* --- GlobalAlloc, LocalAlloc ----------------------------------------------------------------- */

static void allocated(struct hook_call *call, enum api api)
{
	uint32_t flags = (uint32_t)call->arguments[0];
	struct object now, due = { .kind = KIND_FIXED, .size_bytes = call->arguments[1] };

	if (!call->result) {
		compare_error(call, ERROR_NOT_ENOUGH_MEMORY);
		return;
	}
	if (flags & GMEM_MOVEABLE) {
		due.kind = KIND_MOVEABLE;
		due.flags = (asks_for_discardable(call, flags) ? GMEM_DISCARDABLE : 0) |
			    (is_global(call) ? flags & GMEM_DDESHARE : 0) |
			    (due.size_bytes ? 0 : GMEM_DISCARDED);
	} else if (is_global(call) && !due.size_bytes) {
		due.size_bytes = 1;
	}
	now = object_at(call, call->result);
	compare_object(call, &now, &due);
	if (flags & GMEM_ZEROINIT)
		compare_zeroed(call, &now, 0);
}

/* --- GlobalReAlloc, LocalReAlloc, discarding ------------------------------------------------- */

/* What a call is to come to: error 0, done; else refused. While `may_fail`, there may also be no
 * memory for it. `object` is what it leads to when it is done. */
struct due {
	uint32_t error;
	bool may_fail, stays;
	struct object object;
};

static struct due refused(uint32_t error)
{
	return (struct due){ .error = error };
}

static struct due due_of_fixed(const struct hook_call *call, const struct object *was,
			       uint64_t size_bytes, uint32_t flags)
{
	struct due due = { .object = *was, .stays = !(flags & GMEM_MOVEABLE) };

	if (flags & GMEM_MODIFY) {
		if (is_global(call) && flags & GMEM_MOVEABLE) {
			due.may_fail = true;
			due.object.kind = KIND_MOVEABLE;
			if (asks_for_discardable(call, flags))
				due.object.flags |= GMEM_DISCARDABLE;
		}
		return due;
	}
	if (asks_for_discardable(call, flags))
		return refused(ERROR_INVALID_PARAMETER);
	due.may_fail = true;
	due.object.size_bytes = size_bytes;
	return due;
}

static struct due due_of_moveable(const struct hook_call *call, const struct object *was,
				  uint64_t size_bytes, uint32_t flags)
{
	struct due due = { .object = *was };

	if (flags & GMEM_MODIFY) {
		if (asks_for_discardable(call, flags))
			due.object.flags |= GMEM_DISCARDABLE;
		return due;
	}
	if (asks_for_discardable(call, flags))
		return refused(ERROR_INVALID_PARAMETER);
	if (size_bytes == 0 && (!(flags & GMEM_MOVEABLE) || was->locks))
		return refused(ERROR_INVALID_PARAMETER);
	due.may_fail = size_bytes != 0;
	due.stays = was->locks && !(flags & GMEM_MOVEABLE);
	due.object.size_bytes = size_bytes;
	due.object.flags &= ~GMEM_DISCARDED;
	due.object.flags |= size_bytes ? 0 : GMEM_DISCARDED;
	return due;
}

static struct due due_of_resize(const struct hook_call *call, const struct object *was,
				uint64_t size_bytes, uint32_t flags)
{
	switch (was->kind) {
	case KIND_FIXED:
		return due_of_fixed(call, was, size_bytes, flags);
	case KIND_MOVEABLE:
		return due_of_moveable(call, was, size_bytes, flags);
	default:
		return refused(ERROR_INVALID_HANDLE);
	}
}

/* What was refused left all as it was. */
static void compare_unchanged(struct hook_call *call, const struct object *was)
{
	struct object now = object_at(call, call->arguments[0]);

	if (was->kind != KIND_NONE)
		compare_object(call, &now, was);
}

static void compare_changed(struct hook_call *call, const struct object *was, const struct due *due,
			    uint32_t flags)
{
	struct object now = object_at(call, call->result);

	compare_object(call, &now, &due->object);
	if (was->kind == KIND_MOVEABLE)
		compare_result(call, call->arguments[0]);
	if (due->stays && was->memory)
		difference_in(call, "place", now.memory, was->memory);
	if (flags & GMEM_ZEROINIT && !(flags & GMEM_MODIFY))
		compare_zeroed(call, &now, was->size_bytes);
}

static void compare_resized(struct hook_call *call, uint64_t size_bytes, uint32_t flags)
{
	struct object was = kept(call);
	struct due due = due_of_resize(call, &was, size_bytes, flags);

	if (due.error || !due.may_fail)
		difference_in(call, "is done", call->result != 0, !due.error);
	if (call->result) {
		if (!due.error)
			compare_changed(call, &was, &due, flags);
		return;
	}
	if (due.error || due.may_fail)
		compare_error(call, due.error ? due.error : ERROR_NOT_ENOUGH_MEMORY);
	compare_unchanged(call, &was);
}

static void resized(struct hook_call *call, enum api api)
{
	compare_resized(call, call->arguments[1], (uint32_t)call->arguments[2]);
}

static void discarded(struct hook_call *call, enum api api)
{
	compare_resized(call, 0, GMEM_MOVEABLE);
}

/* --- What else is done to a handle ----------------------------------------------------------- */

static void freed(struct hook_call *call, enum api api)
{
	if (kept(call).kind == KIND_NONE && call->arguments[0])
		compare_refusal(call, call->arguments[0], ERROR_INVALID_HANDLE);
	else
		compare_result(call, 0);
}

static void locked(struct hook_call *call, enum api api)
{
	struct object was = kept(call), now;

	if (was.kind == KIND_NONE) {
		compare_refusal(call, 0, ERROR_INVALID_HANDLE);
	} else if (!was.memory) {
		compare_refusal(call, 0, ERROR_DISCARDED);
	} else {
		now = object_at(call, call->arguments[0]);
		if (was.kind == KIND_MOVEABLE && was.locks < LOCKS_MAX)
			was.locks++;
		compare_result(call, was.memory);
		compare_object(call, &now, &was);
	}
}

/* GlobalFix answers nothing. */
static void fixed(struct hook_call *call, enum api api)
{
	struct object was = kept(call), now = object_at(call, call->arguments[0]);

	if (was.kind == KIND_MOVEABLE && was.memory && was.locks < LOCKS_MAX)
		was.locks++;
	compare_object(call, &now, &was);
}

static void unfixed(struct hook_call *call, enum api api)
{
	struct object was = kept(call), now = object_at(call, call->arguments[0]);

	if (was.locks)
		was.locks--;
	compare_object(call, &now, &was);
}

static void unlocked(struct hook_call *call, enum api api)
{
	struct object was = kept(call);
	bool is_block = was.kind == KIND_FIXED || was.kind == KIND_OWNED;

	if (was.kind == KIND_NONE)
		compare_short_refusal(call, FALSE, ERROR_INVALID_HANDLE);
	else if (is_block && is_global(call))
		compare_short(call, TRUE);
	else if (is_block || was.locks == 0)
		compare_short_refusal(call, FALSE, ERROR_NOT_LOCKED);
	else if (was.locks == 1)
		compare_short_refusal(call, FALSE, ERROR_SUCCESS);
	else
		compare_short(call, TRUE);
	if (was.kind == KIND_MOVEABLE)
		unfixed(call, api);
}

/* --- Questions ------------------------------------------------------------------------------- */

static void sized(struct hook_call *call, enum api api)
{
	struct object was = kept(call);

	if (was.kind == KIND_NONE)
		compare_refusal(call, 0, ERROR_INVALID_HANDLE);
	else
		compare_result(call, was.size_bytes);
}

static void flags_told(struct hook_call *call, enum api api)
{
	struct object was = kept(call);
	uint32_t due = was.flags | was.locks;

	if (!is_global(call)) {
		due &= ~(GMEM_DISCARDABLE | GMEM_DDESHARE);
		due |= was.flags & GMEM_DISCARDABLE ? LMEM_DISCARDABLE : 0;
	}
	if (was.kind == KIND_NONE)
		compare_short_refusal(call, GMEM_INVALID_HANDLE, ERROR_INVALID_HANDLE);
	else
		compare_short(call, due);
}

static void handle_told(struct hook_call *call, enum api api)
{
	struct object was = kept(call);

	if (!call->arguments[0])
		compare_refusal(call, 0, ERROR_INVALID_PARAMETER);
	else if (was.kind == KIND_NONE || was.kind == KIND_MOVEABLE)
		compare_refusal(call, 0, ERROR_INVALID_HANDLE);
	else
		compare_result(call, was.owner);
}

static void nothing_done(struct hook_call *call, enum api api)
{
	compare_result(call, 0);
}

/* Those that name a handle. */
static serve_after after_of(enum api api)
{
	switch (api) {
	case API_GlobalReAlloc:
	case API_LocalReAlloc:
		return resized;
	case API_GlobalDiscard:
	case API_LocalDiscard:
		return discarded;
	case API_GlobalFree:
	case API_LocalFree:
		return freed;
	case API_GlobalLock:
	case API_GlobalWire:
	case API_LocalLock:
		return locked;
	case API_GlobalUnlock:
	case API_GlobalUnWire:
	case API_LocalUnlock:
		return unlocked;
	case API_GlobalFix:
		return fixed;
	case API_GlobalUnfix:
		return unfixed;
	case API_GlobalSize:
	case API_LocalSize:
		return sized;
	case API_GlobalFlags:
	case API_LocalFlags:
		return flags_told;
	case API_GlobalHandle:
	case API_LocalHandle:
		return handle_told;
	default:
		return NULL;
	}
}

serve_after compare_handle(struct hook_call *call)
{
	serve_after after = after_of(call->hook->api);
	struct object object;

	switch (call->hook->api) {
	case API_GlobalAlloc:
	case API_LocalAlloc:
		return allocated;
	case API_GlobalCompact:
	case API_LocalCompact:
	case API_LocalShrink:
		return nothing_done;
	default:
		if (!after)
			return NULL;
		object = object_at(call, call->arguments[0]);
		keep(call, &object);
		return after;
	}
}
