/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Chunks of pages, each a row of blocks that is filled from the left:
 *
 *   chunk | block_head | block ... | block_head | block ...          free |
 *         ^ sizeof(struct chunk)                ^ used_bytes              ^ size_bytes
 *
 * Lock-free: a thread claims bytes by adding to used_bytes. A claim past the end stays as it is and
 * the thread puts a new chunk before the list.
 *
 *   freed --> | next | ... |  --> | NULL | ... |
 *
 * Freed blocks are added one by one and taken all at once, so none comes back in between; who takes
 * them keeps the one that fits and adds the others again. Meanwhile another thread finds none, and
 * cuts a new block. */

#include "preload/native/bootstrap.h"

#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>

#include "core/os/os.h"

#define CHUNK_SIZE ((size_t)64 << 10)
#define BLOCK_ALIGNMENT ((size_t)16)

/* One mapping.
 *  - next and size_bytes are fixed before the chunk is in the list;
 *  - used_bytes only grows, and may pass size_bytes. */
struct chunk {
	struct chunk *next;
	size_t size_bytes;
	_Atomic size_t used_bytes;
	size_t padding;
};

/* Lies just before its block. */
struct block_head {
	size_t size_bytes;
	size_t padding;
};

_Static_assert(sizeof(struct chunk) % BLOCK_ALIGNMENT == 0, "blocks follow the head");
_Static_assert(sizeof(struct block_head) == BLOCK_ALIGNMENT, "heads keep the alignment");

/* The first bytes of a freed block; a smaller one is lost. */
struct freed_block {
	struct freed_block *next;
};

static _Atomic(struct chunk *) chunks;
static _Atomic(struct freed_block *) freed;

/* Bytes that a block takes at worst, with its head and what alignment wastes. 0: too many. */
static size_t bytes_needed(size_t alignment_bytes, size_t size_bytes)
{
	size_t extra = sizeof(struct block_head) + alignment_bytes + BLOCK_ALIGNMENT;

	if (size_bytes > PTRDIFF_MAX || alignment_bytes > PTRDIFF_MAX / 2 ||
	    size_bytes > PTRDIFF_MAX - 2 * CHUNK_SIZE - extra)
		return 0;
	return (size_bytes + extra) & ~(BLOCK_ALIGNMENT - 1);
}

/* A new chunk in which `needed` bytes are claimed already. */
static struct chunk *add_chunk(size_t needed)
{
	size_t size = (needed + sizeof(struct chunk) + CHUNK_SIZE - 1) & ~(CHUNK_SIZE - 1);
	intptr_t pages =
		os_map(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct chunk *chunk = (struct chunk *)pages;

	if (pages < 0)
		return NULL;
	chunk->size_bytes = size;
	chunk->used_bytes = sizeof(struct chunk) + needed;
	chunk->next = atomic_load(&chunks);
	while (!atomic_compare_exchange_weak(&chunks, &chunk->next, chunk))
		;
	return chunk;
}

/* Where `needed` claimed bytes begin; NULL when the system has no memory. */
static char *claim(size_t needed)
{
	struct chunk *chunk = atomic_load(&chunks);

	if (chunk && needed <= chunk->size_bytes) {
		size_t begin = atomic_fetch_add(&chunk->used_bytes, needed);

		if (begin <= chunk->size_bytes - needed)
			return (char *)chunk + begin;
	}
	chunk = add_chunk(needed);
	return chunk ? (char *)(chunk + 1) : NULL;
}

static void add_freed(struct freed_block *first, struct freed_block *last)
{
	last->next = atomic_load(&freed);
	while (!atomic_compare_exchange_weak(&freed, &last->next, first))
		;
}

static bool is_fit(const struct freed_block *block, size_t alignment_bytes, size_t size_bytes)
{
	return bootstrap_size(block) == size_bytes && (uintptr_t)block % alignment_bytes == 0;
}

/* Takes the first that fits out of the list. */
static struct freed_block *take_fit(struct freed_block **list, size_t alignment_bytes,
				    size_t size_bytes)
{
	struct freed_block *block;

	for (; (block = *list) != NULL; list = &block->next)
		if (is_fit(block, alignment_bytes, size_bytes)) {
			*list = block->next;
			return block;
		}
	return NULL;
}

/* A freed block of this size, filled with zeros; NULL: none. */
static void *take_freed(size_t alignment_bytes, size_t size_bytes)
{
	struct freed_block *list = atomic_load(&freed) ? atomic_exchange(&freed, NULL) : NULL;
	struct freed_block *block = take_fit(&list, alignment_bytes, size_bytes), *last = list;
	void *to = block;

	while (last && last->next)
		last = last->next;
	if (list)
		add_freed(list, last);
	if (block)
		__asm__ volatile("rep stosb" : "+D"(to), "+c"(size_bytes) : "a"(0) : "memory");
	return block;
}

void bootstrap_release(void *block)
{
	if (bootstrap_size(block) >= sizeof(struct freed_block))
		add_freed(block, block);
}

void *bootstrap_allocate(size_t alignment_bytes, size_t size_bytes)
{
	size_t alignment = alignment_bytes > BLOCK_ALIGNMENT ? alignment_bytes : BLOCK_ALIGNMENT;
	size_t needed = bytes_needed(alignment, size_bytes);
	void *again = needed ? take_freed(alignment, size_bytes) : NULL;
	char *begin = needed && !again ? claim(needed) : NULL;
	uintptr_t block;

	if (!begin)
		return again;
	block = ((uintptr_t)begin + sizeof(struct block_head) + alignment - 1) & ~(alignment - 1);
	((struct block_head *)block)[-1].size_bytes = size_bytes;
	return (void *)block;
}

bool bootstrap_owns(const void *block)
{
	for (const struct chunk *chunk = atomic_load(&chunks); chunk; chunk = chunk->next)
		if ((uintptr_t)block - (uintptr_t)chunk < chunk->size_bytes)
			return true;
	return false;
}

size_t bootstrap_size(const void *block)
{
	return ((const struct block_head *)block)[-1].size_bytes;
}

void bootstrap_copy(void *to, const void *block, size_t size_bytes)
{
	size_t count = bootstrap_size(block);

	count = count < size_bytes ? count : size_bytes;
	/* Not memcpy: that is a function of another object. */
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(block), "+c"(count) : : "memory");
}
