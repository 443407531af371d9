/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Write watch (MEM_WRITE_WATCH): which pages of a region were written since it was reserved, or
 * since they were last reset. Written by the program or by the system on its behalf; what the list
 * says is never too little.
 *
 * A page that was written stays listed when it is decommitted. In a child of fork the list goes on;
 * where the parent had more threads than one, all pages with contents are listed at first. */

#ifndef VADTRACE_CORE_VM_WRITEWATCH_H
#define VADTRACE_CORE_VM_WRITEWATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/types.h"
#include "core/vm/rules.h"
#include "core/vm/vad.h"

/* How writes are noticed. */
enum watch_means {
	WATCH_BY_SYSTEM = 1, /* userfaultfd and PAGEMAP_SCAN: the kernel's own writes, too */
	WATCH_BY_PROTECTION, /* read-only pages and their faults */
};

/* Which of them this process uses; found out when it is first asked. */
enum watch_means watch_means(void);

enum { WATCH_NOT_WRITTEN = 0, WATCH_WRITTEN = 1 };

/* The watch of one region.
 *  - written holds the region's pages: WATCH_WRITTEN those that are known to be written; the others
 *    are not, or only the system knows (WATCH_BY_SYSTEM);
 *  - it is in the list of all watches from watch_begin to watch_end.
 * Guarded by: vm_lock. */
struct watch {
	struct watch *next;
	struct watch *previous;
	struct pagestate written;
};

/* All are called with vm_lock held; those that are given a vad do nothing where it has no watch. */

enum watch_means watch_means_locked(void);
/* For new pages in `state`, all zero, that nobody has touched. STATUS_NO_MEMORY. */
NTSTATUS watch_begin(const struct vm_range *range, uint32_t state, struct watch **watch);
/* Of a region that is gone, or is no longer VirtualAlloc's. NULL is allowed. */
void watch_end(struct watch *watch);
/* The contents of the range are about to go: what was written is remembered. STATUS_NO_MEMORY: go
 * no further. Uses up what pagestate_prepare has prepared. */
NTSTATUS watch_remember(const struct vad *vad, const struct vm_range *range);
/* The same for all regions in [base, end), as far as there is memory for it. */
void watch_remember_all(uintptr_t base, uintptr_t end);
/* The program has changed protections by itself: pages that are watched by theirs are so again. */
void watch_protect_again(uintptr_t base, uintptr_t end);
/* The range has fresh pages from the system, all reserved. */
void watch_renew(const struct vad *vad, const struct vm_range *range);
/* The pager's set, for a region with or without a watch. */
int watch_set_pages(const struct vad *vad, const struct vm_range *range, uint32_t state);
/* A thread's write to a page that it may write to was not let through: it is noted. False: it is
 * not for the watch that it was not. */
bool watch_note(const struct vad *vad, uintptr_t address);
/* No page of the range counts as written. STATUS_NO_MEMORY: some may do so all the same. */
NTSTATUS watch_forget(const struct vad *vad, const struct vm_range *range);
/* Has the system account for all watches' pages. False: not for all. */
bool watch_add_all(void);

void watch_fork_prepare(void);
void watch_fork_child(void);

/* Non-zero when a region is, or was, watched by protection. */
extern uint32_t watch_is_by_protection;

/* Whether the kernel's writes for the program must be told by watch_expect. No lock. */
static inline bool watch_foresees(void)
{
	return __atomic_load_n(&watch_is_by_protection, __ATOMIC_RELAXED) != 0;
}

/* These take vm_lock. */

/* From now until watch_expect_no_more the kernel may write to these bytes for the program: watched
 * pages count as written all the while, and are not protected. `call` is the address of a variable
 * of the call that has the kernel write; a call that is left by longjmp ends with the thread's next
 * one from further out. Answers whether a page was noted that had not been written. */
bool watch_expect(const void *call, const void *address, size_t size_bytes);
void watch_expect_no_more(const void *call);

/* NtGetWriteWatch on this process. *count is room for pages before, and the number of pages
 * afterwards; the lowest addresses come first. What is listed is reset if `resets`, at the moment
 * that it is listed. STATUS_INVALID_PARAMETER: the range is not of one region with a watch, or
 * there is no room. */
NTSTATUS vm_get_write_watch(const void *base, size_t size_bytes, bool resets, void **pages,
			    size_t *count);
NTSTATUS vm_reset_write_watch(const void *base, size_t size_bytes);

#endif
