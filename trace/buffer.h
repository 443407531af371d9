/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Records on their way out: into the thread's slot, and slot by slot to LTTng. */

#ifndef VADTRACE_TRACE_BUFFER_H
#define VADTRACE_TRACE_BUFFER_H

#include <stdbool.h>
#include <stdint.h>

#include "trace/bracket.h"
#include "trace/provider/provider.h"
#include "trace/schema/record.h"

/* A record before it has its time. */
struct buffer_entry {
	struct record record;
	uint64_t heap;
	bool is_own; /* see core/event.h */
};

/* Stamps and writes one record of the calling thread; `thread` NULL: it has no slot. Never waits
 * for another thread for longer than that one needs to exchange two slots. */
void buffer_write(struct thread *thread, uint32_t level, struct buffer_entry *entry);

/* Stamps the block's event and emits it at once, without a slot; `thread` may be NULL. */
void buffer_write_plain(struct thread *thread, uint32_t level, struct provider_block *block);

/* Empties all threads' slots and tells how far all is settled. */
void buffer_flush(void);

/* The same at the end of the process: slots whose owners do not let go are read as they are, and
 * records after this go out one by one. */
void buffer_flush_last(void);

/* Empties the calling thread's slots. */
void buffer_flush_own(struct thread *thread);

/* Throws away what is in the slots of the calling thread. */
void buffer_drop(struct thread *thread);

/* The bracket of this level was left without its end: what it held is released. */
void buffer_release_level(struct thread *thread, uint32_t level);

/* From freeze to thaw only the calling thread, which forks with its signals blocked, stamps
 * records. Answers a time after all that were stamped before, and before all that follow. Until the
 * trace was told of the fork, no later time is called settled. A thread that does not let go of its
 * slot is not waited for. */
uint64_t buffer_freeze(void);
void buffer_thaw(void);
void buffer_fork_told(void);

/* In a fork's child: no other thread is writing. */
void buffer_fork_child(void);

#endif
