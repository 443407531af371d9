/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Blocks. One engine serves malloc and the Win32 heaps:
 *
 *  - malloc blocks (heap_malloc ...) are plain: their size is their size class's, they carry
 * nothing;
 *  - Win32 blocks (heap_allocate ...) know the exact size that was asked for and their heap.
 * Both kinds of the process heap may be freed, sized and reallocated through either face.
 *
 * Any thread may free any block. A signal handler may call anything here at any moment, also while
 * it interrupts this very code on its own thread, and may leave by siglongjmp.
 * No function touches errno or the last error; none calls libc's allocator, stdio or the loader. */

#ifndef VADTRACE_CORE_HEAP_HEAP_H
#define VADTRACE_CORE_HEAP_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/event.h"
#include "core/types.h"

struct heap;
struct pager;

/* Flags of the Rtl functions that heapapi.h does not have. */
#define HEAP_ADD_USER_INFO 0x00000100u
#define HEAP_USER_FLAGS 0x00000e00u /* HEAP_SETTABLE_USER_FLAG1 to 3 */

/* Of a heap that is checked as Windows' debugging flags want it. */
#define HEAP_TAIL_CHECKING_ENABLED 0x00000020u
#define HEAP_FREE_CHECKING_ENABLED 0x00000040u
#define HEAP_VALIDATE_ALL 0x20000000u
#define HEAP_VALIDATE_PARAMS 0x40000000u

/* HeapCompatibilityInformation. */
#define HEAP_STANDARD 0u
#define HEAP_LOOK_ASIDE 1u
#define HEAP_LOW_FRAGMENTATION 2u

#define RTL_HEAP_ENTRY_BUSY 0x0001u
#define RTL_HEAP_ENTRY_REGION 0x0002u
#define RTL_HEAP_ENTRY_BLOCK 0x0010u
#define RTL_HEAP_ENTRY_UNCOMMITTED 0x1000u
#define RTL_HEAP_ENTRY_COMMITTED 0x4000u

/* An entry of RtlWalkHeap: a PROCESS_HEAP_ENTRY but for the width of the size and the flags. */
struct rtl_heap_entry {
	PVOID lpData;
	SIZE_T cbData;
	BYTE cbOverhead;
	BYTE iRegionIndex;
	WORD wFlags; /* RTL_HEAP_ENTRY_* */
	union {
		struct {
			HANDLE hMem;
			DWORD dwReserved[3];
		} Block;
		struct {
			DWORD dwCommittedSize;
			DWORD dwUnCommittedSize;
			LPVOID lpFirstBlock;
			LPVOID lpLastBlock;
		} Region;
	};
};

/* The malloc face. NULL when there is no memory or size_bytes exceeds PTRDIFF_MAX. Alignment 16
 * (8 for sizes up to 8); size 0 gives a block of its own. */
void *heap_malloc(size_t size_bytes);
void *heap_calloc(size_t size_bytes);
/* alignment_bytes: a power of two (the caller has checked). */
void *heap_memalign(size_t alignment_bytes, size_t size_bytes);
/* The block keeps its contents up to the smaller size; on NULL the old block is as it was. */
void *heap_realloc(void *block, size_t size_bytes);
/* `block` must be ours (heap_owns). Double and stray frees are found and reported on stderr with
 * the address, then the process aborts, as glibc does. NULL is allowed. */
void heap_free(void *block);
/* The same in one step with heap_owns: false, and nothing done, when `block` is not ours. */
bool heap_try_free(void *block);
/* Bytes that may be used; 0 for NULL. */
size_t heap_usable_size(const void *block);
/* Whether `address` lies in a segment of ours; a load and a test, for any value. */
bool heap_owns(const void *address);
/* Gives free memory back to the system; returns whether there was any. */
bool heap_trim(void);

/* Figures for mallinfo2 and malloc_info; bytes. */
struct heap_statistics {
	size_t reserved_bytes; /* segments and large blocks */
	size_t used_bytes;     /* in blocks given out */
	size_t free_bytes;     /* in free blocks and pages */
	size_t large_bytes;    /* in large blocks */
	size_t large_count;
	size_t peak_reserved_bytes;
};
void heap_get_statistics(struct heap_statistics *statistics);

/* The Win32 face: NTSTATUS semantics of Rtl*Heap; flags are HEAP_*. NULL / false on failure; the
 * status is written when `status` is not NULL. */
