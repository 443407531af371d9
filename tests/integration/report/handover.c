/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* handover THREADS ROUNDS: threads hand blocks over to each other and release what they are given,
 * so that an address that one has just released is at once another's. Prints how many blocks were
 * allocated; all are released. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { SLOTS = 8, THREADS_MAX = 16 };

static _Atomic(void *) slots[SLOTS];
static unsigned long rounds;

/* One size, so that a released address is the first to be given out again. */
static void *hand_over(void *argument)
{
	unsigned seed = (unsigned)(size_t)argument;

	for (unsigned long i = 0; i < rounds; i++) {
		void *block = malloc(64);

		seed = seed * 1664525u + 1013904223u;
		free(atomic_exchange(&slots[seed >> 16 & (SLOTS - 1)], block));
	}
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : 2;
	pthread_t threads[THREADS_MAX];

	rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000;
	if (count > THREADS_MAX)
		return 2;
	for (size_t i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, hand_over, (void *)(i + 1)))
			return 1;
	for (size_t i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < SLOTS; i++)
		free(atomic_load(&slots[i]));
	printf("%lu\n", count * rounds);
	return 0;
}
