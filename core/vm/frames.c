/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Frames come in chunks, each a shared mapping of its own:
 *
 *   number   0 ... | CHUNK_FRAMES ...      | 2 * CHUNK_FRAMES ...
 *            none  | chunk 0               | chunk 1
 *
 * The chunk's own mapping stays, so no descriptor is needed that the program could close: a frame
 * is mapped elsewhere by mremap with an old size of 0, which maps the same pages a second time.
 * Guarded by: vm_lock. */

#include "core/vm/frames.h"

#include <errno.h>
#include <linux/mman.h>
#include <sys/mman.h>

#include "core/base/arena.h"
#include "core/base/check.h"
#include "core/os/os.h"
#include "core/vm/vad.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#define CHUNK_FRAMES ((size_t)16384)
#define CHUNK_BYTES (CHUNK_FRAMES * OS_PAGE_SIZE)
#define CHUNKS_MAX ((size_t)16384)

/* 64 MiB of frames.
 *  - taken_count of the words have FRAME_IS_TAKEN; the others are 0;
 *  - all free frames have an index of at least first_free. */
struct chunk {
	uintptr_t base;
	frame_word *words; /* CHUNK_FRAMES of them */
	size_t taken_count;
	size_t first_free;
};

static struct chunk *chunks; /* CHUNKS_MAX of them, of which chunk_count are there */
static size_t chunk_count;

static size_t chunk_index(uintptr_t number)
{
	return number / CHUNK_FRAMES - 1;
}

static bool add_chunk(void)
{
	struct chunk *chunk;
	intptr_t base;

	if (!chunks)
		chunks = arena_pages(CHUNKS_MAX * sizeof *chunks);
	if (!chunks || chunk_count == CHUNKS_MAX)
		return false;
	chunk = &chunks[chunk_count];
	chunk->words = arena_pages(CHUNK_FRAMES * sizeof *chunk->words);
	if (!chunk->words)
		return false;
	base = os_map(NULL, CHUNK_BYTES, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, /* fd */ -1, /* offset */ 0);
	if (base < 0) {
		arena_pages_free(chunk->words, CHUNK_FRAMES * sizeof *chunk->words);
		return false;
	}
	chunk->base = (uintptr_t)base;
	chunk->taken_count = chunk->first_free = 0;
	chunk_count++;
	return true;
}

static size_t take_from(size_t index, uintptr_t *numbers, size_t count)
{
	struct chunk *chunk = &chunks[index];
	size_t taken = 0, i;

	for (i = chunk->first_free; i < CHUNK_FRAMES && taken < count; i++) {
		if (chunk->words[i])
			continue;
		chunk->words[i] = FRAME_IS_TAKEN;
		numbers[taken++] = (index + 1) * CHUNK_FRAMES + i;
	}
	chunk->first_free = i;
	chunk->taken_count += taken;
	return taken;
}

size_t frames_take(uintptr_t *numbers, size_t count)
{
	size_t taken = 0;

	for (size_t index = 0; taken < count; index++) {
		if (index == chunk_count && !add_chunk())
			break;
		if (chunks[index].taken_count < CHUNK_FRAMES)
			taken += take_from(index, numbers + taken, count - taken);
	}
	return taken;
}

uintptr_t frames_address(uintptr_t number)
{
	return chunks[chunk_index(number)].base + number % CHUNK_FRAMES * OS_PAGE_SIZE;
}

void frames_give_back(uintptr_t first_number, size_t count)
{
	struct chunk *chunk = &chunks[chunk_index(first_number)];
	size_t first = first_number % CHUNK_FRAMES;

	os_advise((void *)frames_address(first_number), count * OS_PAGE_SIZE, MADV_REMOVE);
	for (size_t i = first; i < first + count; i++) {
		check_debug(chunk->words[i] == FRAME_IS_TAKEN,
			    "a frame that is in use is given back");
		chunk->words[i] = 0;
	}
	chunk->taken_count -= count;
	if (first < chunk->first_free)
		chunk->first_free = first;
}

frame_word *frames_find(uintptr_t number)
{
	frame_word *word;

	if (number < CHUNK_FRAMES || chunk_index(number) >= chunk_count)
		return NULL;
	word = &chunks[chunk_index(number)].words[number % CHUNK_FRAMES];
	return *word & FRAME_IS_TAKEN ? word : NULL;
}

bool frames_are_neighbours(uintptr_t number, uintptr_t next_number)
{
	return next_number == number + 1 && next_number % CHUNK_FRAMES != 0;
}

/* Kernels before 5.14 give memory at the first touch. */
int frames_populate(uintptr_t first_number, size_t count)
{
	int error = os_advise((void *)frames_address(first_number), count * OS_PAGE_SIZE,
			      MADV_POPULATE_WRITE);

	return error == -EINVAL ? 0 : error;
}

int frames_map(uintptr_t first_number, size_t count, void *address)
{
	intptr_t got = os_remap((void *)frames_address(first_number), /* old_size_bytes */ 0,
				count * OS_PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, address);

	return got < 0 ? (int)got : 0;
}

size_t frames_count(void)
{
	size_t count = 0;

	for (size_t i = 0; i < chunk_count; i++)
		count += chunks[i].taken_count;
	return count;
}

void frames_forget(void)
{
	for (size_t i = 0; i < chunk_count; i++) {
		os_unmap((void *)chunks[i].base, CHUNK_BYTES);
		arena_pages_free(chunks[i].words, CHUNK_FRAMES * sizeof *chunks[i].words);
	}
	chunk_count = 0;
}

void frames_check(void)
{
	for (size_t i = 0; i < chunk_count; i++) {
		size_t taken = 0;

		for (size_t j = 0; j < CHUNK_FRAMES; j++) {
			taken += chunks[i].words[j] != 0;
			check(chunks[i].words[j] || j >= chunks[i].first_free,
			      "a free frame is never looked for");
			check(!(chunks[i].words[j] & FRAME_MARK), "a mark was left on a frame");
		}
		check(taken == chunks[i].taken_count, "frames are miscounted");
	}
}
