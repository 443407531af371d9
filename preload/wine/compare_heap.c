/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Asks Wine's own functions by their originals; these set no last error where they succeed. Memory
 * of the program is read where a call has just given it, else by guest_read. */

#include "preload/wine/compare_heap.h"

#include "core/base/status.h"
#include "core/event.h"
#include "core/heap/heap.h"
#include "core/types.h"
#include "core/vm/virtual.h"
#include "preload/pe/hook.h"
#include "preload/wine/difference.h"
#include "preload/wine/guest.h"
#include "preload/wine/serve.h"
#include "preload/wine/teb.h"

#define BLOCK_ALIGNMENT 16
/* In a heap's header: what programs know it by, and its HEAP_*. */
#define HEAP_SIGNATURE_OFFSET 0x10
#define HEAP_SIGNATURE 0xffeeffeeu
#define HEAP_FLAGS_OFFSET 0x70
/* What stands behind a block where the heap has HEAP_TAIL_CHECKING_ENABLED, so often at least. */
#define TAIL_FILL 0xab
#define TAIL_BYTES 8
/* Of a block that must be zero, so many bytes are looked at. */
#define LOOKED_AT_BYTES 65536
/* Of what a function answers as BOOLEAN. */
#define BOOLEAN_MASK 0xff
#define COMPATIBILITY 0
#define LOW_FRAGMENTATION 2

bool compare_is_wanted(void)
{
	return serve_mode() == CONFIG_VERIFY && event_is_wanted();
}

/* Wine reads what lies before a block without asking, and where it looks out for a fault, it does
 * so for itself. What the model knows is not asked of the system. */
bool compare_can_read_block(uint64_t block)
{
	const void *before = (const void *)(block - BLOCK_ALIGNMENT);
	MEMORY_BASIC_INFORMATION info;
	uint8_t bytes[BLOCK_ALIGNMENT];

	if (block < BLOCK_ALIGNMENT)
		return false;
	if (!vm_knows(before))
		return guest_read(bytes, block - BLOCK_ALIGNMENT, sizeof(bytes));
	return vm_query(before, &info) == STATUS_SUCCESS && info.State == MEM_COMMIT &&
	       !(info.Protect & (PAGE_NOACCESS | PAGE_GUARD));
}

uint64_t compare_size_heap(uint64_t heap, uint64_t block)
{
	uint64_t(HOOK_ABI * size)(uint64_t, uint32_t, uint64_t);

	size = (uint64_t(HOOK_ABI *)(uint64_t, uint32_t, uint64_t))hook_original(API_HeapSize);
	return size && compare_can_read_block(block) ? size(heap, 0, block) : UINT64_MAX;
}

bool compare_is_heap(uint64_t heap)
{
	uint32_t signature;

	return guest_read(&signature, heap + HEAP_SIGNATURE_OFFSET, sizeof(signature)) &&
	       signature == HEAP_SIGNATURE;
}

/* 0 of what is no heap. */
static uint32_t flags_of_heap(const struct hook_call *call)
{
	uint32_t flags;

	return guest_read(&flags, call->arguments[0] + HEAP_FLAGS_OFFSET, sizeof(flags)) ? flags
											 : 0;
}

/* --- Blocks ---------------------------------------------------------------------------------- */

