/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Released regions that the kernel keeps mapped for a while. Their pages are gone and each access
 * faults, so nobody can tell them from free addresses; but the thread that released one can have it
 * again for one system call, without vm_lock. By guard markers (MADV_GUARD_INSTALL, Linux 6.13)
 * that needs no lock of the kernel's whole address space either; by protection, on older kernels,
 * it does.
 *
 * The contract. A vad's life is one word, a generation and one of four states:
 *
 *   HELD --made plain--> PLAIN --VirtualFree--> CHANGING --guarded--> PARKED
 *    ^-----vad_find--------+ ^----opened--- CHANGING <-VirtualAlloc(NULL)-+ |
 *    ^-----really released, in vm_lock--------------------------------------+
 *
 *  - HELD: changed in vm_lock only, as all vads without this would be;
 *  - PLAIN: a small private region, wholly committed and PAGE_READWRITE, that no other call than
 *    VirtualAlloc has touched, and that no listener knows of. Who looks at it in vm_lock to change
 *    it makes it HELD first (parking_hold): then it can only be released there;
 *  - CHANGING: it belongs to the thread that releases it, or has it again; the kernel may or may
 * not let pages be touched; for all others it is there, and they leave it alone;
 *  - PARKED: free. Queries, totals and walks leave it out, and who wants the addresses in vm_lock
 *    ends it first (parking_clear).
 * Each step is one compare-and-swap, which also proves what was read of the vad before, because
 * its fields change while it is HELD only. No thread waits for another one's step, so a handler may
 * come between any two; one that jumps out of VirtualFree loses the region. */

#ifndef VADTRACE_CORE_VM_PARKING_H
#define VADTRACE_CORE_VM_PARKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/vm/vad.h"

/* The low bits of vad.life. */
enum vad_life {
	LIFE_HELD = 0,
	LIFE_PLAIN = 1,
	LIFE_CHANGING = 2,
	LIFE_PARKED = 3,
};

/* Larger regions are given back at once. */
#define PARKING_REGION_BYTES_MAX ((size_t)1 << 20)

static inline enum vad_life vad_life(const struct vad *vad)
{
	return (enum vad_life)(__atomic_load_n(&vad->life, __ATOMIC_ACQUIRE) & 3);
}

/* --- Without vm_lock, any thread ------------------------------------------------------------- */

/* A region of this size, zero filled, as VirtualAlloc(NULL, size_bytes, MEM_RESERVE | MEM_COMMIT,
 * PAGE_READWRITE) would make it. False: none is parked here. `api` is for the event, if somebody
 * begins to listen just now. */
bool parking_take(size_t size_bytes, uint16_t api, uintptr_t *base);
/* Releases the plain region that begins at `base`; its size. 0: vm_lock has to do it. */
size_t parking_put(uintptr_t base);
/* Bytes of all parked regions. */
uint64_t parking_bytes(void);
/* Whether any region was ever plain: else nobody has to look for parked ones. */
bool parking_is_used(void);
/* Whether it is done by guard markers. */
bool parking_is_by_markers(void);

/* --- With vm_lock ---------------------------------------------------------------------------- */

/* Whether this is the thread's first region that may become plain, and others have had theirs. */
bool parking_begins(void);
/* A new vad, in the tree, of pager_linux: plain from now on if it can be. */
void parking_admit(struct vad *vad);
/* False: it is free, or is being released. True: it is and stays LIFE_HELD. */
bool parking_hold(struct vad *vad);
/* The vad's range ends now whatever others do with it: LIFE_HELD, in the next generation. */
void parking_take_over(struct vad *vad);
/* No region in [base, end) is released without vm_lock from now on. */
void parking_hold_all(uintptr_t base, uintptr_t end);
/* Parked regions that overlap [base, end), or all of them, are free for the kernel, too. */
void parking_clear(uintptr_t base, uintptr_t end);
/* Whether there were any. */
bool parking_clear_all(void);

/* What is not HELD is plain. */
void parking_check(const struct vad *vad);

/* The calling thread ends: what it has parked goes. Takes vm_lock. */
void parking_thread_exit(void);
/* In a forked child, with vm_lock held: what is parked goes, and what threads that are no more were
 * about to release. */
void parking_fork_child(void);

#endif
