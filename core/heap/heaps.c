/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* All heaps.
 *
 *   process heap:  each thread's `sized` front (thread.h), lock-free; cannot be destroyed
 *   other heaps:   struct heap, at the start of a VAD of its own, whose address is the handle
 *                  a front in each thread that uses it, lock-free, while the thread has room for
 *                  it; else one front for all, with a lock. HEAP_NO_SERIALIZE changes nothing
 *
 * malloc's heap is the process heap, unless the host has a pager of its own for the others: then
 * the first heap that is made becomes the process heap. Guarded by: heaps_lock (the list and which
 * is the process heap), each heap's lock. Source: Microsoft's documentation of heapapi.h. */

#include "core/base/check.h"
#include "core/base/status.h"
#include "core/heap/checked.h"
#include "core/heap/descriptor.h"
#include "core/heap/hold.h"
#include "core/heap/segment.h"
#include "core/heap/stock.h"
#include "core/heap/thread.h"
#include "core/vm/virtual.h"

/* Of a fixed heap's maximum, what its own administration takes. */
#define HEAP_OVERHEAD_BYTES ((size_t)2048)

static struct lock heaps_lock = LOCK_INITIALIZER(LOCK_RANK_HEAPS);
static struct heap *heaps;
static struct heap native_heap = { .signature = HEAP_SIGNATURE,
				   .auto_flags = HEAP_GROWABLE,
				   .flags = HEAP_GROWABLE,
				   .lock = LOCK_INITIALIZER(LOCK_RANK_HEAP),
				   .pool = &pools[POOL_NATIVE],
				   .region_bytes = HEAP_HEADER_BYTES,
				   .committed_bytes = HEAP_HEADER_BYTES };
struct heap *process_heap = &native_heap;
/* Whether new heaps are the host's, and whether the next one is to be the process heap. */
static bool is_hosted, awaits_process_heap;

struct heap *heap_native(void)
{
	return &native_heap;
}

struct heap *heap_process(void)
{
	return __atomic_load_n(&process_heap, __ATOMIC_RELAXED);
}

void heap_use_pager(const struct pager *whose)
{
	lock_acquire(&heaps_lock);
	is_hosted = awaits_process_heap = whose != NULL;
	if (whose)
		pools[POOL_HOST].pager = pools[POOL_HOST_CODE].pager = whose;
	lock_release(&heaps_lock);
}

static struct pool *pool_for(uint32_t flags)
{
	bool has_code = flags & HEAP_CREATE_ENABLE_EXECUTE;

	if (is_hosted)
		return &pools[has_code ? POOL_HOST_CODE : POOL_HOST];
	return &pools[has_code ? POOL_NATIVE_CODE : POOL_NATIVE];
}

static void set_up(struct heap *heap, struct pool *pool, uint32_t flags, size_t maximum_bytes)
{
	heap->signature = HEAP_SIGNATURE;
	heap->lock = (struct lock)LOCK_INITIALIZER(LOCK_RANK_HEAP);
	heap->pool = pool;
	heap->auto_flags = maximum_bytes ? 0 : HEAP_GROWABLE;
	heap->force_flags = flags & ~HEAP_GROWABLE;
	heap->flags = flags | heap->auto_flags | HEAP_PRIVATE;
	heap->maximum_bytes = maximum_bytes;
	heap->taken_bytes = HEAP_OVERHEAD_BYTES;
	heap->is_checked = checked_is_on() ||
			   flags & (HEAP_TAIL_CHECKING_ENABLED | HEAP_FREE_CHECKING_ENABLED);
	front_set_up(&heap->front, heap, &heap->lock, /* sized */ true);
}

/* The process heap is growable, and in no list. */
static void enlist(struct heap *heap)
{
	lock_acquire(&heaps_lock);
	if (awaits_process_heap && !heap->maximum_bytes) {
		awaits_process_heap = false;
		heap->flags &= ~HEAP_PRIVATE;
		__atomic_store_n(&process_heap, heap, __ATOMIC_RELEASE);
	} else {
		heap->next = heaps;
		heaps = heap;
	}
	lock_release(&heaps_lock);
}

static struct heap *make_vault(bool has_code)
{
	struct pool *pool = pool_for(has_code ? HEAP_CREATE_ENABLE_EXECUTE : 0);
	struct heap *heap = stock_make_heap(pool, /* committed_bytes */ 0, /* reserved_bytes */ 0);