bool compare_is_zero(const uint8_t *bytes, uint64_t size_bytes)
{
	for (uint64_t i = 0; i < size_bytes && i < LOOKED_AT_BYTES; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

/* A block that the call has given; what lies behind `kept_bytes` is new. */
static void compare_block(const struct hook_call *call, uint64_t size_bytes, uint64_t kept_bytes)
{
	const uint8_t *block = (const uint8_t *)call->result;

	difference_in(call, "alignment", call->result % BLOCK_ALIGNMENT, 0);
	difference_in(call, "HeapSize", compare_size_heap(call->arguments[0], call->result),
		      size_bytes);
	if (call->arguments[1] & HEAP_ZERO_MEMORY && size_bytes > kept_bytes)
		difference_in(call, "zeroed",
			      compare_is_zero(block + kept_bytes, size_bytes - kept_bytes), true);
}

/* No block: a heap that is to raise has not done so. */
static void compare_failure(const struct hook_call *call)
{
	if (flags_of_heap(call) & HEAP_GENERATE_EXCEPTIONS)
		difference_in(call, "exception", 0, (uint32_t)STATUS_NO_MEMORY);
}

void compare_allocated(const struct hook_call *call)
{
	if (call->result)
		compare_block(call, call->arguments[2], 0);
	else
		compare_failure(call);
}

/* One that is not resized is what it was. */
void compare_reallocated(const struct hook_call *call)
{
	uint64_t heap = call->arguments[0], block = call->arguments[2];

	if (call->result && call->arguments[1] & HEAP_REALLOC_IN_PLACE_ONLY)
		difference_in(call, "place", call->result, block);
	if (call->result) {
		compare_block(call, call->arguments[3], call->before);
		return;
	}
	difference_in(call, "HeapSize", compare_size_heap(heap, block), call->before);
	compare_failure(call);
}

void compare_freed(const struct hook_call *call)
{
	bool is_freed = call->result & BOOLEAN_MASK;

	difference_in(call, "result", is_freed, call->before);
	if (!is_freed && !call->before)
		difference_in(call, "last error", teb_last_error(), ERROR_INVALID_PARAMETER);
}

/* Nothing is left of a heap that is destroyed. Of none, Wine thinks so as well. */
void compare_destroyed(const struct hook_call *call)
{
	difference_in(call, "is destroyed", !call->result, call->before);
}

/* Whether nobody has written behind a block, as far as its heap can tell. */
static bool is_tail_whole(const struct hook_call *call)
{
	uint64_t block = call->arguments[2];
	uint8_t tail[TAIL_BYTES];

	if (!(flags_of_heap(call) & HEAP_TAIL_CHECKING_ENABLED))
		return true;
	if (!guest_read(tail, block + compare_size_heap(call->arguments[0], block), sizeof(tail)))
		return false;
	for (size_t i = 0; i < sizeof(tail); i++)
		if (tail[i] != TAIL_FILL)
			return false;
	return true;
}

void compare_validated(const struct hook_call *call)
{
	bool is_valid = call->before && is_tail_whole(call);

	difference_in(call, "result", (call->result & BOOLEAN_MASK) != 0, is_valid);
}

/* --- What is kept with blocks and heaps ------------------------------------------------------ */

static bool get_user_info(const struct hook_call *call, uint64_t *value, uint32_t *flags)
{
	uint8_t(HOOK_ABI * get)(uint64_t, uint32_t, uint64_t, uint64_t *, uint32_t *);

	get = (uint8_t(HOOK_ABI *)(uint64_t, uint32_t, uint64_t, uint64_t *,
				   uint32_t *))hook_original(API_RtlGetUserInfoHeap);
	*value = *flags = 0;
	return get && get(call->arguments[0], 0, call->arguments[2], value, flags);
}

uint32_t compare_user_flags_now(const struct hook_call *call)
{
	uint64_t value;
	uint32_t flags;

	return get_user_info(call, &value, &flags) ? flags : 0;
}

void compare_user_value(const struct hook_call *call)
{
	uint64_t value;
	uint32_t flags;

	if (call->result & BOOLEAN_MASK && get_user_info(call, &value, &flags))
		difference_in(call, "user value", value, call->arguments[3]);
}

void compare_user_flags(const struct hook_call *call)
{
	uint32_t clear = (uint32_t)call->arguments[3], set = (uint32_t)hook_argument(call, 4);

	if (call->result & BOOLEAN_MASK)
		difference_in(call, "user flags", compare_user_flags_now(call),
			      ((uint32_t)call->before & ~clear) | set);
}

/* What RtlQueryHeapInformation says of the heap's kind. */
static uint32_t compatibility(const struct hook_call *call)
{
	int32_t(HOOK_ABI * query)(uint64_t, uint32_t, uint32_t *, uint64_t, uint64_t *);
	uint32_t value = 0;

	query = (int32_t(HOOK_ABI *)(uint64_t, uint32_t, uint32_t *, uint64_t,
				     uint64_t *))hook_original(API_RtlQueryHeapInformation);
	if (query)
		(void)query(call->arguments[0], COMPATIBILITY, &value, sizeof(value), NULL);
	return value;
}

/* A heap of fixed size, or one that is not serialized, has no low-fragmentation form. */
void compare_information(const struct hook_call *call)
{
	bool can_change =
		(flags_of_heap(call) & (HEAP_GROWABLE | HEAP_NO_SERIALIZE)) == HEAP_GROWABLE;
	bool is_done = (int32_t)call->result >= 0;
	uint32_t value;

	if ((uint32_t)call->arguments[1] != COMPATIBILITY ||
	    !guest_read(&value, call->arguments[2], sizeof(value)) || value != LOW_FRAGMENTATION)
		return;
	if (!can_change)
		difference_in(call, "status", (uint32_t)call->result,
			      (uint32_t)STATUS_UNSUCCESSFUL);
	else if (is_done)
		difference_in(call, "kind of heap", compatibility(call), value);
}
