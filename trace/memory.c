/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Pages by raw mmap, and a bump allocator on top.
 *
 *   chunk    used | piece | piece | ....... free ....... |
 *
 * Pieces are cut by one atomic addition; whoever runs over the end maps the next chunk and offers
 * it. Nothing is ever freed, so there is nothing to order. */

#include "trace/memory.h"

#include <linux/futex.h>
#include <sys/mman.h>

#include "trace/system.h"

#define CHUNK_SIZE (256u * 1024)

enum { LOCK_FREE = 0, LOCK_HELD = 1, LOCK_AWAITED = 2 };

/* A chunk's first bytes; `used` counts from the chunk's start and may run past its end. */
struct chunk {
	size_t used;
	size_t padding;
};

_Static_assert(sizeof(struct chunk) == 16, "pieces are aligned to 16");

static struct chunk *current;

void *memory_map(size_t size_bytes)
{
	long address = system_call6(SYS_mmap, 0, (long)size_bytes, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return address < 0 && address > -4096 ? NULL : (void *)address;
}

void *memory_map_sparse(size_t size_bytes)
{
	void *memory = memory_map(size_bytes);

	if (memory)
		system_call4(SYS_madvise, (long)memory, (long)size_bytes, MADV_NOHUGEPAGE, 0);
	return memory;
}

void memory_unmap(void *memory, size_t size_bytes)
{
	system_call4(SYS_munmap, (long)memory, (long)size_bytes, 0, 0);
}

/* Puts a new chunk in the place of `full`, unless somebody else just did. */
static bool renew(struct chunk *full)
{
	struct chunk *chunk = memory_map(CHUNK_SIZE);

	if (!chunk)
		return false;
	chunk->used = sizeof(*chunk);
	if (!__atomic_compare_exchange_n(&current, &full, chunk, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_ACQUIRE))
		memory_unmap(chunk, CHUNK_SIZE);
	return true;
}

static void *cut(struct chunk *chunk, size_t size_bytes)
{
	size_t offset = __atomic_fetch_add(&chunk->used, size_bytes, __ATOMIC_RELAXED);

	return offset + size_bytes <= CHUNK_SIZE ? (char *)chunk + offset : NULL;
}

void *memory_take(size_t size_bytes)
{
	size_t rounded = (size_bytes + 15) & ~(size_t)15;

	if (rounded > CHUNK_SIZE / 4)
		return memory_map(rounded);
	for (;;) {
		struct chunk *chunk = __atomic_load_n(&current, __ATOMIC_ACQUIRE);
		void *piece = chunk ? cut(chunk, rounded) : NULL;

		if (piece)
			return piece;
		if (!renew(chunk))
			return NULL;
	}
}

void memory_enter(struct memory_lock *lock)
{
	uint32_t seen = LOCK_FREE;

	if (__atomic_compare_exchange_n(&lock->word, &seen, LOCK_HELD, false, __ATOMIC_ACQUIRE,
					__ATOMIC_RELAXED))
		return;
	while (__atomic_exchange_n(&lock->word, LOCK_AWAITED, __ATOMIC_ACQUIRE) != LOCK_FREE)
		system_call4(SYS_futex, (long)&lock->word, FUTEX_WAIT_PRIVATE, LOCK_AWAITED, 0);
}

void memory_leave(struct memory_lock *lock)
{
	if (__atomic_exchange_n(&lock->word, LOCK_FREE, __ATOMIC_RELEASE) == LOCK_AWAITED)
		system_call4(SYS_futex, (long)&lock->word, FUTEX_WAKE_PRIVATE, /* threads */ 1, 0);
}

uint64_t memory_lock(struct memory_lock *lock)
{
	uint64_t mask = system_block_signals();

	memory_enter(lock);
	return mask;
}

void memory_unlock(struct memory_lock *lock, uint64_t mask)
{
	memory_leave(lock);
	system_restore_signals(mask);
}
