/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Two words of thread-local storage:
 *
 *   bracket_own     NULL: not met; ENDED or IGNORED; or the thread's state
 *   bracket_opened  0, or the frame address of the innermost open bracket, with its level and a
 *                   flag in the low bits: the tracer has called out to LTTng or libunwind (enum
 *                   bracket_callee)
 *
 * Calls out are made with signals blocked. So an event during one is not the program's; and an
 * event while a bracket is open otherwise is a signal handler's, or that of a thread which jumped
 * out of a handler. Which of the two, the frame addresses mostly tell; where they cannot (the
 * thread went on below the place that it left), the event is written as a handler's would be, and
 * is right too. */

#include "trace/bracket.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>

#include "trace/buffer.h"
#include "trace/live.h"
#include "trace/memory.h"
#include "trace/system.h"

#define LEVEL_MASK ((uintptr_t)3)
#define UNWINDING ((uintptr_t)4)
#define CALLED_OUT ((uintptr_t)8)
#define LOW_BITS ((uintptr_t)15)
#define YOUNG_EVENTS 8

_Static_assert(BRACKET_LEVELS <= LEVEL_MASK, "a level fits into its bits");

#define ENDED ((struct thread *)8)
#define IGNORED ((struct thread *)BRACKET_NO_THREAD_MAX)

_Thread_local struct thread *bracket_own;
_Thread_local uintptr_t bracket_opened;

static struct thread *all_threads, *free_threads;
static struct memory_lock threads_lock;

uintptr_t bracket_call_out(uintptr_t frame, enum bracket_callee callee)
{
	uintptr_t before = bracket_opened;

	bracket_opened = (before ? before : frame & ~LOW_BITS) | (uintptr_t)callee;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return before;
}

void bracket_call_ended(uintptr_t before)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	bracket_opened = before;
}

bool bracket_is_calling_out(void)
{
	return (bracket_opened & CALLED_OUT) != 0;
}

static struct thread *buffered(struct thread *thread)
{
	return thread == ENDED || thread == IGNORED ? NULL : thread;
}

bool bracket_is_unwinding(void)
{
	return (bracket_opened & UNWINDING) != 0;
}

struct thread *bracket_own_thread(void)
{
	return buffered(bracket_own);
}

struct thread *bracket_threads(void)
{
	return __atomic_load_n(&all_threads, __ATOMIC_ACQUIRE);
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
		thread = memory_map_sparse(sizeof(*thread));
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

static void introduce(struct thread *thread, const char name[16])
{
	uint32_t tid = system_tid();

	memcpy(thread->name, name, sizeof(thread->name));
	/* New memory is clear, and most of it is never touched. */
	for (uint32_t level = 0; thread->was_owned && level < BRACKET_LEVELS; level++)
		history_clear(&thread->history[level]);
	thread->was_owned = true;
	thread->young = YOUNG_EVENTS;
	thread->is_announced = false;
	thread->told_name[0] = '\0';
	thread->slots[0]->header.tid = tid;
	thread->slots[1]->header.tid = tid;
	__atomic_store_n(&thread->tid, tid, __ATOMIC_RELEASE);
}

/* Meets the calling thread. Signals are blocked, or a handler could meet it a second time. */
static struct thread *meet_blocked(void)
{
	struct thread *thread;
	char name[16];

	system_thread_name(name);
	if (is_lttng_name(name))
		return IGNORED;
	thread = take_thread();
	if (!thread)
		return ENDED;
	introduce(thread, name);
	return thread;
}

static __attribute__((noinline)) struct thread *meet(void)
{
	uint64_t mask = system_block_signals();

	if (!bracket_own)
		bracket_own = meet_blocked();
	system_restore_signals(mask);
	return bracket_own;
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
	bracket_own = IGNORED;
	give_back(thread);
	return true;
}

void bracket_thread_exit(void)
{
	struct thread *thread = buffered(bracket_own);

	if (bracket_own != IGNORED)
		bracket_own = ENDED;
	if (thread)
		give_back(thread);
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
	return frame >= outer;
}

/* Closes the brackets that were left by siglongjmp. */
static void close_left(struct thread *thread, uintptr_t frame, const stack_t *alternate)
{
	while (bracket_opened && is_left(frame, bracket_opened & ~LOW_BITS, alternate)) {
		uint32_t level = bracket_opened & LEVEL_MASK;

		bracket_opened = thread && level > 0 ? (thread->outer[level - 1] | (level - 1)) : 0;
		if (thread)
			buffer_release_level(thread, level);
	}
}

/* The level of an event while a bracket is open, or seems to be. */
static __attribute__((noinline)) uint32_t nest(uintptr_t frame)
{
	stack_t alternate = { .ss_size = 0 };

	system_call4(SYS_sigaltstack, 0, (long)&alternate, 0, 0);
	if (alternate.ss_flags & SS_DISABLE)
		alternate.ss_size = 0;
	close_left(bracket_own ? buffered(bracket_own) : NULL, frame, &alternate);
	return bracket_opened ? (uint32_t)(bracket_opened & LEVEL_MASK) + 1 : 0;
}

bool bracket_open_unusual(struct bracket *bracket, uintptr_t frame)
{
	struct thread *thread;

	if (__builtin_expect(bracket_opened & CALLED_OUT, 0))
		return false;
	bracket->level = __builtin_expect(bracket_opened != 0, 0) ? nest(frame) : 0;
	bracket->before = bracket_opened;
	bracket->frame = frame;
	bracket->thread = NULL;
	if (bracket->level == BRACKET_LEVELS)
		return true;
	bracket_opened = frame | bracket->level;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	thread = bracket_own ? bracket_own : meet();
	bracket->thread = buffered(thread);
	if (bracket->thread)
		bracket->thread->outer[bracket->level] = frame;
	else if (thread == IGNORED)
		bracket_opened = bracket->before;
	return thread != IGNORED;
}

uint64_t bracket_freeze(void)
{
	return memory_lock(&threads_lock);
}

void bracket_thaw(uint64_t mask)
{
	memory_unlock(&threads_lock, mask);
}

void bracket_fork_child(void)
{
	threads_lock.word = 0;
	free_threads = NULL;
	for (struct thread *thread = all_threads; thread; thread = thread->next) {
		thread->tid = 0;
		thread->lock = (struct biased_lock){ 0 };
		thread->is_frozen = false;
		thread->stretch = (struct clock_stretch){ 0 };
		thread->current = 0;
		thread->is_spare_busy = 0;
		thread->slots[0] = thread->slots[1] = NULL;
		thread->next_free = free_threads;
		free_threads = thread;
	}
	if (bracket_own != IGNORED)
		bracket_own = NULL;
	bracket_opened = 0;
}
