/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Verify mode: what Wine's heap answers against what is documented, which core keeps to. Nothing is
 * kept of any block: what is due follows from the call, and from what Wine itself says of the block
 * before and after it. Each difference is told (difference.h). */

#ifndef VADTRACE_PRELOAD_WINE_COMPARE_HEAP_H
#define VADTRACE_PRELOAD_WINE_COMPARE_HEAP_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/pe/call.h"

/* Whether Wine may be asked about a block here: it looks at what lies before it. */
bool compare_can_read_block(uint64_t block);

/* Wine's RtlSizeHeap; UINT64_MAX: it is no block of the heap. */
uint64_t compare_size_heap(uint64_t heap, uint64_t block);

/* Whether there is a heap of Wine's. */
bool compare_is_heap(uint64_t heap);

/* Whether a call is compared at all. */
bool compare_is_wanted(void);

/* Whether so many bytes at `bytes`, or the first 64 KiB of them, are zero. */
bool compare_is_zero(const uint8_t *bytes, uint64_t size_bytes);

/* After RtlAllocateHeap. */
void compare_allocated(const struct hook_call *call);
/* After RtlReAllocateHeap of a block; call->before is its size until then. */
void compare_reallocated(const struct hook_call *call);
/* After RtlFreeHeap; call->before is whether there was a block to free, or none was asked for. */
void compare_freed(const struct hook_call *call);
/* After RtlDestroyHeap; call->before is whether there was a heap to destroy. */
void compare_destroyed(const struct hook_call *call);
/* After RtlValidateHeap of a block; call->before is whether Wine knows it. */
void compare_validated(const struct hook_call *call);
/* After RtlSetUserValueHeap, RtlSetUserFlagsHeap (call->before: the flags until then) and
 * RtlSetHeapInformation. */
void compare_user_value(const struct hook_call *call);
void compare_user_flags(const struct hook_call *call);
void compare_information(const struct hook_call *call);

/* The flags that the program keeps with a block; 0 when Wine knows of none. */
uint32_t compare_user_flags_now(const struct hook_call *call);

#endif
