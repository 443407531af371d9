/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* limited MIB: takes blocks of 1 MiB until there are so many, or no more. Exits with 0 when malloc
 * said so as it should, and serves again once a block is free; with 1 when there was no limit. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES ((size_t)1 << 20)
#define BLOCKS_MAX 1024

static char *blocks[BLOCKS_MAX];

int main(int argc, char **argv)
{
	int wanted = argc > 1 ? atoi(argv[1]) : 0, count = 0;

	for (; count < wanted && count < BLOCKS_MAX; count++) {
		errno = 0;
		blocks[count] = malloc(BLOCK_BYTES);
		if (!blocks[count])
			break;
		memset(blocks[count], count, BLOCK_BYTES);
	}
	if (count == wanted)
		return 1;
	if (errno != ENOMEM || count < 2)
		return 2;
	free(blocks[count - 1]);
	blocks[count - 1] = malloc(BLOCK_BYTES);
	return blocks[count - 1] && blocks[0][BLOCK_BYTES - 1] == 0 ? 0 : 3;
}
