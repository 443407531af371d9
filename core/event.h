/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What happened to memory, told to one listener (the sink).
 *
 * This header is all that a listener knows of core. The order is the contract:
 *  - an allocation, reservation or mapping is told after it exists;
 *  - a release is told before its address can be given out again;
 *  - changes of the address space (EVENT_VAD_*) are told under vm_lock, so their order is exact.
 * The sink may therefore be called with core's locks held: it calls nothing in core, allocates
 * nothing, and keeps errno. */

#ifndef VADTRACE_EVENT_H
#define VADTRACE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api.h" /* enum api: generated from api.spec, one constant API_<name> per function */

#ifdef __cplusplus
extern "C" {
#endif

enum event_kind {
	EVENT_NONE = 0,
	/* Blocks of a heap. */
	EVENT_ALLOCATE = 1,      /* address, size_bytes, heap, alignment in `extra` (0: default); of
				    calloc, how many elements size_bytes are */
	EVENT_FREE = 2,          /* address, heap; told before the block is freed */
	EVENT_REALLOC_BEGIN = 3, /* address of the old block, which may be gone from now on */
	EVENT_REALLOC_END = 4,   /* address and size_bytes of the new block; same thread as BEGIN */
	EVENT_REALLOC_FAILED = 5,  /* address: the old block, which stays as it was */
	EVENT_ALLOCATE_FAILED = 6, /* size_bytes asked for, and not given; extra */
	/* Heaps. */
	EVENT_HEAP_CREATE = 16,  /* heap, size_bytes (maximum, 0: growable), type (flags) */
	EVENT_HEAP_DESTROY = 17, /* heap: all its blocks are gone */
	EVENT_HEAP_ERROR = 18,   /* address: what the program gave or touched; heap, size_bytes: of
				    the block there, type: enum misuse, extra: the address of a
				    struct event_error, for as long as the call lasts */
	/* The address space. */
	EVENT_VAD_RESERVE = 32,  /* address, size_bytes, protect, type: MEM_RESERVE, and MEM_COMMIT
				    when committed in the same step */
	EVENT_VAD_COMMIT = 33,   /* address, size_bytes, protect */
	EVENT_VAD_DECOMMIT = 34, /* address, size_bytes */
	EVENT_VAD_PROTECT = 35,  /* address, size_bytes, protect, extra (old protection) */
	EVENT_VAD_RELEASE = 36,  /* address, size_bytes: a whole region */
	EVENT_VAD_RESET = 37, /* address, size_bytes; extra: 1 when an offer of it is over, too */
	EVENT_VAD_MAP = 38, /* address, size_bytes, protect, extra (file offset), type: MEM_PRIVATE,
			       MEM_MAPPED or MEM_IMAGE, MEM_COMMIT when accessible, SEC_COMMIT
			       when it is mapped, but of no file: its pages are charged */
	EVENT_VAD_UNMAP = 39, /* address, size_bytes: any page range, whole regions or parts */
	/* Committed pages that the system may take until they are reclaimed, decommitted or gone.
	 */
	EVENT_VAD_OFFER = 40,   /* address, size_bytes, extra: the priority (OFFER_PRIORITY) */
	EVENT_VAD_RECLAIM = 41, /* address, size_bytes, extra: 1 when some had been taken */
};

/* Who owns an address range: lets reports tell the program's own ranges from heap segments. */
enum event_owner {
	EVENT_OWNER_PROGRAM = 0, /* the program asked for exactly this range */
	EVENT_OWNER_HEAP = 1,    /* a segment that core's heap took to cut blocks from */
	EVENT_OWNER_OUTSIDE = 2, /* another process asked for it, or for this change of another's */
};

/* What a program did wrong with a block or a heap. The numbers are those of the trace. */
enum misuse {
	MISUSE_NONE = 0,
	MISUSE_FOREIGN = 1,       /* no block starts here, or none of ours */
	MISUSE_INTERIOR = 2,      /* inside a block, not at its start */
	MISUSE_DOUBLE_FREE = 3,   /* the block is free already */
	MISUSE_OVERRUN = 4,       /* what lies behind the block was written over */
	MISUSE_WRONG_HEAP = 5,    /* a block of another heap */
	MISUSE_NO_HEAP = 6,       /* the heap was destroyed, or is none */
	MISUSE_UNDERRUN = 7,      /* what lies before the block was written over */
	MISUSE_FREE_WRITTEN = 8,  /* the block was written to after it was freed */
	MISUSE_OUTSIDE = 9,       /* memory beside a block was touched (page mode) */
	MISUSE_FREE_TOUCHED = 10, /* a freed block was touched (page mode) */
	MISUSE_FREE_DAMAGED = 11, /* a free block is not what it was: one of 3 and 8 */
	MISUSES
};

/* A call stack that was taken earlier: return addresses, innermost first; count 0: not known. */
struct event_trace {
	const uint64_t *frames;
	uint32_t count;
	uint32_t tid; /* 0: not known */
};

/* What is known of the block that was misused; block is 0 when there is none. */
struct event_error {
	uint64_t block;
	struct event_trace allocated, freed;
};

/* One event. Fields that a kind does not name are 0. */
struct event {
	uint16_t kind;       /* enum event_kind */
	uint16_t api;        /* enum api: the outermost function that the program called */
	uint8_t owner;       /* enum event_owner */
	bool is_own;         /* of a block: no other thread can have had to do with it since the
				calling thread's last event; false: nobody knows */
	uint8_t reserved[2]; /* 0 */
	uint64_t address;
	uint64_t size_bytes;
	uint64_t heap; /* heap handle; 0: the one of malloc, natively the process heap */
	uint32_t type;
	uint32_t protect; /* PAGE_* */
	uint64_t extra;
};

typedef void (*event_sink)(const struct event *event);

/* Non-zero while somebody listens. Points at a word that the listener owns; core and preload read
 * it before they build an event: two loads and one predictable branch when nobody listens. */
extern const volatile int *event_gate __attribute__((visibility("hidden")));

/* Installs the listener; `gate` must stay valid for the rest of the process. NULL, NULL removes
 * it. A program that links libvadcore and is recorded (vadtrace record) hears nothing: the
 * recorder's core serves it. */
void event_set_sink(event_sink sink, const volatile int *gate);

/* Hands `event` to the sink, if there is one and its gate is open. Keeps errno. */
void event_emit(const struct event *event);

static inline bool event_is_wanted(void)
{
	const volatile int *gate = __atomic_load_n(&event_gate, __ATOMIC_RELAXED);
	bool is_open;

	/* A load and a comparison in one, which no compiler makes of an atomic load. */
	__asm__ volatile("cmpl $0, %1" : "=@ccne"(is_open) : "m"(*gate));
	return __builtin_expect(is_open, 0);
}

#ifdef __cplusplus
}
#endif

#endif
