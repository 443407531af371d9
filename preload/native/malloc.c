/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* malloc and its family, with the results and errno of glibc.
 *
 *   malloc ── plain? ── heap_malloc                      (route mode, nobody listens)
 *        └─── allocate ─┬ place ─┬ route:   heap_*
 *                       │        ├ observe: the next function of the same name
 *                       │        └ none, or the tracer itself: bootstrap arena
 *                       └ tell
 *
 * Told in the order of core/event.h: an allocation after it exists, a free before. Blocks that are
 * not the heap's (the bootstrap arena's, or those of another allocator that the program reached by
 * other names) are found by heap_owns and go where they came from.
 * Nothing here holds a lock or keeps state. */

#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/heap/heap.h"
#include "core/heap/quick_malloc.h"
#include "preload/native/bootstrap.h"
#include "preload/native/postponed.h"
#include "preload/native/real.h"
#include "preload/process.h"
#include "preload/recorder.h"
#include "preload/start.h"

#define PAGE_SIZE_BYTES ((size_t)4096)

/* What a call asked for, in its own words. */
struct request {
	size_t size_bytes;
	size_t count;           /* of calloc and reallocarray; else 0 */
	size_t alignment_bytes; /* as the caller gave it; 0: none */
	enum api api;
};

/* Not in the headers of this C library. */
CORE_API void cfree(void *block);
CORE_API void free_sized(void *block, size_t size);
CORE_API void free_aligned_sized(void *block, size_t alignment, size_t size);

static void *fail(int error)
{
	errno = error;
	return NULL;
}

/* extra: as core/event.h wants it. */
static void tell(enum event_kind kind, enum api api, const void *block, size_t size_bytes,
		 size_t extra)
{
	struct event event = {
		.kind = (uint16_t)kind,
		.api = (uint16_t)api,
		.address = (uintptr_t)block,
		.size_bytes = size_bytes,
		.extra = extra,
	};

	event_emit(&event);
}

/* The same of a block that is the calling thread's alone. */
static void tell_own(enum event_kind kind, enum api api, const void *block, size_t size_bytes)
{
	struct event event = {
		.kind = (uint16_t)kind,
		.api = (uint16_t)api,
		.is_own = true,
		.address = (uintptr_t)block,
		.size_bytes = size_bytes,
	};

	event_emit(&event);
}

/* glibc takes the next power of two for one that is none, and refuses what has none. */
static bool round_alignment(size_t *alignment_bytes)
{
	size_t wanted = *alignment_bytes;

	if (wanted > SIZE_MAX / 2 + 1)
		return false;
	if (wanted & (wanted - 1))
		*alignment_bytes = (size_t)1 << (64 - __builtin_clzl(wanted));
	return true;
}

static void *route_aligned(size_t alignment_bytes, size_t size_bytes)
{
	void *block;

	if (!round_alignment(&alignment_bytes))
		return fail(EINVAL);
	if (alignment_bytes <= 16)
		block = heap_malloc(size_bytes < 16 ? 16 : size_bytes);
	else
		block = heap_memalign(alignment_bytes, size_bytes);
	return block ? block : fail(ENOMEM);
}

static void *route_pages(size_t size_bytes)
{
	size_t rounded;

	if (__builtin_add_overflow(size_bytes, PAGE_SIZE_BYTES - 1, &rounded))
		return fail(ENOMEM);
	return route_aligned(PAGE_SIZE_BYTES, rounded & ~(PAGE_SIZE_BYTES - 1));
}

static void *route_zeroed(size_t count, size_t size_bytes)
{
	size_t total;
	void *block = NULL;

	if (!__builtin_mul_overflow(count, size_bytes, &total))
		block = heap_calloc(total);
	return block ? block : fail(ENOMEM);
}

static void *route_plain(size_t size_bytes)
{
	void *block = heap_malloc(size_bytes);

	return block ? block : fail(ENOMEM);
}

static void *route(const struct request *request)
{
	switch (request->api) {
	case API_calloc:
		return route_zeroed(request->count, request->size_bytes);
	case API_memalign:
	case API_aligned_alloc:
	case API_valloc:
		return route_aligned(request->alignment_bytes, request->size_bytes);
	case API_pvalloc:
		return route_pages(request->size_bytes);
	default:
		return route_plain(request->size_bytes);
	}
}

