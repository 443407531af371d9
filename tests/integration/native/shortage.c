/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Memory runs out: calls fail with ENOMEM, what exists stays, and frees help. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define COUNT 100000

static char *blocks[COUNT];

/* Takes blocks until there are no more; returns their number. */
static int take_all(size_t size)
{
	int count = 0;

	errno = 0;
	while (count < COUNT && (blocks[count] = malloc(size))) {
		memset(blocks[count], count, size < 64 ? size : 64);
		count++;
	}
	return count;
}

static void give_all(int count)
{
	while (count > 0)
		free(blocks[--count]);
}

static void run(size_t size)
{
	int count = take_all(size), error = errno;
	char *grown = realloc(blocks[0], (size_t)1 << 40);

	printf("%zu: %s, errno %d", size, count > 10 ? "some" : "too few", error);
	printf(", realloc %d, calloc %d\n", grown != NULL, calloc(1 << 20, 1 << 20) != NULL);
	give_all(count);
	count = take_all(size);
	printf("again: %s\n", count > 10 ? "some" : "too few");
	give_all(count);
}

int main(void)
{
	struct rlimit limit = { 300 << 20, 300 << 20 };

	setvbuf(stdout, NULL, _IONBF, 0);
	if (setrlimit(RLIMIT_AS, &limit) != 0)
		return 1;
	run(100000);
	run(5 << 20);
	run(20000);
	return 0;
}
