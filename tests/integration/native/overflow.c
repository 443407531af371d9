/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Stacks that end: a handler on a stack of its own allocates when another has overflowed, and goes
 * on elsewhere; threads whose stacks are the smallest that there are. */

#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define OVERFLOWS 3
#define SMALL_THREADS 32

static __thread sigjmp_buf back;
static __thread volatile int handled, wrong;
static volatile int bottom = -1; /* never met */

static void on_fault(int signal_number)
{
	char *volatile block = calloc(100, 7);

	(void)signal_number;
	wrong += block[699] != 0;
	block = realloc(block, 300000);
	block[299999] = 1;
	free(block);
	handled++;
	siglongjmp(back, 1);
}

/* Each frame has a page; what is added keeps the call from being a jump. */
static int fall(int depth)
{
	volatile char frame[3000];

	frame[0] = (char)depth;
	return depth == bottom ? 0 : fall(depth + 1) + frame[0];
}

static void overflow(const char *where)
{
	size_t size = (size_t)sysconf(_SC_SIGSTKSZ);
	stack_t stack = { .ss_sp = malloc(size), .ss_size = size };

	sigaltstack(&stack, NULL);
	for (volatile int i = 0; i < OVERFLOWS; i++) {
		free(malloc((size_t)i * 1000));
		if (sigsetjmp(back, 1) == 0)
			fall(0);
	}
	stack.ss_flags = SS_DISABLE;
	sigaltstack(&stack, NULL);
	free(stack.ss_sp);
	printf("overflow in %s: %d handled, %d wrong\n", where, handled, wrong);
}

static void *overflow_there(void *argument)
{
	overflow(argument);
	return argument;
}

static void *allocate(void *argument)
{
	char *volatile blocks[8];

	for (size_t i = 0; i < 8; i++) {
		blocks[i] = malloc(i * i * 5000 + 1);
		blocks[i] = realloc(blocks[i], i * 3000 + 1);
		blocks[i][i * 3000] = (char)i;
	}
	for (size_t i = 0; i < 8; i++) {
		wrong += blocks[i][i * 3000] != (char)i;
		free(blocks[i]);
	}
	return wrong ? NULL : argument;
}

static void in_thread(size_t stack_size, void *(*routine)(void *), const char *name)
{
	pthread_attr_t attributes;
	pthread_t thread;
	void *result = NULL;

	pthread_attr_init(&attributes);
	if (stack_size)
		pthread_attr_setstacksize(&attributes, stack_size);
	if (pthread_create(&thread, &attributes, routine, (void *)name) == 0)
		pthread_join(thread, &result);
	pthread_attr_destroy(&attributes);
	if (result != name)
		printf("%s: failed\n", name);
}

int main(void)
{
	struct sigaction action = { .sa_handler = on_fault, .sa_flags = SA_ONSTACK };

	setvbuf(stdout, NULL, _IONBF, 0);
	sigaction(SIGSEGV, &action, NULL);
	overflow("main");
	in_thread(0, overflow_there, "a thread");
	in_thread(64 << 10, overflow_there, "a thread of 64 KiB");
	for (int i = 0; i < SMALL_THREADS; i++)
		in_thread(PTHREAD_STACK_MIN, allocate, "the smallest stack");
	puts("smallest stacks: done");
	return 0;
}
