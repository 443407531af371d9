/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Uses, grows and frees blocks that were made before main, before constructors, and before
 * relocation was over; then makes dlerror work for the first time. */

#include <dlfcn.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT 5000

extern char *early_blocks[COUNT], *early_resolver_block;
int early_answer(void);

int main(void)
{
	int right = 0;
	char *block = early_resolver_block;

	printf("dlerror: %s\n", dlerror() ? "has a message" : "none");
	printf("ifunc: %d\n", early_answer());
	printf("resolver's block: %zu bytes, usable %d\n", block ? strlen(block) : 0,
	       malloc_usable_size(block) >= 100);
	block = realloc(block, 5000);
	printf("after realloc: %zu bytes\n", strlen(block));
	free(block);
	for (int i = 0; i < COUNT; i++) {
		right += malloc_usable_size(early_blocks[i]) >= 120;
		if (i % 2)
			early_blocks[i] = realloc(early_blocks[i], 500);
		right += early_blocks[i][0] == 'a' + i % 26 && early_blocks[i][119] == 0;
		free(early_blocks[i]);
	}
	printf("early blocks: %d right\n", right);
	printf("missing symbol: %p\n", dlsym(RTLD_DEFAULT, "no_such_symbol_anywhere"));
	printf("dlerror: %s\n", dlerror() ? "has a message" : "none");
	printf("dlopen: %p\n", dlopen("/no/such/library.so", RTLD_NOW));
	printf("dlerror: %s\n", dlerror());
	return 0;
}
