/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A library that allocates before anybody expects it: in an IFUNC resolver (while the loader still
 * relocates objects), and in a constructor that runs first of all. */

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#define COUNT 5000

char *early_blocks[COUNT], *early_resolver_block;
int early_answer(void);

static int answer(void)
{
	return 42;
}

/* A constructor's variables are relocated; a resolver's may not be: it keeps the block on its own.
 */
static char *resolver_block;

__attribute__((used)) static int (*resolve_answer(void))(void)
{
	resolver_block = malloc(100);
	if (resolver_block)
		memset(resolver_block, 'r', 99);
	return answer;
}

int early_answer(void) __attribute__((ifunc("resolve_answer")));

/* 600 kB, more than any fixed pool. */
__attribute__((constructor(101))) static void allocate(void)
{
	early_resolver_block = resolver_block;
	for (int i = 0; i < COUNT; i++) {
		early_blocks[i] = calloc(1, 120);
		early_blocks[i][0] = (char)('a' + i % 26);
	}
}
