/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Spans, cut from segments that vm reserves and commits for us (layout.h has the picture).
 *
 *   open list:  segments with a free slice    full list: segments with none
 *
 * A free span keeps its pages until the pool holds more of them than it should, or has not needed
 * them for a while: then empty segments are released and the free spans of others are discarded.
 * One that had blocks is ready to have them again: taken for the same class, it has its list of
 * free blocks already. Guarded by: the lock of the pool. */

#include "core/heap/segment.h"

#include "core/base/check.h"
#include "core/base/lock.h"
#include "core/heap/front.h"
#include "core/heap/checked.h"
#include "core/heap/pool.h"
#include "core/heap/remote.h"
#include "core/heap/stock.h"
#include "core/os/os.h"
#include "core/vm/virtual.h"

#define ALL_SLICES (~(uint64_t)1)
/* Dirty free slices that the pool may keep: 32 MiB, or an eighth of what is used. */
#define KEEP_SLICES_MIN ((size_t)512)
#define KEEP_SHARE 8
/* What was free all this time goes back to the system, if it is 1 MiB at least; how many calls come
 * before the clock is read again. */
#define DECAY_NS ((uint64_t)50000000)
#define DECAY_SLICES_MIN ((size_t)16)
#define CALLS_PER_LOOK 16
/* Of how many segments dirty slices are asked for first, before any are taken that the system would
 * have to make; and from how many dirty ones on, 8 MiB, for spans of one block, too. */
#define SEGMENTS_ASKED 16
#define MUCH_SLICES 128
/* How many spans a front has taken before it opens segments of its own, rather than to take more
 * from those of others. */
#define SPANS_BEFORE_OWN 8
/* How many more a front that has taken so many is given with each. */
#define SPANS_AHEAD 3
/* Lists of larger blocks are not kept: to follow one through memory that has left the cache is
 * slower than to make it anew, a few blocks at a time. */
#define READY_BYTES_MAX ((size_t)64)

chunk_map segment_heads, segment_chunks;
uintptr_t segment_secret;

#define POOL(page_protect)                                                              \
	{                                                                               \
		.lock = LOCK_INITIALIZER(LOCK_RANK_SEGMENTS), .protect = (page_protect) \
	}
struct pool pools[POOLS] = {
	[POOL_NATIVE] = POOL(PAGE_READWRITE),
	[POOL_NATIVE_CODE] = POOL(PAGE_EXECUTE_READWRITE),
	[POOL_HOST] = POOL(PAGE_READWRITE),
	[POOL_HOST_CODE] = POOL(PAGE_EXECUTE_READWRITE),
};

/* The slice that a page describes, or is the first one of. */
static uint32_t page_index(const struct page *page)
{
	return (uint32_t)(page - segment_of_page(page)->pages);
}

/* What a segment's `head` says of slices in the span that starts at this one. */
static uint16_t head_of(uint32_t slice)
{
	return (uint16_t)(slice * sizeof(struct page));
}

bool heap_owns(const void *address)
{
	return chunk_is_ours((uintptr_t)address >> SEGMENT_SHIFT) || checked_owns(address);
}

static void map_set(chunk_map map, uintptr_t chunk, bool value)
{
	uint64_t bit = (uint64_t)1 << (chunk % 64);

	if (value)
		atomic_fetch_or_explicit(&map[chunk / 64], bit, memory_order_relaxed);
	else
		atomic_fetch_and_explicit(&map[chunk / 64], ~bit, memory_order_relaxed);
}

void pool_link_locked(struct segment *segment, enum segment_list_name list)
{
	struct pool *pool = segment->pool;

	segment->list = (uint8_t)list;
	segment->prev = NULL;
	segment->next = pool->lists[list];
	if (segment->next)
		segment->next->prev = segment;
	pool->lists[list] = segment;
}

void pool_unlink_locked(struct segment *segment)
{
	if (segment->next)
		segment->next->prev = segment->prev;
	if (segment->prev)
		segment->prev->next = segment->next;
	else
		segment->pool->lists[segment->list] = segment->next;
}

