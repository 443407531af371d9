/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The slow paths of a front.
 *
 *   queue of a class:  current page -> page with room -> page with room     (full pages: nowhere)
 *   notified:          page -> page     remote blocks wait in them
 *
 * When the current page has no free block, it takes those that other threads freed to it, unless
 * only little of it is carved. If there are none, the remote blocks of all pages are drained, and
 * then more are carved; when none is left to carve, the page is full and leaves the queue. The
 * first block freed to it brings it back, at the end. An empty page waits for the next class that
 * needs one, or goes back to the pool of segments, unless it is the current one. */

#include "core/heap/front.h"

#include <signal.h>

#include "core/base/check.h"
#include "core/heap/descriptor.h"
#include "core/heap/misuse.h"
#include "core/heap/remote.h"
#include "core/heap/segment.h"
#include "core/heap/thread.h"
#include "core/os/os.h"

/* What one carving puts into the free list: about a page of memory, so that little is touched. */
#define CARVE_BYTES ((size_t)4096)
/* Of a page whose blocks other threads free, so much is carved before theirs are taken: with few to
 * go round, few are taken each time, and each time the list is in the cache of who freed last. */
#define CARVED_BEFORE_REMOTE_BYTES ((size_t)32768)
/* How often a front looks at the clock, by the length of the pages that its slow calls are about;
 * and after how long it gives back what it does not need. */
#define SLICES_PER_LOOK 1024
#define LOOK_NS ((uint64_t)50000000)
/* Pages without blocks that a front keeps: to fetch one takes a lock, and to give it back another.
 */
#define EMPTY_PAGES_MAX 8
/* So many of them go back when there is one too many. */
#define EMPTY_PAGES_RETURNED 4
/* From how many pages the next current one is chosen, and how many blocks make a page worth it. */
#define CANDIDATES 8
#define CHOICE_BLOCKS_MIN 32
/* A frame of a handler lies at least a red zone and a signal frame below the one it interrupts. */
#define SAME_FRAME_BYTES ((uintptr_t)128)

struct page page_none;

void front_set_up(struct front *front, struct heap *heap, struct lock *lock, bool sized)
{
	front->lock = lock;
	front->heap = heap;
	front->sized = sized;
	for (size_t i = 0; i < DIRECT_COUNT; i++)
		front->direct[i] = &page_none;
}

void front_fail_corrupted(const struct block *block)
{
	misuse_abort(API_malloc, MISUSE_FREE_DAMAGED, block);
}

static bool lies_in(uintptr_t address, const stack_t *stack)
{
	return address - (uintptr_t)stack->ss_sp < stack->ss_size;
}

/* A call was abandoned if its frame is gone: the present frame is no deeper on the same stack, or
 * the mark is from the alternate signal stack, which nobody uses now. In doubt it is alive. */
static bool is_abandoned(uintptr_t mark, uintptr_t here)
{
	stack_t stack = { 0 };

	if (sigaltstack(NULL, &stack) != 0)
		return false;
	if (!(stack.ss_flags & SS_DISABLE) && lies_in(here, &stack) != lies_in(mark, &stack))
		return lies_in(mark, &stack);
	return here + SAME_FRAME_BYTES > mark;
}

bool front_enter_busy(struct front *front)
{
	uintptr_t mark = front->busy;
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	if (mark == UINTPTR_MAX || !is_abandoned(mark, here))
		return false;
	front->busy = here;
	front_recover(front);
	return true;
}

/* The smallest class of which a front gives blocks. */
static uint32_t smallest_class(const struct front *front)
{
	return front->sized ? class_of_size(BLOCK_BYTES_MIN + TRAILER_BYTES) : 0;
}

static void set_direct(struct front *front, uint32_t size_class)
{
	struct page *page = front->queues[size_class].first;
	uint32_t smallest = smallest_class(front);
	size_t first = 0;

	if (class_bytes(size_class) > DIRECT_BYTES_MAX || size_class < smallest)
		return;
	if (size_class > smallest)
		first = direct_index(class_bytes(size_class - 1)) + 1;
	for (size_t i = first; i <= direct_index(class_bytes(size_class)); i++)
		front->direct[i] = page ? page : &page_none;
}

