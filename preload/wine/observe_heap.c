/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The order is that of core/event.h: what begins is told after Wine's answer, what ends before. A
 * block that Wine will not take is not told as freed: its RtlSizeHeap knows. */

#include "preload/wine/observe_heap.h"

#include "core/base/status.h"
#include "core/types.h"
#include "preload/pe/hook.h"
#include "preload/wine/difference.h"
#include "preload/wine/serve.h"

#define BLOCK_ALIGNMENT 16
/* Of the HEAP_* in a heap's header. */
#define HEAP_FLAGS_OFFSET 0x70

/* The first heap that Wine made: the process heap, which cannot be destroyed. */
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

static uint64_t wine_size(uint64_t heap, uint64_t block)
{
	uint64_t(HOOK_ABI * size)(uint64_t, uint32_t, uint64_t);

	size = (uint64_t(HOOK_ABI *)(uint64_t, uint32_t, uint64_t))hook_original(API_HeapSize);
	return size ? size(heap, 0, block) : UINT64_MAX;
}

/* What the documentation says of each block, and each failure: core keeps to it. */
static void compare(const struct hook_call *call, uint64_t block, uint64_t size_bytes)
{
	const uint32_t *flags = (const uint32_t *)(call->arguments[0] + HEAP_FLAGS_OFFSET);

	if (serve_mode() != CONFIG_VERIFY)
		return;
	if (!block && *flags & HEAP_GENERATE_EXCEPTIONS)
		difference_in(call, "exception", 0, (uint32_t)STATUS_NO_MEMORY);
	if (!block)
		return;
	difference_in(call, "alignment", block % BLOCK_ALIGNMENT, 0);
	difference_in(call, "HeapSize", wine_size(call->arguments[0], block), size_bytes);
}

/* Whether this is told: Wine's RtlReAllocateHeap allocates and frees by calls of its own. */
static bool is_told(struct hook_call *call)
{
	return event_is_wanted() && *serve_silence(call) == 0;
}

static void allocated(struct hook_call *call, enum api api)
{
	compare(call, call->result, call->arguments[2]);
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
	return block && wine_size(call->arguments[0], block) != UINT64_MAX;
}

static void reallocated(struct hook_call *call, enum api api)
{
	--*serve_silence(call);
	compare(call, call->result, call->arguments[3]);
	if (call->result)
		tell(call, EVENT_REALLOC_END, api, call->result, call->arguments[3]);
	else
		tell(call, EVENT_REALLOC_FAILED, api, call->arguments[2], call->arguments[3]);
}

bool observe_reallocate(struct hook_call *call, enum api api)
{
	if (!is_told(call) || !is_block(call, call->arguments[2]))
		return false;
	tell(call, EVENT_REALLOC_BEGIN, api, call->arguments[2], 0);
	++*serve_silence(call);
	return serve_pass(call, reallocated);
}

bool observe_free(struct hook_call *call, enum api api)
{
	if (is_told(call) && is_block(call, call->arguments[2]))
		tell(call, EVENT_FREE, api, call->arguments[2], 0);
	return false;
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
	if (!first_heap)
		first_heap = call->result;
	if (call->result)
		tell_created(call, api);
}

bool observe_create(struct hook_call *call, enum api api)
{
	return serve_pass(call, created);
}

bool observe_destroy(struct hook_call *call, enum api api)
{
	if (event_is_wanted() && call->arguments[0] != first_heap)
		tell(call, EVENT_HEAP_DESTROY, api, 0, 0);
	return false;
}
