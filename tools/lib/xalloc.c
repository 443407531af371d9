/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Allocation that ends the command when there is no memory. */

#include "tools/lib/xalloc.h"
#include "tools/lib/cli.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { LARGE_PAGE_BYTES = 2 << 20, LINE_BYTES = 64 };

static void *check(void *block)
{
	if (block)
		return block;
	cli_error("out of memory");
	exit(CLI_EXIT_FAILURE);
}

void *xmalloc(size_t size_bytes)
{
	return check(malloc(size_bytes ? size_bytes : 1));
}

void *xcalloc(size_t count, size_t size_bytes)
{
	return check(calloc(count ? count : 1, size_bytes));
}

void *xtable(size_t count, size_t size_bytes)
{
	size_t all_bytes = count * size_bytes;
	bool is_large = all_bytes >= LARGE_PAGE_BYTES;
	void *table = check(aligned_alloc(is_large ? LARGE_PAGE_BYTES : LINE_BYTES, all_bytes));

	/* Every look-up in a large table would need a page's address anew. */
	if (is_large)
		madvise(table, all_bytes, MADV_HUGEPAGE);
	return memset(table, 0, all_bytes);
}

void *xreallocarray(void *block, size_t count, size_t size_bytes)
{
	return check(reallocarray(block, count ? count : 1, size_bytes));
}

char *xstrdup(const char *text)
{
	return check(strdup(text));
}

char *xasprintf(const char *format, ...)
{
	va_list arguments;
	char *text = NULL;

	va_start(arguments, format);
	int length = vasprintf(&text, format, arguments);
	va_end(arguments);
	return check(length < 0 ? NULL : text);
}

void *xgrow(void *array, size_t count, size_t *capacity, size_t size_bytes)
{
	if (count < *capacity)
		return array;
	size_t wanted = *capacity ? *capacity * 2 : 16;
	if (wanted <= count)
		wanted = count + 1;
	array = xreallocarray(array, wanted, size_bytes);
	*capacity = wanted;
	return array;
}
