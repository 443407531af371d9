/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The tracer, as its host (the preload) sees it: it listens to core's events, takes the caller's
 * stack, and writes them out through LTTng.
 *
 * It may lie in another object than its host, which then calls it through struct trace_functions.
 *
 * After trace_start nothing here allocates from any heap, waits for the loader's lock or touches
 * stdio; errno is kept. All functions may be called from any thread. */

#ifndef VADTRACE_TRACE_TRACE_H
#define VADTRACE_TRACE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/event.h"

/* What the tracer asks of its host. */
struct trace_host {
	void (*set_sink)(event_sink sink, const volatile int *gate); /* event_set_sink */
	const volatile int **gate;                                   /* &event_gate */
	void (*leave)(void); /* the process ends; NULL: nobody to tell */
};

struct trace_config {
	const struct trace_host *host; /* stays valid */
	const char *mode;              /* "route", "observe" or "verify", for the process event */
	const char *wine;              /* version of the Wine that runs the program; NULL: none */
	const char *session;           /* name given by the recorder, "" when none */
	const char *live_folder;       /* where thread buffers live; NULL: in private memory */
	uint32_t stack_depth;          /* frames at most; 0: no stacks */
	bool compares_stacks;          /* each with a slow walk's */
	bool is_plain;                 /* each block's happening is an event, not part of a batch */
	bool holds_signals;            /* the host asks trace_hold_signal_back in each handler */
	uint64_t min_size_bytes;       /* smaller blocks are not recorded */
	uint64_t commit_limit_bytes;   /* what the program may commit; 0: no limit */
	/* The commit charge; called at each event of the address space, under core's locks: takes
	 * none. NULL: not known. */
	uint64_t (*commit_charge)(void);
};

/* Learns the modules that are loaded, installs the sink. Call once, from the host's constructor. */
void trace_start(const struct trace_config *config);

/* Around fork. freeze comes last before it, when all of core's locks are held: from then on no
 * event of another thread is stamped until parent or child have returned, so that the trace knows
 * exactly what the child's memory is a copy of. The child starts as a process of its own. */
void trace_fork_prepare(void);
void trace_fork_freeze(void);
void trace_fork_parent(void);
void trace_fork_child(void);

/* The child's part in two: nothing is traced from the first to the second. The first allocates
 * nothing, so it may come before an allocator has made itself ready in the child; LTTng starts in
 * the second, which allocates and makes threads. */
void trace_fork_child_wait(void);
void trace_fork_child_resume(void);

/* The calling thread, which holds no lock of core's, may have events from now on: LTTng learns of
 * it. At a thread's first event it would do that under whatever lock the event is told under, and
 * wait there for a fork that waits for this lock. */
void trace_thread_begin(void);

/* Before exec, and after it failed: buffers are emptied. */
void trace_exec(void);

/* The calling thread ends: its buffer is emptied and given back. Events after this still count. */
void trace_thread_exit(void);

/* The process ends in order. Events after this (other libraries' destructors) still count. */
void trace_exit(void);

/* A module may have been unloaded: stacks through it get new ids from now on. Not on a traced path:
 * it takes the loader's lock. */
void trace_modules_changed(void);

/* The calling thread's stack, innermost frame first, at most `capacity` frames; answers how many.
 * 0 before trace_start, and where no event would have one. */
uint32_t trace_take_stack(uint64_t *frames, uint32_t capacity);

/* The file whose code is at the address, and how far from where that file begins; NULL: none that a
 * stack has led through. */
const char *trace_find_module(uint64_t address, uint64_t *offset);

/* Whether the calling thread is inside LTTng or libunwind on the tracer's behalf. What these ask
 * for (rarely) is not the program's, and the thread may already hold core's vm_lock: the host
 * serves mmap and munmap by the system and does not account for them. */
bool trace_is_inside(void);

/* Asked in each handler before the program's own is run, by a host that runs them all. True: it
 * must not be run now. `mask` is that of the interrupted context: it then blocks all, and the
 * tracer restores it when it is done. The host sends the signal again, to be delivered then.
 * Async-signal-safe. */
