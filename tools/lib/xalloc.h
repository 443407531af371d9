/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Allocation for the tools: a command that runs out of memory ends with a message, exit status 1.
 */

#ifndef VADTRACE_TOOLS_LIB_XALLOC_H
#define VADTRACE_TOOLS_LIB_XALLOC_H

#include <stddef.h>
#include <stdint.h>

/* Uninitialised, zeroed, resized (contents kept). Never NULL; a count that overflows is out of
 * memory too. */
void *xmalloc(size_t size_bytes) __attribute__((malloc));
void *xcalloc(size_t count, size_t size_bytes) __attribute__((malloc));
/* Zeroed, for random access: begins at a line of the processor's cache; if large, in large pages.
 * 64 bytes or a greater power of two in all. */
void *xtable(size_t count, size_t size_bytes) __attribute__((malloc));
void *xreallocarray(void *block, size_t count, size_t size_bytes);
char *xstrdup(const char *text) __attribute__((malloc));
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2), malloc));

/* Makes room for element number `count` in an array that doubles: `*capacity` elements of
 * `size_bytes` are allocated afterwards, more than `count`. Returns the array. */
void *xgrow(void *array, size_t count, size_t *capacity, size_t size_bytes);

/* Well-spread 64-bit hashes of a word and of a text, for open-addressing tables. */
static inline uint64_t hash_word(uint64_t word)
{
	word ^= word >> 32;
	word *= UINT64_C(0xd6e8feb86659fd93);
	word ^= word >> 32;
	word *= UINT64_C(0xd6e8feb86659fd93);
	return word ^ word >> 32;
}

static inline uint64_t hash_text(const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	while (*text)
		hash = (hash ^ (unsigned char)*text++) * UINT64_C(0x100000001b3);
	return hash_word(hash);
}

#endif
