/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The tracer, as its host (the preload) sees it: it listens to core's events, takes the caller's
 * stack, and writes them out through LTTng.
 *
 * After trace_start nothing here allocates from any heap, waits for the loader's lock or touches
 * stdio; errno is kept. All functions may be called from any thread. */

#ifndef VADTRACE_TRACE_TRACE_H
#define VADTRACE_TRACE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trace_config {
	const char *mode;        /* "route" or "observe", for the process event */
	const char *session;     /* name given by the recorder, "" when none */
	const char *live_folder; /* where thread buffers live; NULL: in private memory */
	uint32_t stack_depth;    /* frames at most; 0: no stacks */
	uint64_t min_size_bytes; /* smaller blocks are not recorded */
};

/* Learns the modules that are loaded, installs the sink. Call once, from the host's constructor. */
void trace_start(const struct trace_config *config);

/* Around fork: prepare empties all buffers; the child starts as a process of its own. */
void trace_fork_prepare(void);
void trace_fork_parent(void);
void trace_fork_child(void);

/* Before exec, and after it failed: buffers are emptied. */
void trace_exec(void);

/* The calling thread ends: its buffer is emptied and given back. Events after this still count. */
void trace_thread_exit(void);

/* The process ends in order. Events after this (other libraries' destructors) still count. */
void trace_exit(void);

/* A module may have been unloaded: stacks through it get new ids from now on. Not on a traced path:
 * it takes the loader's lock. */
void trace_modules_changed(void);

/* Whether the calling thread is inside LTTng or libunwind on the tracer's behalf. What these ask
 * for (rarely) is not the program's, and the thread may already hold core's vm_lock: the host
 * serves mmap and munmap by the system and does not account for them. */
bool trace_is_inside(void);

/* Whether the calling thread is inside the unwinder right now: the host's dl_iterate_phdr then
 * answers from the tracer's own list of modules (no loader lock) by calling the next function. */
bool trace_is_unwinding(void);
struct dl_phdr_info;
int trace_iterate_modules(int (*callback)(struct dl_phdr_info *, size_t, void *), void *data);

#endif
