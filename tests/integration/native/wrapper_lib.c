/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A library to preload beside us: it wraps malloc as debugging tools do, and fills each block. What
 * the loader asks for while the next functions are looked up comes from an array. */

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FILL 0xa5

static void *(*next_malloc)(size_t);
static void *(*next_calloc)(size_t, size_t);
static void *(*next_realloc)(void *, size_t);
static void (*next_free)(void *);
static _Alignas(16) char early[16384];
static size_t early_bytes;
static __thread bool is_looking __attribute__((tls_model("initial-exec")));

static void look(void)
{
	is_looking = true;
	next_malloc = dlsym(RTLD_NEXT, "malloc");
	next_calloc = dlsym(RTLD_NEXT, "calloc");
	next_realloc = dlsym(RTLD_NEXT, "realloc");
	next_free = dlsym(RTLD_NEXT, "free");
	is_looking = false;
}

static bool is_early(const void *block)
{
	return (uintptr_t)block - (uintptr_t)early < sizeof(early);
}

static void *take_early(size_t size)
{
	void *block = early + early_bytes;

	if (size > sizeof(early) - early_bytes)
		return NULL;
	early_bytes += (size + 15) / 16 * 16;
	return block;
}

void *malloc(size_t size)
{
	void *block;

	if (is_looking)
		return take_early(size);
	if (!next_malloc)
		look();
	block = next_malloc(size);
	if (block)
		memset(block, FILL, size);
	return block;
}

void *calloc(size_t count, size_t size)
{
	if (is_looking)
		return take_early(count * size);
	if (!next_calloc)
		look();
	return next_calloc(count, size);
}

void *realloc(void *block, size_t size)
{
	if (is_looking || is_early(block))
		return NULL;
	if (!next_realloc)
		look();
	return next_realloc(block, size);
}

void free(void *block)
{
	if (is_looking || is_early(block))
		return;
	if (!next_free)
		look();
	next_free(block);
}
