/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What a trace consists of: all that the recorder and the tools share.
 *
 * LTTng events, with the contexts vpid and vtid on each (provider:event, payload fields in order):
 *
 *  vadtrace_heap:batch      tid, begin_ns, words[]   a thread's records, see record.h
 *  vadtrace_heap:settled    until_ns                 all records of this process up to then are out
 *  vadtrace_heap:record     tid, time_ns, words[3], heap
 *                                                    one record on its own: from a signal handler
 *                                                    that interrupted the tracer, or a thread
 *                                                    without a buffer; its delta is 0
 *  vadtrace_heap:allocate free realloc_begin realloc_end realloc_failed allocate_failed
 *                           time_ns, address, size_bytes, alignment, heap, api, stack, frames[]
 *                           instead of a record, with VADTRACE_PLAIN=1; frames: of the stack, none
 *                           of free and realloc_begin. Such a trace may also have lttng_ust_libc:*,
 *                           the same once more as LTTng's wrapper of malloc tells it
 *  vadtrace_heap:create     heap, flags, maximum_bytes, api, stack
 *  vadtrace_heap:destroy    heap, api, stack
 *  vadtrace_heap:error      address, size_bytes, heap, misuse, api, stack, block, allocated_stack,
 *                           allocated_tid, freed_stack, freed_tid
 *                           misuse: enum misuse of core/event.h. The last five are 0 where they
 *                           are not known: the block that was misused, and its life
 *  vadtrace_vm:reserve commit decommit protect release reset map unmap offer reclaim
 *                           address, size_bytes, type, protect, extra, owner, api, stack
 *  vadtrace_meta:process    session, schema_version, mode, parent_pid, exe, command_line, comm,
 *                           page_size, stack_depth, min_size, reason, fork_ns, wine,
 *                           commit_limit
 *                           at start, after exec, and in a fork's child (reason: start, fork)
 *  vadtrace_meta:fork       fork_ns                 this process forked then: see below
 *  vadtrace_meta:exit       (none)                   an ordinary end of the process
 *  vadtrace_meta:thread     tid, name
 *  vadtrace_meta:module     module, base, start, end, path, build_id (hexadecimal text)
 *  vadtrace_meta:pe_module  module, base, start, end, path, name, timestamp, image_size, pdb,
 *                           pdb_id
 *                           a Windows image; numbered with the modules. path: of the file in Unix
 *                           terms, "" when unknown; name: as Windows shows it; timestamp: of the
 *                           header; pdb: path or name; pdb_id: GUID and age as symbol servers want
 *  vadtrace_meta:module_gone module
 *  vadtrace_meta:stack      stack, frames[]          instruction addresses, innermost first; return
 *                                                    addresses except a signal's frame
 *  vadtrace_meta:stacks     compared, partial, different, stack, slow_stack
 *                           with VADTRACE_STACKS=check: how many stacks were compared so far, how
 *                           many of them up to generated code only, how many differ. At the end of
 *                           the process, with both stacks 0; and at each of the first differences
 *  vadtrace_win:call        api, result, error, stack, arguments[]
 *                           a Windows function was called; error: the thread's last error after it
 *  vadtrace_win:hook        api, function, dll, state, reason, address
 *                           what became of a hook. state: hooked, passed on, not present or not
 *                           loaded
 *  vadtrace_win:difference  api, what, wine, core, stack, arguments[]
 *                           two answers to one call, in mode verify
 *
 * Order: within a process, apply everything in order of time; a record's time is its own (begin_ns
 * plus its delta, or time_ns), any other event's is LTTng's time stamp. Both are CLOCK_MONOTONIC
 * nanoseconds; a record's may be some 10 ns off, and records are in exact order among each other.
 * At equal times, a thread's own order holds, and between threads releases come first.
 * A stack or module event comes before (in LTTng's order) whatever refers to it; two threads that
 * meet a new stack or module at once may both emit it, with equal contents. Stack 0: unknown.
 * A fork's child begins with its parent's memory as of fork_ns: after all that the parent did
 * before that time, and before all that it did later. Both name it, the parent in
 * vadtrace_meta:fork, which comes (in LTTng's order) before any settled with a later time; the
 * child in its process event. No two forks of a process have the same fork_ns; 0: the process is no
 * fork's child. A REALLOC_END with address 0 ends the old block; the new one is below min_size, not
 * recorded.
 *
 * Fields are only added at the end; then VADTRACE_SCHEMA_VERSION rises.
 *  1  the first
 *  2  process: fork_ns, wine (its version; "": a Linux program); vadtrace_meta:fork, pe_module;
 * vadtrace_win
 *  3  vadtrace_heap:error
 *  4  vadtrace_vm:offer, reclaim; process: commit_limit (bytes; 0: none); map: SEC_COMMIT in the
 *     type of shared memory of no file, whose pages the commit charge has
 *  5  the alignment in a record's flags
 *  6  vadtrace_meta:stacks
 *  7  vadtrace_heap:allocate and those that follow it */

#ifndef VADTRACE_TRACE_SCHEMA_SCHEMA_H
#define VADTRACE_TRACE_SCHEMA_SCHEMA_H

#define VADTRACE_SCHEMA_VERSION 7

#define VADTRACE_PROVIDER_HEAP "vadtrace_heap"
#define VADTRACE_PROVIDER_VM "vadtrace_vm"
#define VADTRACE_PROVIDER_META "vadtrace_meta"
#define VADTRACE_PROVIDER_WIN "vadtrace_win"
/* LTTng's: of its wrapper of malloc, which a plain trace has too, and of the modules. */
#define VADTRACE_PROVIDER_LIBC "lttng_ust_libc"
#define VADTRACE_STATEDUMP "lttng_ust_statedump"

/* The recorder's folder: DIR/vadtrace.json describes the run (see tools/lib/manifest.h), DIR/ust
 * holds LTTng's CTF, DIR/live the thread buffers of processes that ended without emptying them. */
#define VADTRACE_MANIFEST_FILE "vadtrace.json"
#define VADTRACE_LIVE_FOLDER "live"

/* What a module's build-id begins with where it is a Windows file: its time stamp and image size
 * follow. Made by the tools; the trace has the two numbers. */
#define VADTRACE_PE_BUILD_ID "pe:"

/* From `vadtrace record` to the preloaded object. Read with secure_getenv.
 *
 *  MODE         route (default), observe, or verify (Windows programs)
 *  SESSION      unique name; goes into every process event
 *  LIVE         absolute path of DIR/live; absent: none
 *  STACK_DEPTH  frames at most, 0: no stacks; default 64
 *  MIN_SIZE     bytes; smaller blocks are not recorded
 *  CHILDREN     1: programs started by exec are traced too
 *  PLAIN        1: each happening of a block is an event of its own, not part of a batch
 *  WINE         1: the command is a script that becomes Wine's loader, which is to be traced
 *  CHECK        pattern or page: blocks are checked (route); else not
 *  QUARANTINE   bytes that freed blocks may keep while blocks are checked; default 64 MiB
 *  LOG          absolute path of a file that reports of checked blocks are appended to; absent:
 *               standard error. Set by users, not by record
 *  STACKS       check: each stack is compared with a slow walk's. Set by users, not by record
 *  PRELOAD      the paths that record put into LD_PRELOAD, in its words
 *  REMOTE       1: natively, serves other processes of the same user (OpenProcess, VirtualAllocEx).
 *               Set by users, not by record
 *  RECORD       1: libvadtrace-record.so is loaded, 0: not; absent: if somebody may record. Set by
 *               users, not by record
 *  UNSET        names, separated by commas, of all other variables that record set: unless children
 *               are traced, the preload takes them out of the environment */
#define VADTRACE_ENV_MODE "VADTRACE_MODE"
#define VADTRACE_ENV_SESSION "VADTRACE_SESSION"
#define VADTRACE_ENV_LIVE "VADTRACE_LIVE"
#define VADTRACE_ENV_STACK_DEPTH "VADTRACE_STACK_DEPTH"
#define VADTRACE_ENV_MIN_SIZE "VADTRACE_MIN_SIZE"
#define VADTRACE_ENV_COMMIT_LIMIT "VADTRACE_COMMIT_LIMIT"
#define VADTRACE_ENV_CHILDREN "VADTRACE_CHILDREN"
#define VADTRACE_ENV_WINE "VADTRACE_WINE"
#define VADTRACE_ENV_REMOTE "VADTRACE_REMOTE"
#define VADTRACE_ENV_CHECK "VADTRACE_CHECK"
#define VADTRACE_ENV_QUARANTINE "VADTRACE_QUARANTINE"
#define VADTRACE_ENV_LOG "VADTRACE_LOG"
#define VADTRACE_ENV_STACKS "VADTRACE_STACKS"
#define VADTRACE_ENV_PLAIN "VADTRACE_PLAIN"
#define VADTRACE_ENV_PRELOAD "VADTRACE_PRELOAD"
#define VADTRACE_ENV_RECORD "VADTRACE_RECORD"
#define VADTRACE_ENV_UNSET "VADTRACE_UNSET"

#define VADTRACE_STACK_DEPTH_DEFAULT 64
#define VADTRACE_STACK_DEPTH_MAX 256

#endif
