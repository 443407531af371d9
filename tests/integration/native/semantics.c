/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Results and errno of the malloc family at its edges, as a table of what was seen. */

#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MARK 12345

/* A function that is not in every C library: absent means not asked for. */
extern void cfree(void *block) __attribute__((weak));
extern void free_sized(void *block, size_t size) __attribute__((weak));
extern void free_aligned_sized(void *block, size_t alignment, size_t size) __attribute__((weak));

static volatile size_t huge = SIZE_MAX, above = (size_t)PTRDIFF_MAX + 1;
static void *volatile sink, *volatile keeper;

static bool is_aligned(const void *block, size_t alignment)
{
	return (uintptr_t)block % alignment == 0;
}

/* Prints what came back: whether there is a block, its alignment, and errno. */
static void show(const char *what, void *block, size_t alignment)
{
	int error = errno;

	printf("%s: %s%s errno %d\n", what, block ? "block" : "NULL",
	       block && !is_aligned(block, alignment) ? " misaligned" : "", error);
	sink = block;
	errno = MARK;
	free(block);
	if (errno != MARK)
		printf("%s: free changed errno to %d\n", what, errno);
}

#define SHOW(alignment, expression)                       \
	do {                                              \
		errno = MARK;                             \
		show(#expression, expression, alignment); \
	} while (0)

static void sizes(void)
{
	SHOW(8, malloc(0));
	SHOW(8, malloc(1));
	SHOW(16, malloc(24));
	SHOW(16, malloc(5000000));
	SHOW(16, malloc(huge));
	SHOW(16, malloc(above));
	SHOW(16, malloc(above - 1));
	SHOW(8, calloc(0, 0));
	SHOW(8, calloc(0, huge));
	SHOW(16, calloc(huge, huge));
	SHOW(16, calloc(above / 2, 4));
	SHOW(16, calloc(2, above));
	SHOW(16, calloc(3, 1000));
}

static void alignments(void)
{
	static const size_t rows[] = { 0, 1, 2, 3, 7, 8, 16, 24, 48, 64, 100, 4096, 5000, 1 << 20 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t alignment = rows[i], power = 1;

		while (power < alignment)
			power *= 2;
		printf("alignment %zu\n", alignment);
		SHOW(power, memalign(alignment, 100));
		SHOW(power, memalign(alignment, 0));
		SHOW(power, memalign(alignment, huge));
		SHOW(power, memalign(alignment, above));
	}
	for (size_t alignment = 1; alignment <= 65536; alignment *= 2)
		SHOW(alignment, aligned_alloc(alignment, alignment * 3));
	SHOW(1, memalign(above, 1));
	SHOW(1, memalign(above + 1, 1));
	SHOW(1, memalign(huge, 1));
	SHOW(1, memalign(above >> 1, 1));
	SHOW(4096, valloc(1));
	SHOW(4096, valloc(0));
	SHOW(4096, valloc(huge));
	SHOW(4096, pvalloc(0));
	SHOW(4096, pvalloc(1));
	SHOW(4096, pvalloc(4097));
	SHOW(4096, pvalloc(huge));
	SHOW(4096, pvalloc(above));
}

static void posix(void)
{
	static const size_t rows[] = { 0, 1, 4, 8, 16, 24, 48, 64, 4096, (size_t)1 << 21 };
	static const size_t row_sizes[] = { 0, 1, 1000, SIZE_MAX };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t j = 0; j < sizeof(row_sizes) / sizeof(row_sizes[0]); j++) {
			void *untouched = (void *)(uintptr_t)MARK, *block = untouched;
			int error;

			errno = MARK;
			error = posix_memalign(&block, rows[i], row_sizes[j]);
			printf("posix_memalign %zu %zu: %d, %s%s, errno %d\n", rows[i],
			       row_sizes[j], error, block == untouched ? "untouched" : "set",
			       !error && !is_aligned(block, rows[i]) ? " misaligned" : "", errno);
			if (!error)
				free(block);
		}
	}
}

/* Whether the first `size` bytes are all `byte`. */
static bool is_filled(const char *block, int byte, size_t size)
{
	while (size > 0 && block[size - 1] == (char)byte)
		size--;
	return size == 0;
}

static void reallocations(void)
{
	char *block, *same;

	SHOW(8, realloc(NULL, 0));
	SHOW(16, realloc(NULL, 100));
	SHOW(16, realloc(malloc(10), 0));
	SHOW(16, realloc(malloc(10), 10000));
	SHOW(16, realloc(NULL, huge));
	SHOW(16, reallocarray(NULL, huge, 2));
	SHOW(16, reallocarray(NULL, 0, 2));
	SHOW(16, reallocarray(NULL, 10, 20));
	SHOW(16, reallocarray(malloc(1), 0, 20));

	block = malloc(1000);
	memset(block, 7, 1000);
	keeper = block;
	errno = MARK;
	same = realloc(block, huge);
	block = keeper;
	printf("failed realloc: %s, errno %d, contents %s\n", same ? "block" : "NULL", errno,
	       is_filled(block, 7, 1000) ? "kept" : "lost");
	errno = MARK;
	same = reallocarray(block, above, 2);
	block = keeper;
	printf("failed reallocarray: %s, errno %d, contents %s\n", same ? "block" : "NULL", errno,
	       is_filled(block, 7, 1000) ? "kept" : "lost");
	free(block);
}

