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
	EVENT_ALLOCATE = 1,      /* address, size_bytes, heap, alignment in `extra` (0: default) */
	EVENT_FREE = 2,          /* address, heap; told before the block is freed */
	EVENT_REALLOC_BEGIN = 3, /* address of the old block, which may be gone from now on */
	EVENT_REALLOC_END = 4,   /* address and size_bytes of the new block; same thread as BEGIN */
	EVENT_REALLOC_FAILED = 5,  /* address: the old block, which stays as it was */
	EVENT_ALLOCATE_FAILED = 6, /* size_bytes asked for, and not given */
	/* Heaps. */
	EVENT_HEAP_CREATE = 16,  /* heap, size_bytes (maximum, 0: growable), type (flags) */
	EVENT_HEAP_DESTROY = 17, /* heap: all its blocks are gone */
	/* The address space. */
	EVENT_VAD_RESERVE = 32,  /* address, size_bytes, protect, type: MEM_RESERVE, and MEM_COMMIT
				    when committed in the same step */
	EVENT_VAD_COMMIT = 33,   /* address, size_bytes, protect */
	EVENT_VAD_DECOMMIT = 34, /* address, size_bytes */
	EVENT_VAD_PROTECT = 35,  /* address, size_bytes, protect, extra (old protection) */
	EVENT_VAD_RELEASE = 36,  /* address, size_bytes: a whole region */
	EVENT_VAD_RESET = 37,    /* address, size_bytes */
	EVENT_VAD_MAP = 38, /* address, size_bytes, protect, extra (file offset), type: MEM_PRIVATE,
			       MEM_MAPPED or MEM_IMAGE, and MEM_COMMIT when accessible */
	EVENT_VAD_UNMAP = 39, /* address, size_bytes: any page range, whole regions or parts */
};

/* Who owns an address range: lets reports tell the program's own ranges from heap segments. */
enum event_owner {
	EVENT_OWNER_PROGRAM = 0, /* the program asked for exactly this range */
	EVENT_OWNER_HEAP = 1,    /* a segment that core's heap took to cut blocks from */
	EVENT_OWNER_OUTSIDE = 2, /* another process asked for it, or for this change of another's */
};

/* One event. Fields that a kind does not name are 0. */
struct event {
	uint16_t kind;       /* enum event_kind */
	uint16_t api;        /* enum api: the outermost function that the program called */
	uint8_t owner;       /* enum event_owner */
	uint8_t reserved[3]; /* 0 */
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
