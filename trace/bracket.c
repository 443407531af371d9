/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Two words of thread-local storage:
 *
 *   own      NULL: not met; ENDED or IGNORED; or the thread's state
 *   opened   0, or the frame address of the innermost open bracket with its level in the low bits
 *
 * How a signal handler's event is told from one of LTTng's own: between the two frames on the stack
 * lies a signal frame, which begins with the address of the C library's signal return code; all
 * handlers have the same one, or a few. On an alternate signal stack it must be a handler. */

#include "trace/bracket.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>

#include "trace/buffer.h"
#include "trace/live.h"
#include "trace/memory.h"
#include "trace/system.h"

#define LEVEL_MASK ((uintptr_t)15)
#define SCAN_MAX (1u << 20)
#define YOUNG_EVENTS 8

/* The kernel's struct sigaction. */
struct kernel_action {
	uintptr_t handler;
	unsigned long flags;
	uintptr_t restorer;
	uint64_t mask;
};

#define ENDED ((struct thread *)8)
#define IGNORED ((struct thread *)16)

static _Thread_local struct thread *own;
static _Thread_local uintptr_t opened;

static struct thread *all_threads, *free_threads;
static struct memory_lock threads_lock;
static uint64_t refused;
static uintptr_t last_restorer;

bool bracket_is_open(void)
{
	return opened != 0;
}

static struct thread *buffered(struct thread *thread)
{
	return thread == ENDED || thread == IGNORED ? NULL : thread;
}

bool bracket_is_unwinding(void)
{
	struct thread *thread = opened ? buffered(own) : NULL;

	return thread && thread->is_unwinding;
}

struct thread *bracket_own_thread(void)
{
	return buffered(own);
}

struct thread *bracket_threads(void)
{
	return __atomic_load_n(&all_threads, __ATOMIC_ACQUIRE);
}

uint64_t bracket_take_refused(void)
{
	return __atomic_exchange_n(&refused, 0, __ATOMIC_RELAXED);
}

static bool is_lttng_name(const char *name)
{
	size_t length = strlen(name);

	return length >= 4 && strcmp(name + length - 4, "-ust") == 0;
}

static struct thread *take_free_locked(void)
{
	struct thread *thread = free_threads;

	if (thread)
		free_threads = thread->next_free;
	else
		thread = memory_take(sizeof(*thread));
	return thread;
}

static struct thread *prepare_locked(struct thread *thread)
{
	if (!thread->slots[0] && !live_take_pair_locked(thread->slots)) {
		thread->next_free = free_threads;
		free_threads = thread;
		return NULL;
	}
	if (!thread->is_listed) {
		thread->is_listed = true;
		thread->next = all_threads;
		__atomic_store_n(&all_threads, thread, __ATOMIC_RELEASE);
	}
	return thread;
}

static struct thread *take_thread(void)
{
	uint64_t mask = memory_lock(&threads_lock);
	struct thread *thread = take_free_locked();

	if (thread)
		thread = prepare_locked(thread);
	memory_unlock(&threads_lock, mask);
	return thread;
}

/* Meets the calling thread. */
static __attribute__((noinline)) struct thread *meet(void)
{
	struct thread *thread;
	char name[16];

	system_thread_name(name);
	thread = is_lttng_name(name) ? IGNORED : take_thread();
	if (thread && thread != IGNORED) {
		uint32_t tid = system_tid();

		memcpy(thread->name, name, sizeof(name));
		memset(thread->bounds, 0, sizeof(thread->bounds));
		thread->young = YOUNG_EVENTS;
		thread->is_announced = false;
		thread->slots[0]->header.tid = tid;
		thread->slots[1]->header.tid = tid;
		__atomic_store_n(&thread->tid, tid, __ATOMIC_RELEASE);
	}
	own = thread ? thread : ENDED;
	return own;
}

static void give_back(struct thread *thread)
{
	uint64_t mask = memory_lock(&threads_lock);

	thread->slots[0]->header.tid = 0;
	thread->slots[1]->header.tid = 0;
	__atomic_store_n(&thread->tid, 0, __ATOMIC_RELEASE);
	thread->next_free = free_threads;
	free_threads = thread;
	memory_unlock(&threads_lock, mask);
}

bool bracket_check_name(struct thread *thread)
{
	thread->young--;
	system_thread_name(thread->name);
	if (!is_lttng_name(thread->name))
		return false;
	buffer_drop(thread);
	own = IGNORED;
	give_back(thread);
	return true;
}

void bracket_thread_exit(void)
{
	struct thread *thread = buffered(own);

	if (own != IGNORED)
		own = ENDED;
	if (thread)
		give_back(thread);
}