/* The first page of the queue, if any, becomes current. */
static void make_current(struct front *front, uint32_t size_class)
{
	struct page *page = front->queues[size_class].first;

	if (page) {
		page_add_live(page, page->start);
		page_set_current(page, true);
	}
	set_direct(front, size_class);
}

static void append(struct front *front, struct page *page)
{
	struct page_queue *queue = &front->queues[page->size_class];

	page_set_owner(page, (uintptr_t)front);
	page->next = NULL;
	page->prev = queue->last;
	if (queue->last)
		queue->last->next = page;
	else
		queue->first = page;
	queue->last = page;
	if (queue->first == page)
		make_current(front, page->size_class);
}

static void unlink_page(struct front *front, struct page *page)
{
	struct page_queue *queue = &front->queues[page->size_class];
	bool was_current = queue->first == page;

	if (page->next)
		page->next->prev = page->prev;
	else
		queue->last = page->prev;
	if (page->prev)
		page->prev->next = page->next;
	else
		queue->first = page->next;
	if (!was_current)
		return;
	page_take_live(page, page->start);
	page_set_current(page, false);
	make_current(front, page->size_class);
}

/* More blocks for an empty free list; false when all are carved. */
static bool carve(struct page *page)
{
	uint32_t count = (uint32_t)(CARVE_BYTES / page->block_bytes);
	char *first = page_start(page) + (size_t)page->carved * page->block_bytes;
	struct block *block = (struct block *)first;

	if (page->carved == page->limit)
		return false;
	if (count > page->limit - page->carved)
		count = page->limit - page->carved;
	for (uint32_t i = 1; i < count; i++) {
		struct block *next = (struct block *)((char *)block + page->block_bytes);

		block_link(block, next);
		block = next;
	}
	block_link(block, NULL);
	page_set_carved(page, page->carved + (count ? count : 1));
	atomic_signal_fence(memory_order_seq_cst);
	page->free = (struct block *)first;
	return true;
}

/* A page of the front's own. NULL: none, or it would not be long enough. */
static struct page *take_empty(struct front *front, const struct span_request *request)
{
	struct page *page = front->empty;

	if (!page || request->slices != 1)
		return NULL;
	front->empty = page->next;
	front->empty_count--;
	span_reuse(page, request);
	return page;
}

/* PAGE_FULL: who frees one of its blocks again is looked at. */
static void push_empty(struct front *front, struct page *page)
{
	page_set_owner(page, (uintptr_t)front | PAGE_FULL);
	page->next = front->empty;
	front->empty = page;
	front->empty_count++;
}

/* Those that came last stay. */
static void return_some_empty(struct front *front)
{
	struct page *page = front->empty, *list;

	for (int i = 1; i < EMPTY_PAGES_MAX - EMPTY_PAGES_RETURNED; i++)
		page = page->next;
	list = page->next;
	page->next = NULL;
	front->empty_count -= EMPTY_PAGES_RETURNED;
	spans_return(list);
}

static void give_empty(struct front *front, struct page *page)
{
	if (page->slices != 1) {
		span_return(page);
		return;
	}
	if (front->empty_count == EMPTY_PAGES_MAX)
		return_some_empty(front);
	push_empty(front, page);
}

/* The first of them is the next one to be used. */
static void keep_ahead(struct front *front, struct page *ahead)
{
	if (!ahead)
		return;
	keep_ahead(front, ahead->next);
	push_empty(front, ahead);
}

static struct pool *pool_of(const struct front *front)
{
	return (front->heap ? front->heap : heap_process())->pool;
}

static struct page *take_page(struct front *front, uint32_t size_class)
{
	struct heap *heap = front->heap ? front->heap : heap_process();
	struct span_request request = {
		.pool = heap->pool,
		.owner = front,
		.heap = heap,
		.block_bytes = class_bytes(size_class),
		.slices = class_slices(size_class),
		.align_slices = 1,
		.kind = PAGE_BLOCKS,
		.size_class = (uint8_t)size_class,
		.sized = front->sized,
	};
	struct page *page = take_empty(front, &request), *ahead = NULL;
	bool is_zero;

