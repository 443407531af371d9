/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The model that a trace's events build up: processes, their live blocks, and every figure that the
 * commands print. Memory is bounded by live blocks and distinct stacks. */

#ifndef VADTRACE_TOOLS_LIB_REPLAY_H
#define VADTRACE_TOOLS_LIB_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/lib/blocks.h"
#include "tools/lib/errors.h"
#include "tools/lib/space.h"
#include "tools/lib/stacks.h"
#include "tools/lib/trace_event.h"
#include "tools/lib/windows.h"

/* What is counted. An allocation outside is known, so that its release is not a surprise, but it is
 * in no figure; after to_ns nothing happens any more. */
struct replay_filter {
	uint64_t detail_pid; /* call stacks are kept for this pid only; 0: the first of the trace */
	uint64_t from_ns, to_ns; /* since the first process started; to_ns 0: to the end */
	bool counts_wine;   /* in a Windows process, what Wine's Unix half allocates counts too */
	const char *thread; /* number or name of the thread that allocates; NULL: all */
	bool is_childless;  /* no fork's child is in the trace */
	uint64_t begin_ns;  /* what happened to blocks before is not in the trace; 0: all is */
};

/* Calls that gave memory, and what became of it.
 *  - calls is allocations and reallocations, bytes what they asked for;
 *  - temporary: blocks that the next heap call of the allocating thread released. */
struct replay_counts {
	uint64_t calls, bytes;
	uint64_t temporary;
	uint64_t live_blocks, live_bytes;
};

/* What a site is, when it is no call stack. */
enum replay_site_sort {
	REPLAY_SITE_STACK,
	REPLAY_SITE_INHERITED, /* ranges that a fork's child has from its parent */
	REPLAY_SITE_FOUND,     /* ranges that no call made: older than the recording, or made by
				  system calls that did not come by us */
};

/* What one call stack did.
 *  - peak_* is valid for peak_number; see replay.c. */
struct replay_site {
	uint32_t node; /* in struct stacks */
	bool is_tracer;
	uint8_t sort; /* enum replay_site_sort */
	struct replay_counts counts;
	uint64_t peak_blocks, peak_bytes;
	uint64_t peak_number;
};

struct replay_thread {
	uint32_t tid;
	char *name; /* "" when unknown */
	bool is_wanted;
	struct replay_counts counts;
	uint64_t free_calls;
	/* The thread's last heap call gave the block here (0: it did something else). */
	uint64_t last_address;
	/* Between REALLOC_BEGIN and its end: the old block, address 0 when it was not known. */
	struct block realloc_old;
	bool is_reallocating, realloc_was_last;
};

struct replay_api {
	uint64_t calls, bytes, failed;
};

struct replay_heap {
	uint64_t handle;
	uint64_t create_ns, destroy_ns; /* destroy_ns 0: lives to the end */
	uint64_t maximum_bytes;
	uint64_t live_blocks; /* counted or not */
	struct replay_counts counts;
};

/* The site of a fork's child that holds its parent's ranges; other images have none such. */
enum { REPLAY_INHERITED_SITE = 1 };

enum { REPLAY_SIZE_CLASSES = 49 }; /* class n holds sizes of n bits: 0, 1, 2-3, 4-7 ... */

struct replay_totals {
	struct replay_counts counts;
	uint64_t allocate_calls, realloc_calls;
	uint64_t free_calls;    /* of counted blocks */
	uint64_t failed_calls;  /* allocations that were refused, reallocations too */
	uint64_t unknown_frees; /* of addresses that were not live */
	uint64_t older_frees;   /* of blocks from before the trace's window */
	uint64_t inherited_frees;
	uint64_t double_live;      /* addresses given out while live: a recorder's fault */
	uint64_t destroyed_blocks; /* that went with their heap */
	uint64_t inherited_blocks, inherited_bytes;
	uint64_t tracer_calls, tracer_bytes; /* LTTng's own, in no other figure */
	uint64_t wine_calls, wine_bytes;     /* of Wine's Unix half, when it does not count */
	uint64_t peak_bytes, peak_blocks, peak_ns;
};

enum { REPLAY_RECENT_THREADS = 16 };

