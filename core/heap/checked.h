/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Blocks that are looked after: misuse is noticed early, and its report names the call stacks that
 * allocated and freed the block.
 *
 *   pattern:  [ 0xab ... | block | 0xab ... ]       seen when the block is freed or resized, when
 * it leaves the quarantine, by HeapValidate, at exit page:     [ guard page | 0xab | block ][ guard
 * page ]    seen at the faulting instruction
 *
 * Fresh blocks are filled with 0x55. A freed block waits in the quarantine, filled with 0xfeeefeee,
 * or without access (page), until newer ones push it out. A heap of Windows' checking flags has its
 * blocks in pattern layout, too.
 *
 * Such blocks have nothing to do with the pages and fronts of unchecked ones, so that no usual path
 * finds one there. */

#ifndef VADTRACE_CORE_HEAP_CHECKED_H
#define VADTRACE_CORE_HEAP_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/hints.h"
#include "core/heap/blocks.h"
#include "core/heap/heap.h"
#include "core/heap/misuse.h"
#include "core/host.h"

/* From now on all blocks are checked. Called before any heap has given one; a process has one mode
 * to its end. quarantine_bytes: what freed blocks may keep. */
void checked_start(enum checked_mode mode, size_t quarantine_bytes);
/* Looks at all blocks, and tells what is wrong: before the process ends. */
void checked_finish(void);

extern CORE_HIDDEN enum checked_mode checked_mode;

static inline bool checked_is_on(void)
{
	return unlikely(checked_mode != CHECKED_NOT);
}

/* How a block is wanted.
 *  - alignment_bytes is a power of two;
 *  - is_malloc: HeapWalk does not show it. */
struct checked_request {
	struct heap *heap;
	struct block_info info;
	size_t alignment_bytes;
	bool is_zero;
	bool is_malloc;
};

/* NULL: no memory. */
void *checked_take(const struct checked_request *request);
/* MISUSE_NONE: it is freed. Else nothing is done. */
enum misuse checked_return(const struct heap *heap, const void *block);
/* Tries to free the block or, for heap_try_free, tells that it is none: false. */
bool checked_owns(const void *address);
/* What is known of a live block of the heap; false: it is none, or was written over. */
bool checked_read_info(const struct heap *heap, const void *block, struct block_info *info);
/* Writes user_flags of the block; false as above. */
bool checked_write_flags(const struct heap *heap, const void *block, uint32_t user_flags);
/* Reads (is_write false) or writes the user's value of a block that has one. */
bool checked_user_value(const struct heap *heap, const void *block, uintptr_t *value,
			bool is_write);
/* As heap_reallocate, of a live block; the flags as there. */
void *checked_resize(struct heap *heap, uint32_t flags, void *block, size_t size_bytes,
		     NTSTATUS *status);
/* Whether the surroundings of a live block are whole. */
bool checked_validate(const struct heap *heap, const void *block);
/* The same of all blocks of the heap, or of all heaps (NULL), and of what is in the quarantine.
 * Tells what is not, each block once, as found by `api`. */
bool checked_validate_all(enum api api, const struct heap *heap);
/* The heap's next busy block behind entry->lpData. STATUS_NO_MORE_ENTRIES. */
NTSTATUS checked_walk(const struct heap *heap, struct rtl_heap_entry *entry);
/* Adds the heap's blocks and the memory that they have. */
void checked_summarize(const struct heap *heap, struct heap_summary *sum);
/* The heap ends, by a call of `api`: its blocks are freed. */
void checked_destroy(enum api api, const struct heap *heap);

/* As misuse_examine; false: the address has nothing to do with checked blocks. */
bool checked_examine(const struct heap *heap, const void *address, struct misuse_report *report);

/* The program touched memory that it must not touch: tells it, if there is or was a checked block.
 * Fit for a signal's handler; the thread holds no lock. */
void checked_tell_fault(uintptr_t address);

void checked_fork_prepare(void);
void checked_fork_parent(void);
void checked_fork_child(void);

#endif
