/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The shortest way from a program's HeapAlloc to core's thread-local lists, and the like. These
 * functions have Windows' calling convention and call nothing but, at their end, the long way
 * through the dispatcher, for what is not as usual. So ten xmm registers need not be saved, and for
 * a block of the process heap no others either.
 *
 * They run in copies near the DLLs (hook.h). So they lie in one section, with all that they read by
 * an address relative to theirs, and find the rest by pointers there:
 *
 *   section vadtrace_near:  | words, a page | quick_allocate ... quick_heap_unlock |
 *                               ^ filled in from near_words when it is copied, and by quick_open
 *
 * Guarded by: nothing; quick_open is called once. */

#include "preload/wine/quick.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/heap/quick.h"
#include "preload/pe/call.h"
#include "preload/pe/hook.h"
#include "preload/process.h"

/* What may be cleared here; larger blocks are worth a call. */
#define ZERO_BYTES_MAX 256

#define NEAR_SECTION "vadtrace_near"
#define NEAR __attribute__((noinline, section(NEAR_SECTION))) HOOK_ABI
/* What is called most: in as few cache lines as can be, wherever the others end. */
#define NEAR_USUAL __attribute__((aligned(64))) NEAR

/* A compiler that does not optimise calls what should be part of these functions, and so cannot be
 * in a copy. */
#ifdef __OPTIMIZE__
#define IS_COPYABLE true
#else
#define IS_COPYABLE false
#endif

/* What the copies read. The first of these are the calls as if there were nothing here.
 *  - process is the process heap once core answers, and till then none that a program knows;
 *  - gate is core's event gate once core answers, and till then one that is not 0. It is written
 *    last: who finds it 0 finds the rest as it has to be. */
static struct near_words {
	hook_rest allocate_rest, release_rest, size_rest, value_rest;
	hook_rest lock_rest, unlock_rest, heap_lock_rest, heap_unlock_rest;
	uint64_t(HOOK_ABI *wake)(struct heap *heap);
	struct heap_ground ground;
	const void *process;
	const volatile int *gate;
} near_words;
static const volatile int closed_gate = 1;

/* In a copy, its own. */
extern const struct near_words near_here __attribute__((visibility("hidden")));
extern const uint8_t __start_vadtrace_near[] __attribute__((visibility("hidden")));
extern const uint8_t __stop_vadtrace_near[] __attribute__((visibility("hidden")));

/* A compiler puts no variable into a section of code. */
__asm__(".pushsection " NEAR_SECTION ", \"ax\", @progbits\n"
	".balign 4096\n"
	".globl near_here\n"
	".hidden near_here\n"
	"near_here: .skip 4096\n"
	".popsection");
static_assert(sizeof(struct near_words) <= OS_PAGE_SIZE && OS_PAGE_SIZE == 4096, "it has room");
#define GROUND (&near_here.ground)

/* The process heap. Asked for again at a function's end, so that no register has to remember the
 * answer. */
static ALWAYS_INLINE uint64_t process_here(void)
{
	uint64_t heap;

	__asm__ volatile("mov %1, %0" : "=r"(heap) : "m"(near_here.process));
	return heap;
}

static ALWAYS_INLINE bool is_process_heap(uint64_t heap)
{
	bool is_same;

	__asm__ volatile("cmp %1, %2" : "=@cce"(is_same) : "m"(near_here.process), "r"(heap));
	return likely(is_same);
}

/* Whether core answers, and nobody listens. */
static ALWAYS_INLINE bool is_open(void)
{
	bool is_zero;

	__asm__ volatile("cmpl $0, %1" : "=@cce"(is_zero) : "m"(*near_here.gate));
	return likely(is_zero);
}

/* A block is a multiple of 16 long at least, and its trailer the last 8 bytes: whole words up to
 * its size are its own. */
static ALWAYS_INLINE void clear(void *block, size_t size_bytes)
{
	uint64_t *words = block;

	for (size_t i = 0; i < (size_bytes + 7) / 8; i++)
		*(volatile uint64_t *)&words[i] = 0;
}

/* Of any heap, with any flags. The caller has probed the stack. */
static NEAR uint64_t quick_allocate_other(uint64_t heap, uint64_t flags, uint64_t size_bytes)
{
	bool is_zero = flags & HEAP_ZERO_MEMORY;
	void *block = NULL;

	if (likely(is_open() && (!is_zero || size_bytes <= ZERO_BYTES_MAX)))
		block = heap_allocate_quickly(GROUND, (struct heap *)heap, (uint32_t)flags,
					      size_bytes);
	if (unlikely(!block))
		return near_here.allocate_rest(heap, flags, size_bytes);
	if (is_zero)
		clear(block, size_bytes);
	return (uintptr_t)block;
}

/* That there are no flags, and which heap it is, need not be kept for later: so the registers that
 * a function may use are enough, and no stack is needed, which had to be probed. The gate is asked,
 * not unheard.h: a Windows process always has a listener installed, because the tracer plans the
 * hooks. */
static NEAR_USUAL uint64_t quick_allocate(uint64_t heap, uint64_t flags, uint64_t size_bytes)
{
	void *block;

	if (unlikely(!is_process_heap(heap) || (uint32_t)flags != 0)) {
		HOOK_PROBE();
		return quick_allocate_other(heap, flags, size_bytes);
	}
	if (unlikely(!is_open()))
		return near_here.allocate_rest(heap, flags, size_bytes);
	block = process_heap_allocate_quickly(GROUND, (struct heap *)heap, 0, size_bytes);
	if (unlikely(!block))
		return near_here.allocate_rest(process_here(), 0, size_bytes);
	return (uintptr_t)block;
}

