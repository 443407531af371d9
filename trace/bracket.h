/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The threads that have been met, and the bracket around each stay in the tracer.
 *
 * A bracket is open while its thread is inside the tracer. An event that arrives then comes either
 * from a signal handler (it is the program's: level 1, and a handler in that handler: level 2) or
 * from a library that the tracer called (it is not the program's: refused). A handler may leave by
 * siglongjmp: brackets whose frame is gone are closed by the next event of the thread. */

#ifndef VADTRACE_TRACE_BRACKET_H
#define VADTRACE_TRACE_BRACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "trace/schema/live.h"
#include "trace/schema/schema.h"
#include "trace/stack/stack_elf.h"

#define BRACKET_LEVELS 3

/* Who may write to a thread's slots: nobody, the thread itself at a level, or a flusher. */
enum thread_lock { THREAD_UNLOCKED = 0, THREAD_LOCKED_BY_LEVEL = 1, THREAD_LOCKED_BY_FLUSHER = 16 };

/* One thread of the program. Never freed: when the thread ends, the next one takes it over.
 *  - tid is 0 while nobody owns it;
 *  - slots[current] takes records; the other one is empty, or is_spare_busy: being emitted;
 *  - outer[n] is the frame of the open bracket of level n. */
struct thread {
	struct thread *next;      /* of all threads, ever */
	struct thread *next_free; /* of those without owner */
	uint32_t tid;
	uint32_t lock;
	uint32_t current;
	uint32_t is_spare_busy;
	struct live_slot *slots[2];
	uint64_t heap; /* the heap of the last record in slots[current] */
	uintptr_t outer[BRACKET_LEVELS];
	struct stack_bounds bounds[BRACKET_LEVELS];
	bool is_listed;
	bool is_unwinding;
	bool is_announced;
	uint8_t young; /* events until its name is believed */
	char name[16];
	uint64_t frames[BRACKET_LEVELS][VADTRACE_STACK_DEPTH_MAX];
};

/* One stay. thread is NULL where the thread has no buffer: it has ended, or memory was short. */
struct bracket {
	struct thread *thread;
	uintptr_t frame;
	uintptr_t before;
	uint32_t level;
};

/* `frame` is the frame address of the function that the program's event arrives at. False: the
 * event is not the program's, or its thread is nested too deep (counted by bracket_take_refused).
 */
bool bracket_open(struct bracket *bracket, uintptr_t frame);
void bracket_close(const struct bracket *bracket);

/* What the calling thread does from here on is the tracer's own doing. Returns what unmute wants.
 */
uintptr_t bracket_mute(uintptr_t frame);
void bracket_unmute(uintptr_t before);

/* Whether the calling thread is inside the tracer, or inside libunwind. */
bool bracket_is_open(void);
bool bracket_is_unwinding(void);

/* Events refused for their depth since the last call. */
uint64_t bracket_take_refused(void);

/* All threads ever met; follow `next`. */
struct thread *bracket_threads(void);

/* Whether the calling thread's record must be thrown away: it has turned out to be LTTng's. */
bool bracket_check_name(struct thread *thread);

/* The calling thread's state, or NULL. */
struct thread *bracket_own_thread(void);

/* The calling thread gives its state back. Later events of it have thread NULL. */
void bracket_thread_exit(void);

/* In a fork's child: all threads are gone, the calling one is met anew. */
void bracket_fork_child(void);

#endif