/* Grows and shrinks through all size classes and back; contents stay. */
static void growth(void)
{
	size_t size = 1;
	char *block = malloc(size);
	bool kept = true;

	block[0] = 9;
	for (; size < 40000000; size = size * 3 / 2 + 1) {
		block = realloc(block, size * 3 / 2 + 1);
		kept &= is_filled(block, 9, size);
		memset(block, 9, size * 3 / 2 + 1);
	}
	for (; size > 1; size /= 3) {
		block = realloc(block, size / 3 + 1);
		kept &= is_filled(block, 9, size / 3 + 1);
	}
	printf("growth: contents %s\n", kept ? "kept" : "lost");
	free(block);
}

static void zeroing(void)
{
	bool zero = true;

	for (size_t size = 1; size < 3000000; size = size * 2 + 5) {
		char *dirty = malloc(size), *clean;

		memset(dirty, 0xff, size);
		free(dirty);
		clean = calloc(1, size);
		zero &= is_filled(clean, 0, size);
		free(clean);
	}
	printf("calloc after reuse: %s\n", zero ? "zero" : "dirty");
}

static void usable(void)
{
	bool enough = true;

	for (size_t size = 0; size < 5000000; size = size * 2 + 3) {
		char *block = malloc(size);
		size_t bytes = malloc_usable_size(block);

		enough &= bytes >= size;
		memset(block, 1, bytes);
		free(block);
	}
	printf("usable size: %s, of NULL %zu\n", enough ? "enough" : "too small",
	       malloc_usable_size(NULL));
}

/* What the C library allocates for its caller. */
static void library(void)
{
	char *line = NULL, *text = NULL, *copy = strdup("duplicate");
	size_t size = 0;
	FILE *stream = fmemopen(copy, 9, "r");
	ssize_t length = getline(&line, &size, stream);

	fclose(stream);
	printf("getline: %zd %s\n", length, line);
	printf("asprintf: %d %s\n", asprintf(&text, "%s-%d", copy, 42), text);
	free(line);
	free(text);
	free(copy);
	copy = realpath("/proc/../tmp/.", NULL);
	printf("realpath: %s\n", copy);
	free(copy);
	copy = getcwd(NULL, 0);
	printf("getcwd: %s\n", copy ? "given" : "NULL");
	free(copy);
	stream = open_memstream(&text, &size);
	for (int i = 0; i < 5000; i++)
		fprintf(stream, "%d,", i);
	fclose(stream);
	printf("open_memstream: %zu %.20s\n", size, text);
	free(text);
}

static void figures(void)
{
	struct mallinfo2 before = mallinfo2(), after;
	static void *blocks[1000];
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	for (int i = 0; i < 1000; i++)
		blocks[i] = malloc(5000);
	after = mallinfo2();
	printf("mallinfo2: %s\n",
	       after.uordblks + after.hblkhd >= before.uordblks + before.hblkhd + 4900000
		       ? "grows"
		       : "does not grow");
	for (int i = 0; i < 1000; i++)
		free(blocks[i]);
	(void)malloc_trim(0);
	printf("malloc_info: %d", malloc_info(0, stream));
	fclose(stream);
	printf(" %d\n", text && strncmp(text, "<malloc version=\"1\">", 20) == 0);
	free(text);
	printf("malloc_info of 1: %d\n", malloc_info(1, stdout));
	printf("mallopt: %d %d %d\n", mallopt(M_MMAP_THRESHOLD, 1 << 20), mallopt(M_MXFAST, -1),
	       mallopt(M_ARENA_MAX, 1));
}

/* Their texts are each library's own; they must only be there, and come to an end. */
static void old_figures(void)
{
	int before, standard_error = dup(STDERR_FILENO);
	void *block;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
	before = mallinfo().uordblks;
	block = malloc(100000);
	printf("mallinfo: %d\n", mallinfo().uordblks >= before + 100000 - (1 << 16));
#pragma GCC diagnostic pop
	free(block);
	close(STDERR_FILENO);
	malloc_stats();
	dup2(standard_error, STDERR_FILENO);
	close(standard_error);
}

static void sized_frees(void)
{
	if (cfree)
		cfree(malloc(40));
	if (free_sized) {
		free_sized(malloc(40), 40);
		free_sized(NULL, 0);
	}
	if (free_aligned_sized)
		free_aligned_sized(aligned_alloc(64, 128), 64, 128);
	free(NULL);
}

int main(void)
{
	sizes();
	alignments();
	posix();
	reallocations();
	growth();
	zeroing();
	usable();
	library();
	figures();
	old_figures();
	sized_frees();
	return 0;
}