	if (!heap)
		return NULL;
	set_up(heap, pool, has_code ? HEAP_CREATE_ENABLE_EXECUTE : 0, /* maximum_bytes */ 0);
	heap->is_checked = false;
	heap->is_vault = true;
	return heap;
}

/* As the first block is checked; of two threads that make one at once, one is faster. */
struct heap *heap_vault(bool has_code)
{
	static struct heap *vaults[2];
	struct heap *vault = __atomic_load_n(&vaults[has_code], __ATOMIC_ACQUIRE), *made;

	if (likely(vault != NULL))
		return vault;
	made = make_vault(has_code);
	if (!made)
		return NULL;
	lock_acquire(&heaps_lock);
	vault = vaults[has_code];
	if (!vault) {
		made->next = heaps;
		heaps = vault = made;
		__atomic_store_n(&vaults[has_code], made, __ATOMIC_RELEASE);
	}
	lock_release(&heaps_lock);
	if (vault != made)
		(void)pool_release(made);
	return vault;
}

struct heap *heap_create(uint32_t flags, size_t initial_bytes, size_t maximum_bytes,
			 NTSTATUS *status)
{
	struct pool *pool = pool_for(flags);
	struct heap *heap = NULL;

	if (maximum_bytes && maximum_bytes < initial_bytes)
		maximum_bytes = initial_bytes;
	if (initial_bytes <= BLOCK_BYTES_LIMIT && maximum_bytes <= BLOCK_BYTES_LIMIT)
		heap = stock_make_heap(pool, initial_bytes, maximum_bytes);
	if (heap) {
		set_up(heap, pool, flags, round_up(maximum_bytes, LARGE_HEADER_BYTES));
		enlist(heap);
	}
	if (status)
		*status = heap ? STATUS_SUCCESS : STATUS_NO_MEMORY;
	return heap;
}

/* The handles of heaps that were destroyed last. */
static const struct heap *gone[64];
#define GONE_COUNT (sizeof(gone) / sizeof(gone[0]))
static size_t gone_next;

static void note_gone_locked(const struct heap *heap)
{
	gone[gone_next++ % GONE_COUNT] = heap;
}

bool heap_is_gone(const struct heap *heap)
{
	bool found = false;

	if (!heap)
		return false;
	lock_acquire(&heaps_lock);
	for (size_t i = 0; i < GONE_COUNT; i++)
		found |= gone[i] == heap;
	lock_release(&heaps_lock);
	return found && !vm_knows(heap);
}

static struct heap **find_locked(const struct heap *heap)
{
	struct heap **link = &heaps;

	while (*link && *link != heap)
		link = &(*link)->next;
	return *link ? link : NULL;
}

bool heap_is_destroyable(const struct heap *heap)
{
	bool found;

	lock_acquire(&heaps_lock);
	found = find_locked(heap) != NULL;
	lock_release(&heaps_lock);
	return found;
}

bool heap_is_valid(const struct heap *heap)
{
	struct thread_heap *thread = thread_heap;

	if (thread && likely(thread_front_of(thread, heap) != NULL))
		return true;
	return heap == heap_process() || heap_is_destroyable(heap);
}

uint32_t heap_flags(const struct heap *heap)
{
	return heap_is_valid(heap) ? heap->flags : 0;
}

bool heap_destroy(enum api api, struct heap *heap, NTSTATUS *status)
{
	struct heap **link;

	lock_acquire(&heaps_lock);
	link = find_locked(heap);
	if (link) {
		*link = heap->next;
		note_gone_locked(heap);
	}
	lock_release(&heaps_lock);
	if (status)
		*status = link ? STATUS_SUCCESS : STATUS_INVALID_HANDLE;
	if (!link)
		return false;
	/* Nobody finds it now, and who found it before is done when it is ours. */
	hold_seize(heap);
	if (heap->is_checked)
		checked_destroy(api, heap);
	threads_forget_heap(heap);
	segments_return_heap(heap->pool, heap);
	(void)pool_release(heap);
	return true;
}

/* The first call of a thread on a heap gives it a front of its own, where there is room: entered.
 * Else the heap's front, its lock taken. NULL when `heap` is none. */
static struct front *open_front(struct heap *heap)
{
	struct front *front = NULL;
	bool is_added = false;