/* One process image: a process that calls exec has several. */
struct replay_process {
	uint32_t number;
	uint32_t pid, parent_pid;
	uint32_t parent; /* its parent's image or the one it replaced, or TRACE_NO_PROCESS */
	uint32_t reason; /* enum trace_reason */
	uint32_t schema_version, page_size, stack_depth;
	uint64_t min_size_bytes;
	uint64_t commit_limit_bytes; /* of the commit charge; 0: none */
	char *session, *mode, *exe, *command_line, *comm, *wine;
	bool leaves_wine_out;
	bool has_older_blocks;     /* its memory is not whole: it began before filter.begin_ns */
	uint64_t fork_ns;          /* of which fork it is the child, by the parent's clock; or 0 */
	bool awaits_memory;        /* of its parent, whose marker was not met yet */
	bool has_exact_memory;     /* of its parent, as of the fork */
	uint64_t start_ns, end_ns; /* first and last that is known of it */
	bool has_exited, has_ended, is_detailed;
	uint64_t lost_records;
	struct trace_comparison comparison; /* of its stacks; all 0: none was made */

	struct blocks blocks; /* emptied when the image ends */
	struct space space;
	struct windows windows;
	struct errors errors;
	struct stacks_modules modules;
	uint32_t **site_pages; /* stack id to site, in pages; NULL: none of its ids is known */
	size_t site_page_count;
	struct replay_site *sites; /* 0: the unknown stack */
	size_t site_count, site_capacity;
	uint32_t found_site; /* of REPLAY_SITE_FOUND; 0: there is none yet */
	struct replay_thread *threads;
	size_t thread_count, thread_capacity;
	uint32_t *thread_table; /* numbers plus 1, by tid */
	size_t thread_slots;
	uint32_t recent_threads[REPLAY_RECENT_THREADS]; /* numbers, by low bits of the tid */
	struct replay_api *apis;                        /* by enum api */
	size_t api_count;
	struct replay_heap *heaps; /* 0: the process heap */
	size_t heap_count, heap_capacity;
	uint16_t last_heap; /* the one that the last look-up found */
	struct replay_counts sizes[REPLAY_SIZE_CLASSES];
	struct replay_totals totals;
	uint64_t peak_number; /* counts the peaks so far */
	bool is_in_window;
	const char *wanted_thread; /* of the filter; NULL: all */
};

/* What a fork left for a child that was not met yet. */
struct replay_memory {
	uint32_t parent; /* number of its image */
	uint64_t fork_ns;
	struct blocks blocks;
	struct space space;
	struct replay_heap *heaps;
	size_t heap_count;
};

struct replay {
	struct replay_filter filter;
	struct replay_memory *memories; /* by rising time */
	size_t memory_count, memory_capacity;
	struct replay_process **processes;
	size_t process_count, process_capacity;
	struct stacks stacks;
	uint64_t start_ns; /* of the first process */
	uint64_t end_ns;
};

void replay_init(struct replay *replay, const struct replay_filter *filter);
void replay_free(struct replay *replay);

/* Applies one event; fits reader_run's callback with the replay as context. */
void replay_apply(void *replay, const struct trace_event *event);
/* Applies many records of one process, in the order of time. Fits struct reader_input. */
void replay_apply_records(void *replay, uint32_t process, const struct trace_record *records,
			  size_t count);
/* After the last event: makes the peaks' compositions final. */
void replay_finish(struct replay *replay);

/* Two counters, one behind the other, at once. */
typedef uint64_t replay_pair __attribute__((vector_size(16), aligned(8), may_alias));

static inline void replay_add_pair(uint64_t *pair, replay_pair change)
{
	*(replay_pair *)pair += change;
}

_Static_assert(offsetof(struct replay_counts, bytes) == sizeof(uint64_t) &&
		       offsetof(struct replay_counts, live_bytes) ==
			       offsetof(struct replay_counts, live_blocks) + sizeof(uint64_t),
	       "calls and bytes are a pair, and so are live blocks and bytes");

static inline void replay_add_counts(struct replay_counts *counts,
				     const struct replay_counts *change)
{
	replay_add_pair(&counts->calls, (replay_pair){ change->calls, change->bytes });
	counts->temporary += change->temporary;
	replay_add_pair(&counts->live_blocks,
			(replay_pair){ change->live_blocks, change->live_bytes });
}

/* The class of a size, and the smallest size in a class. */
static inline unsigned replay_size_class(uint64_t size_bytes)
{
	unsigned class = size_bytes ? 64 - (unsigned)__builtin_clzll(size_bytes) : 0;

	return class < REPLAY_SIZE_CLASSES ? class : REPLAY_SIZE_CLASSES - 1;
}
uint64_t replay_class_floor(unsigned class);

/* Executes the invariants between the figures of a process: for tests. */
bool replay_check(const struct replay_process *process);

#endif
