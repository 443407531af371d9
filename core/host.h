/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What the object that carries core (the preload, or libvadcore.so itself) owes it: the life of the
 * process and of its threads. Not needed by programs that link libvadcore: it does this itself. */

#ifndef VADTRACE_HOST_H
#define VADTRACE_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How the blocks of all heaps are checked (core/heap/checked.h). */
enum checked_mode {
	CHECKED_NOT = 0,
	CHECKED_PATTERN,
	CHECKED_PAGE,
};

#define CHECKED_QUARANTINE_BYTES ((size_t)64 << 20)

/* Makes core ready. Idempotent, callable at any time, also before any constructor has run and
 * inside the dynamic loader: uses system calls only. Every entry of core calls it by itself when
 * needed; the host calls it again from its constructor to register thread-exit notices. */
void core_start(void);

/* Around fork(2). prepare takes every lock of core, in rank order; parent and child give them back
 * (child also forgets the other threads). Between them the forking thread may still allocate and
 * free: core's locks pass for their owner. */
void core_fork_prepare(void);
void core_fork_parent(void);
void core_fork_child(void);

/* The calling thread is about to end, and nothing has been taken from it yet: the callbacks of its
 * FLS values are called, which are the program's. core_thread_exit comes after. */
void core_thread_ends(void);

/* The calling thread is about to end: its caches go back, and its TLS and FLS values are gone. It
 * may still allocate and free after this (from a shared, locked cache), in any number of rounds. */
void core_thread_exit(void);

/* Bytes that VirtualAlloc and the heaps may commit, together with all else that core knows of; past
 * it they fail with ERROR_COMMITMENT_LIMIT, malloc with ENOMEM. 0, as at the start: no limit. */
void core_set_commit_limit(uint64_t limit_bytes);
/* Committed bytes of all that core knows of. */
uint64_t core_commit_charge(void);

/* Around a call that has the kernel write into this memory on the program's behalf: where a write
 * watch works by protection, the kernel could not write to pages that nobody has written yet.
 * `call` is the address of a variable of the call's. Answers whether core_write_ends is needed. */
bool core_write_begins(const void *call, const void *address, size_t size_bytes);
void core_write_ends(const void *call);

/* Whether the calling thread is inside of core, where no handler interrupts it: there the pager
 * that the host has installed may be at work. */
bool core_blocks_signals(void);

/* For a host that runs each handler of the process's signals (it interposes sigaction): core does
 * without the system calls that block signals. Called once, when that has become true. */
void core_leave_signals_to_host(void);
/* Asked in each handler before the program's own is run. True: it must not be run now. `mask` is
 * that of the interrupted context: it then blocks all, and core restores it when it is done. The
 * host sends the signal again, to be delivered then. Async-signal-safe. */
bool core_hold_signal_back(uint64_t *mask);

#ifdef __cplusplus
}
#endif

#endif