static void *observe(const struct request *request)
{
	switch (request->api) {
	case API_calloc:
		return real.calloc(request->count, request->size_bytes);
	case API_memalign:
		return real.memalign(request->alignment_bytes, request->size_bytes);
	case API_aligned_alloc:
		return real.aligned_alloc(request->alignment_bytes, request->size_bytes);
	case API_valloc:
		return real.valloc(request->size_bytes);
	case API_pvalloc:
		return real.pvalloc(request->size_bytes);
	case API_realloc:
	case API_reallocarray:
		return real.realloc(NULL, request->size_bytes);
	default:
		return real.malloc(request->size_bytes);
	}
}

/* Before anybody can serve. Touches no errno: its address may not be known yet. */
static void *bootstrap(const struct request *request)
{
	size_t size = request->size_bytes, alignment = request->alignment_bytes;

	if (request->api == API_calloc && __builtin_mul_overflow(request->count, size, &size))
		return NULL;
	if (!round_alignment(&alignment))
		return NULL;
	return bootstrap_allocate(alignment, size);
}

/* Whether LTTng or libunwind asks, on behalf of a tracer that may hold core's locks. */
static bool is_for_tracer(void)
{
	return process_is_traced() && tracer->is_inside();
}

static size_t total_bytes(const struct request *request)
{
	size_t total = request->size_bytes;

	if (request->api == API_calloc &&
	    __builtin_mul_overflow(request->count, request->size_bytes, &total))
		return SIZE_MAX;
	return total;
}

static __attribute__((noinline)) void *allocate(const struct request *request)
{
	enum serve serve = serve_now();
	void *block;

	if (serve == SERVE_NONE || is_for_tracer())
		return bootstrap(request);
	block = serve == SERVE_ROUTE ? route(request) : observe(request);
	if (process_is_traced())
		tell(block ? EVENT_ALLOCATE : EVENT_ALLOCATE_FAILED, request->api, block,
		     total_bytes(request),
		     request->api == API_calloc ? request->count : request->alignment_bytes);
	return block;
}

/* Gives back a block that is not the heap's. Where there is no next allocator to ask, keeps it. */
static void release_foreign(void *block)
{
	if (bootstrap_owns(block))
		bootstrap_release(block);
	else if (real.free)
		real.free(block);
}

static void release_served(void *block, enum serve serve)
{
	if (serve == SERVE_ROUTE && heap_owns(block))
		heap_free(block);
	else
		release_foreign(block);
}

/* Blocks of the bootstrap arena are nobody's to hear of. */
static bool is_bootstrap(const void *block, enum serve serve)
{
	return !(serve == SERVE_ROUTE && heap_owns(block)) && bootstrap_owns(block);
}

static void release_told(void *block, enum api api, enum serve serve)
{
	tell(EVENT_FREE, api, block, 0, 0);
	release_served(block, serve);
}

static void release_postponed(enum serve serve)
{
	void *block, *next;

	for (block = postponed_take(); unlikely(block != NULL); block = next) {
		next = *(void **)block;
		release_told(block, API_free, serve);
	}
}

static void release_traced(void *block, enum api api, enum serve serve)
{
	if (unlikely(is_bootstrap(block, serve))) {
		bootstrap_release(block);
		return;
	}
	if (unlikely(tracer->is_inside())) {
		postponed_add(block);
		return;
	}
	release_told(block, api, serve);
	release_postponed(serve);
}

static __attribute__((noinline)) void release(void *block, enum api api)
{
	enum serve serve;

	if (!block)
		return;
	serve = serve_now();
	if (serve == SERVE_NONE)
		return;
	if (process_is_traced())
		release_traced(block, api, serve);
	else
		release_served(block, serve);
}

/* A block of the bootstrap arena moves to where blocks are served now. */
static void *move_bootstrap(void *block, size_t size_bytes, enum serve serve)
{
	struct request request = { .size_bytes = size_bytes, .api = API_malloc };
	void *moved;

	if (serve == SERVE_NONE)
		moved = bootstrap(&request);
	else
		moved = serve == SERVE_ROUTE ? route(&request) : observe(&request);
	if (moved)
		bootstrap_copy(moved, block, size_bytes);
	return moved;
}