	if (page)
		return page;
	page = span_take(&request, &is_zero, &ahead);
	if (!page) {
		if (!front->lock)
			threads_reap(/* wholly */ false);
		request.may_grow = true;
		page = span_take(&request, &is_zero, &ahead);
	}
	keep_ahead(front, ahead);
	return page;
}

/* Whether so many eighths at least of a page that is not current are used. */
static bool has_used(const struct page *page, uint32_t eighths)
{
	return page->live >= (uintptr_t)page->start * page->limit / 8 * eighths;
}

/* The page that follows the full one as current. Where a quarter of the next one is free, the
 * fullest of a few that are worth a turn: then those with little in them have time to become empty.
 */
static struct page *choose_next(const struct page *full)
{
	struct page *best = full->next, *page = best;

	if (!best || has_used(best, 6) || best->limit < CHOICE_BLOCKS_MIN)
		return best;
	for (uint32_t i = 1; i < CANDIDATES && (page = page->next); i++) {
		if (!has_used(page, 7) && page_used(page) > page_used(best))
			best = page;
	}
	return best;
}

/* Moves the pages between the first one and `next` to the queue's end. */
static void pass_over(struct page_queue *queue, struct page *next)
{
	struct page *first = queue->first, *from = first->next, *to = next->prev;

	if (from == next)
		return;
	first->next = next;
	next->prev = first;
	queue->last->next = from;
	from->prev = queue->last;
	to->next = NULL;
	queue->last = to;
}

static void set_aside_full(struct front *front, struct page *page)
{
	struct page *next = choose_next(page);

	if (next)
		pass_over(&front->queues[page->size_class], next);
	unlink_page(front, page);
	page_set_owner(page, (uintptr_t)front | PAGE_FULL);
}

static void *allocate_from_queue(struct front *front, uint32_t size_class)
{
	struct page *page;

	while ((page = front->queues[size_class].first)) {
		if (page->free || carve(page))
			return page_pop(page);
		set_aside_full(front, page);
	}
	page = take_page(front, size_class);
	if (!page)
		return NULL;
	append(front, page);
	if (!page->free)
		carve(page);
	return page_pop(page);
}

/* The compiler keeps the queues' stores between these two. */
static void begin_change(struct front *front)
{
	*(volatile bool *)&front->dirty = true;
	atomic_signal_fence(memory_order_seq_cst);
}

static void end_change(struct front *front)
{
	atomic_signal_fence(memory_order_seq_cst);
	*(volatile bool *)&front->dirty = false;
}

static bool is_current(const struct front *front, const struct page *page)
{
	return front->queues[page->size_class].first == page;
}

struct page_free_list page_walk_free(const struct page *page)
{
	struct page_free_list list = { 0, 0 };

	for (const struct block *block = page->free; block; block = block->next) {
		if (unlikely(++list.count > page->carved || block->mark != block_mark(block)))
			front_fail_corrupted(block);
		list.sum += (uintptr_t)block;
	}
	return list;
}

/* A page got free blocks: it returns to its queue if it was full, to the pool if it is empty. One
 * that is still in the notified stack is settled again when it is taken from there. */
static void settle(struct front *front, struct page *page)
{
	bool is_full = (page_owner(page) & PAGE_FULL) != 0;

	if (is_full && !page_is_empty(page))
		append(front, page);
	if (!page_is_empty(page) || page_is_notified(page))
		return;
	if (!is_full)
		unlink_page(front, page);
	/* Less than none are used: so says a block that was freed twice. */
	if (unlikely(!page_is_empty(page)))
		page_walk_free(page);
	give_empty(front, page);
}

void front_free_remote(struct page *page, struct block *block)
{
	struct front *front = page_front(page);
	struct page_remote *remote = page_remote(page);
	struct page *top;

	if (likely(!remote_push(remote, block)))
		return;
	top = atomic_load_explicit(&front->notified, memory_order_relaxed);
	do {
		remote->next_notified = top;
	} while (!atomic_compare_exchange_weak_explicit(
		&front->notified, &top, page, memory_order_release, memory_order_relaxed));
}

/* Only the front's user pops, so the top cannot be popped and pushed again meanwhile. */
static struct page *pop_notified(struct front *front)
{
	struct page *top = atomic_load_explicit(&front->notified, memory_order_acquire);