bool trace_hold_signal_back(uint64_t *mask);

/* Whether the calling thread is inside the unwinder right now: the host's dl_iterate_phdr then
 * answers from the tracer's own list of modules (no loader lock) by calling the next function. */
bool trace_is_unwinding(void);
struct dl_phdr_info;
int trace_iterate_modules(int (*callback)(struct dl_phdr_info *, size_t, void *), void *data);

/* --- Windows programs under Wine ------------------------------------------------------------- */

/* Where a hooked function was called from, and what its caller expects to find again. */
struct trace_caller {
	uint64_t rip, rsp; /* the return address, and the stack pointer after the return */
	uint64_t rbx, rbp, rsi, rdi, r12, r13, r14, r15;
};

/* Events of the calling thread have the Windows stack that begins at `caller` from now on; NULL:
 * stacks begin at the event again. Returns what was set before. `caller` stays the host's. */
const struct trace_caller *trace_set_caller(const struct trace_caller *caller);

/* The process has begun to run Windows code: PE modules are looked for from now on. */
void trace_start_windows(void);

/* Where the return address lies that leads out of ELF code, which was interrupted with these
 * registers, to Windows code, if the function that returns there is one of ours. NULL: it is not
 * (Wine's dispatcher of system calls), it is no ELF code, or a frame on the way says too little of
 * itself. No lock, safe in a signal handler. */
uint64_t *trace_find_return(uint64_t rip, uint64_t rsp, uint64_t rbp);

/* A view of an image or a file was unmapped, or is about to be: what is known of code there, and
 * stacks through it, are forgotten. */
void trace_image_gone(uint64_t base);

/* One call of a hooked function, after it. */
struct trace_call {
	uint16_t api;
	uint8_t argument_count;
	const uint64_t *arguments;
	uint64_t result;
	uint32_t error; /* the thread's last error after the call */
};
void trace_call(const struct trace_call *call);

/* What became of a hook. state: "hooked", "passed on", "not present", "not loaded". */
struct trace_hook {
	const char *function, *dll, *state, *reason;
	uint64_t address;
	uint16_t api;
};
void trace_hook(const struct trace_hook *hook);

/* Wine's answer and core's differ (verify mode). */
struct trace_difference {
	uint16_t api;
	const char *what; /* "status", or the name of the output that differs; a fixed text */
	uint64_t wine, core;
	uint8_t argument_count;
	const uint64_t *arguments;
};
void trace_difference(const struct trace_difference *difference);

/* Whether any of these would be recorded. */
bool trace_is_wanted(void);

/* --- For a host in another object ------------------------------------------------------------ */

/* The functions above, by the same names. */
struct trace_functions {
	void (*start)(const struct trace_config *config);
	void (*fork_prepare)(void);
	void (*fork_freeze)(void);
	void (*fork_parent)(void);
	void (*fork_child)(void);
	void (*fork_child_wait)(void);
	void (*fork_child_resume)(void);
	void (*thread_begin)(void);
	void (*exec)(void);
	void (*thread_exit)(void);
	void (*exit)(void);
	void (*modules_changed)(void);
	uint32_t (*take_stack)(uint64_t *frames, uint32_t capacity);
	const char *(*find_module)(uint64_t address, uint64_t *offset);
	bool (*is_inside)(void);
	bool (*is_unwinding)(void);
	int (*iterate_modules)(int (*callback)(struct dl_phdr_info *, size_t, void *), void *data);
	const struct trace_caller *(*set_caller)(const struct trace_caller *caller);
	void (*start_windows)(void);
	bool (*hold_signal_back)(uint64_t *mask);
	uint64_t *(*find_return)(uint64_t rip, uint64_t rsp, uint64_t rbp);
	void (*image_gone)(uint64_t base);
	void (*call)(const struct trace_call *call);
	void (*hook)(const struct trace_hook *hook);
	void (*difference)(const struct trace_difference *difference);
	bool (*is_wanted)(void);
};
extern const struct trace_functions trace_functions;

/* The tracer's object is taken away before its host's: the process ends, the host is told. */
void trace_unload(void);

#endif