/* Whether a word between the two frames is the start of a signal frame. */
static bool has_signal_frame(uintptr_t inner, uintptr_t outer, uintptr_t restorer)
{
	for (uintptr_t at = inner; restorer && at < outer; at += sizeof(at))
		if (*(const uintptr_t *)at == restorer)
			return true;
	return false;
}

static bool is_from_handler(uintptr_t inner, uintptr_t outer)
{
	struct kernel_action action;

	if (outer - inner > SCAN_MAX)
		return true;
	if (has_signal_frame(inner, outer, __atomic_load_n(&last_restorer, __ATOMIC_RELAXED)))
		return true;
	for (int number = 1; number <= 64; number++) {
		if (system_call4(SYS_rt_sigaction, number, 0, (long)&action, sizeof(action.mask)) ||
		    action.handler <= (uintptr_t)SIG_IGN ||
		    action.restorer == __atomic_load_n(&last_restorer, __ATOMIC_RELAXED))
			continue;
		if (has_signal_frame(inner, outer, action.restorer)) {
			__atomic_store_n(&last_restorer, action.restorer, __ATOMIC_RELAXED);
			return true;
		}
	}
	return false;
}

static bool is_in(const stack_t *stack, uintptr_t address)
{
	return address - (uintptr_t)stack->ss_sp < stack->ss_size;
}

/* Whether the frame of the open bracket `outer` has been left, seen from `frame`: the stack has
 * been taken back beyond it. An alternate stack has an order of its own. */
static bool is_left(uintptr_t frame, uintptr_t outer, const stack_t *alternate)
{
	bool is_alternate = is_in(alternate, frame), was_alternate = is_in(alternate, outer);

	if (is_alternate != was_alternate)
		return was_alternate;
	return frame > outer;
}

/* Closes the brackets that were left by siglongjmp. */
static void close_left(struct thread *thread, uintptr_t frame, const stack_t *alternate)
{
	while (opened && is_left(frame, opened & ~LEVEL_MASK, alternate)) {
		uint32_t level = opened & LEVEL_MASK;

		opened = thread && level > 0 ? (thread->outer[level - 1] | (level - 1)) : 0;
		if (thread)
			buffer_release_level(thread, level);
	}
}

/* An event while a bracket is open, or seems to be. */
static __attribute__((noinline)) bool nest(struct bracket *bracket, uintptr_t frame)
{
	struct thread *thread = own ? buffered(own) : NULL;
	stack_t alternate = { .ss_size = 0 };
	bool is_alternate;

	system_call4(SYS_sigaltstack, 0, (long)&alternate, 0, 0);
	if (alternate.ss_flags & SS_DISABLE)
		alternate.ss_size = 0;
	close_left(thread, frame, &alternate);
	if (!opened)
		return true;
	is_alternate = is_in(&alternate, frame) && !is_in(&alternate, opened);
	if (!is_alternate && !is_from_handler(frame, opened & ~LEVEL_MASK))
		return false;
	bracket->level = (uint32_t)(opened & LEVEL_MASK) + 1;
	if (bracket->level < BRACKET_LEVELS)
		return true;
	__atomic_fetch_add(&refused, 1, __ATOMIC_RELAXED);
	return false;
}

uintptr_t bracket_mute(uintptr_t frame)
{
	uintptr_t before = opened;

	opened = frame & ~LEVEL_MASK;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return before;
}

void bracket_unmute(uintptr_t before)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	opened = before;
}

bool bracket_open(struct bracket *bracket, uintptr_t frame)
{
	struct thread *thread;

	bracket->level = 0;
	if (__builtin_expect(opened != 0, 0) && !nest(bracket, frame))
		return false;
	bracket->before = opened;
	opened = frame | bracket->level;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	thread = own;
	if (__builtin_expect(!thread, 0))
		thread = meet();
	if (__builtin_expect(thread == IGNORED, 0)) {
		opened = bracket->before;
		return false;
	}
	bracket->frame = frame;
	bracket->thread = buffered(thread);
	if (bracket->thread)
		bracket->thread->outer[bracket->level] = frame;
	return true;
}

void bracket_close(const struct bracket *bracket)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	opened = bracket->before;
}

void bracket_fork_child(void)
{
	threads_lock.word = 0;
	free_threads = NULL;
	for (struct thread *thread = all_threads; thread; thread = thread->next) {
		thread->tid = 0;
		thread->lock = THREAD_UNLOCKED;
		thread->current = 0;
		thread->is_spare_busy = 0;
		thread->slots[0] = thread->slots[1] = NULL;
		thread->is_unwinding = false;
		thread->next_free = free_threads;
		free_threads = thread;
	}
	if (own != IGNORED)
		own = NULL;
	opened = 0;
}
