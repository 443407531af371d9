/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Threads: destructors that allocate, blocks freed elsewhere, many short lives, cancellation: with
 * ASYNC in the environment at any instruction, which glibc's allocator forbids. */

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THREADS 8
#define BLOCKS 20000

static void check(int error, const char *what)
{
	if (error) {
		printf("%s: %s\n", what, strerror(error));
		exit(1);
	}
}

static pthread_t start(void *(*routine)(void *), void *argument)
{
	pthread_t thread;

	check(pthread_create(&thread, NULL, routine, argument), "pthread_create");
	return thread;
}

/* Destructors in four rounds, each of which allocates anew. */
static pthread_key_t key;
static atomic_int rounds, frees;

static void destroy(void *value)
{
	char *next = malloc(300);

	memset(next, 1, 300);
	free(value);
	atomic_fetch_add(&frees, 1);
	if (atomic_fetch_add(&rounds, 1) % 3 != 2)
		pthread_setspecific(key, next);
	else
		free(next);
}

static void *with_key(void *argument)
{
	pthread_setspecific(key, calloc(1, 200));
	return argument;
}

static void destructors(void)
{
	check(pthread_key_create(&key, destroy), "pthread_key_create");
	for (int i = 0; i < 100; i++)
		check(pthread_join(start(with_key, NULL), NULL), "pthread_join");
	printf("destructors: %d rounds, %d frees\n", rounds, frees);
}

/* Blocks of one thread are freed by another, in another order, after its end. */
static char *blocks[THREADS][BLOCKS];

static void *make(void *argument)
{
	char **row = argument;

	for (int i = 0; i < BLOCKS; i++) {
		row[i] = malloc((size_t)(i % 700) + 1);
		memset(row[i], i, (size_t)(i % 700) + 1);
	}
	return NULL;
}

static void *take(void *argument)
{
	char **row = argument;
	uintptr_t wrong = 0;

	for (int i = BLOCKS - 1; i >= 0; i -= 2) {
		wrong += row[i][i % 700] != (char)i;
		free(row[i]);
	}
	for (int i = 0; i < BLOCKS; i += 2) {
		row[i] = realloc(row[i], (size_t)(i % 1100) + 1);
		wrong += row[i][0] != (char)i;
		free(row[i]);
	}
	return (void *)wrong;
}

static void exchange(void)
{
	pthread_t threads[THREADS];
	uintptr_t wrong = 0;

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < THREADS; i++)
			threads[i] = start(make, blocks[i]);
		for (int i = 0; i < THREADS; i++)
			check(pthread_join(threads[i], NULL), "pthread_join");
		for (int i = 0; i < THREADS; i++)
			threads[i] = start(take, blocks[(i + 3) % THREADS]);
		for (int i = 0; i < THREADS; i++) {
			void *result;

			check(pthread_join(threads[i], &result), "pthread_join");
			wrong += (uintptr_t)result;
		}
	}
	printf("exchange: %zu wrong\n", (size_t)wrong);
}

/* 15 000 threads that live for one block: nothing may stay behind, not 200 bytes of each. */
static void *live_shortly(void *argument)
{
	free(malloc((size_t)(uintptr_t)argument % 5000));
	return NULL;
}

static long resident_pages(void)
{
	long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	if (!file || fscanf(file, "%*d %ld", &pages) != 1)
		pages = -1;
	fclose(file);
	return pages;
}

static void short_lives(void)
{
	long before = 0;

	for (uintptr_t i = 0; i < 15000; i++) {
		if (i == 1000)
			before = resident_pages();
		check(pthread_join(start(live_shortly, (void *)i), NULL), "pthread_join");
	}
	printf("short lives: %s\n", resident_pages() - before < 600 ? "no growth" : "growth");
}

/* The cleanup allocates and frees. */
static void clean(void *block)
{
	free(malloc(1000));
	free(block);
}

static void *until_cancelled(void *argument)
{
	void *own[64] = { NULL };

	pthread_cleanup_push(clean, malloc(77));
	if (getenv("ASYNC"))
		pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	for (unsigned turn = 0;; turn++) {
		void **place = &own[turn * 7 % 64];

		if (turn % 5) {
			free(*place);
			*place = malloc(turn * 37 % 1000);
		} else {
			*place = realloc(*place, turn * 997 % 300000 + 1);
		}
		if (!getenv("ASYNC"))
			pthread_testcancel();
	}
	pthread_cleanup_pop(1);
	return argument;
}

static void cancellation(void)
{
	int cancelled = 0;

	for (int i = 0; i < 200; i++) {
		pthread_t thread = start(until_cancelled, NULL);
		void *result;

		if (i % 2)
			usleep(100);
		check(pthread_cancel(thread), "pthread_cancel");
		check(pthread_join(thread, &result), "pthread_join");
		cancelled += result == PTHREAD_CANCELED;
	}
	printf("cancelled: %d\n", cancelled);
}

int main(void)
{
	destructors();
	exchange();
	cancellation();
	short_lives();
	return 0;
}
