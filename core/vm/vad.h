/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The tree of VADs: every range of the address space that core knows of. All functions are called
 * with vm_lock held. */

#ifndef VADTRACE_CORE_VM_VAD_H
#define VADTRACE_CORE_VM_VAD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/lock.h"
#include "core/base/rbtree.h"
#include "core/os/os.h"
#include "core/os/pager.h"
#include "core/vm/pagestate.h"

extern struct lock vm_lock;
/* All vads; for those who read without vm_lock (glimpse.h). */
extern struct rb_tree vad_tree;

/* How a range came to be: decides who may change it, and whether it can be trusted. */
enum vad_origin {
	VAD_ORIGIN_VIRTUAL, /* VirtualAlloc and the heaps: nobody else has changed it */
	VAD_ORIGIN_POSIX,   /* mmap and its kin, through us; also pieces cut from any other */
	VAD_ORIGIN_BREAK,   /* the program break */
	VAD_ORIGIN_SHM,     /* shmat */
	VAD_ORIGIN_VIEW,    /* a view of a section, which another memory manager maps */
	VAD_ORIGIN_FOREIGN, /* read from the system's list; may be out of date */
};

/* One range.
 *  - overlaps no other vad; pages holds where it lies and the state of each page;
 *  - a VAD_ORIGIN_VIRTUAL one is MEM_PRIVATE, and lies at a multiple of 64 KiB unless it came from
 *    a placeholder;
 *  - a placeholder has no committed page, and protect is PAGE_NOACCESS;
 *  - pager is who has its pages: pager_model when another memory manager serves them;
 *  - it has a window when that is awe_pager, and may have offers else;
 *  - one whose life is LIFE_PARKED is free, for everybody but the kernel.
 * Guarded by: vm_lock; life: atomic. */
struct vad {
	struct rb_node node;
	struct pagestate pages;
	const struct pager *pager;
	uint64_t file_offset; /* of the first page; 0 when there is no file */
	struct watch *watch;  /* writewatch.h; NULL: none */
	union {
		struct awe_window *window; /* awe.h; NULL: no frame was ever mapped there */
		struct offers *offers;     /* offer.h; NULL: nothing was ever offered there */
	};
	uint32_t type;        /* MEM_PRIVATE, MEM_MAPPED or MEM_IMAGE */
	uint32_t protect;     /* PAGE_*, as it was given when the range was made */
	uint8_t origin;       /* enum vad_origin */
	uint8_t owner;        /* enum event_owner */
	bool is_file;         /* MEM_MAPPED without a file is shared memory */
	bool is_copied;       /* a file's private mapping: what is written stays here */
	bool is_told;         /* the listener knows of it */
	bool is_placeholder;  /* addresses that are kept for a region or a view */
	bool was_placeholder; /* is one, or took the place of one */
	uint8_t parked_in;    /* the shard (parking.c) whose bytes it counts in while parked */
	uint16_t numa_node;   /* the NUMA node that it prefers, plus 1; 0: none */
	uint64_t life;        /* parking.h; last, because it goes on when the vad is reused */
};

static inline uintptr_t vad_base(const struct vad *vad)
{
	return vad->pages.first_page * OS_PAGE_SIZE;
}

static inline uintptr_t vad_end(const struct vad *vad)
{
	return vad->pages.end_page * OS_PAGE_SIZE;
}

/* Makes sure that one vad_take, two vad_cuts and one pagestate_set cannot fail; false: no memory.
 */
bool vad_prepare(void);
/* A vad, all zero, that is in no tree; needs vad_prepare before. */
struct vad *vad_take(void);
/* Gives a vad back that is in no tree, with its page states. */
void vad_give_back(struct vad *vad);

/* The one that holds `address`, or NULL, also where it is parked. From now on it is released with
 * vm_lock only. */
struct vad *vad_find(uintptr_t address);
/* These four may answer one that is parked, or is released meanwhile (parking_hold).
 * The first one that ends above `address`, or NULL. */
struct vad *vad_find_from(uintptr_t address);
/* The last one that begins below `address`, or NULL. */
struct vad *vad_find_below(uintptr_t address);
struct vad *vad_next(const struct vad *vad);
struct vad *vad_previous(const struct vad *vad);
/* Whether any overlaps [base, end). */
bool vad_is_any_in(uintptr_t base, uintptr_t end);

/* Its range is set and overlaps no other. */
void vad_insert(struct vad *vad);
void vad_remove(struct vad *vad);
/* Cuts at `address`, strictly inside; both parts stay what the whole was. Returns the upper one.
 * Needs vad_prepare before, which is good for two cuts. */
struct vad *vad_split(struct vad *vad, uintptr_t address);
/* Removes all that lies in [base, end), cutting those that reach over its ends; pieces of a cut one
 * stay as VAD_ORIGIN_POSIX. Needs vad_prepare before. */
void vad_cut(uintptr_t base, uintptr_t end);

void vad_check(void);

#endif
