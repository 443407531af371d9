/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The own stack belongs to the thread's state and is made when it is first needed. With all signals
 * held back there is one call at a time on it. */

#include "trace/outside.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "trace/bracket.h"
#include "trace/memory.h"
#include "trace/system.h"
#include "trace/windows.h"

#define OWN_STACK_SIZE (64u * 1024)

static bool is_on_small_stack(void)
{
	stack_t stack = { .ss_flags = 0 };

	if (!windows_has_room())
		return true;
	system_call4(SYS_sigaltstack, 0, (long)&stack, 0, 0);
	return stack.ss_flags & SS_ONSTACK;
}

/* The end of the calling thread's own stack; NULL when it cannot have one. */
static char *own_stack(void)
{
	struct thread *thread = bracket_own_thread();

	if (thread && !thread->own_stack)
		thread->own_stack = memory_map(OWN_STACK_SIZE);
	return thread && thread->own_stack ? thread->own_stack + OWN_STACK_SIZE : NULL;
}

/* The frame address makes this function keep a frame pointer: a debugger finds the way back. */
static __attribute__((noinline)) void call_on(char *stack, void (*function)(const void *),
					      const void *argument)
{
	uintptr_t frame = (uintptr_t)__builtin_frame_address(0);

	__asm__ volatile("movq %%rsp, %%rbx\n\t"
			 "movq %[stack], %%rsp\n\t"
			 "callq *%[function]\n\t"
			 "movq %%rbx, %%rsp"
			 : [stack] "+S"(stack), [function] "+a"(function), "+D"(argument),
			   "+c"(frame)
			 :
			 : "rbx", "rdx", "r8", "r9", "r10", "r11", "xmm0", "xmm1", "xmm2", "xmm3",
			   "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",
			   "xmm12", "xmm13", "xmm14", "xmm15", "cc", "memory");
}

/* `stack` NULL: where the caller is. */
static void call(char *stack, void (*function)(const void *), const void *argument)
{
	uintptr_t before;
	int cancel_state;

	(void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
	before = bracket_call_out((uintptr_t)__builtin_frame_address(0), BRACKET_TO_LTTNG);
	if (stack)
		call_on(stack, function, argument);
	else
		function(argument);
	bracket_call_ended(before);
	(void)pthread_setcancelstate(cancel_state, NULL);
}

void outside_call(void (*function)(const void *argument), const void *argument)
{
	call(is_on_small_stack() ? own_stack() : NULL, function, argument);
}

void outside_call_often(void (*function)(const void *argument), const void *argument)
{
	char *stack = own_stack();

	if (stack)
		call(stack, function, argument);
	else
		outside_call(function, argument);
}