/* Without a block there is nothing to do, whatever the heap is. As above. */
static NEAR uint64_t quick_release_other(uint64_t heap, uint64_t flags, uint64_t block)
{
	if (likely(is_open() && (!block || heap_release_quickly(GROUND, (struct heap *)heap,
								(struct block *)block))))
		return true;
	return near_here.release_rest(heap, flags, block);
}

static NEAR_USUAL uint64_t quick_release(uint64_t heap, uint64_t flags, uint64_t block)
{
	if (unlikely(!is_process_heap(heap) || (uint32_t)flags != 0 || !block)) {
		HOOK_PROBE();
		return quick_release_other(heap, flags, block);
	}
	if (likely(is_open() && process_heap_release_quickly(GROUND, (struct heap *)heap,
							     (struct block *)block)))
		return true;
	return near_here.release_rest(process_here(), 0, block);
}

static NEAR uint64_t quick_size(uint64_t heap, uint64_t flags, uint64_t block)
{
	size_t size_bytes = SIZE_MAX;

	if (likely(is_open()))
		size_bytes = heap_size_quickly(GROUND, (struct heap *)heap, (struct block *)block);
	return likely(size_bytes != SIZE_MAX) ? size_bytes
					      : near_here.size_rest(heap, flags, block);
}

static NEAR uint64_t quick_set_value(uint64_t heap, uint64_t flags, uint64_t block, uint64_t value)
{
	if (likely(is_open() && heap_set_user_value_quickly(GROUND, (struct heap *)heap,
							    (struct block *)block, value)))
		return true;
	return ((hook_rest_4)(void (*)(void))near_here.value_rest)(heap, flags, block, value);
}

/* --- Locks, which Wine's Global and Local functions take at each call ------------------------ */

static ALWAYS_INLINE bool lock(uint64_t heap)
{
	return is_open() && heap_lock_quickly(GROUND, (struct heap *)heap);
}

static ALWAYS_INLINE bool may_unlock(uint64_t heap)
{
	return is_open() && heap_is_locked_here(GROUND, (struct heap *)heap);
}

static HOOK_ABI uint64_t wake(struct heap *heap)
{
	hold_wake(&heap->hold);
	return true;
}

static ALWAYS_INLINE uint64_t unlock(struct heap *heap)
{
	return unlikely(hold_let_go(heap)) ? near_here.wake(heap) : true;
}

static NEAR uint64_t quick_lock(uint64_t heap, uint64_t unused, uint64_t unused_too)
{
	return lock(heap) ? true : near_here.lock_rest(heap, unused, unused_too);
}

static NEAR uint64_t quick_unlock(uint64_t heap, uint64_t unused, uint64_t unused_too)
{
	return may_unlock(heap) ? unlock((struct heap *)heap)
				: near_here.unlock_rest(heap, unused, unused_too);
}

static NEAR uint64_t quick_heap_lock(uint64_t heap, uint64_t unused, uint64_t unused_too)
{
	return lock(heap) ? true : near_here.heap_lock_rest(heap, unused, unused_too);
}

static NEAR uint64_t quick_heap_unlock(uint64_t heap, uint64_t unused, uint64_t unused_too)
{
	return may_unlock(heap) ? unlock((struct heap *)heap)
				: near_here.heap_unlock_rest(heap, unused, unused_too);
}

static void set_near_code(void)
{
	const struct hook_near code = {
		.code = __start_vadtrace_near,
		.size_bytes = (size_t)(__stop_vadtrace_near - __start_vadtrace_near),
		.words_at = &near_here,
		.words = &near_words,
		.words_bytes = sizeof(near_words),
	};

	near_words.wake = wake;
	near_words.process = &near_words;
	near_words.gate = &closed_gate;
	hook_set_near(&code);
}

void quick_start(void)
{
	if (!IS_COPYABLE)
		return;
	set_near_code();
	hook_set_quick(API_HeapAlloc, quick_allocate, &near_words.allocate_rest, /* probes */ true);
	hook_set_quick(API_HeapFree, quick_release, &near_words.release_rest, /* probes */ true);
	hook_set_quick(API_HeapSize, quick_size, &near_words.size_rest, /* probes */ false);
	hook_set_quick(API_RtlSetUserValueHeap, (hook_quick)(void (*)(void))quick_set_value,
		       &near_words.value_rest, /* probes */ false);
	hook_set_quick(API_RtlLockHeap, quick_lock, &near_words.lock_rest, /* probes */ false);
	hook_set_quick(API_RtlUnlockHeap, quick_unlock, &near_words.unlock_rest,
		       /* probes */ false);
	hook_set_quick(API_HeapLock, quick_heap_lock, &near_words.heap_lock_rest,
		       /* probes */ false);
	hook_set_quick(API_HeapUnlock, quick_heap_unlock, &near_words.heap_unlock_rest,
		       /* probes */ false);
}

void quick_open(void)
{
	near_words.ground = heap_ground_here();
	near_words.process = process_heap;
	near_words.gate = event_gate;
	hook_write_near_words();
}
