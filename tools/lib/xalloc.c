/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Allocation that ends the command when there is no memory. */

#include "tools/lib/xalloc.h"
#include "tools/lib/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

void *xaligned(size_t alignment_bytes, size_t size_bytes)
{
	return check(aligned_alloc(alignment_bytes, size_bytes));
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