static void relist_locked(struct segment *segment, enum segment_list_name list)
{
	if (segment->list == list)
		return;
	pool_unlink_locked(segment);
	pool_link_locked(segment, list);
}

/* Other pools may write to the same place. */
static void set_hint(uintptr_t chunk, bool value)
{
	uintptr_t hint = chunk_hint(chunk), before = value ? 0 : hint;

	__atomic_compare_exchange_n(&chunk_hints[chunk % CHUNK_HINTS], &before, value ? hint : 0,
				    /* weak */ false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

void pool_map_locked(const struct segment *segment, bool ours)
{
	uintptr_t first = (uintptr_t)segment >> SEGMENT_SHIFT;
	uintptr_t end = (uintptr_t)segment->region + segment->region_bytes;

	map_set(segment_heads, first, ours);
	set_hint(first, ours);
	for (uintptr_t chunk = first; chunk << SEGMENT_SHIFT < end; chunk++)
		map_set(segment_chunks, chunk, ours);
}

void pool_count_locked(struct pool *pool, size_t taken_bytes, size_t returned_bytes)
{
	pool->reserved_bytes += taken_bytes;
	pool->reserved_bytes -= returned_bytes;
	if (pool->reserved_bytes > pool->peak_reserved_bytes)
		pool->peak_reserved_bytes = pool->reserved_bytes;
}

void *pool_reserve(const struct pool *pool, size_t *size_bytes, size_t alignment_bytes)
{
	const struct vm_request request = { .owner = EVENT_OWNER_HEAP,
					    .alignment_bytes = alignment_bytes,
					    .pager = pool->pager };
	void *base = NULL;

	if (vm_allocate(&base, size_bytes, MEM_RESERVE | MEM_COMMIT, pool->protect, &request) < 0)
		return NULL;
	return base;
}

bool pool_release(void *base)
{
	const struct vm_request request = { .owner = EVENT_OWNER_HEAP };
	size_t whole = 0;

	return vm_free(&base, &whole, MEM_RELEASE, &request) >= 0;
}

/* The map is right at any moment: once released, the address may be anybody's. */
bool pool_release_segment_locked(struct segment *segment)
{
	size_t region_bytes = segment->region_bytes;
	struct pool *pool = segment->pool;

	pool_map_locked(segment, /* ours */ false);
	if (!pool_release(segment->region)) {
		pool_map_locked(segment, /* ours */ true);
		return false;
	}
	pool_count_locked(pool, 0, region_bytes);
	return true;
}

/* Weak, but all that is asked of it is that programs do not hit it by chance. */
void pool_choose_secret(void)
{
	uintptr_t none = 0, chosen;

	if (__atomic_load_n(&segment_secret, __ATOMIC_RELAXED))
		return;
	chosen = (os_clock_ns() * 0x9e3779b97f4a7c15u) ^ (uintptr_t)&segment_secret;
	__atomic_compare_exchange_n(&segment_secret, &none, chosen | 1, /* weak */ false,
				    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* For a span of this heap. */
static struct segment *grow_locked(struct pool *pool, struct heap *heap)
{
	size_t bytes = SEGMENT_BYTES, drawn_bytes = stock_draw_locked(heap, bytes);
	struct segment *segment = pool_reserve(pool, &bytes, SEGMENT_BYTES);

	if (!segment) {
		stock_restore_locked(heap, drawn_bytes);
		return NULL;
	}
	pool_choose_secret();
	segment->pool = pool;
	segment->region = segment;
	segment->region_bytes = bytes;
	segment->free_mask = ALL_SLICES;
	page_set_owner(&segment->pages[0], PAGE_FULL);
	pool_link_locked(segment, SEGMENTS_OPEN);
	pool_map_locked(segment, /* ours */ true);
	pool_count_locked(pool, bytes, 0);
	return segment;
}

/* Whether a free span that is ready to have its blocks again shares slices with these. */
static bool is_ready_among(const struct page *page, uint32_t slice, uint32_t first, uint32_t count)
{
	return page->is_ready && slice + page->slices > first && slice < first + count;
}

/* Something else becomes of these slices. */
static void spoil_ready_locked(struct segment *segment, uint32_t first, uint32_t count)
{
	uint32_t slice = first > SLICES_PER_SPAN_MAX ? first - SLICES_PER_SPAN_MAX : 1;

	for (; slice < first + count; slice++) {
		struct page *page = &segment->pages[slice];

		if (!is_ready_among(page, slice, first, count))
			continue;
		page->is_ready = false;
	}
}

static bool shrink_locked(struct segment *segment)
{
	size_t dirty = (size_t)__builtin_popcountll(segment->free_mask & segment->dirty_mask);
	struct pool *pool = segment->pool;

	spoil_ready_locked(segment, 1, SEGMENT_SLICES - 1);
	pool_unlink_locked(segment);
	if (!pool_release_segment_locked(segment)) {
		pool_link_locked(segment, SEGMENTS_OPEN);
		return false;
	}
	pool->dirty_slices -= dirty;
	return true;
}

static uint64_t slices_mask(uint32_t first, uint32_t count)
{
	return (((uint64_t)1 << count) - 1) << first;
}

/* The bits where a run of `count` set bits of `mask` starts, at multiples of `align`. */
static uint64_t run_starts(uint64_t mask, uint32_t count, uint32_t align)
{
	uint64_t aligned = 0;

	for (uint32_t done = 1; done < count;) {
		uint32_t step = done < count - done ? done : count - done;

		mask &= mask >> step;
		done += step;
	}
	if (align == 1)
		return mask;
	for (uint32_t slice = 0; slice < SEGMENT_SLICES; slice += align)
		aligned |= (uint64_t)1 << slice;
	return mask & aligned;
}

/* Where the request's span could start among these slices of a segment. */
static uint64_t starts_in(uint64_t slices, const struct span_request *request)
{
	return run_starts(slices, request->slices, request->align_slices);
}

/* The one of these places that suits whom the span is for. */
static uint32_t choose_start(uint64_t starts, const struct span_request *request)
{
	if (request->owner && request->owner->from_above)
		return SEGMENT_SLICES - 1 - (uint32_t)__builtin_clzll(starts);
	return (uint32_t)__builtin_ctzll(starts);
}

/* Whether the segment is among those that are looked at. */
static bool is_asked(const struct segment *segment, const struct span_request *request,
		     bool only_own)
{
	return !only_own || segment->opener == request->owner;
}

static struct segment *find_first_locked(const struct span_request *request, bool only_own,
					 uint32_t *first)
{
	for (struct segment *s = request->pool->lists[SEGMENTS_OPEN]; s; s = s->next) {
		uint64_t starts = starts_in(s->free_mask, request);

		if (!starts || !is_asked(s, request, only_own))
			continue;
		*first = choose_start(starts, request);
		return s;
	}
	return NULL;
}

/* One of the first few segments, where the system has made the pages already. */
static struct segment *find_made_locked(const struct span_request *request, bool only_own,
					uint32_t *first)
{
	struct segment *segment = request->pool->lists[SEGMENTS_OPEN];

	for (uint32_t i = 0; segment && i < SEGMENTS_ASKED; i++, segment = segment->next) {
		uint64_t starts = starts_in(segment->free_mask & segment->dirty_mask, request);

		if (!starts || !is_asked(segment, request, only_own))
			continue;
		*first = choose_start(starts, request);
		return segment;
	}
	return NULL;
}

/* Whether the request is of a thread that has much: in segments of its own it does not write to the
 * headers that others read with each block that they free. */
static bool wants_own(const struct span_request *request)
{
	return request->owner && request->owner->taken_spans == SPANS_BEFORE_OWN;
}

/* A segment with room, and where. Free pages that exist are used up before the system is asked for
 * others; but the first place is the best for spans that grow, unless much is free. */
static struct segment *find_locked(const struct span_request *request, uint32_t *first)
{
	size_t least = request->kind == PAGE_BLOCKS ? 1 : MUCH_SLICES;
	bool only_own = wants_own(request);
	struct segment *segment = NULL;

	if (request->pool->dirty_slices >= least) {
		if (only_own)
			segment = find_made_locked(request, /* only_own */ true, first);
		if (!segment)
			segment = find_made_locked(request, /* only_own */ false, first);
	}
	return segment ? segment : find_first_locked(request, only_own, first);
}

static void begin_use(struct page *page, const struct span_request *request)
{
	page->next = page->prev = NULL;
	page_set_current(page, false);
	page->live = 0;
	page_set_owner(page, request->owner ? (uintptr_t)request->owner : PAGE_FULL);
}

/* The blocks that a span is cut into. */
static void describe_blocks(struct page *page, const struct span_request *request)
{
	page->free = NULL;
	page->size_class = request->size_class;
	page->block_bytes = request->block_bytes;
	page->divider = page_divider(request->block_bytes);
	page->limit = (uint32_t)(request->slices * SLICE_BYTES / request->block_bytes);
	page_set_carved(page, 0);
}

/* Where a span is and whose. */
static void describe_place(struct page *page, const struct span_request *request)
{
	page->kind = request->kind;
	page->slices = (uint8_t)request->slices;
	page->sized = request->sized;
	page->is_locked = request->owner && request->owner->lock;
	page->exact_bytes = request->exact_bytes;
	page->heap = request->heap;
	page->start = (char *)segment_of_page(page) + ((size_t)page_index(page) << SLICE_SHIFT);
}

void pool_describe(struct page *page, const struct span_request *request)
{
	describe_place(page, request);
	describe_blocks(page, request);
	if (request->kind != PAGE_BLOCKS)
		page->user_value = 0;
	begin_use(page, request);
}

/* Whether a span without blocks may keep its list of free ones. */
static bool is_worth_its_list(const struct page *page)
{
	return page->kind == PAGE_BLOCKS && page_is_empty(page) &&
	       page->block_bytes <= READY_BYTES_MAX;
}

/* The blocks of a span that is ready become the request's, if they are of the same class. */
static void describe_locked(struct page *page, const struct span_request *request)
{
	bool is_same = page->is_ready && request->kind == PAGE_BLOCKS &&
		       request->size_class == page->size_class;

	if (is_same) {
		page->is_ready = false;
		describe_place(page, request);
		begin_use(page, request);
		return;
	}
	spoil_ready_locked(segment_of_page(page), page_index(page), request->slices);
	pool_describe(page, request);
}

/* Who visits spans, which is not kept out, reads nothing of what is written here. */
void span_reuse(struct page *page, const struct span_request *request)
{
	if (page->size_class != request->size_class || !is_worth_its_list(page))
		describe_blocks(page, request);
	begin_use(page, request);
}

static struct page *cut_locked(struct segment *segment, uint32_t first,
			       const struct span_request *request, bool *is_zero)
{
	uint64_t mask = slices_mask(first, request->slices);

	if (segment->free_mask == ALL_SLICES)
		segment->opener = request->owner;
	if (request->owner && request->owner->taken_spans < SPANS_BEFORE_OWN)
		request->owner->taken_spans++;
	*is_zero = (segment->dirty_mask & mask) == 0;
	segment->pool->dirty_slices -= (size_t)__builtin_popcountll(segment->dirty_mask & mask);
	segment->pool->used_slices += request->slices;
	segment->free_mask &= ~mask;
	segment->dirty_mask |= mask;
	for (uint32_t i = 0; i < request->slices; i++)
		segment->head[first + i] = head_of(first);
	relist_locked(segment, segment->free_mask ? SEGMENTS_OPEN : SEGMENTS_FULL);
	describe_locked(&segment->pages[first], request);
	return &segment->pages[first];
}

/* Spans for the next times that the owner needs one, beside the one that it was given: each call
 * takes a lock. */
static struct page *take_ahead_locked(struct segment *segment, const struct span_request *request,
				      bool is_made)
{
	struct page *ahead = NULL, **end = &ahead;
	bool is_zero;

	for (int i = 0; i < SPANS_AHEAD; i++) {
		uint64_t made = is_made ? segment->dirty_mask : ~segment->dirty_mask;
		uint64_t starts = starts_in(segment->free_mask & made, request);

		if (!starts)
			break;
		*end = cut_locked(segment, choose_start(starts, request), request, &is_zero);
		end = &(*end)->next;
	}
	return ahead;
}

static bool needs_many(const struct span_request *request)
{
	return request->slices == 1 && wants_own(request);
}

struct page *span_take(const struct span_request *request, bool *is_zero, struct page **ahead)
{
	struct segment *segment;
	struct page *page = NULL;
	uint32_t first = 1;

	lock_acquire(&request->pool->lock);
	segment = find_locked(request, &first);
	if (!segment && request->may_grow && (segment = grow_locked(request->pool, request->heap)))
		first = choose_start(starts_in(segment->free_mask, request), request);
	if (!segment && request->may_grow)
		segment = find_first_locked(request, /* only_own */ false, &first);
	if (segment)
		page = cut_locked(segment, first, request, is_zero);
	if (page && ahead && needs_many(request))
		*ahead = take_ahead_locked(segment, request, /* made */ !*is_zero);
	pool_note_locked(request->pool);
	lock_release(&request->pool->lock);
	return page;
}

/* Gives the pages of a run of free slices back; it reads as zeroes then. */
static void discard_locked(struct segment *segment, uint32_t first, uint32_t count)
{
	const struct vm_request request = { .owner = EVENT_OWNER_HEAP };
	void *base = (char *)segment + ((size_t)first << SLICE_SHIFT);

	spoil_ready_locked(segment, first, count);
	if (vm_discard(base, (size_t)count << SLICE_SHIFT, &request) < 0)
		return;
	segment->dirty_mask &= ~slices_mask(first, count);
	segment->pool->dirty_slices -= count;
}

/* The same for all of these, which are free and not zero. */
static void discard_each_locked(struct segment *segment, uint64_t dirty)
{
	while (dirty) {
		uint32_t first = (uint32_t)__builtin_ctzll(dirty);
		uint64_t rest = ~(dirty >> first);
		uint32_t count = rest ? (uint32_t)__builtin_ctzll(rest) : SEGMENT_SLICES - first;

		dirty &= ~slices_mask(first, count);
		discard_locked(segment, first, count);
	}
}

/* Until at most `keep_slices` free slices hold pages. */
static bool purge_locked(struct pool *pool, size_t keep_slices)
{
	struct segment *next;
	bool found = false;

	for (struct segment *s = pool->lists[SEGMENTS_OPEN]; s; s = next) {
		next = s->next;
		if (pool->dirty_slices <= keep_slices && s->free_mask != ALL_SLICES)
			continue;
		found = true;
		if (s->free_mask != ALL_SLICES || !shrink_locked(s))
			discard_each_locked(s, s->free_mask & s->dirty_mask);
	}
	return found;
}

static void decay_locked(struct pool *pool)
{
	uint64_t now_ns = os_clock_ns();

	if (now_ns - pool->decayed_ns < DECAY_NS)
		return;
	pool->decayed_ns = now_ns;
	if (pool->dirty_low >= DECAY_SLICES_MIN)
		purge_locked(pool, pool->dirty_slices - pool->dirty_low);
	if (pool->cached_low)
		pool_shrink_cache_locked(pool, pool->cached_bytes - pool->cached_low);
	pool->dirty_low = pool->dirty_slices;
	pool->cached_low = pool->cached_bytes;
}

void pool_note_locked(struct pool *pool)
{
	if (pool->dirty_slices < pool->dirty_low)
		pool->dirty_low = pool->dirty_slices;
	if (pool->cached_bytes < pool->cached_low)
		pool->cached_low = pool->cached_bytes;
	if (++pool->calls % CALLS_PER_LOOK == 0)
		decay_locked(pool);
}

void segments_decay(struct pool *pool)
{
	lock_acquire(&pool->lock);
	decay_locked(pool);
	lock_release(&pool->lock);
}

static void make_free_locked(struct page *page)
{
	struct segment *segment = segment_of_page(page);
	uint32_t first = page_index(page);
	uint64_t mask = slices_mask(first, page->slices);
	struct pool *pool = segment->pool;

	check_debug((segment->free_mask & mask) == 0, "a span given back twice");
	check_debug(!page_is_notified(page), "a span given back that its front will look for");
	page->is_ready = is_worth_its_list(page);
	page->kind = PAGE_NONE;
	page_set_owner(page, PAGE_FULL);
	for (uint32_t i = 0; i < page->slices; i++)
		segment->head[first + i] = 0;
	segment->free_mask |= mask;
	pool->dirty_slices += page->slices;
	pool->used_slices -= page->slices;
	relist_locked(segment, SEGMENTS_OPEN);
}

static size_t may_keep_slices(const struct pool *pool)
{
	size_t share = pool->used_slices / KEEP_SHARE;

	return share > KEEP_SLICES_MIN ? share : KEEP_SLICES_MIN;
}

static void return_locked(struct page *page)
{
	struct pool *pool = segment_of_page(page)->pool;

	make_free_locked(page);
	if (pool->dirty_slices > may_keep_slices(pool))
		purge_locked(pool, may_keep_slices(pool) / 2);
	pool_note_locked(pool);
}

void spans_return(struct page *list)
{
	struct pool *pool = segment_of_page(list)->pool;

	lock_acquire(&pool->lock);
	for (struct page *page = list, *next; page; page = next) {
		next = page->next;
		return_locked(page);
	}
	lock_release(&pool->lock);
}

void span_return(struct page *page)
{
	page->next = NULL;
	spans_return(page);
}

bool span_return_single(struct page *page)
{
	struct pool *pool = segment_of_page(page)->pool;
	bool is_single;

	lock_acquire(&pool->lock);
	is_single = segment_is_at((uintptr_t)page) && page->kind == PAGE_SINGLE;
	if (is_single)
		return_locked(page);
	lock_release(&pool->lock);
	return is_single;
}

/* Makes a span longer, if the slices behind it are free. */
static bool stretch_locked(struct page *page, uint32_t slices)
{
	struct segment *segment = segment_of_page(page);
	uint32_t first = page_index(page);
	uint64_t mask;

	if (first + slices > SEGMENT_SLICES)
		return false;
	mask = slices_mask(first + page->slices, slices - page->slices);
	if ((segment->free_mask & mask) != mask)
		return false;
	spoil_ready_locked(segment, first + page->slices, slices - page->slices);
	segment->pool->dirty_slices -= (size_t)__builtin_popcountll(segment->dirty_mask & mask);
	segment->pool->used_slices += slices - page->slices;
	segment->free_mask &= ~mask;
	segment->dirty_mask |= mask;
	for (uint32_t i = page->slices; i < slices; i++)
		segment->head[first + i] = head_of(first);
	page->slices = (uint8_t)slices;
	relist_locked(segment, segment->free_mask ? SEGMENTS_OPEN : SEGMENTS_FULL);
	return true;
}

bool span_resize_single(struct page *page, size_t block_bytes, size_t exact_bytes)
{
	uint32_t slices = (uint32_t)((block_bytes + SLICE_BYTES - 1) >> SLICE_SHIFT);
	struct pool *pool = segment_of_page(page)->pool;
	bool is_done;

	lock_acquire(&pool->lock);
	is_done = slices <= page->slices || stretch_locked(page, slices);
	if (is_done) {
		page->block_bytes = block_bytes;
		page->exact_bytes = exact_bytes;
	}
	lock_release(&pool->lock);
	return is_done;
}

bool segments_trim(void)
{
	bool found = false;

	for (struct pool *pool = pools; pool < pools + POOLS; pool++) {
		lock_acquire(&pool->lock);
		found |= purge_locked(pool, /* keep_slices */ 0);
		found |= pool_shrink_cache_locked(pool, /* keep_bytes */ 0);
		lock_release(&pool->lock);
	}
	return found;
}

static void visit_spans_locked(struct segment *segment,
			       void (*visit)(struct page *page, void *context), void *context)
{
	for (uint32_t slice = 1; slice < SEGMENT_SLICES;) {
		struct page *page = &segment->pages[slice];
		bool in_use = segment->head[slice] == head_of(slice);
		uint32_t slices = in_use ? page->slices : 1;

		if (in_use)
			visit(page, context);
		slice += slices;
	}
}

static void visit_locked(const struct pool *pool, void (*visit)(struct page *page, void *context),
			 void *context)
{
	struct segment *next;

	for (int list = SEGMENTS_OPEN; list <= SEGMENTS_LARGE; list++) {
		for (struct segment *s = pool->lists[list]; s; s = next) {
			next = s->next;
			if (list == SEGMENTS_LARGE)
				visit(&s->pages[0], context);
			else
				visit_spans_locked(s, visit, context);
		}
	}
}

void segments_visit(void (*visit)(struct page *page, void *context), void *context)
{
	for (struct pool *pool = pools; pool < pools + POOLS; pool++) {
		lock_acquire(&pool->lock);
		visit_locked(pool, visit, context);
		lock_release(&pool->lock);
	}
}

/* What other threads have freed was not taken by anybody. */
static void forget_remote(struct page *page)
{
	if (page_is_notified(page))
		remote_take(page_remote(page), /* left */ NULL);
}

/* Gives all spans of a heap in this segment back; the slices that were in them. */
static uint64_t return_spans_locked(struct segment *segment, const struct heap *heap)
{
	uint64_t returned = 0;

	for (uint32_t slice = 1; slice < SEGMENT_SLICES;) {
		struct page *page = &segment->pages[slice];
		bool in_use = segment->head[slice] == head_of(slice);
		uint32_t slices = in_use ? page->slices : 1;

		if (in_use && page->heap == heap) {
			returned |= slices_mask(slice, slices);
			forget_remote(page);
			make_free_locked(page);
		}
		slice += slices;
	}
	return returned;
}

/* What the heap had of this segment goes back to the system, wholly where nobody else has any. */
static void leave_segment_locked(struct segment *segment, const struct heap *heap)
{
	uint64_t returned =
		segment->list == SEGMENTS_LARGE ? 0 : return_spans_locked(segment, heap);

	if (segment->list == SEGMENTS_LARGE && segment->pages[0].heap == heap)
		pool_release_large_locked(&segment->pages[0]);
	else if (returned && (segment->free_mask != ALL_SLICES || !shrink_locked(segment)))
		discard_each_locked(segment, returned & segment->dirty_mask);
}

/* A full segment that is left goes to the open list, which is through by then. */
void segments_return_heap(struct pool *pool, struct heap *heap)
{
	struct segment *next;

	lock_acquire(&pool->lock);
	for (int list = SEGMENTS_OPEN; list <= SEGMENTS_LARGE; list++) {
		for (struct segment *s = pool->lists[list]; s; s = next) {
			next = s->next;
			leave_segment_locked(s, heap);
		}
	}
	pool_note_locked(pool);
	lock_release(&pool->lock);
}

/* Looks for the lowest page of a heap's sized blocks that starts at `from` or above. */
struct page_search {
	const struct heap *heap;
	uintptr_t from;
	uintptr_t found_start;
	struct page *found;
};

static void consider(struct page *page, void *context)
{
	struct page_search *search = context;
	uintptr_t start = page_first_block(page);

	if (page->heap != search->heap || !page->sized || start < search->from)
		return;
	if (search->found && start >= search->found_start)
		return;
	search->found = page;
	search->found_start = start;
}

struct page *pool_next_page_locked(const struct pool *pool, const struct heap *heap, uintptr_t from)
{
	struct page_search search = { .heap = heap, .from = from };

	visit_locked(pool, consider, &search);
	return search.found;
}

/* Pages of blocks may become those of another class at this moment. */
static RACES_ON_PURPOSE void count_page(struct page *page, void *context)
{
	struct heap_statistics *statistics = context;
	size_t bytes = page->block_bytes;

	if (page->kind == PAGE_BLOCKS)
		bytes *= page_used(page) - page_is_current(page);
	statistics->used_bytes += bytes;
	if (page->kind == PAGE_LARGE) {
		statistics->large_bytes += bytes;
		statistics->large_count++;
	}
}

void segments_get_statistics(struct heap_statistics *statistics)
{
	*statistics = (struct heap_statistics){ 0 };
	for (struct pool *pool = pools; pool < pools + POOLS; pool++) {
		lock_acquire(&pool->lock);
		visit_locked(pool, count_page, statistics);
		statistics->reserved_bytes += pool->reserved_bytes;
		statistics->peak_reserved_bytes += pool->peak_reserved_bytes;
		lock_release(&pool->lock);
	}
	statistics->free_bytes = statistics->reserved_bytes - statistics->used_bytes;
}

void segments_fork_prepare(void)
{
	for (struct pool *pool = pools; pool < pools + POOLS; pool++)
		lock_acquire(&pool->lock);
}

void segments_fork_parent(void)
{
	for (struct pool *pool = pools; pool < pools + POOLS; pool++)
		lock_release(&pool->lock);
}

void segments_fork_child(void)
{
	for (struct pool *pool = pools; pool < pools + POOLS; pool++) {
		lock_fork_adopt(&pool->lock);
		lock_release(&pool->lock);
	}
}

static void check_segment_locked(const struct segment *segment)
{
	uint64_t used = 0;

	check(segment_is_at((uintptr_t)segment), "a segment that the map does not know");
	for (uint32_t slice = 1; slice < SEGMENT_SLICES; slice++) {
		uint32_t head = segment->head[slice] / (uint32_t)sizeof(struct page);

		if (!head)
			continue;
		used |= (uint64_t)1 << slice;
		check(head <= slice && segment->head[head] == head_of(head),
		      "a slice without its span");
		check(slice < head + segment->pages[head].slices, "a slice past its span");
		check(segment->pages[head].kind != PAGE_NONE, "a span in use without a kind");
	}
	check(segment->free_mask == (ALL_SLICES & ~used), "free_mask and spans differ");
	check((segment->list == SEGMENTS_FULL) == (segment->free_mask == 0),
	      "a segment in the wrong list");
}

static size_t region_bytes_locked(const struct pool *pool, enum segment_list_name list)
{
	size_t bytes = 0;

	for (const struct segment *s = pool->lists[list]; s; s = s->next) {
		check((s->pages[0].kind == PAGE_LARGE) == (list == SEGMENTS_LARGE),
		      "a large segment in the wrong list");
		bytes += s->region_bytes;
	}
	return bytes;
}

static void check_large_locked(const struct pool *pool)
{
	check(region_bytes_locked(pool, SEGMENTS_LARGE) == pool->large_bytes,
	      "large blocks miscounted");
	check(region_bytes_locked(pool, SEGMENTS_CACHED) == pool->cached_bytes,
	      "the cache is miscounted");
}

static void check_pool_locked(const struct pool *pool)
{
	size_t used = 0, dirty = 0;

	for (int list = SEGMENTS_OPEN; list <= SEGMENTS_FULL; list++) {
		for (struct segment *s = pool->lists[list]; s; s = s->next) {
			check(s->pool == pool, "a segment in another pool's list");
			check_segment_locked(s);
			used += SEGMENT_SLICES - 1 - (size_t)__builtin_popcountll(s->free_mask);
			dirty += (size_t)__builtin_popcountll(s->free_mask & s->dirty_mask);
		}
	}
	check(used == pool->used_slices, "used slices miscounted");
	check(dirty == pool->dirty_slices, "dirty slices miscounted");
	check_large_locked(pool);
}

void segments_check(void)
{
	for (struct pool *pool = pools; pool < pools + POOLS; pool++) {
		lock_acquire(&pool->lock);
		check_pool_locked(pool);
		lock_release(&pool->lock);
	}
}
