/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The threads that have been met, and the bracket around each stay in the tracer.
 *
 * An event that arrives while its thread has a bracket open comes from a signal handler: level 1,
 * or a handler in that handler: level 2. Deeper ones have no thread state to use. What libraries
 * that the tracer calls do is not the program's, and refused. A handler may leave by siglongjmp:
 * brackets whose frame is gone are closed by the next event of the thread. */

#ifndef VADTRACE_TRACE_BRACKET_H
#define VADTRACE_TRACE_BRACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "trace/biased_lock.h"
#include "trace/clock.h"
#include "trace/schema/live.h"
#include "trace/stack/history.h"

#define BRACKET_LEVELS 3

/* One thread of the program. Never freed: when the thread ends, the next one takes it over.
 *  - tid is 0 while nobody owns it;
 *  - slots[current] takes records; the other one is empty, or is_spare_busy: being emitted;
 *  - outer[n] is the frame of the open bracket of level n. */
struct thread {
	struct thread *next;      /* of all threads, ever */
	struct thread *next_free; /* of those without owner */
	uint32_t tid;
	struct biased_lock lock; /* of slots, current, heap, stretch, latest_ns */
	uint32_t current;
	uint32_t is_spare_busy;
	struct live_slot *slots[2];
	char *own_stack; /* for calls from a small signal stack; NULL: not needed yet */
	uint64_t heap;   /* the heap of the last record in slots[current] */
	struct clock_stretch stretch;
	uint64_t latest_ns; /* of its records */
	uintptr_t outer[BRACKET_LEVELS];
	uint64_t moving[BRACKET_LEVELS]; /* plain: the block that is being reallocated, or 0 */
	bool is_listed;
	bool is_announced;
	bool was_owned; /* history is of some thread */
	bool is_frozen; /* the flusher that holds its lock is a fork */
	uint8_t young;  /* events until its name is believed */
	char name[16];
	char told_name[16]; /* plain: what the trace has */
	struct history history[BRACKET_LEVELS];
};

/* One stay. thread is NULL where there is no buffer: the thread has ended, is nested too deep, or
 * memory was short. */
struct bracket {
	struct thread *thread;
	uintptr_t frame;
	uintptr_t before;
	uint32_t level;
};

/* The calling thread's: see bracket.c. */
extern _Thread_local struct thread *bracket_own;
extern _Thread_local uintptr_t bracket_opened;

/* What is no greater in bracket_own is no thread. */
#define BRACKET_NO_THREAD_MAX 16u

bool bracket_open_unusual(struct bracket *bracket, uintptr_t frame);

/* `frame` is the frame address of the function that the program's event arrives at. False: the
 * event is not the program's. */
static inline bool bracket_open(struct bracket *bracket, uintptr_t frame)
{
	struct thread *thread = bracket_own;

	if (__builtin_expect(bracket_opened || (uintptr_t)thread <= BRACKET_NO_THREAD_MAX, 0))
		return bracket_open_unusual(bracket, frame);
	*bracket = (struct bracket){ .thread = thread, .frame = frame };
	bracket_opened = frame;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	thread->outer[0] = frame;
	return true;
}

static inline void bracket_close(const struct bracket *bracket)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	bracket_opened = bracket->before;
}

enum bracket_callee { BRACKET_TO_LTTNG = 8, BRACKET_TO_LIBUNWIND = 8 | 4 };

/* Around a call of a library, with signals blocked; `frame` is the caller's frame address. call_out
 * returns what call_ended wants. */
uintptr_t bracket_call_out(uintptr_t frame, enum bracket_callee callee);
void bracket_call_ended(uintptr_t before);

/* Whether the calling thread is in such a call; whether it is one of libunwind. */
bool bracket_is_calling_out(void);
bool bracket_is_unwinding(void);

/* All threads ever met; follow `next`. */
struct thread *bracket_threads(void);

/* Whether the calling thread's record must be thrown away: it has turned out to be LTTng's. */
bool bracket_check_name(struct thread *thread);

/* The calling thread's state, or NULL. */
struct thread *bracket_own_thread(void);

/* The calling thread gives its state back. Later events of it have thread NULL. */
void bracket_thread_exit(void);

/* Between the two no thread is met and none gives its state back: the list of threads, and who they
 * are, stand still. */
uint64_t bracket_freeze(void);
void bracket_thaw(uint64_t mask);

/* In a fork's child: all threads are gone, the calling one is met anew. */
void bracket_fork_child(void);

#endif
