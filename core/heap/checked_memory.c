/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The memory of checked blocks, and what is painted there.
 *
 *   pattern:  a block of the vault, a heap that nobody else sees:  [ edge | block | edge ]
 *   page:     a VAD of its own:  [ no access | room: edge, block | no access ]
 *
 * In page layout the block ends where the room does, as far as its alignment lets it. Where the
 * system refuses another VAD (it allows some 65 000 mappings), a block has the pattern layout. */

#include <string.h>

#include "core/heap/checked_block.h"
#include "core/heap/descriptor.h"
#include "core/os/os.h"
#include "core/os/os_process.h"
#include "core/vm/virtual.h"

#define EDGE_BYTES ((size_t)16)
#define EDGE_FILL 0xab
#define FRESH_FILL 0x55
/* 0xfeeefeee, as bytes. */
#define FREED_FILL_EVEN 0xee
#define FREED_FILL_ODD 0xfe

static uintptr_t end_of(const struct checked_block *block)
{
	return block->address + block->info.size_bytes;
}

static uintptr_t room_end(const struct checked_block *block)
{
	return block->room + block->room_bytes;
}

static bool take_from_vault(struct checked_block *block, size_t alignment_bytes)
{
	size_t lead_bytes = alignment_bytes > EDGE_BYTES ? alignment_bytes : EDGE_BYTES;
	size_t bytes = lead_bytes + EDGE_BYTES;
	struct heap *vault = heap_vault(block->has_code);
	void *room = NULL;

	if (vault && !__builtin_add_overflow(bytes, block->info.size_bytes, &bytes))
		room = heap_allocate(vault, 0, bytes, NULL);
	if (!room)
		return false;
	block->is_page = false;
	block->room = block->region = (uintptr_t)room;
	block->room_bytes = block->region_bytes = bytes;
	block->address = round_up(block->room + EDGE_BYTES, lead_bytes);
	return true;
}

/* Commits what lies between the guard pages. */
static bool commit_room(struct checked_block *block, const struct vm_request *request)
{
	void *room = (void *)block->room;
	size_t bytes = block->room_bytes;

	return vm_allocate(&room, &bytes, MEM_COMMIT, block->heap->pool->protect, request) >= 0;
}

static void give_region(const struct checked_block *block)
{
	const struct vm_request request = { .owner = EVENT_OWNER_HEAP };
	void *region = (void *)block->region;
	size_t whole = 0;

	(void)vm_free(&region, &whole, MEM_RELEASE, &request);
}

/* The block as near to the room's end as its alignment lets it. */
static void place_in_region(struct checked_block *block, size_t alignment_bytes)
{
	size_t bytes = block->info.size_bytes ? block->info.size_bytes : 1;
	uintptr_t first = block->region + OS_PAGE_SIZE;

	if (alignment_bytes > OS_PAGE_SIZE) {
		block->address = block->room = round_up(first, alignment_bytes);
		block->room_bytes = round_up(bytes, OS_PAGE_SIZE);
		return;
	}
	block->room = first;
	block->room_bytes = round_up(bytes, OS_PAGE_SIZE);
	block->address = (room_end(block) - bytes) & ~(alignment_bytes - 1);
}

static bool take_pages(struct checked_block *block, size_t alignment_bytes)
{
	const struct vm_request request = { .owner = EVENT_OWNER_HEAP,
					    .pager = block->heap->pool->pager };
	size_t bytes = 3 * OS_PAGE_SIZE;
	void *region = NULL;

	if (alignment_bytes > OS_PAGE_SIZE)
		bytes += alignment_bytes;
	if (__builtin_add_overflow(bytes, block->info.size_bytes, &bytes) ||
	    vm_allocate(&region, &bytes, MEM_RESERVE, PAGE_NOACCESS, &request) < 0)
		return false;
	block->is_page = true;
	block->region = (uintptr_t)region;
	block->region_bytes = bytes;
	place_in_region(block, alignment_bytes);
	if (commit_room(block, &request))
		return true;
	give_region(block);
	return false;
}

bool checked_memory_take(struct checked_block *block, size_t alignment_bytes)
{
	if (checked_mode == CHECKED_PAGE && take_pages(block, alignment_bytes))
		return true;
	return take_from_vault(block, alignment_bytes);
}

void checked_memory_give(const struct checked_block *block)
{
	if (block->is_page)
		give_region(block);
	else
		heap_release(heap_vault(block->has_code), 0, (void *)block->region, NULL);
}

void checked_memory_paint_rest(const struct checked_block *block)
{
	memset((void *)end_of(block), EDGE_FILL, room_end(block) - end_of(block));
}

void checked_memory_paint(const struct checked_block *block, bool is_zero)
{
	memset((void *)block->room, EDGE_FILL, block->address - block->room);
	memset((void *)block->address, is_zero ? 0 : FRESH_FILL, block->info.size_bytes);
	checked_memory_paint_rest(block);
}

static void fill_freed(const struct checked_block *block)
{
	uint8_t *bytes = (uint8_t *)block->address;

	for (size_t i = 0; i < block->info.size_bytes; i++)
		bytes[i] = i % 2 ? FREED_FILL_ODD : FREED_FILL_EVEN;
}

/* Where the pages cannot be taken away, the block is filled, as those of the other layout. */
void checked_memory_retire(const struct checked_block *block)
{
	const struct vm_request request = { .owner = EVENT_OWNER_HEAP };
	void *room = (void *)block->room;
	size_t bytes = block->room_bytes;

	if (!block->is_page || vm_free(&room, &bytes, MEM_DECOMMIT, &request) < 0)
		fill_freed(block);
}

static bool is_edge_whole(uintptr_t from, uintptr_t to, uintptr_t *where)
{
	for (; from < to; from++) {
		if (*(const uint8_t *)from != EDGE_FILL) {
			*where = from;
			return false;
		}
	}
	return true;
}

static bool is_freed_whole(const struct checked_block *block, uintptr_t *where)
{
	const uint8_t *bytes = (const uint8_t *)block->address;

	for (size_t i = 0; i < block->info.size_bytes; i++) {
		if (bytes[i] != (i % 2 ? FREED_FILL_ODD : FREED_FILL_EVEN)) {
			*where = block->address + i;
			return false;
		}
	}
	return true;
}

bool checked_memory_is_readable(const struct checked_block *block)
{
	char bytes[4];
	struct iovec buffer = { bytes, sizeof(bytes) };
	struct iovec pieces[4] = {
		{ (void *)block->room, 1 },
		{ (void *)(block->address - (block->address > block->room)), 1 },
		{ (void *)(end_of(block) - (end_of(block) == room_end(block))), 1 },
		{ (void *)(room_end(block) - 1), 1 },
	};

	return os_process_read(os_process_id(), &buffer, pieces, 4) == sizeof(bytes);
}

enum misuse checked_memory_look(const struct checked_block *block, uintptr_t *where)
{
	bool is_freed = block->state == CHECKED_FREED;

	if (is_freed && block->is_page)
		return MISUSE_NONE;
	if (!is_edge_whole(end_of(block), room_end(block), where))
		return MISUSE_OVERRUN;
	if (!is_edge_whole(block->room, block->address, where))
		return MISUSE_UNDERRUN;
	return is_freed && !is_freed_whole(block, where) ? MISUSE_FREE_WRITTEN : MISUSE_NONE;
}
