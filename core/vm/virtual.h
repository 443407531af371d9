/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Reserve, commit, decommit, release, protect, query: the engine below VirtualAlloc and below the
 * heap's segments. Answers NTSTATUS; in/out arguments are written on success only. Every change is
 * told to the event sink, under vm_lock. */

#ifndef VADTRACE_CORE_VM_VIRTUAL_H
#define VADTRACE_CORE_VM_VIRTUAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/event.h"
#include "core/os/pager.h"
#include "core/types.h"

/* Who asks, and where the range may lie. All zero: the program, anywhere. */
struct vm_request {
	uint16_t api;           /* enum api, for the event */
	uint8_t owner;          /* enum event_owner */
	size_t alignment_bytes; /* power of two above 64 KiB; 0: the allocation granularity */
	/* Of a new region, which keeps it; NULL: the default one. With pager_model, also what core
	 * does not have (guard pages, write watch ...) is allowed. */
	const struct pager *pager;
	uintptr_t limit;         /* the region ends at or below it; 0: anywhere */
	uintptr_t lowest;        /* the region begins at or above it; 0: anywhere */
	uint16_t node;           /* the NUMA node that a new region prefers, plus 1; 0: none */
	bool takes_placeholders; /* MEM_*_PLACEHOLDER(S) are flags of this call's */
};

/* NtAllocateVirtualMemory on this process: reserve, commit; reset, which keeps contents here. *base
 * NULL: anywhere; else rounded down (64 KiB when reserving, a page when committing). On success
 * *base and *size_bytes are the range taken. */
NTSTATUS vm_allocate(void **base, size_t *size_bytes, uint32_t type, uint32_t protect,
		     const struct vm_request *request);
/* NtFreeVirtualMemory: MEM_DECOMMIT or MEM_RELEASE, which with MEM_PRESERVE_PLACEHOLDER leaves a
 * placeholder, and with MEM_COALESCE_PLACEHOLDERS makes one of several. */
NTSTATUS vm_free(void **base, size_t *size_bytes, uint32_t free_type,
		 const struct vm_request *request);
/* NtProtectVirtualMemory. */
NTSTATUS vm_protect(void **base, size_t *size_bytes, uint32_t protect, uint32_t *old_protect,
		    const struct vm_request *request);
/* NtQueryVirtualMemory(MemoryBasicInformation). Right for any address of the process, also for
 * memory not made through us (read from the system then). */
NTSTATUS vm_query(const void *address, MEMORY_BASIC_INFORMATION *info);

/* Who has the pages of the region of VirtualAlloc's kind there; NULL: there is none. No lock. */
const struct pager *vm_pager_at(const void *address);
/* Whether `address` lies in a region of VirtualAlloc's kind that core has a record of. No lock. */
bool vm_knows(const void *address);
/* The same, but for regions that another memory manager serves (pager_model): those are not core's
 * to answer for. */
bool vm_owns(const void *address);

/* What another memory manager says of an address, as vm_query does. Called with vm_lock held. */
typedef NTSTATUS (*vm_query_function)(const void *address, MEMORY_BASIC_INFORMATION *info);
/* Makes the records of all regions in a range what another memory manager says of them, and tells
 * each difference: for what it did and core's engine does not know, or refuses. The regions are
 * its own from then on (pager_model). */
NTSTATUS vm_take_in(const void *base, size_t size_bytes, vm_query_function query,
		    const struct vm_request *request);

/* DiscardVirtualMemory, but with certain zeros: the pages of a committed range (whole pages of one
 * region) go back to the system and read as zero from now on. Told as reset. */
NTSTATUS vm_discard(void *base, size_t size_bytes, const struct vm_request *request);

/* Grows or shrinks a wholly committed private region that starts at `base`, moving it when it must
 * (contents are kept, the new tail is zero): *new_base tells where it is now; alignment as in the
 * request. Told as release of the old range before, reserve of the new one after. */
NTSTATUS vm_resize(void *base, size_t old_size_bytes, size_t new_size_bytes, void **new_base,
		   const struct vm_request *request);

/* Makes two regions of a wholly committed private one that starts at `base`: the first has
 * first_bytes, a multiple of 64 KiB. Their pages stay as they are. STATUS_NOT_SUPPORTED where the
 * region's pager cannot give back parts. Told as release of the whole, then reserve of each. */
NTSTATUS vm_split(void *base, size_t size_bytes, size_t first_bytes,
		  const struct vm_request *request);

/* For core's host: fork, and the invariants of all of vm. */
void vm_fork_prepare(void);
void vm_fork_parent(void);
void vm_fork_child(void);
void vm_check(void);

#endif
