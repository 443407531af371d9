/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A few stacks for all threads, mapped when they are first needed, and never given back: a call
 * keeps one for a moment only. A thread that is terminated meanwhile takes it along. */

#include "preload/wine/spare.h"

#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>

#include "core/os/os.h"

#define STACK_BYTES ((size_t)256 * 1024)
#define STACKS_MAX 64

/* base is 0 until it is mapped; guarded by is_taken. */
static struct spare {
	_Atomic bool is_taken;
	uintptr_t base;
} spares[STACKS_MAX];

static bool has_stack(struct spare *spare)
{
	intptr_t base;

	if (spare->base)
		return true;
	base = os_map(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	spare->base = base > 0 ? (uintptr_t)base : 0;
	return spare->base != 0;
}

static void put(struct spare *spare)
{
	atomic_store_explicit(&spare->is_taken, false, memory_order_release);
}

static struct spare *take(void)
{
	for (size_t i = 0; i < STACKS_MAX; i++) {
		if (atomic_exchange_explicit(&spares[i].is_taken, true, memory_order_acquire))
			continue;
		if (has_stack(&spares[i]))
			return &spares[i];
		put(&spares[i]);
		break;
	}
	return NULL;
}

/* The frame pointer shows a debugger the way back. */
static __attribute__((noinline)) bool run_on(uintptr_t stack,
					     bool (*function)(struct hook_call *call),
					     struct hook_call *call)
{
	bool result;

	__asm__ volatile("movq %%rsp, %%rbx\n\t"
			 "movq %[stack], %%rsp\n\t"
			 "callq *%[function]\n\t"
			 "movq %%rbx, %%rsp"
			 : "=a"(result), [stack] "+S"(stack), "+D"(call)
			 : [function] "a"(function)
			 : "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "xmm0", "xmm1", "xmm2",
			   "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",
			   "xmm12", "xmm13", "xmm14", "xmm15", "cc", "memory");
	return result;
}

bool spare_run(bool (*function)(struct hook_call *call), struct hook_call *call)
{
	struct spare *spare = take();
	bool result;

	if (!spare)
		return function(call);
	result = run_on(spare->base + STACK_BYTES, function, call);
	put(spare);
	return result;
}
