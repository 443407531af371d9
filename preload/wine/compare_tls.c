/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Asking Wine for a value of FLS changes the last error, which is put back. */

#include "preload/wine/compare_tls.h"

#include <stddef.h>

#include "core/types.h"
#include "preload/pe/hook.h"
#include "preload/wine/difference.h"
#include "preload/wine/guest.h"
#include "preload/wine/teb.h"

#define TLS_SLOTS 1088u
/* The first ones are in the thread's block itself, the others where it says. */
#define DIRECT_SLOTS 64u
#define TEB_SLOTS 0x1480
#define TEB_EXPANSION 0x1780
#define TEB_SELF 0x30
#define PEB_BITMAP 0x78
#define PEB_EXPANSION_BITMAP 0x238
#define BITMAP_WORDS_OFFSET 8

/* As a Windows function answers a BOOL. */
static bool is_true(const struct hook_call *call)
{
	return (uint32_t)call->result != 0;
}

static uint32_t index_of(const struct hook_call *call)
{
	return (uint32_t)call->arguments[0];
}

/* FALSE or NULL where it has to be, with this last error. */
static void compare_refusal(const struct hook_call *call, uint32_t error)
{
	difference_in(call, "result", call->result, 0);
	if (call->result == 0)
		difference_in(call, "last error", teb_last_error(), error);
}

/* --- TLS ------------------------------------------------------------------------------------- */

/* The calling thread's value; 0 as long as it has none. */
static uint64_t tls_value(uint32_t index)
{
	uint64_t slots = TEB_READ(uint64_t, TEB_SELF) + TEB_SLOTS, value = 0;

	if (index >= DIRECT_SLOTS) {
		slots = TEB_READ(uint64_t, TEB_EXPANSION);
		index -= DIRECT_SLOTS;
	}
	if (slots)
		(void)guest_read(&value, slots + index * sizeof(value), sizeof(value));
	return value;
}

static bool is_tls_allocated(uint32_t index)
{
	bool is_direct = index < DIRECT_SLOTS;
	uint64_t peb = TEB_READ(uint64_t, 0x60), map = 0, words = 0;
	uint32_t bits = 0;

	index -= is_direct ? 0 : DIRECT_SLOTS;
	return guest_read(&map, peb + (is_direct ? PEB_BITMAP : PEB_EXPANSION_BITMAP),
			  sizeof(map)) &&
	       guest_read(&words, map + BITMAP_WORDS_OFFSET, sizeof(words)) &&
	       guest_read(&bits, words + index / 32 * sizeof(bits), sizeof(bits)) &&
	       bits >> index % 32 & 1;
}

static void tls_allocated(struct hook_call *call, enum api api)
{
	uint32_t index = (uint32_t)call->result;

	if (index == TLS_OUT_OF_INDEXES) {
		difference_in(call, "last error", teb_last_error(), ERROR_NO_MORE_ITEMS);
		return;
	}
	difference_in(call, "is an index", index < TLS_SLOTS, true);
	if (index < TLS_SLOTS)
		difference_in(call, "new value", tls_value(index), 0);
}

/* call->before: whether the index was allocated. */
static void tls_freed(struct hook_call *call, enum api api)
{
	if (call->before)
		difference_in(call, "result", is_true(call), true);
	else
		compare_refusal(call, ERROR_INVALID_PARAMETER);
}

/* call->before: the value until then. */
static void tls_got(struct hook_call *call, enum api api)
{
	if (index_of(call) >= TLS_SLOTS) {
		compare_refusal(call, ERROR_INVALID_PARAMETER);
		return;
	}
	difference_in(call, "result", call->result, call->before);
	difference_in(call, "last error", teb_last_error(), ERROR_SUCCESS);
}

static void tls_set(struct hook_call *call, enum api api)
{
	if (index_of(call) >= TLS_SLOTS)
		compare_refusal(call, ERROR_INVALID_PARAMETER);
	else if (is_true(call))
		difference_in(call, "value", tls_value(index_of(call)), call->arguments[1]);
	else
		difference_in(call, "last error", teb_last_error(), ERROR_NOT_ENOUGH_MEMORY);
}

/* --- FLS ------------------------------------------------------------------------------------- */

static bool is_fls_index(uint32_t index)
{
	return index > 0 && index < FLS_MAXIMUM_AVAILABLE;
}

/* The calling thread's, as Wine says. */
static uint64_t fls_value(uint32_t index)
{
	uint64_t(HOOK_ABI * get)(uint32_t);
	uint32_t error = teb_last_error();
	int32_t status = teb_last_status();
	uint64_t value;

	get = (uint64_t(HOOK_ABI *)(uint32_t))hook_original(API_FlsGetValue);
	value = get ? get(index) : 0;
	teb_set_last_error(error);
	teb_set_last_status(status);
	return value;
}

static void fls_allocated(struct hook_call *call, enum api api)
{
	uint32_t index = (uint32_t)call->result;

	if (index == FLS_OUT_OF_INDEXES) {
		difference_in(call, "last error", teb_last_error(), ERROR_NOT_ENOUGH_MEMORY);
		return;
	}
	difference_in(call, "is an index", is_fls_index(index), true);
	if (is_fls_index(index))
		difference_in(call, "new value", fls_value(index), 0);
}

static void fls_freed(struct hook_call *call, enum api api)
{
	if (!is_fls_index(index_of(call)) || !is_true(call))
		compare_refusal(call, ERROR_INVALID_PARAMETER);
}

static void fls_got(struct hook_call *call, enum api api)
{
	if (is_fls_index(index_of(call)))
		difference_in(call, "last error", teb_last_error(), ERROR_SUCCESS);
	else
		compare_refusal(call, ERROR_INVALID_PARAMETER);
}

static void fls_set(struct hook_call *call, enum api api)
{
	if (!is_fls_index(index_of(call)))
		compare_refusal(call, ERROR_INVALID_PARAMETER);
	else if (is_true(call))
		difference_in(call, "value", fls_value(index_of(call)), call->arguments[1]);
	else
		difference_in(call, "last error", teb_last_error(), ERROR_NOT_ENOUGH_MEMORY);
}

serve_after compare_tls(struct hook_call *call)
{
	uint32_t index = index_of(call);

	switch (call->hook->api) {
	case API_TlsAlloc:
		return tls_allocated;
	case API_TlsFree:
		call->before = index < TLS_SLOTS && is_tls_allocated(index);
		return tls_freed;
	case API_TlsGetValue:
		call->before = index < TLS_SLOTS ? tls_value(index) : 0;
		return tls_got;
	case API_TlsSetValue:
		return tls_set;
	case API_FlsAlloc:
		return fls_allocated;
	case API_FlsFree:
		return fls_freed;
	case API_FlsGetValue:
		return fls_got;
	case API_FlsSetValue:
		return fls_set;
	default:
		return NULL;
	}
}
