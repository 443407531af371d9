/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The table of the handles of moveable memory, one for Global and Local memory alike: where the
 * memory is, what may be done to it, and how often it is locked.
 *
 * A handle is the address of its entry's `memory`, as on Windows: programs read the pointer through
 * it, and it is 8 more than a multiple of 16, which no block's address is. The handle that was
 * given back last is given out first. From any thread, without a lock. */

#ifndef VADTRACE_CORE_HANDLE_TABLE_H
#define VADTRACE_CORE_HANDLE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/types.h"

#define HANDLES_MAX 65536u
#define HANDLE_LOCKS_MAX 255u

/* The bits of `state`. */
#define HANDLE_USED UINT64_C(0x0001)
#define HANDLE_MOVEABLE UINT64_C(0x0002)
#define HANDLE_DISCARDABLE UINT64_C(0x0004)
#define HANDLE_DISCARDED UINT64_C(0x0008)
#define HANDLE_FREE UINT64_C(0x0010)
#define HANDLE_CHANGING UINT64_C(0x0020)
#define HANDLE_SHARED UINT64_C(0x8000) /* GMEM_DDESHARE */
#define HANDLE_LOCKS_SHIFT 16

/* What a handle leads to. All zero: never given out.
 *  - in use: HANDLE_USED and HANDLE_MOVEABLE are set, the lock count stands above
 *    HANDLE_LOCKS_SHIFT, and memory is NULL while HANDLE_DISCARDED is set;
 *  - given back: HANDLE_FREE is set and HANDLE_USED is not, memory is NULL;
 *  - while HANDLE_CHANGING is set, one thread changes it, and the others wait.
 * Guarded by: its own words, which are atomic. */
struct handle_entry {
	uint64_t state;
	void *memory;
};

_Static_assert(sizeof(struct handle_entry) == 16, "a handle is no multiple of 16");

/* An entry in use, with these flags besides, discarded, not locked; NULL when all are in use. */
struct handle_entry *handle_take(uint64_t flags);
HANDLE handle_of(const struct handle_entry *entry);
/* The entry in use that the handle leads to, or NULL. */
struct handle_entry *handle_find(LPCVOID handle);
/* Whether the handle was given out at any time. */
bool handle_was_given(LPCVOID handle);

/* False: the entry is not in use any more. Else no other thread changes it, or locks its memory,
 * until handle_end_change. The caller keeps signals out meanwhile, and waits for nobody. */
bool handle_begin_change(struct handle_entry *entry);
void handle_end_change(struct handle_entry *entry);
/* NULL: discards. Only while the caller changes it, or nobody else knows it. */
void handle_set_memory(struct handle_entry *entry, void *memory);
void handle_add_flags(struct handle_entry *entry, uint64_t flags);

/* The handle leads nowhere from now on; false: it did not before. *memory is what it led to. The
 * entry is the caller's until handle_give_back. */
bool handle_retire(struct handle_entry *entry, void **memory);
void handle_give_back(struct handle_entry *entry);

/* STATUS_INVALID_HANDLE; STATUS_DISCARDED. A count of HANDLE_LOCKS_MAX stays. */
NTSTATUS handle_lock(struct handle_entry *entry, void **memory);
/* STATUS_INVALID_HANDLE; STATUS_NOT_LOCKED. */
NTSTATUS handle_unlock(struct handle_entry *entry, bool *is_still_locked);

/* Its state and memory of one moment; false: it is not in use. */
bool handle_read(const struct handle_entry *entry, uint64_t *state, void **memory);

static inline uint32_t handle_locks(uint64_t state)
{
	return (uint32_t)(state >> HANDLE_LOCKS_SHIFT) & HANDLE_LOCKS_MAX;
}

/* Handles in use. */
uint32_t handle_count(void);

/* In a forked child: whoever was changing an entry is gone. */
void handle_fork_child(void);

/* While no other thread uses the table. */
void handle_check(void);

#endif