	while (top && !atomic_compare_exchange_weak_explicit(
			      &front->notified, &top, page_remote(top)->next_notified,
			      memory_order_acquire, memory_order_acquire))
		;
	return top;
}

/* The last of a list of blocks that lie in this page. */
static struct block *find_last(const struct page *page, struct block *block)
{
	for (uint32_t count = 1; block->next; block = block->next) {
		if (count++ > page->limit)
			front_fail_corrupted(block);
	}
	return block;
}

/* The page's remote blocks become free ones of its own; whether there are any. `left`: see
 * remote_take. */
static bool take_remote(struct page *page, struct block *left)
{
	struct remote_list list = remote_take(page_remote(page), left);

	if (!list.first)
		return false;
	page_take_live(page, (void *)list.sum);
	atomic_signal_fence(memory_order_seq_cst);
	if (page->free)
		block_link(find_last(page, list.first), page->free);
	page->free = list.first;
	return true;
}

void front_drain(struct front *front)
{
	struct page *page;

	if (likely(!atomic_load_explicit(&front->notified, memory_order_relaxed)))
		return;
	while ((page = pop_notified(front))) {
		take_remote(page, /* left */ NULL);
		if (page->free)
			settle(front, page);
	}
}

/* A block of the current page, which has no free ones, if other threads free to it: one of theirs,
 * or one of the first that are carved. Its queue stays as it is, and so does the stack of notified
 * pages. */
static struct block *take_from_remote(const struct front *front, uint32_t size_class)
{
	struct page *page = front->queues[size_class].first;

	if (!page || page->free || !page_is_notified(page))
		return NULL;
	if (page_carved_bytes(page) < CARVED_BEFORE_REMOTE_BYTES && carve(page))
		return page_pop(page);
	return take_remote(page, REMOTE_NONE) ? page_pop(page) : NULL;
}

/* What is live beside the mark of a current page. What no blocks can sum up to was left by one that
 * was freed twice: then the list of free blocks is a circle. */
static uintptr_t live_blocks(const struct front *front, const struct page *page)
{
	uintptr_t live = page->live - (is_current(front, page) ? (uintptr_t)page->start : 0);

	if (live && live / (uintptr_t)page->start - 1 >= page->carved)
		page_walk_free(page);
	return live;
}

static void return_empty(struct front *front)
{
	struct page *list = front->empty;

	front->empty = NULL;
	front->empty_count = 0;
	if (list)
		spans_return(list);
}

/* Whether a page can be given back. */
static bool is_idle(const struct front *front, const struct page *page)
{
	return !live_blocks(front, page) && !page_is_notified(page);
}

/* Gives back what has no blocks now: it comes again if it is needed, from the pool, which keeps it
 * for a while. */
static void return_idle(struct front *front)
{
	return_empty(front);
	for (uint32_t size_class = 0; size_class < CLASS_COUNT; size_class++) {
		struct page *page = front->queues[size_class].first;

		if (!page || !is_idle(front, page))
			continue;
		unlink_page(front, page);
		span_return(page);
	}
}

/* Now and then, both the front and the pool give up what nobody needs. */
static void look(struct front *front)
{
	uint64_t now_ns = os_clock_ns();

	front_drain(front);
	if (now_ns - front->looked_ns >= LOOK_NS) {
		front->looked_ns = now_ns;
		return_idle(front);
	}
	segments_decay(pool_of(front));
}

/* `slices` is the length of the page that the call was about: what is large is seldom asked for. */
static void end_slow_call(struct front *front, uint32_t slices)
{
	front->slow_slices += slices;
	if (unlikely(front->slow_slices >= SLICES_PER_LOOK)) {
		front->slow_slices = 0;
		look(front);
	}
	end_change(front);
}

void *front_allocate_slow(struct front *front, uint32_t size_class)
{
	void *block;

	begin_change(front);
	block = take_from_remote(front, size_class);
	if (!block) {
		front_drain(front);
		block = allocate_from_queue(front, size_class);
	}
	end_slow_call(front, class_slices(size_class));
	return block;
}

