/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Blocks made, moved and freed on stacks that the program made itself. */

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define COROUTINES 50
#define STACK 65536

static ucontext_t home, contexts[COROUTINES];
static char *blocks[COROUTINES];
static int wrong;
static jmp_buf back;

static void work(int number)
{
	for (int i = 1; i <= 20; i++) {
		blocks[number] = realloc(blocks[number], (size_t)i * 1000);
		memset(blocks[number], number, (size_t)i * 1000);
		swapcontext(&contexts[number], &home);
		wrong += blocks[number][i * 1000 - 1] != (char)number;
		free(malloc((size_t)i));
	}
	free(blocks[number]);
	swapcontext(&contexts[number], &home);
}

static void leave(int depth)
{
	char *block = malloc(100);

	if (depth == 0)
		longjmp(back, 1);
	if (block)
		leave(depth - 1);
	free(block);
}

int main(void)
{
	for (int i = 0; i < COROUTINES; i++) {
		getcontext(&contexts[i]);
		contexts[i].uc_stack.ss_sp = malloc(STACK);
		contexts[i].uc_stack.ss_size = STACK;
		makecontext(&contexts[i], (void (*)(void))work, 1, i);
	}
	for (int round = 0; round < 21; round++)
		for (int i = 0; i < COROUTINES; i++)
			swapcontext(&home, &contexts[i]);
	for (int i = 0; i < COROUTINES; i++)
		free(contexts[i].uc_stack.ss_sp);
	printf("coroutines: %d wrong\n", wrong);
	if (setjmp(back) == 0)
		leave(50);
	printf("jumped back\n");
	return 0;
}
