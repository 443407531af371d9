/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The order is that of core/event.h: what begins is told after Wine's answer, what ends before. A
 * block that Wine will not take is not told as freed: its RtlSizeHeap knows. */

#include "preload/wine/observe_heap.h"

#include "core/types.h"
#include "preload/wine/compare_heap.h"
#include "preload/wine/compare_lock.h"
#include "preload/wine/serve.h"

/* The first heap that Wine made, where core makes none: the process heap, which cannot be
 * destroyed. */
static uint64_t first_heap;

static void tell(const struct hook_call *call, enum event_kind kind, enum api api, uint64_t address,
		 uint64_t size_bytes)
{
	const struct event event = {
		.kind = (uint16_t)kind,
		.api = (uint16_t)api,
		.address = address,
		.size_bytes = size_bytes,
		.heap = call->arguments[0],
	};

	event_emit(&event);
}

/* Whether this is told: Wine's RtlReAllocateHeap allocates and frees by calls of its own. */
static bool is_told(struct hook_call *call)
{
	return event_is_wanted() && *serve_silence(call) == 0;
}

static void allocated(struct hook_call *call, enum api api)
{
	if (compare_is_wanted())
		compare_allocated(call);
	tell(call, call->result ? EVENT_ALLOCATE : EVENT_ALLOCATE_FAILED, api, call->result,
	     call->arguments[2]);
}

bool observe_allocate(struct hook_call *call, enum api api)
{
	return serve_pass(call, is_told(call) ? allocated : NULL);
}

/* Whether Wine will take `block` for one of the heap's. */
static bool is_block(const struct hook_call *call, uint64_t block)
{
	return block && compare_size_heap(call->arguments[0], block) != UINT64_MAX;
}

static void reallocated(struct hook_call *call, enum api api)
{
	--*serve_silence(call);
	if (compare_is_wanted())
		compare_reallocated(call);
	if (call->result)
		tell(call, EVENT_REALLOC_END, api, call->result, call->arguments[3]);
	else
		tell(call, EVENT_REALLOC_FAILED, api, call->arguments[2], call->arguments[3]);
}

bool observe_reallocate(struct hook_call *call, enum api api)
{
	if (!is_told(call) || !is_block(call, call->arguments[2]))
		return false;
	call->before = compare_size_heap(call->arguments[0], call->arguments[2]);
	tell(call, EVENT_REALLOC_BEGIN, api, call->arguments[2], 0);
	++*serve_silence(call);
	return serve_pass(call, reallocated);
}

static void freed(struct hook_call *call, enum api api)
{
	compare_freed(call);
}

bool observe_free(struct hook_call *call, enum api api)
{
	bool is_one;

	if (!is_told(call))
		return false;
	is_one = is_block(call, call->arguments[2]);
	if (is_one)
		tell(call, EVENT_FREE, api, call->arguments[2], 0);
	call->before = is_one || !call->arguments[2];
	return serve_pass(call, compare_is_wanted() ? freed : NULL);
}

bool observe_size(struct hook_call *call, enum api api)
{
	return false;
}

static void tell_created(const struct hook_call *call, enum api api)
{
	const struct event event = {
		.kind = EVENT_HEAP_CREATE,
		.api = (uint16_t)api,
		.heap = call->result,
		.size_bytes = call->arguments[0] & HEAP_GROWABLE ? 0 : call->arguments[2],
		.type = (uint32_t)call->arguments[0],
	};

	event_emit(&event);
}

static void created(struct hook_call *call, enum api api)
{
	if (!first_heap && serve_mode() != CONFIG_ROUTE)
		first_heap = call->result;
	if (call->result)
		tell_created(call, api);
}

bool observe_create(struct hook_call *call, enum api api)
{
	return serve_pass(call, created);
}

static void destroyed(struct hook_call *call, enum api api)
{
	compare_destroyed(call);
}

bool observe_destroy(struct hook_call *call, enum api api)
{
	if (!event_is_wanted())
		return false;
	call->before = call->arguments[0] != first_heap && compare_is_heap(call->arguments[0]);
	if (call->before)
		tell(call, EVENT_HEAP_DESTROY, api, 0, 0);
	return serve_pass(call, compare_is_wanted() ? destroyed : NULL);
}

/* --- What is only compared ------------------------------------------------------------------- */

static void locked(struct hook_call *call, enum api api)
{
	compare_locked(call);
}

/* All calls are followed, whether anybody listens yet or not. */
bool observe_lock(struct hook_call *call, enum api api)
{
	return serve_pass(call, serve_mode() == CONFIG_VERIFY ? locked : NULL);
}

static void unlocked(struct hook_call *call, enum api api)
{
	compare_unlocked(call);
}

bool observe_unlock(struct hook_call *call, enum api api)
{
	if (serve_mode() != CONFIG_VERIFY)
		return false;
	compare_unlocking(call);
	return serve_pass(call, unlocked);
}

static void validated(struct hook_call *call, enum api api)
{
	compare_validated(call);
}

/* Of a whole heap nothing is known. */
bool observe_validate(struct hook_call *call, enum api api)
{
	if (!compare_is_wanted() || !call->arguments[2])
		return false;
	call->before = is_block(call, call->arguments[2]);
	return serve_pass(call, validated);
}

static void user_value_set(struct hook_call *call, enum api api)
{
	compare_user_value(call);
}

bool observe_set_user_value(struct hook_call *call, enum api api)
{
	return serve_pass(call, compare_is_wanted() ? user_value_set : NULL);
}

static void user_flags_set(struct hook_call *call, enum api api)
{
	compare_user_flags(call);
}

bool observe_set_user_flags(struct hook_call *call, enum api api)
{
	if (!compare_is_wanted())
		return false;
	call->before = compare_user_flags_now(call);
	return serve_pass(call, user_flags_set);
}

static void information_set(struct hook_call *call, enum api api)
{
	compare_information(call);
}

bool observe_set_information(struct hook_call *call, enum api api)
{
	return serve_pass(call, compare_is_wanted() ? information_set : NULL);
}