static void *resize_served(void *block, size_t size_bytes, enum serve serve)
{
	void *resized;

	if (serve == SERVE_ROUTE && heap_owns(block)) {
		resized = heap_realloc(block, size_bytes);
		return resized ? resized : fail(ENOMEM);
	}
	if (bootstrap_owns(block))
		return move_bootstrap(block, size_bytes, serve);
	return serve == SERVE_NONE ? NULL : real.realloc(block, size_bytes);
}

/* realloc to 0 bytes frees. Another allocator than glibc's may answer with a new block. */
static void *resize_to_nothing(void *block, enum serve serve, enum api api)
{
	void *resized = NULL;

	if (serve != SERVE_OBSERVE || bootstrap_owns(block)) {
		release(block, api);
		return NULL;
	}
	if (process_is_traced())
		tell(EVENT_FREE, api, block, 0, 0);
	resized = real.realloc(block, 0);
	if (resized && process_is_traced())
		tell(EVENT_ALLOCATE, api, resized, 0, 0);
	return resized;
}

static __attribute__((noinline)) void *resize(void *block, size_t size_bytes, enum api api)
{
	enum serve serve = serve_now();
	void *resized;

	if (!block)
		return allocate(&(struct request){ .size_bytes = size_bytes, .api = api });
	if (size_bytes == 0)
		return resize_to_nothing(block, serve, api);
	if (serve == SERVE_NONE || !process_is_traced())
		return resize_served(block, size_bytes, serve);
	tell(EVENT_REALLOC_BEGIN, api, block, 0, 0);
	resized = resize_served(block, size_bytes, serve);
	if (resized)
		tell(EVENT_REALLOC_END, api, resized, size_bytes, 0);
	else
		tell(EVENT_REALLOC_FAILED, api, block, size_bytes, 0);
	return resized;
}

/* Whether somebody listens, and core serves the program. */
static inline bool is_usual_and_heard(void)
{
	return likely(serve_thread == SERVE_ROUTE && process_is_traced() && !tracer->is_inside());
}

/* The usual block while somebody listens: from the calling thread's own pages, what others freed
 * there before included (remote_take). NULL, and nothing done: it is another. */
static inline void *allocate_own(size_t size_bytes)
{
	void *block;

	if (!is_usual_and_heard())
		return NULL;
	block = heap_malloc_quickly(size_bytes, /* unheard */ false);
	if (likely(block != NULL))
		tell_own(EVENT_ALLOCATE, API_malloc, block, size_bytes);
	return block;
}

/* The same of a block that goes back there. */
static __attribute__((noinline)) bool release_own(void *block)
{
	if (!is_usual_and_heard() || unlikely(!heap_is_own(block)))
		return false;
	tell_own(EVENT_FREE, API_free, block, 0);
	if (unlikely(!heap_free_quickly(block, /* unheard */ false)))
		heap_free(block);
	release_postponed(SERVE_ROUTE);
	return true;
}

/* The long ways out of the short paths, as calls of few arguments: the short paths need no frame.
 */
static __attribute__((noinline)) void *allocate_plain(size_t size_bytes)
{
	void *block = allocate_own(size_bytes);

	if (likely(block != NULL))
		return block;
	return allocate(&(struct request){ .size_bytes = size_bytes, .api = API_malloc });
}

static __attribute__((noinline)) void *allocate_zeroed(size_t count, size_t size_bytes)
{
	return allocate(
		&(struct request){ .count = count, .size_bytes = size_bytes, .api = API_calloc });
}

static __attribute__((noinline)) void *fail_no_memory(void)
{
	return fail(ENOMEM);
}

/* Whether the heap serves this thread and nobody listens. */
static inline bool is_plain(void)
{
	return likely(serve_thread == SERVE_ROUTE) && !event_is_wanted();
}

/* The same calls, where there is more to do. While a listener is installed, and its gate is closed,
 * they begin with the usual calls. */
static __attribute__((noinline)) void *allocate_slowly(size_t size_bytes)
{
	void *block;

	if (!is_plain())
		return allocate_plain(size_bytes);
	block = is_listener_installed() ? heap_malloc(size_bytes) : heap_malloc_unusual(size_bytes);
	return likely(block != NULL) ? block : fail(ENOMEM);
}

