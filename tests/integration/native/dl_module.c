/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A module that allocates when it comes and goes, throws nothing, and has static TLS of its own. */

#include <stdlib.h>
#include <string.h>

static char *block;
static _Thread_local char own[256] __attribute__((tls_model("initial-exec")));

char *dl_module_use(int size);

__attribute__((constructor)) static void come(void)
{
	block = malloc(3000);
	memset(block, 1, 3000);
}

__attribute__((destructor)) static void go(void)
{
	free(block);
	free(malloc(100));
}

char *dl_module_use(int size)
{
	own[size % 256] = (char)size;
	return malloc((size_t)size);
}