	lock_acquire(&heaps_lock);
	if (find_locked(heap)) {
		is_added = thread_add_front(heap);
		front = &heap->front;
		if (!is_added)
			lock_acquire(&heap->lock);
	}
	lock_release(&heaps_lock);
	return is_added ? thread_enter_heap(heap) : front;
}

static struct front *process_front(void)
{
	struct front *front = thread_enter(/* sized */ true);

	return likely(front != NULL) ? front : shared_enter(/* sized */ true);
}

static struct front *enter_once(struct heap *heap)
{
	struct front *front;

	if (heap == heap_process())
		return process_front();
	front = thread_enter_heap(heap);
	return likely(front != NULL) ? front : open_front(heap);
}

struct front *heap_enter(struct heap *heap)
{
	for (;;) {
		struct front *front = enter_once(heap);

		if (!front || likely(!heap_is_held_by_another(heap)))
			return front;
		heap_leave(front);
		hold_wait(heap);
	}
}

void heap_leave(struct front *front)
{
	if (front->lock)
		lock_release(front->lock);
	else
		front_leave(front);
}

size_t heap_list(size_t count, struct heap **list)
{
	size_t found = 1;

	if (count > 0)
		list[0] = heap_process();
	lock_acquire(&heaps_lock);
	for (struct heap *heap = heaps; heap; heap = heap->next) {
		if (heap->is_vault)
			continue;
		if (found < count)
			list[found] = heap;
		found++;
	}
	lock_release(&heaps_lock);
	return found;
}

NTSTATUS heap_get_compatibility(const struct heap *heap, uint32_t *value)
{
	if (!heap_is_valid(heap))
		return STATUS_INVALID_HANDLE;
	*value = heap->compatibility;
	return STATUS_SUCCESS;
}

/* Heaps that are not serialised, or of fixed size, have no low-fragmentation heap in front of them.
 */
NTSTATUS heap_set_compatibility(struct heap *heap, uint32_t value)
{
	if (!heap_is_valid(heap))
		return STATUS_INVALID_HANDLE;
	if (value > HEAP_LOW_FRAGMENTATION)
		return STATUS_INVALID_PARAMETER;
	if (heap->compatibility == HEAP_LOW_FRAGMENTATION || value == HEAP_LOOK_ASIDE)
		return STATUS_UNSUCCESSFUL;
	if (value && (heap->maximum_bytes || heap->flags & HEAP_NO_SERIALIZE))
		return STATUS_UNSUCCESSFUL;
	heap->compatibility = value;
	return STATUS_SUCCESS;
}

static void lock_each(void (*act)(struct lock *lock))
{
	act(&native_heap.lock);
	if (process_heap != &native_heap)
		act(&process_heap->lock);
	for (struct heap *heap = heaps; heap; heap = heap->next)
		act(&heap->lock);
}

static void adopt_and_release(struct lock *lock)
{
	lock_fork_adopt(lock);
	lock_release(lock);
}

void heap_fork_prepare(void)
{
	lock_acquire(&heaps_lock);
	threads_fork_prepare();
	lock_each(lock_acquire);
	segments_fork_prepare();
	checked_fork_prepare();
}

void heap_fork_parent(void)
{
	checked_fork_parent();
	segments_fork_parent();
	lock_each(lock_release);
	threads_fork_parent();
	lock_release(&heaps_lock);
}

void heap_fork_child(void)
{
	checked_fork_child();
	segments_fork_child();
	hold_fork_child(process_heap);
	for (struct heap *heap = heaps; heap; heap = heap->next)
		hold_fork_child(heap);
	lock_each(adopt_and_release);
	threads_fork_child();
	adopt_and_release(&heaps_lock);
}

static void check_heap(struct heap *heap)
{
	lock_acquire(&heap->lock);
	check(!heap->maximum_bytes || heap->taken_bytes <= heap->maximum_bytes,
	      "a heap larger than its maximum");
	front_check(&heap->front);
	lock_release(&heap->lock);
}

void heap_check(void)
{
	lock_acquire(&heaps_lock);
	for (struct heap *heap = heaps; heap; heap = heap->next)
		check_heap(heap);
	lock_release(&heaps_lock);
	threads_check();
	segments_check();
}

void heap_get_statistics(struct heap_statistics *statistics)
{
	segments_get_statistics(statistics);
}
