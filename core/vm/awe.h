/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Address Windowing Extensions: regions of addresses (MEM_RESERVE | MEM_PHYSICAL) in which a
 * program maps the physical pages that it holds, now these and now those. A page of a window is
 * committed and PAGE_READWRITE while a frame is mapped there, and reserved else.
 *
 * Arrays are the program's: they are read before a lock is taken and written after it. */

#ifndef VADTRACE_CORE_VM_AWE_H
#define VADTRACE_CORE_VM_AWE_H

#include <stddef.h>
#include <stdint.h>

#include "core/vm/vad.h"
#include "core/vm/virtual.h"

/* Has the addresses of windows; commits, protects and decommits nothing. */
extern const struct pager awe_pager;

/* Takes frames, at most *count, and writes their numbers: *count becomes what there was memory for.
 * They are zero filled. `node` is one that they should come from, plus 1; 0: any.
 * STATUS_NO_MEMORY: not even one. */
NTSTATUS awe_allocate(uintptr_t *numbers, size_t *count, uint16_t node);
/* Gives frames back, and unmaps those that are mapped. *count becomes how many were given back; a
 * number that is not held ends that with STATUS_INVALID_PARAMETER. */
NTSTATUS awe_free(const uintptr_t *numbers, size_t *count, const struct vm_request *request);

/* What to map where. */
struct awe_mapping {
	const void *base;         /* of `count` pages side by side, when `addresses` is NULL */
	void *const *addresses;   /* each page's address */
	const uintptr_t *numbers; /* each page's frame; NULL: all are unmapped */
	size_t count;
};

/* Maps frames into windows, over what was mapped there, which is unmapped; all or nothing.
 * STATUS_INVALID_PARAMETER: an address outside of a window, or named twice; a frame that is not
 * held, named twice, or mapped already somewhere that this call leaves alone. STATUS_NO_MEMORY. */
NTSTATUS awe_map(const struct awe_mapping *mapping, const struct vm_request *request);

/* The window is no more, its frames are mapped nowhere; NULL is allowed. Called with vm_lock held.
 */
struct awe_window;
void awe_end(struct awe_window *window);

/* In a forked child, with vm_lock held: it has the addresses of its parent's windows, and none of
 * its frames. */
void awe_fork_child(void);
/* The invariants of windows and frames. Called with vm_lock held. */
void awe_check(void);

#endif