static __attribute__((noinline)) void free_slowly(void *block)
{
	bool is_done;

	if (is_plain())
		is_done = is_listener_installed() ? heap_try_free(block) : heap_free_unusual(block);
	else
		is_done = release_own(block);
	if (!is_done)
		release(block, API_free);
}

CORE_API void *malloc(size_t size)
{
	void *block = heap_malloc_quickly(size, /* only_unheard */ true);

	return likely(block != NULL) ? block : allocate_slowly(size);
}

CORE_API void free(void *block)
{
	if (likely(heap_free_quickly(block, /* only_unheard */ true)))
		return;
	free_slowly(block);
}

CORE_API void *calloc(size_t count, size_t size)
{
	size_t total;
	void *block;

	if (unlikely(!is_plain() || __builtin_mul_overflow(count, size, &total)))
		return allocate_zeroed(count, size);
	block = heap_calloc(total);
	return likely(block != NULL) ? block : fail_no_memory();
}

CORE_API void *realloc(void *block, size_t size)
{
	if (is_plain() && likely(size != 0 && heap_owns(block))) {
		void *resized = heap_realloc(block, size);

		return likely(resized != NULL) ? resized : fail_no_memory();
	}
	return resize(block, size, API_realloc);
}

CORE_API void *reallocarray(void *block, size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total))
		return fail(ENOMEM);
	return resize(block, total, API_reallocarray);
}

CORE_API void *memalign(size_t alignment, size_t size)
{
	return allocate(&(struct request){
		.alignment_bytes = alignment, .size_bytes = size, .api = API_memalign });
}

CORE_API void *aligned_alloc(size_t alignment, size_t size)
{
	return allocate(&(struct request){
		.alignment_bytes = alignment, .size_bytes = size, .api = API_aligned_alloc });
}

CORE_API void *valloc(size_t size)
{
	return allocate(&(struct request){
		.alignment_bytes = PAGE_SIZE_BYTES, .size_bytes = size, .api = API_valloc });
}

CORE_API void *pvalloc(size_t size)
{
	return allocate(&(struct request){
		.alignment_bytes = PAGE_SIZE_BYTES, .size_bytes = size, .api = API_pvalloc });
}

static bool is_posix_alignment(size_t alignment_bytes)
{
	return alignment_bytes >= sizeof(void *) && (alignment_bytes & (alignment_bytes - 1)) == 0;
}

static int route_posix_memalign(void **result, size_t alignment_bytes, size_t size_bytes)
{
	void *block;

	if (!is_posix_alignment(alignment_bytes))
		return EINVAL;
	block = route_aligned(alignment_bytes, size_bytes);
	if (!block)
		return ENOMEM;
	*result = block;
	return 0;
}

CORE_API int posix_memalign(void **result, size_t alignment, size_t size)
{
	enum serve serve = serve_now();
	int error;

	if (serve == SERVE_NONE) {
		*result = bootstrap_allocate(alignment, size);
		return *result ? 0 : ENOMEM;
	}
	if (serve == SERVE_ROUTE)
		error = route_posix_memalign(result, alignment, size);
	else
		error = real.posix_memalign(result, alignment, size);
	if (process_is_traced())
		tell(error ? EVENT_ALLOCATE_FAILED : EVENT_ALLOCATE, API_posix_memalign,
		     error ? NULL : *result, size, alignment);
	return error;
}

CORE_API size_t malloc_usable_size(void *block)
{
	enum serve serve = serve_now();

	if (!block)
		return 0;
	if (serve == SERVE_ROUTE && heap_owns(block))
		return heap_usable_size(block);
	if (serve == SERVE_NONE || bootstrap_owns(block))
		return bootstrap_size(block);
	return real.malloc_usable_size(block);
}

CORE_API void cfree(void *block)
{
	release(block, API_cfree);
}

CORE_API void free_sized(void *block, size_t size)
{
	release(block, API_free_sized);
}

CORE_API void free_aligned_sized(void *block, size_t alignment, size_t size)
{
	release(block, API_free_aligned_sized);
}