struct heap *heap_process(void);
/* The heap of malloc's blocks: the process heap, unless the host has one of its own. */
struct heap *heap_native(void);
/* Heaps that are made from now on get their memory from `pager` (NULL: the default one); the first
 * of them becomes the process heap. Called before the process heap is used. */
void heap_use_pager(const struct pager *pager);
bool heap_is_valid(const struct heap *heap);
struct heap *heap_create(uint32_t flags, size_t initial_bytes, size_t maximum_bytes,
			 NTSTATUS *status);
bool heap_destroy(enum api api, struct heap *heap, NTSTATUS *status);
/* The HEAP_* that it was made with; 0 when it is no heap. */
uint32_t heap_flags(const struct heap *heap);
/* Whether it was a heap, destroyed not long ago, and nothing else is there now. */
bool heap_is_gone(const struct heap *heap);
/* Whether `heap` is a heap other than the process heap. */
bool heap_is_destroyable(const struct heap *heap);
void *heap_allocate(struct heap *heap, uint32_t flags, size_t size_bytes, NTSTATUS *status);
void *heap_reallocate(struct heap *heap, uint32_t flags, void *block, size_t size_bytes,
		      NTSTATUS *status);
bool heap_release(struct heap *heap, uint32_t flags, void *block, NTSTATUS *status);
/* Exact size asked for; (size_t)-1 when `block` is no block of `heap`. */
size_t heap_size(struct heap *heap, uint32_t flags, const void *block);

/* The heap is the calling thread's until it has unlocked it as often as it locked it; the calls
 * that other threads begin on its blocks wait. STATUS_INVALID_HANDLE; STATUS_RESOURCE_NOT_OWNED. */
NTSTATUS heap_lock(struct heap *heap);
NTSTATUS heap_unlock(struct heap *heap);
/* By who has locked it: returns when the calls that other threads had begun before are over. Walks,
 * checks and figures of a heap do so by themselves. */
void heap_settle(struct heap *heap);
/* Gives empty pages back; bytes of the largest free block. */
size_t heap_compact(struct heap *heap);
/* Whether the block (NULL: every block and list of the heap) is what it should be. `api`, here and
 * in heap_destroy, is who is told to have found what is not, while blocks are checked. */
bool heap_validate(enum api api, struct heap *heap, const void *block);
/* The entry after *entry, in rising order of addresses; lpData NULL: the first one.
 * STATUS_NO_MORE_ENTRIES, STATUS_INVALID_PARAMETER. malloc's blocks are not shown. */
NTSTATUS heap_walk(struct heap *heap, struct rtl_heap_entry *entry);
/* Gives back to the system what a heap (NULL: any) keeps without need. STATUS_INVALID_HANDLE. */
NTSTATUS heap_optimize(struct heap *heap);
/* What a heap has, in bytes: in blocks, committed and reserved for them; 0 or its maximum.
 * STATUS_INVALID_HANDLE. */
struct heap_summary {
	size_t allocated_bytes, committed_bytes, reserved_bytes, maximum_bytes;
};
NTSTATUS heap_summarize(struct heap *heap, struct heap_summary *summary);
/* Writes at most `count` heaps, the process heap first; returns how many there are. */
size_t heap_list(size_t count, struct heap **list);
/* What HeapSetInformation keeps: 0 standard, 2 low fragmentation, which a heap stays. */
NTSTATUS heap_get_compatibility(const struct heap *heap, uint32_t *value);
NTSTATUS heap_set_compatibility(struct heap *heap, uint32_t value);

/* The value and flags that a program keeps with a block that was allocated with HEAP_ADD_USER_INFO;
 * they move with it. Of another block, *value is left alone, the flags are those it was allocated
 * with, and setting is answered with STATUS_UNSUCCESSFUL. Else STATUS_INVALID_PARAMETER,
 * STATUS_INVALID_HANDLE. */
NTSTATUS heap_get_user_info(struct heap *heap, void *block, uintptr_t *value, uint32_t *flags);
NTSTATUS heap_set_user_value(struct heap *heap, void *block, uintptr_t value);
NTSTATUS heap_set_user_flags(struct heap *heap, void *block, uint32_t clear, uint32_t set);

/* Life of the process. */
void heap_fork_prepare(void);
void heap_fork_parent(void);
void heap_fork_child(void);
void heap_thread_exit(void);
void heap_check(void);

#endif