void front_page_freed(struct front *front, struct page *page)
{
	uint32_t slices = page->slices;

	begin_change(front);
	settle(front, page);
	end_slow_call(front, slices);
}

void front_leave_freed(struct front *front, struct page *page)
{
	front_page_freed(front, page);
	front_leave(front);
}

void front_free_outgrown(struct front *front, struct page *page, struct block *block)
{
	uint32_t slices = page->slices;

	if (!page_is_current(page)) {
		front_free(front, page, block);
		return;
	}
	page_push(page, block);
	if (!is_idle(front, page))
		return;
	begin_change(front);
	unlink_page(front, page);
	give_empty(front, page);
	end_slow_call(front, slices);
}

void front_release_empty(struct front *front, size_t keep_bytes)
{
	begin_change(front);
	front_drain(front);
	return_empty(front);
	for (uint32_t size_class = 0; size_class < CLASS_COUNT; size_class++) {
		struct page *page = front->queues[size_class].first, *next;

		for (; page; page = next) {
			next = page->next;
			if (!is_idle(front, page) || page_carved_bytes(page) <= keep_bytes)
				continue;
			unlink_page(front, page);
			span_return(page);
		}
	}
	end_change(front);
}

/* The sum of the addresses of all blocks that have been in a list. */
static uintptr_t carved_sum(const struct page *page)
{
	size_t count = page->carved, distances = count ? count * (count - 1) / 2 : 0;

	return count * (uintptr_t)page->start + distances * page->block_bytes;
}

static void requeue(struct page *page, void *context)
{
	struct front *front = context;

	if (page->kind != PAGE_BLOCKS || (page_owner(page) & ~PAGE_FULL) != (uintptr_t)front)
		return;
	page->live = carved_sum(page) - page_walk_free(page).sum;
	page_set_current(page, false);
	if (page->free || page->carved < page->limit)
		append(front, page);
	else
		page_set_owner(page, (uintptr_t)front | PAGE_FULL);
}

void front_rebuild(struct front *front)
{
	for (uint32_t size_class = 0; size_class < CLASS_COUNT; size_class++) {
		front->queues[size_class] = (struct page_queue){ NULL, NULL };
		set_direct(front, size_class);
	}
	front->empty = NULL;
	front->empty_count = 0;
	segments_visit(requeue, front);
	end_change(front);
}

void front_recover(struct front *front)
{
	if (front->dirty)
		front_rebuild(front);
}

static void check_page(const struct front *front, const struct page *page)
{
	uint32_t current = is_current(front, page) ? 1 : 0;

	check(page_owner(page) == (uintptr_t)front, "a queued page of another owner");
	check(page_is_current(page) == (current != 0), "a page wrong about being current");
	check(page->kind == PAGE_BLOCKS, "a queued page that holds no blocks");
	check(page->carved <= page->limit, "a page carved past its end");
	check(page->block_bytes == class_bytes(page->size_class), "a page of the wrong class");
	check(page_used(page) - current + page_walk_free(page).count <= page->carved,
	      "a page with more blocks than carved");
	check(!page->next || page->next->prev == page, "a queue that does not lead back");
}

static void check_empty(const struct front *front)
{
	uint32_t count = 0;

	for (const struct page *page = front->empty; page; page = page->next, count++) {
		check(page_owner(page) == ((uintptr_t)front | PAGE_FULL),
		      "an empty page of another");
		check(page_is_empty(page) && page->slices == 1, "a page that is not empty");
	}
	check(count == front->empty_count, "empty pages miscounted");
}

void front_check(const struct front *front)
{
	check_empty(front);
	for (size_t i = 0; i < DIRECT_COUNT; i++) {
		uint32_t least = smallest_class(front), size_class = class_of_size(i * 16);
		const struct page *page =
			front->queues[size_class < least ? least : size_class].first;

		check(front->direct[i] == (page ? page : &page_none), "a wrong direct page");
	}
	for (uint32_t size_class = 0; size_class < CLASS_COUNT; size_class++) {
		const struct page *page = front->queues[size_class].first;

		check(!page || !page->prev, "a queue whose first page has one before it");
		for (; page; page = page->next)
			check_page(front, page);
	}
}
