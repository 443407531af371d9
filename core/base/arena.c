/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Metadata from the system directly.
 *
 *   chunk  [ block | block | block | ...      unused ]
 *                                     next^         ^end
 *   free lists, one per size in steps of 16: block -> block -> NULL
 *
 * A block keeps its size for ever; chunks are never given back. A free block is all zero but for
 * its first word, so taking it again costs one store. Guarded by: arena_lock. */

#include "core/base/arena.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "core/base/check.h"
#include "core/base/hints.h"
#include "core/base/lock.h"
#include "core/os/os.h"

#define STEP_BYTES ((size_t)16)
#define BLOCK_BYTES_MAX ((size_t)4096)
#define CHUNK_BYTES ((size_t)256 * 1024)

struct free_block {
	struct free_block *next;
};

static struct lock arena_lock = LOCK_INITIALIZER(LOCK_RANK_ARENA);
static struct free_block *free_lists[BLOCK_BYTES_MAX / STEP_BYTES + 1];
static char *chunk_next, *chunk_end;

static size_t round_up(size_t size_bytes, size_t step)
{
	return (size_bytes + step - 1) & ~(step - 1);
}

static void *take_free_locked(size_t list)
{
	struct free_block *block = free_lists[list];

	if (!block)
		return NULL;
	free_lists[list] = block->next;
	block->next = NULL;
	return block;
}

/* What is left of the old chunk becomes a free block of its size, so that nothing is lost. */
static void keep_rest_locked(void)
{
	size_t rest = (size_t)(chunk_end - chunk_next);
	struct free_block *block = (struct free_block *)chunk_next;

	if (rest == 0)
		return;
	block->next = free_lists[rest / STEP_BYTES];
	free_lists[rest / STEP_BYTES] = block;
}

static void *cut_from_chunk_locked(size_t size_bytes)
{
	char *block;

	if ((size_t)(chunk_end - chunk_next) < size_bytes) {
		char *chunk = arena_pages(CHUNK_BYTES);

		if (!chunk)
			return NULL;
		keep_rest_locked();
		chunk_next = chunk;
		chunk_end = chunk + CHUNK_BYTES;
	}
	block = chunk_next;
	chunk_next += size_bytes;
	return block;
}

void *arena_allocate(size_t size_bytes)
{
	size_t rounded = round_up(size_bytes ? size_bytes : 1, STEP_BYTES);
	void *block;

	check(size_bytes <= BLOCK_BYTES_MAX, "a metadata block above 4096 bytes");
	lock_acquire(&arena_lock);
	block = take_free_locked(rounded / STEP_BYTES);
	if (!block)
		block = cut_from_chunk_locked(rounded);
	lock_release(&arena_lock);
	return block;
}

void arena_free(void *pointer, size_t size_bytes)
{
	size_t rounded = round_up(size_bytes ? size_bytes : 1, STEP_BYTES);
	struct free_block *block = pointer;

	if (!block)
		return;
	memset(block, 0, rounded);
	lock_acquire(&arena_lock);
	block->next = free_lists[rounded / STEP_BYTES];
	free_lists[rounded / STEP_BYTES] = block;
	lock_release(&arena_lock);
}

void *arena_pages(size_t size_bytes)
{
	intptr_t pages = os_map(NULL, round_up(size_bytes, OS_PAGE_SIZE), PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, /* fd */ -1,
				/* offset */ 0);

	return pages < 0 ? NULL : (void *)pages;
}

void arena_pages_free(void *pages, size_t size_bytes)
{
	if (pages)
		os_unmap(pages, round_up(size_bytes, OS_PAGE_SIZE));
}

void arena_fork_prepare(void)
{
	lock_acquire(&arena_lock);
}

void arena_fork_parent(void)
{
	lock_release(&arena_lock);
}

void arena_fork_child(void)
{
	lock_fork_adopt(&arena_lock);
	lock_release(&arena_lock);
}
